"""The same job again from elsewhere, ready to be pasted: by curl, by Python, by the command line."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from typing import Any

from core.epochs import predicts

_WIDTH = 88


def copies(spec: Mapping[str, Any], *, url: str, keyed: bool) -> dict[str, str]:
    """The texts by their names; `keyed` says that the service at `url` wants its key."""
    if predicts(spec):
        return _of_predictions(spec["predict"], url=url, keyed=keyed)
    body = json.dumps(spec, indent=2, ensure_ascii=False)
    written = pprint.pformat(dict(spec), width=_WIDTH, sort_dicts=False)
    return {
        "curl": _posted(f"{url}/v1/jobs", body, keyed=keyed),
        "Python": f"from trainwire import Client\n\nspec = {written}\n"
        f'with Client("{url}") as client:\n    job = client.submit(spec)\n    for event in client.watch(job.id):\n'
        "        print(event.type, event.data)",
        "Command line": f"trainwire submit - --watch --url {url} <<'JSON'\n{body}\nJSON",
    }


def _of_predictions(asked: Mapping[str, Any], *, url: str, keyed: bool) -> dict[str, str]:
    job, dataset, form = (asked[name] for name in ("job", "dataset", "format"))
    body = json.dumps({"dataset": dataset, "format": form}, indent=2)
    return {
        "curl": _posted(f"{url}/v1/jobs/{job}/predictions", body, keyed=keyed),
        "Python": f'from trainwire import Client\n\nwith Client("{url}") as client:\n'
        f'    job = client.predict_upload("{job}", "{dataset}", format="{form}")\n    client.wait(job.id)\n'
        "    print(client.download(job.id))",
        "Command line": f"trainwire predict {job} {dataset} --watch --url {url}",
    }


def _posted(address: str, body: str, *, keyed: bool) -> str:
    key = """ -H "Authorization: Bearer $TRAINWIRE_API_KEY\"""" if keyed else ""
    return f"curl {address} -H 'Content-Type: application/json'{key} -d @- <<'JSON'\n{body}\nJSON"
