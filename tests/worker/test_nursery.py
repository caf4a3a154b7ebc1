"""Where children come from, seen from the process that starts them."""

from __future__ import annotations

import subprocess
import sys
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


def test_what_was_put_aside_for_a_quick_start_is_back_behind_it() -> None:
    looks = (
        "import sys, gc, worker.kindling, worker.training, worker.child, worker.cradle;"
        "assert 'torchmetrics' in sys.modules;"
        "assert not {'scipy.signal', 'matplotlib', 'transformers'} & set(sys.modules);"
        "import scipy.signal; assert len(scipy.signal.windows.hann(5)) == 5;"
        "assert gc.isenabled() and gc.get_freeze_count()"
    )
    subprocess.run([sys.executable, "-c", looks], check=True)


def test_a_service_opens_its_socket_and_its_launcher_before_it_loads_a_framework() -> None:
    looks = "import sys, trainwire.local; assert not {'fastapi', 'sqlalchemy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", looks], check=True)
