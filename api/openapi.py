"""`python -m api.openapi` prints what `docs/openapi.json` holds."""

from __future__ import annotations

import json
import sys
from typing import Any

from api.app import bare_app
from api.schema import document


def as_text(document: dict[str, Any]) -> str:
    """The document as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Print the document."""
    sys.stdout.write(as_text(document(bare_app())))


if __name__ == "__main__":
    main()
