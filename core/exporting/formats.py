"""The formats that a trained model, or its curves, may be exported in, and what each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.errors import ExportRefused
from core.extras import install, is_here
from core.starting import WEIGHTS

Format = Literal["safetensors", "pt2", "onnx", "script", "tensorboard"]


@dataclass(frozen=True, slots=True)
class Form:
    """The artifact that a format is, and the packages that making it needs, which an extra brings."""

    name: str
    media_type: str = "application/octet-stream"
    packages: tuple[str, ...] = ()
    extra: str = "export"


FORMS: Mapping[Format, Form] = {
    "safetensors": Form(WEIGHTS),
    "pt2": Form("model.pt2"),
    "onnx": Form("model.onnx", packages=("onnx", "onnxscript", "onnxruntime")),
    "script": Form("predict.zip", "application/zip"),
    "tensorboard": Form("events.out.tfevents.trainwire", packages=("tensorboard",), extra="tensorboard"),
}


def check_packages(wanted: Format) -> None:
    """Raise ExportRefused with the remedy where a package is missing here."""
    missing = [package for package in FORMS[wanted].packages if not is_here(package)]
    if missing:
        told = f"The format {wanted} needs {', '.join(missing)}, which this service does not have."
        raise ExportRefused(told, hint=f"Where the API runs: {install(FORMS[wanted].extra)}", param="/format")
