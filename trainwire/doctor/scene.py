"""Which service is looked at: the embedded one on a folder, or the distributed one of the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from core.configuration import configured
from core.settings import Settings
from trainwire import folder


@dataclass(frozen=True, slots=True)
class Scene:
    """The settings of the service; `data` is its folder when it is embedded, `url` where it listens when it runs."""

    settings: Settings
    data: Path | None = None
    url: str | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether one process is the whole service."""
        return self.data is not None

    @property
    def up(self) -> str:
        """The command that starts an embedded service here."""
        return "trainwire up" if self.data == folder.USUAL else f"trainwire up --data {self.data}"


def scene(data: Path | None) -> Scene:
    """The service on `data`, else that of TRAINWIRE_DATABASE_URL, else the usual folder; raises StartRefused."""
    if data is None and os.environ.get("TRAINWIRE_DATABASE_URL"):
        return Scene(configured())
    home = data or folder.USUAL
    settings = configured(database_url=f"sqlite:///{home / 'trainwire.db'}", artifacts=home / "artifacts")
    return Scene(settings, data=home, url=folder.running_url(home))
