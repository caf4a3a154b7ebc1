"""What a spec may say of several devices, and what of it is refused with the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import SpecRefused
from core.spec import JobSpec, parse_spec
from core.spec.patching import patched

JOB: dict[str, Any] = {"dataset": "digits", "model": "mlp"}
STEPS = {"name": "residual", "layers": [{"name": "gru", "hidden_size": 8}]}
READS = {
    "name": "layers",
    "layers": [{"name": "reshape", "shape": [8, 8]}, STEPS, "flatten", {"name": "linear", "out": "auto"}],
}
NORMED = {"name": "mlp", "batch_norm": True}


def spec(**fields: Any) -> JobSpec:
    return parse_spec({**JOB, **fields})


def test_one_device_is_what_a_job_has_when_nothing_is_said() -> None:
    stored = spec().model_dump(mode="json")
    assert (stored["resources"]["devices"], stored["resources"]["sharding"]) == (1, "ddp")
    del stored["resources"]["devices"], stored["resources"]["sharding"]
    assert parse_spec(stored) == spec(), "a spec of before"


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"resources": {"devices": 2, "device": "cuda:1"}}, "/resources/device", "a single device"),
        ({"resources": {"devices": 2, "device": "mps"}}, "/resources/device", "a single device"),
        ({"resources": {"devices": 4}, "batch_size": 3}, "/batch_size", "no sample for each of 4"),
        ({"resources": {"devices": 4}, "model": NORMED, "batch_size": 6}, "/batch_size", "batch norm needs 2"),
        # of the 1,437 samples that train, the last batch has 3, and the second device one of them
        ({"resources": {"devices": 2}, "model": NORMED, "batch_size": 239}, "/batch_size", "batch norm needs 2"),
        ({"resources": {"devices": 2, "memory_gb": 0.9}}, "/resources/memory_gb", "at least 1"),
        ({"resources": {"devices": 2}, "on_out_of_memory": "accumulate"}, "/on_out_of_memory", "micro_batch_size"),
        (
            {"resources": {"devices": 2}, "optimizer": "lbfgs", "batch_size": 1437},
            "/optimizer",
            "works on one device only",
        ),
        ({"resources": {"sharding": "fsdp"}}, "/resources/sharding", "give resources.devices"),
        ({"resources": {"devices": 2, "sharding": "fsdp"}, "optimizer": "muon"}, "/optimizer", "in one piece"),
        ({"resources": {"devices": 2, "sharding": "fsdp"}, "ema": {"decay": 0.9}}, "/ema", "in one piece"),
        ({"resources": {"devices": 2, "sharding": "fsdp"}, "precision": "fp16"}, "/precision", 'Take "bf16"'),
        ({"resources": {"devices": 2, "sharding": "fsdp"}, "sharpness": {}}, "/sharpness", "not shaken"),
        (
            {"resources": {"devices": 2, "sharding": "fsdp"}, "model": "rnn", "dataset": "blobs"},
            "/resources/sharding",
            "recurrent layers",
        ),
        ({"resources": {"devices": 2, "sharding": "fsdp"}, "model": READS}, "/resources/sharding", "recurrent layers"),
        ({"resources": {"devices": 0}}, "/resources/devices", "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_shared_out_is_refused_with_the_remedy(fields: dict[str, Any], pointer: str, words: str) -> None:
    with pytest.raises(SpecRefused) as refused:
        spec(**fields)
    assert [(one.pointer, words in one.message) for one in refused.value.problems] == [(pointer, True)]


def test_what_can_be_shared_out_is_taken() -> None:
    for fields in ({"batch_size": 2}, {"model": NORMED, "batch_size": 4, "loader": {"drop_last": True}}):
        assert spec(resources={"devices": 2, "memory_gb": 1.0}, **fields).resources.devices == 2


def test_a_fork_to_several_devices_must_be_able_to_repeat_the_epochs_before() -> None:
    before = spec(batch_size=2).model_dump(mode="json")
    patch = {"resources": {"devices": 3}, "batch_size": 30}
    with pytest.raises(SpecRefused) as refused:
        patched(before, patch, epoch=1)
    assert [one.pointer for one in refused.value.problems] == ["/patch/resources/devices"]
    assert patched(before, {"resources": {"devices": 2}}, epoch=1).resources.devices == 2
