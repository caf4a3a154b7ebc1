"""What the user is told when a run fails."""

import errno
import multiprocessing
import sys
from collections.abc import Iterator

import pytest
import torch
from pydantic import ValidationError

from core.errors import Diverged
from core.job import Reason
from core.loading.batches import from_workers
from core.loading.samples import Samples
from core.loop.failures import explain
from core.spec.job_spec import JobSpec, parse_spec


def test_what_torch_says_in_bold_is_told_plainly() -> None:
    told = explain(RuntimeError("\x1b[1mdo those steps\x1b[0m only if")).error
    assert told.message == "RuntimeError: do those steps only if"


def test_an_error_of_our_own_keeps_its_reason_and_hint() -> None:
    failed = explain(Diverged("The loss became nan.", hint="Try lr 0.01.", param="/lr"))
    assert failed.reason is Reason.DIVERGED
    assert (failed.error.code, failed.error.hint, failed.error.param) == ("diverged", "Try lr 0.01.", "/lr")


def test_a_spec_with_a_part_that_this_worker_lacks_names_it_and_the_remedy() -> None:
    with pytest.raises(ValidationError) as caught:
        JobSpec.model_validate({"dataset": "iris", "model": "ripple"})
    failed = explain(caught.value)
    assert failed.reason is Reason.INVALID_SPEC
    assert failed.error.message == 'This worker cannot read the job\'s spec: "ripple" is not a known model.'
    assert failed.error.param == "/model"
    assert "plugins" in (failed.error.hint or "")


def test_a_worker_without_an_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    optimizer = {"name": "pytorch_optimizer", "algorithm": "lion"}
    with pytest.raises(ValidationError) as caught:
        JobSpec.model_validate({"dataset": "iris", "model": "linear", "optimizer": optimizer})
    failed = explain(caught.value)
    assert failed.reason is Reason.INVALID_SPEC
    assert 'pip install "trainwire[optim]"' in failed.error.message
    assert failed.error.param == "/optimizer"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lack_of_memory_says_what_to_change(error: BaseException) -> None:
    failed = explain(error)
    assert failed.reason is Reason.OUT_OF_MEMORY
    assert failed.error.param == "/batch_size"
    assert "batch_size" in (failed.error.hint or "")


def test_a_limit_of_memory_is_the_first_thing_to_change_and_what_is_set_is_not_advised() -> None:
    limited = {"memory_gb": 0.9}
    given = {"dataset": "iris", "model": "linear", "on_out_of_memory": "accumulate", "resources": limited}
    hint = explain(MemoryError(), spec=parse_spec(given).model_dump()).error.hint or ""
    assert hint.startswith("Raise resources.memory_gb, which is 0.9, lower batch_size")
    assert "accumulate" not in hint


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_so(number: int) -> None:
    failed = explain(OSError(number, "No space left on device"))
    assert failed.reason is Reason.STORAGE_FULL
    assert "space" in (failed.error.hint or "")


def behind_dead_workers(batches: Iterator[Samples]) -> Iterator[Samples]:
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    yield from batches


def test_a_dead_loader_process_says_what_it_may_have_lacked() -> None:
    samples = Samples(torch.zeros(64, 2), torch.zeros(64, dtype=torch.int64))
    feed = from_workers(samples, batch_size=1, device=torch.device("cpu"), workers=1, pin=False)
    batches = feed(torch.arange(64))
    next(batches)
    with pytest.raises(RuntimeError) as died:
        list(behind_dead_workers(batches))
    failed = explain(died.value)
    assert failed.reason is Reason.KILLED_BY_SIGNAL
    assert failed.error.param == "/loader/num_workers"
    assert "shared memory" in (failed.error.hint or "")


def test_an_unforeseen_error_shows_its_type_and_message_only() -> None:
    failed = explain(KeyError("weights"))
    assert failed.reason is Reason.INTERNAL_ERROR
    assert failed.error.message == "KeyError: 'weights'"
    assert "\n" not in explain(ValueError("first line\nsecond")).error.message


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO, errno.ESTALE])
def test_a_folder_that_cannot_be_written_says_where_to_look(number: int) -> None:
    failed = explain(OSError(number, "not so", "/artifacts/model.safetensors"))
    assert failed.reason is Reason.INTERNAL_ERROR
    assert "/artifacts/model.safetensors" in failed.error.message
    assert "artifacts" in (failed.error.hint or "")
