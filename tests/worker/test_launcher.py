"""Children that stand ready, and that never outlive who started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.events import Checkpointed, EpochDone, Finished, Logged, RunEvent, Stopped
from core.supervision.bench import Order
from core.supervision.endings import Exit
from tests.worker.place import WITHIN_S, KeptLauncher, acting, gone, happens, is_running, parent_of
from worker.launcher import Launcher
from worker.process import ChildProcess


@contextmanager
def supervising(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor in a process of its own, and the processes under it: child, its helper, spare, forkserver."""
    command = [sys.executable, "-m", "tests.worker.supervisor", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(word) for word in supervisor.stdout.readline().split()]
        try:
            yield supervisor, pids
        finally:
            supervisor.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_forkserver_has_torch_loaded_and_leaves_signals_to_its_supervisor(
    launcher: KeptLauncher, tmp_path: Path
) -> None:
    assert launcher.wait_warm(WITHIN_S)
    spare = launcher._spare
    assert spare is not None
    forkserver = parent_of(spare.pid)
    assert "libtorch" in Path(f"/proc/{forkserver}/maps").read_text()
    assert signal.SIGINT in blocked(forkserver), "Ctrl-C would interrupt its imports"
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(forkserver, number)
    child = launcher.launch(_order(tmp_path))
    assert isinstance(_everything(child)[-1], Finished)
    child.close()
    assert launcher.wait_warm(WITHIN_S)
    assert launcher._spare is not None
    assert parent_of(launcher._spare.pid) == forkserver


def blocked(pid: int) -> set[int]:
    """The signals that a process holds off, as Linux tells them: bit n - 1 for signal n."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    mask = int(status["SigBlk"], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("by", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.full), signal.SIGINT])
def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path, by: signal.Signals) -> None:
    with supervising(tmp_path) as (supervisor, pids):
        assert len(pids) == 4
        assert all(map(is_running, pids))
        supervisor.send_signal(by)
        assert supervisor.wait(WITHIN_S) != 0
        assert gone(pids)


def test_a_spare_child_that_died_is_no_trap(launcher: KeptLauncher, tmp_path: Path) -> None:
    assert launcher.wait_warm(WITHIN_S)
    spare = launcher._spare
    assert spare is not None
    os.kill(spare.pid, signal.SIGKILL)
    assert gone([spare.pid])
    child = launcher.launch(_order(tmp_path))
    assert child.pid != spare.pid
    assert isinstance(_everything(child)[-1], Finished)
    assert child.close().code == 0


def test_a_forkserver_started_again_knows_no_secret_either(launcher: KeptLauncher, tmp_path: Path) -> None:
    assert launcher.wait_warm(WITHIN_S)
    spare = launcher._spare
    assert spare is not None
    os.kill(parent_of(spare.pid), signal.SIGKILL)
    for _ in range(2):  # the first may be one that was on its way
        child = launcher.launch(_order(tmp_path, act="confesses"))
        told = _everything(child)
        assert isinstance(told[-1], Finished)
        child.close()
    said = [line for event in told if isinstance(event, Logged) for line in event.lines]
    assert "inherited" in said, "nothing behind it: no variable of ours"


@pytest.mark.skipif(sys.platform != "linux", reason="watches a process by its descriptor")
def test_a_run_survives_the_forkserver_and_its_end_is_still_seen(launcher: KeptLauncher, tmp_path: Path) -> None:
    going, dying = (launcher.launch(_order(tmp_path / act, act=act)) for act in ("waits", "hangs"))
    for child in (going, dying):
        assert _until(child, EpochDone)
    forkserver = parent_of(going.pid)
    os.kill(forkserver, signal.SIGKILL)
    assert gone([forkserver])
    assert launcher.wait_warm(WITHIN_S)
    (tmp_path / "go").touch()
    assert isinstance(_everything(going)[-1], Finished)
    going.close()
    os.kill(dying.pid, signal.SIGKILL)
    assert not any(isinstance(event, Finished) for event in _everything(dying))
    assert dying.close().code is None, "nobody saw it"
    launcher.launch(_order(tmp_path)).close()  # the spare is an orphan too


@pytest.mark.parametrize("act", ["hangs", "steps"])
def test_a_trainer_ends_when_its_supervisor_is_silent_for_a_lease(
    launcher: KeptLauncher, tmp_path: Path, act: str
) -> None:
    child = launcher.launch(_order(tmp_path, act=act, epochs=100_000, lease_s=0.5, heartbeat_s=0.1))
    for _ in range(10):
        threading.Event().wait(0.1)  # twice a lease
        child.ping()
    assert child.alive(), "it was told that we live"
    assert happens(lambda: not child.alive())
    _everything(child)
    assert child.close() == Exit(-signal.SIGKILL)


def test_a_trainer_is_not_ended_by_a_pause_of_its_own(launcher: KeptLauncher, tmp_path: Path) -> None:
    child = launcher.launch(_order(tmp_path, act="steps", epochs=100_000, lease_s=0.5, heartbeat_s=0.2))
    assert _until(child, EpochDone)
    os.kill(child.pid, signal.SIGSTOP)
    for _ in range(8):
        threading.Event().wait(0.1)
        child.ping()
    os.kill(child.pid, signal.SIGCONT)
    child.ask_stop()
    assert _until(child, Stopped)
    child.close()


def test_a_trainer_asked_to_stop_says_so_at_last(launcher: KeptLauncher, tmp_path: Path) -> None:
    child = launcher.launch(_order(tmp_path, act="steps", epochs=100_000))
    assert _until(child, EpochDone)
    child.ask_stop()
    told = _everything(child)
    assert [type(event) for event in told[-2:]] == [Checkpointed, Stopped]
    assert child.close().code == 0


def test_telling_a_trainer_that_does_not_listen_never_waits(launcher: KeptLauncher, tmp_path: Path) -> None:
    child = launcher.launch(_order(tmp_path, act="hangs"))
    os.kill(child.pid, signal.SIGSTOP)
    for _ in range(5000):
        child.ping()
    child.ask_stop()
    child.kill()
    child.ask_stop()
    child.close()
    child.ping()
    child.ask_stop()


def test_what_a_child_tells_arrives_in_order_and_to_the_end(launcher: KeptLauncher, tmp_path: Path) -> None:
    child = launcher.launch(_order(tmp_path, epochs=2000))
    told = _everything(child)
    child.close()
    assert [event.row.epoch for event in told if isinstance(event, EpochDone)] == [*range(1, 2001)]


def test_killing_is_harmless_when_the_child_is_long_gone(launcher: KeptLauncher, tmp_path: Path) -> None:
    child = launcher.launch(_order(tmp_path))
    _everything(child)
    assert child.close().code == 0
    child.kill()
    assert child.read() is None


def test_many_threads_get_a_child_each(launcher: KeptLauncher, tmp_path: Path) -> None:
    pids: list[int] = []

    def run() -> None:
        child = launcher.launch(_order(tmp_path))
        _everything(child)
        pids.append(child.pid)
        assert child.close().code == 0

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN_S)
    assert len(set(pids)) == 6


def test_a_closed_launcher_launches_no_more(tmp_path: Path) -> None:
    launcher = Launcher(trainer="tests.worker.acting")
    launcher.start()
    assert launcher.wait_warm(WITHIN_S)
    spare = launcher._spare
    launcher.close()
    assert spare is not None
    assert gone([spare.pid])
    with pytest.raises(Unavailable):
        launcher.launch(_order(tmp_path))


def test_a_trainer_that_cannot_be_imported_is_told_and_no_child_is_ready(caplog: pytest.LogCaptureFixture) -> None:
    launcher = Launcher(trainer="tests.worker.nowhere")
    launcher.start()
    assert not launcher.wait_warm(1.0)
    launcher.close()
    assert any("tests.worker.nowhere" in message for message in caplog.messages)


def test_devices_are_tried_in_a_child_of_their_own(launcher: KeptLauncher) -> None:
    assert launcher.wait_warm(WITHIN_S)
    assert launcher.devices == ("cpu",)
    assert launcher.probe(WITHIN_S) == ("cpu",)


@pytest.mark.parametrize("method", ["spawn"])
def test_children_may_be_spawned_where_forking_is_unsafe(method: str, tmp_path: Path) -> None:
    launcher = Launcher(trainer="tests.worker.acting", method=method)
    launcher.start()
    child = launcher.launch(_order(tmp_path))
    assert isinstance(_everything(child)[-1], Finished)
    assert child.close().code == 0
    launcher.close()


def _order(
    folder: Path, *, act: str = "epochs", epochs: int = 2, lease_s: float = 60.0, heartbeat_s: float = 0.1
) -> Order:
    folder.mkdir(exist_ok=True)
    spec = acting(act, epochs=epochs).model_dump(mode="json")
    return Order(spec, folder, "cpu", folder, folder, lease_s=lease_s, heartbeat_s=heartbeat_s)


def _until(child: ChildProcess, kind: type[RunEvent]) -> bool:
    """Read on until it has told such an event; whether it did."""
    while (told := child.read()) is not None:
        if any(isinstance(event, kind) for event in told):
            return True
    return False


def _everything(child: ChildProcess) -> list[RunEvent]:
    told: list[RunEvent] = []
    while (events := child.read()) is not None:
        told += events
    return told
