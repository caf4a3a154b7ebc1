"""Specs as they come: judged in full, also by what the files in them hold and by the devices of this machine."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body
from pydantic import PlainValidator

from api.context import Api
from core.checks import nearest
from core.errors import SpecRefused
from core.job import Problem
from core.spec import JobSpec, names_a_file, parse_spec

DEVICES_WAIT_S = 10.0
"""How long a POST for a certain device waits for the embedded node's first look at its devices."""


def _judged(data: Any) -> Any:
    """The spec; one that names a file or a job as it was sent: it is judged where that can be looked up."""
    return data if names_a_file(data) else JobSpec.model_validate(data)


Spec = Annotated[Any, Body(), PlainValidator(_judged, json_schema_input_type=JobSpec)]


def resolved(api: Api, asked: Any) -> JobSpec:
    """The spec with every default; raises SpecRefused, also for a device that none of the workers can have."""
    spec = parse_spec(asked, find=api.store.find_dataset, look=api.shelf.look, left=api.store.find_left)
    device_is_there(api, spec.resources.device)
    return spec


def device_is_there(api: Api, wanted: str) -> None:
    """Raise SpecRefused for a device that none of the workers can have, where all of them are in this process."""
    if api.node is None or wanted in ("auto", "cpu"):
        return
    there = api.node.devices(DEVICES_WAIT_S)
    if any(device == wanted or device.startswith(f"{wanted}:") for device in there):
        return
    allowed = ["auto", *there]
    message = f"{wanted!r} is no device of this machine, which has {', '.join(there)}.{nearest(wanted, allowed)}"
    raise SpecRefused([Problem("/resources/device", message, allowed)])
