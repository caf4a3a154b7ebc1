"""Datasets in the local cache of Hugging Face's `datasets`: found there by name, read as they lie, never fetched."""

from __future__ import annotations

import os
from pathlib import Path

from core.checks import nearest, shown
from core.errors import DataRefused
from core.job import Problem


class Key(str):
    """What names a split of a cached dataset where else a file's path does; no client can send one."""

    __slots__ = ()

    @classmethod
    def of(cls, path: str, config: str | None, split: str) -> Key:
        """The key of this split."""
        return cls(f"{path}:{config or ''}:{split}")


def cache() -> Path:
    """Where `datasets` keeps what it has loaded: by its own variables, else below the home folder."""
    if told := os.environ.get("HF_DATASETS_CACHE"):
        return Path(told).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface")
    return Path(home).expanduser() / "datasets"


def located(key: Key) -> Path:
    """The Arrow file of a cached split, the newest there is; raises DataRefused where there is not just one."""
    path, config, split = key.rsplit(":", 2)
    home = cache() / path.replace("/", "___")
    if not home.is_dir():
        known = [one.name.replace("___", "/") for one in cache().glob("*") if one.is_dir()]
        raise _refused(f"The cache {cache()} holds no dataset {shown(path)}.{nearest(path, known)} {_remedy(path)}")
    configs = sorted({one.parents[2].name for one in home.glob(f"*/*/*/*-{split}*.arrow")})
    chosen = config or ("default" if "default" in configs else configs[0] if len(configs) == 1 else None)
    if configs and chosen is None:
        raise _refused(f"{shown(path)} is there in several configurations: give config as one of {', '.join(configs)}.")
    found = sorted(home.glob(f"{chosen}/*/*/*-{split}.arrow"), key=lambda one: one.stat().st_mtime)
    if found:
        return found[-1]
    if list(home.glob(f"{chosen}/*/*/*-{split}-*-of-*.arrow")):
        raise _refused(
            f"{shown(path)} lies there in several files: write it as one, Dataset.to_parquet, and upload that."
        )
    raise _refused(f"The cache holds no split {shown(split)} of {shown(path)} in that configuration. {_remedy(path)}")


def _remedy(path: str) -> str:
    return f"Nothing is fetched here: load it once on this machine, datasets.load_dataset({path!r})."


def _refused(message: str) -> DataRefused:
    return DataRefused([Problem("/file", message)])
