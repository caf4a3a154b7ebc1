"""docker-compose.yml as Compose reads it, and its services as processes of this machine."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.acceptance.processes import HOUSE, environment

_VARIABLE = re.compile(r"\$\{(\w+)(?:(:[?-])([^}]*))?\}")
DOT_ENV = {"TRAINWIRE_API_KEY": "sesame", "POSTGRES_PASSWORD": "pw", "TORCH": "cpu", "TORCH_INDEX": "somewhere"}


class Missing(Exception):
    """A variable that must be set is not."""


def compose(values: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in; raises `Missing` as Compose would."""

    def fill(match: re.Match[str]) -> str:
        name, kind, word = match.groups()
        if values.get(name):
            return values[name]
        if kind != ":-":
            raise Missing(f"{name}: {word}")
        return str(word)

    document = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())
    return dict(json.loads(_VARIABLE.sub(fill, json.dumps(document))))


def required() -> set[str]:
    """The variables without a default."""
    return {match[1] for match in _VARIABLE.finditer((HOUSE / "docker-compose.yml").read_text()) if match[2] != ":-"}


@dataclass(frozen=True)
class Natively:
    """The services of the file as processes here: its hosts, folders and port stand for those of a test."""

    services: Mapping[str, Any]
    folder: Path
    replaced: Mapping[str, str]

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """The service's own command with its own environment."""
        service = self.services[name]
        command = [self._here(word) for word in service["command"]]
        if command[0] == "celery":
            command += ["-n", f"{name}@%h"]  # containers have a host name each
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, env=self._environment(service), cwd=self.folder, stdout=log, stderr=log)

    def is_healthy(self, name: str) -> bool:
        """Whether the service's own check says so."""
        service = self.services[name]
        kind, *words = service["healthcheck"]["test"]
        line = shlex.join(words) if kind == "CMD" else words[0]
        line = self._here(line).replace("$$", "$").replace("celery@", f"{name}@")
        env = {**self._environment(service), "HOSTNAME": os.uname().nodename}
        return (
            subprocess.run(["sh", "-c", line], env=env, cwd=self.folder, capture_output=True, check=False).returncode
            == 0
        )

    def _environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        own = {key: self._here(value) for key, value in service["environment"].items()}
        return environment({"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **own})

    def _here(self, text: str) -> str:
        for theirs, ours in self.replaced.items():
            text = text.replace(theirs, ours)
        return text
