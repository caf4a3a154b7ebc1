"""The dataset that a user brings: a file that was uploaded, and what of it the job learns from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from core.checks import Finding
from core.data import DataShape
from core.dataset import Facts, Held, Series
from core.hub import Key, located
from core.registry import datasets
from core.shelf import below

DatasetId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["ds_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f"])]
ColumnName = Annotated[str, Field(min_length=1, max_length=1_000)]
ColumnNames = Annotated[tuple[ColumnName, ...], Field(strict=False, max_length=500)]
Goals = Annotated[tuple[ColumnName, ...], Field(strict=False, max_length=500)]
Separator = Annotated[str, Field(min_length=1, max_length=10, examples=["|"])]
LONGEST_PATH = 1_000
HubPath = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$", examples=["someone/flowers"]
    ),
]
HubWord = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$", examples=["train"])]
FilePath = Annotated[str, Field(min_length=1, max_length=LONGEST_PATH, examples=["flowers.csv"])]
Side = Annotated[int, Field(ge=1, le=1_024)]
Resize = Literal["stretch", "crop", "pad"]

Build = TypeVar("Build", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Upload:
    """What a run reads: the file, and how. `targets` tells the columns to predict like `Facts.columns`.

    `setting` is what names the file in the spec, `apart` are the files that validate and test and nothing else.
    """

    id: str
    path: Path
    facts: Facts
    targets: Mapping[str, str]
    separator: str | None = None
    setting: str = "id"
    apart: Mapping[Held, Upload] = field(default_factory=dict)
    resize: Resize = "stretch"
    uploaded: bool = True
    """Whether the file lies among the uploads; else it is where its owner has put it."""


def _shape(*, facts: Facts, **_: Any) -> DataShape:
    labels = facts.labels is not None
    text = facts.form == "text"
    return DataShape(facts.samples, facts.features, facts.classes, facts.outputs, multilabel=labels, next_token=text)


def goals_of(target: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns to predict, as far as there are any; a list of one means the same as its name."""
    return (target,) if isinstance(target, str) else tuple(target or ())


def _features_are_told_once(
    *, target: str | tuple[str, ...] | None, features: tuple[str, ...] | None, exclude: tuple[str, ...], **_: Any
) -> Iterator[Finding]:
    if features is not None and exclude:
        told = "Name the features, or what to exclude from them, not both."
        yield Finding(("exclude",), exclude, told, [])
    goals = goals_of(target)
    if features is not None and (both := [name for name in goals if name in features]):
        told = "The target cannot be a feature too: the model would only copy it."
        yield Finding(("features",), features, told, {"not": both[0] if len(both) == 1 else both})


@datasets.register(shape=_shape, check=_features_are_told_once, scales_target=True, uploaded=True, named_by="id")
def upload(
    files: Path,
    *,
    id: DatasetId,  # noqa: A002  (the setting's name)
    validation: DatasetId | None = None,
    test: DatasetId | None = None,
    target: ColumnName | Goals | None = None,
    target_separator: Separator | None = None,
    features: ColumnNames | None = None,
    exclude: ColumnNames = (),
    task: Literal["auto", "numbers", "binary", "classes", "labels"] = "auto",
    drop_missing_target: bool = False,
    size: Annotated[tuple[Side, Side], Field(strict=False)] | None = None,
    resize: Resize = "stretch",
    series: Series | None = None,
    facts: Facts | None = None,
) -> Upload:
    """An uploaded file: a table with the column `target` to predict, arrays x and y, pictures in a zip, or plain text.

    A list of columns as `target` is several numbers to predict, or labels of which a sample may have any number
    (multi-label) when each column holds true and false, or 0 and 1; so is one column whose words `target_separator`
    parts, as in `comedy|drama`. Without `features` these are all columns but the target, text, constant ones and those
    in `exclude`. Rows without a target are refused unless `drop_missing_target`. Pictures are resized to `size`
    (height, width), or to the size that most of them have: stretched to it, cut to its shape around the middle (crop),
    or with black beside them (pad). `validation` and `test` are other uploads of the same form and columns, which train
    nothing: the split takes no share for them. With `series` a sample is a window of rows, and the target's next values
    are forecast; the last windows validate and test. `facts` is filled in when the job is submitted; what a client
    gives there is not read.
    """
    told = _told(facts)
    named: Mapping[Held, str | None] = {"validation": validation, "test": test}
    whole = Upload(id, files / told.sha256, told, _targets(told, target), target_separator, resize=resize)
    return _with_apart(whole, {part: (key, files / told.apart[part].sha256) for part, key in named.items() if key})


def _settings_of_upload(**named: str) -> Callable[[Build], Build]:
    """Gives a part the settings of `upload`, with others for what names the file: their annotations."""
    own = inspect.Parameter.KEYWORD_ONLY

    def give(build: Build) -> Build:
        files, _, *others = inspect.signature(upload).parameters.values()
        path, *apart = (
            inspect.Parameter(
                name, own, annotation=told, default=None if " | None" in told else inspect.Parameter.empty
            )
            for name, told in named.items()
        )
        rest = [one for one in others if one.name not in named]
        vars(build)["__signature__"] = inspect.Signature([files, path, *apart, *rest])
        return build

    return give


@datasets.register(shape=_shape, check=_features_are_told_once, scales_target=True, uploaded=True, named_by="path")
@_settings_of_upload(path="FilePath", validation="FilePath | None", test="FilePath | None")
def file(files: Path | None, *, path: str, facts: Facts | None, **settings: Any) -> Upload:
    """A file in the folder that the service's setting TRAINWIRE_FILES names; all else is as with `upload`.

    `path` is relative to that folder, and so are `validation` and `test`. The file is looked into when the job is
    submitted, and must not change before the job has ended. Raises DataRefused for a path that may not be named.
    """
    told = _told(facts)
    named: Mapping[Held, str | None] = {"validation": settings["validation"], "test": settings["test"]}
    whole = _in_place(path, below(files, path), told, settings)
    return _with_apart(whole, {part: (key, below(files, key)) for part, key in named.items() if key})


def _hub_key(setting: str, dataset: Mapping[str, Any]) -> Key | None:
    """`path` names the split that trains; validation and test name other splits of the same dataset."""
    path, config, split = (dataset.get(name) for name in ("path", "config", "split" if setting == "path" else setting))
    if isinstance(path, str) and isinstance(split, str) and isinstance(config, str | None):
        return Key.of(path, config, split)
    return None


@datasets.register(
    shape=_shape, check=_features_are_told_once, scales_target=True, uploaded=True, named_by="path", key=_hub_key
)
@_settings_of_upload(
    path="HubPath", config="HubWord | None", split="HubWord", validation="HubWord | None", test="HubWord | None"
)
def hub(files: Path | None, *, path: str, facts: Facts | None, **settings: Any) -> Upload:
    """A dataset in the local cache of Hugging Face's `datasets`, by its path and split; all else is as with `upload`.

    Its Arrow file is read as it lies there, and nothing is ever fetched; `validation` and `test` are other splits.
    Class labels are whole numbers there: give `task` "classes". Raises DataRefused for what is not in the cache.
    """
    told = _told(facts)
    asked = {"path": path, **settings}
    own = Key.of(path, settings["config"], settings["split"])
    whole = _in_place(path, located(own), told, settings)
    keys: dict[Held, Key | None] = {"validation": _hub_key("validation", asked), "test": _hub_key("test", asked)}
    return _with_apart(whole, {part: (key, located(key)) for part, key in keys.items() if key is not None})


def _in_place(key: str, path: Path, told: Facts, settings: Mapping[str, Any]) -> Upload:
    """A file that lies where its owner has put it."""
    return Upload(
        key,
        path,
        told,
        _targets(told, settings["target"]),
        settings["target_separator"],
        setting="path",
        resize=settings["resize"],
        uploaded=False,
    )


def _told(facts: Facts | None) -> Facts:
    if facts is None:
        raise ValueError("A file can be read only by what was found in it at submission.")
    return facts


def _targets(facts: Facts, target: str | tuple[str, ...] | None) -> Mapping[str, str]:
    return facts.targets or {name: str(facts.target) for name in goals_of(target)}


def _with_apart(whole: Upload, apart: Mapping[Held, tuple[str, Path]]) -> Upload:
    """The files that validate and test are read as the one that trains, but for the columns of its split."""
    bare = whole.facts.model_copy(update={"others": {}, "apart": {}})
    found: dict[Held, Upload] = {}
    for part, (key, path) in apart.items():
        facts = bare.model_copy(update=dict(whole.facts.apart[part]))
        found[part] = replace(whole, id=key, path=path, facts=facts, setting=part)
    return replace(whole, apart=found)
