"""Where children come from, seen from the process that starts them."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from worker import nursery
from worker.nursery import METHOD, Nursery


@pytest.mark.skipif(METHOD != "forkserver", reason="nothing is started ahead")
def test_the_environment_changes_only_in_the_thread_that_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    changing: list[threading.Thread] = []
    really = nursery._set

    def watched(env: Mapping[str, str]) -> None:
        changing.append(threading.current_thread())
        really(env)

    monkeypatch.setattr(nursery, "_set", watched)
    monkeypatch.setattr(nursery, "_serves", lambda: False)
    Nursery(trainer="tests.worker.acting", max_lines=10).open()
    assert changing == [threading.current_thread()] * 2  # without what is ours, and as it was
