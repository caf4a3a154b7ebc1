"""Curves as TensorBoard reads them: an event file with a scalar for each figure, and the spec as a text."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from core.exporting.curves import scalars
from core.wire import exact


def write(curves: Mapping[str, Any], draft: Path) -> None:
    """Write the event file to `draft`; a step is an epoch, and what is not finite stays as it was."""
    with tempfile.TemporaryDirectory(dir=draft.parent, prefix=f"{draft.name}.") as folder:
        with SummaryWriter(folder) as writer:
            writer.add_text("spec", _block(curves["spec"]))
            for at, row in curves["rows"]:
                for tag, value in scalars(exact(row)):
                    writer.add_scalar(tag, value, row["epoch"], walltime=at)
        (made,) = Path(folder).iterdir()
        made.replace(draft)


def _block(spec: Any) -> str:
    """JSON as Markdown shows it: as it is."""
    return "\n".join(f"    {line}" for line in json.dumps(spec, indent=2).splitlines())
