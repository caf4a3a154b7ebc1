"""`python -m tests.api.serving FOLDER`: the API in a process of its own, over a job that runs; tells both."""

from __future__ import annotations

import sys
from pathlib import Path

from api.app import create_app
from api.server import serve
from core.bell import LocalWatchBell
from core.settings import Settings
from core.store import Store, schema
from tests.api.playing import Play, WorkBellFake


def main(folder: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{folder / 'trainwire.db'}", artifacts=folder)
    schema.upgrade(settings.database_url)
    store = Store.open(settings.database_url, settings=settings)
    bell = LocalWatchBell()
    job = Play(store, bell).running()
    app = create_app(store=store, watch_bell=bell, work_bell=WorkBellFake(), settings=settings)
    serve(app, "127.0.0.1", 0, ready=lambda url: print(url, job.id, flush=True))
    store.close()
    print("closed in order", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
