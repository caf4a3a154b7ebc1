"""A look into a file ends with the service that asked for it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

SERVICE = """
import os, sys, threading
from pathlib import Path
from core.intake import Limits, inspect_file
look = lambda: inspect_file(Path(sys.argv[1]), filename="endless.csv", limits=Limits())
threading.Thread(target=look, daemon=True).start()
sys.stdin.read()
os._exit(0)
"""


def test_a_look_ends_with_the_service_that_asked_for_it(tmp_path: Path) -> None:
    endless = tmp_path / "endless.csv"
    os.mkfifo(endless)
    with subprocess.Popen([sys.executable, "-c", SERVICE, endless], stdin=subprocess.PIPE) as service:
        writing = os.open(endless, os.O_WRONLY)  # which waits until the look has begun to read
        try:
            service.communicate()
            nobody_reads = select.poll()
            nobody_reads.register(writing, select.POLLERR)
            assert nobody_reads.poll(30_000)
        finally:
            os.close(writing)
