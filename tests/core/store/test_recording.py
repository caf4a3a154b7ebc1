from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import Any

import pytest

from core.errors import ClaimLost, NotFound
from core.events import EpochDone, Failed, Finished, Logged, Measured, Noticed
from core.job import Claim, ErrorInfo, Event, EventType, Progress, Reason, Status
from core.store import Store
from core.usage import Memory
from tests.core.store.conftest import OpenStore
from tests.core.store.making import FINISHED, STARTED, a_row, a_spec, a_worker, an_epoch


def running(store: Store) -> Claim:
    store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    return claim


def again(store: Store, claim: Claim) -> Claim:
    """The next attempt, after the run died."""
    store.release(claim, error=ErrorInfo("killed_by_signal", "SIGKILL"))
    second = store.claim(a_worker())
    assert second is not None
    return second


def told(events: list[Event]) -> list[tuple[str, Any]]:
    return [(event.type.value, json.loads(event.data)) for event in events]


def test_what_a_run_tells_is_logged_without_gaps_and_ends_the_job(store: Store) -> None:
    claim = running(store)
    assert store.record(claim, [STARTED, an_epoch(1, best=True)]) is Status.RUNNING
    assert store.record(claim, [an_epoch(2), Logged(("one", "two")), FINISHED]) is Status.SUCCEEDED
    events = store.events(claim.job_id)
    assert [event.seq for event in events] == list(range(1, 9))
    assert [event.type.value for event in events[2:]] == ["started", "epoch", "epoch", "log", "log", "end"]
    job = store.job(claim.job_id)
    assert (job.version, job.status, job.status_reason) == (8, Status.SUCCEEDED, Reason.COMPLETED)
    assert (job.worker, job.worker_device) == ("node", "cpu")
    assert job.finished_at is not None


def test_what_a_run_takes_is_shown_while_it_runs_and_told_at_its_end(store: Store) -> None:
    claim = running(store)
    first, last = Memory(100, 100, 200, 5_000, 4_000), Memory(100, 100, 200, 6_000, 4_000)
    before = store.job(claim.job_id).version
    store.record(claim, [Measured(first)])
    job = store.job(claim.job_id)
    assert (job.version, job.memory) == (before, asdict(first))
    store.record(claim, [STARTED, replace(FINISHED, memory=last)])
    assert store.job(claim.job_id).memory == asdict(last)
    assert told(store.events(claim.job_id))[-1][1]["memory"] == asdict(last)


def test_events_carry_their_data_in_wire_form(store: Store) -> None:
    claim = running(store)
    store.record(
        claim, [STARTED, an_epoch(1), Logged(("hello",), "stderr"), Noticed("slow", "It is.", {"s": 1}), FINISHED]
    )
    started, epoch, log, notice, end = told(store.events(claim.job_id, after=2))
    assert started[1]["device"] == "cpu"
    assert (started[1]["attempt"], started[1]["versions"]) == (1, {"torch": "2.13.0"})
    assert epoch == ("epoch", a_row(1).public())
    assert log == ("log", {"line": "hello", "stream": "stderr"})
    assert notice == ("notice", {"code": "slow", "message": "It is.", "s": 1})
    assert end == ("end", {"status": "succeeded", "reason": "completed", "by": "worker"})


def test_progress_is_shown_but_is_no_event(store: Store) -> None:
    claim = running(store)
    store.record(claim, [Progress(1, 3, 2, 4, 1.5), Progress(1, 3, 3, 4, float("inf"))])
    job = store.job(claim.job_id)
    assert job.progress == Progress(1, 3, 3, 4, math.inf)
    assert job.version == 2
    pulse = store.pulse([claim.job_id, "job_unknown"])
    assert list(pulse) == [claim.job_id]
    assert (pulse[claim.job_id].version, pulse[claim.job_id].progress) == (2, job.progress)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 5e-324, 0.0, 0.1 + 0.2, 1.7976931348623157e308])
def test_figures_come_back_exactly(store: Store, odd: float) -> None:
    claim = running(store)
    row = a_row(1, train_loss=odd, val_loss=odd, metrics={"val_accuracy": odd})
    store.record(claim, [EpochDone(row, best=False)])
    [stored] = store.epochs(claim.job_id)
    for figure in (stored.train_loss, stored.val_loss, stored.metrics["val_accuracy"]):
        assert repr(figure) == repr(odd)


def test_a_figure_that_is_not_there_is_not_one_that_is_no_number(store: Store) -> None:
    claim = running(store)
    store.record(claim, [an_epoch(1, val_loss=None, metrics={}), an_epoch(2, val_loss=math.nan)])
    without, odd = store.epochs(claim.job_id)
    assert without.val_loss is None
    assert "val_loss" not in without.public()
    assert odd.val_loss is not None
    assert math.isnan(odd.val_loss)
    assert told(store.events(claim.job_id))[-1][1]["nonfinite"] == {"val_loss": "nan"}


def test_the_job_shows_its_latest_and_its_best_epoch(store: Store) -> None:
    claim = running(store)
    store.record(claim, [an_epoch(1, best=True), an_epoch(2, best=True), an_epoch(3, train_loss=math.nan)])
    job = store.job(claim.job_id)
    assert job.best == a_row(2).public()
    assert job.latest is not None
    assert (job.latest["epoch"], job.latest["train_loss"], job.latest["nonfinite"]) == (3, None, {"train_loss": "nan"})


def test_epochs_are_read_on_from_the_last_one_seen(store: Store) -> None:
    claim = running(store)
    store.record(claim, [an_epoch(epoch) for epoch in range(1, 6)])
    assert [row.epoch for row in store.epochs(claim.job_id, after=2)] == [3, 4, 5]
    assert [row.epoch for row in store.epochs(claim.job_id, after=2, limit=2)] == [3, 4]
    assert store.epochs(claim.job_id)[0] == a_row(1)


def test_events_are_read_on_and_picked_by_type(store: Store) -> None:
    claim = running(store)
    store.record(claim, [an_epoch(1), Logged(("a", "b", "c")), an_epoch(2)])
    assert [event.seq for event in store.events(claim.job_id, after=4, limit=2)] == [5, 6]
    assert [event.seq for event in store.events(claim.job_id, types=[EventType.LOG])] == [4, 5, 6]
    assert [event.seq for event in store.events(claim.job_id, after=4, limit=1, types={EventType.LOG})] == [5]
    picked = store.events(claim.job_id, types=[EventType.EPOCH, EventType.STATUS])
    assert [event.seq for event in picked] == [1, 2, 3, 7]
    assert store.events("job_unknown") == []


def test_artifacts_are_found_by_name(store: Store) -> None:
    claim = running(store)
    store.record(claim, [FINISHED])
    [file] = store.artifacts(claim.job_id)
    assert file == store.artifact(claim.job_id, "model.safetensors")
    assert (file.path, file.bytes, file.sha256) == ("j/1/model.safetensors", 7, "ab")
    assert file.created_at is not None
    with pytest.raises(NotFound, match="other"):
        store.artifact(claim.job_id, "other")


def test_figures_of_the_test_part_are_kept_with_the_job_and_told_at_its_end(store: Store) -> None:
    claim = running(store)
    store.record(claim, [Finished(Reason.COMPLETED, (), {"loss": 0.1 + 0.2, "auroc": math.nan})])
    figures = {"loss": 0.1 + 0.2, "auroc": None, "nonfinite": {"auroc": "nan"}}
    assert store.job(claim.job_id).test == figures
    assert told(store.events(claim.job_id))[-1][1]["test"] == figures


def test_a_job_without_a_test_part_has_no_such_figures(store: Store) -> None:
    claim = running(store)
    store.record(claim, [FINISHED])
    assert store.job(claim.job_id).test is None
    assert "test" not in told(store.events(claim.job_id))[-1][1]


def test_a_failure_keeps_its_reason_and_what_to_change(store: Store) -> None:
    claim = running(store)
    error = ErrorInfo("diverged", "The cost became NaN in epoch 2.", hint="Try a smaller lr.", param="/lr")
    assert store.record(claim, [an_epoch(1), Failed(Reason.DIVERGED, error)]) is Status.FAILED
    job = store.job(claim.job_id)
    assert (job.status_reason, job.error) == (Reason.DIVERGED, error)
    kind, data = told(store.events(claim.job_id))[-1]
    assert kind == "end"
    assert data["error"] == {"code": "diverged", "message": error.message, "hint": error.hint, "param": "/lr"}


def test_nothing_is_recorded_behind_the_end(store: Store) -> None:
    claim = running(store)
    store.record(claim, [FINISHED, an_epoch(1), Finished(Reason.CONVERGED, ())])
    assert store.epochs(claim.job_id) == []
    for late in ([], [an_epoch(1)], [Failed(Reason.STALLED, ErrorInfo("stalled", "x"))]):
        with pytest.raises(ClaimLost):
            store.record(claim, late)
    job = store.job(claim.job_id)
    assert (job.status, job.version) == (Status.SUCCEEDED, 3)


def test_a_worker_that_wakes_up_late_changes_nothing(open_store: OpenStore) -> None:
    store = open_store(lease_s=1e-6)
    late = running(store)
    assert store.sweep() == [late.job_id]
    with pytest.raises(ClaimLost):
        store.record(late, [an_epoch(1)])
    current = store.claim(a_worker("other"))
    assert current is not None
    with pytest.raises(ClaimLost):
        store.record(late, [FINISHED])
    with pytest.raises(ClaimLost):
        store.release(late)
    assert store.record(current, [an_epoch(1)]) is Status.RUNNING
    assert [row.epoch for row in store.epochs(late.job_id)] == [1]


def test_an_epoch_computed_again_is_neither_stored_nor_told_again(store: Store) -> None:
    first = running(store)
    store.record(first, [STARTED, an_epoch(1), an_epoch(2, best=True)])
    second = again(store, first)
    before = store.job(first.job_id)
    assert before.progress is None
    store.record(second, [an_epoch(1, best=True), an_epoch(2, best=True)])
    assert store.job(first.job_id) == before
    store.record(second, [an_epoch(3)])
    kinds = [kind for kind, _ in told(store.events(first.job_id))]
    assert kinds == ["status", "status", "started", "epoch", "epoch", "status", "status", "epoch"]


def test_an_epoch_computed_again_with_other_figures_is_noticed_and_the_first_kept(store: Store) -> None:
    first = running(store)
    store.record(first, [an_epoch(1, val_loss=math.nan), an_epoch(2)])
    second = again(store, first)
    store.record(second, [an_epoch(1, val_loss=math.nan), an_epoch(2, train_loss=math.inf)])
    assert [row.train_loss for row in store.epochs(first.job_id)] == [1.0, 0.5]
    [(_, notice)] = [each for each in told(store.events(first.job_id)) if each[0] == "notice"]
    assert (notice["code"], notice["epoch"]) == ("epoch_differs", 2)
    assert notice["stored"] == {"train_loss": 0.5}
    assert notice["computed"] == {"train_loss": None, "nonfinite": {"train_loss": "inf"}}


def test_times_of_a_recomputed_epoch_may_differ(store: Store) -> None:
    first = running(store)
    store.record(first, [an_epoch(1)])
    second = again(store, first)
    slower = EpochDone(a_row(1), best=False)
    store.record(second, [slower])
    assert "notice" not in [kind for kind, _ in told(store.events(first.job_id))]


def test_the_log_stops_at_its_limit_and_says_so_once(open_store: OpenStore) -> None:
    store = open_store(max_log_lines=3)
    claim = running(store)
    store.record(claim, [Logged(("1", "2")), Logged(("3",))])
    store.record(claim, [Logged(("4", "5"))])
    store.record(again(store, claim), [Logged(("6",)), Logged(("7",))])
    lines = [json.loads(event.data)["line"] for event in store.events(claim.job_id, types=[EventType.LOG])]
    assert lines[:3] == ["1", "2", "3"]
    assert len(lines) == 4
    assert "3 lines" in lines[3]


@pytest.mark.parametrize("line", ["nul \x00 byte", "escape \x1b[31m", "newline\nline", "lone \ud800 surrogate", "☃ 𝄞"])
def test_any_line_that_a_run_prints_can_be_kept(store: Store, line: str) -> None:
    claim = running(store)
    store.record(claim, [Logged((line,))])
    [event] = store.events(claim.job_id, types=[EventType.LOG])
    assert json.loads(event.data)["line"] == line.encode("utf-8", "replace").decode()


def test_what_a_run_found_is_told_kept_and_given_to_the_next_attempt(store: Store) -> None:
    claim = running(store)
    assert claim.resolved == {}
    assert store.job(claim.job_id).resolved is None
    store.record(claim, [replace(STARTED, resolved={"lr": 0.0123, "batch_size": 256})])
    assert told(store.events(claim.job_id))[-1][1]["resolved"] == {"lr": 0.0123, "batch_size": 256}
    second = again(store, claim)
    assert second.resolved == store.job(claim.job_id).resolved == {"lr": 0.0123, "batch_size": 256}
    store.record(second, [STARTED])
    assert "resolved" not in told(store.events(claim.job_id))[-1][1]
    assert store.job(claim.job_id).resolved is not None
