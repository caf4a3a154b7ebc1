"""One owner of a data folder at a time, and a note that is believed only while its owner lives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import StartRefused
from trainwire import folder

HOLDER = """
import sys, pathlib
from trainwire import folder
path = pathlib.Path(sys.argv[1])
with folder.held(path), folder.announced(path, url="http://127.0.0.1:4711"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_owner_is_refused_with_one_sentence(tmp_path: Path) -> None:
    with folder.held(tmp_path), folder.announced(tmp_path, url="http://127.0.0.1:4711"):
        sentence = r"Another Trainwire service .* at http://127.0.0.1:4711: .*\.$"
        with pytest.raises(StartRefused, match=sentence), folder.held(tmp_path):
            pytest.fail("two owners")
    with folder.held(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartRefused, match="cannot be written"), folder.held(tmp_path / "file" / "data"):
        pytest.fail("held what cannot be")


def test_the_note_is_there_as_long_as_the_service(tmp_path: Path) -> None:
    assert folder.running_url(tmp_path) is None
    with folder.held(tmp_path), folder.announced(tmp_path, url="http://127.0.0.1:4711"):
        assert folder.running_url(tmp_path) == "http://127.0.0.1:4711"
    assert folder.running_url(tmp_path) is None
    assert not (tmp_path / "server.json").exists()


def test_the_note_of_a_killed_service_is_not_believed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert folder.running_url(tmp_path) == "http://127.0.0.1:4711"
        holder.kill()
    assert json.loads((tmp_path / "server.json").read_text())["pid"] == holder.pid
    assert folder.running_url(tmp_path) is None
    with folder.held(tmp_path):
        pass


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"url": '])
def test_a_broken_note_is_no_service(tmp_path: Path, note: str) -> None:
    with folder.held(tmp_path):
        (tmp_path / "server.json").write_text(note)
        assert folder.running_url(tmp_path) is None
