"""Trials in the store: claimed once, for as long as somebody waits."""

from __future__ import annotations

from core.store import Store
from tests.core.store.conftest import OpenStore
from tests.core.store.making import HandClock, a_spec, a_worker

TOLD = {"error": {"code": "x"}}


def test_a_probe_is_claimed_by_one_worker_and_answered(store: Store) -> None:
    asked = store.ask_probe(a_spec(), within_s=30)
    taken = store.take_probe(a_worker("a"))
    assert taken is not None
    assert (taken.id, taken.device, taken.spec["model"]["name"]) == (asked, "auto", "linear")
    assert store.take_probe(a_worker("b")) is None
    assert store.probe_answer(asked) is None
    assert store.keep_probe(asked, "wk_a")
    assert not store.keep_probe(asked, "wk_b")
    store.answer_probe(asked, "wk_a", TOLD)
    assert store.probe_answer(asked) == TOLD
    store.drop_probe(asked)
    store.drop_probe(asked)
    assert store.probe_answer(asked) is None


def test_only_a_worker_of_the_queue_and_the_device_takes_a_probe(store: Store) -> None:
    store.ask_probe(a_spec(resources={"queue": "gpu", "device": "cuda"}), within_s=30)
    assert store.take_probe(a_worker("a")) is None
    assert store.take_probe(a_worker("b", queues=("gpu",))) is None
    assert store.take_probe(a_worker("c", queues=("gpu",), devices=("cuda:0", "cpu"))) is not None


def test_the_oldest_comes_first_and_what_is_given_back_goes_on(store: Store) -> None:
    first, second = (store.ask_probe(a_spec(), within_s=30) for _ in range(2))
    taken = [store.take_probe(a_worker(name)) for name in ("a", "b", "c")]
    assert [probe and probe.id for probe in taken] == [first, second, None]
    store.return_probe(first, "wk_b")
    assert store.take_probe(a_worker("c")) is None
    store.return_probe(first, "wk_a")
    again = store.take_probe(a_worker("c"))
    assert again is not None
    assert again.id == first
    store.answer_probe(first, "wk_a", TOLD)
    assert store.probe_answer(first) is None


def test_a_probe_whose_worker_fell_silent_goes_to_another_one(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed()
    asked = store.ask_probe(a_spec(), within_s=60)
    assert store.take_probe(a_worker("a"))
    clock.passes(11)
    assert store.keep_probe(asked, "wk_a")
    clock.passes(11)
    assert store.take_probe(a_worker("b")) is None
    clock.passes(2)
    assert store.take_probe(a_worker("b")) is not None
    assert not store.keep_probe(asked, "wk_a")


def test_a_probe_that_nobody_waits_for_is_left_and_swept(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed()
    asked = store.ask_probe(a_spec(), within_s=30)
    assert store.take_probe(a_worker("a"))
    store.answer_probe(asked, "wk_a", TOLD)
    clock.passes(29)
    store.sweep()
    assert store.probe_answer(asked) == TOLD
    clock.passes(2)
    assert not store.keep_probe(asked, "wk_a")
    store.sweep()
    assert store.probe_answer(asked) is None


def test_a_probe_is_no_job_and_waiting_jobs_are_seen(store: Store) -> None:
    store.ask_probe(a_spec(), within_s=30)
    assert store.claim(a_worker()) is None
    assert not store.has_work(a_worker())
    store.add(a_spec(resources={"device": "cuda"}))
    assert not store.has_work(a_worker())
    store.add(a_spec())
    assert store.has_work(a_worker())
