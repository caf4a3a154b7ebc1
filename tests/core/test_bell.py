"""Bells within one process."""

from __future__ import annotations

import threading

from core.bell import LocalWatchBell, LocalWorkBell

WITHIN_S = 60.0


def test_a_ring_between_looking_and_waiting_is_not_lost() -> None:
    bell = LocalWorkBell()
    seen = bell.count
    bell.ring(None)
    bell.wait(seen, timeout=3600.0)


def test_a_waiting_slot_is_woken() -> None:
    bell = LocalWorkBell()
    woken = threading.Event()

    def wait() -> None:
        bell.wait(bell.count, timeout=3600.0)
        woken.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    while not woken.wait(0.01):
        bell.ring()
    thread.join(WITHIN_S)


def test_without_a_ring_waiting_ends_by_itself() -> None:
    bell = LocalWorkBell()
    bell.wait(bell.count, timeout=0.0)


def test_all_slots_can_be_woken_at_once() -> None:
    bell = LocalWorkBell()
    seen = bell.count
    threads = [threading.Thread(target=bell.wait, args=(seen,), kwargs={"timeout": 3600.0}) for _ in range(4)]
    for thread in threads:
        thread.start()
    bell.wake_all()
    for thread in threads:
        thread.join(WITHIN_S)
        assert not thread.is_alive()


def test_a_watcher_hears_until_it_leaves() -> None:
    bell = LocalWatchBell()
    heard: list[str] = []
    leave = bell.listen(heard.append)
    bell.ring("job_1")
    leave()
    leave()
    bell.ring("job_2")
    assert heard == ["job_1"]
