"""The same job again from elsewhere, ready to be pasted: by curl, by Python, by the command line."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from typing import Any

_WIDTH = 88


def copies(spec: Mapping[str, Any], *, url: str, keyed: bool) -> dict[str, str]:
    """The texts by their names; `keyed` says that the service at `url` wants its key."""
    body = json.dumps(spec, indent=2, ensure_ascii=False)
    key = """ -H "Authorization: Bearer $TRAINWIRE_API_KEY\"""" if keyed else ""
    written = pprint.pformat(dict(spec), width=_WIDTH, sort_dicts=False)
    return {
        "curl": f"curl {url}/v1/jobs -H 'Content-Type: application/json'{key} -d @- <<'JSON'\n{body}\nJSON",
        "Python": f"from trainwire import Client\n\nspec = {written}\n"
        f'with Client("{url}") as client:\n    job = client.submit(spec)\n    for event in client.watch(job.id):\n'
        "        print(event.type, event.data)",
        "Command line": f"trainwire submit - --watch --url {url} <<'JSON'\n{body}\nJSON",
    }
