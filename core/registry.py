"""Parts: named pieces of a run, each one decorated function whose keyword-only arguments are its settings."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import MappingProxyType, SimpleNamespace
from typing import Any, Literal, TypeVar, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, ValidationError, create_model, model_validator

from core.checks import Finding, explain, nearest, refuse, shown
from core.errors import sentence

PLUGINS = "trainwire.parts"
"""The entry-point group: a module of an installed package that registers its parts when it is imported."""

Build = TypeVar("Build", bound=Callable[..., Any])

_log = logging.getLogger(__name__)


class PartSettings(BaseModel):
    """A part as chosen in a spec: its name and every one of its settings."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=(), validate_default=True
    )

    name: str

    def settings(self) -> dict[str, Any]:
        """The settings without the name, as the part's keyword arguments."""
        return {field: getattr(self, field) for field in type(self).model_fields if field != "name"}


@dataclass(frozen=True, slots=True)
class Part:
    """One named piece: the function that builds it, its settings and what is known about it without building."""

    kind: str
    name: str
    build: Callable[..., Any]
    settings: type[PartSettings]
    summary: str
    facts: Mapping[str, Any]
    takes: tuple[str, ...] = ()
    """What the run hands it: the names that stand before its settings."""


class Registry:
    """All parts of one kind, by name.

    A part may be registered with facts; each kind says which ones it `needs`. The fact `check` is a function of the
    settings (as keywords) that yields a `Finding` for each combination of them that cannot work.
    """

    def __init__(self, kind: str, *, needs: Iterable[str] = ()) -> None:
        self.kind = kind
        self._needs = frozenset(needs)
        self._parts: dict[str, Part] = {}

    @overload
    def register(self, build: Build, /) -> Build: ...

    @overload
    def register(self, /, **facts: Any) -> Callable[[Build], Build]: ...

    def register(self, build: Build | None = None, /, **facts: Any) -> Build | Callable[[Build], Build]:
        """Make a part of the decorated function; its first docstring line is its line in the catalogue."""

        def add(build: Build) -> Build:
            part = _part(self.kind, build, facts)
            if missing := self._needs - part.facts.keys():
                raise TypeError(f"The {self.kind} {part.name!r} must be registered with {', '.join(sorted(missing))}.")
            if part.name in self._parts:
                raise ValueError(f"There is already a {self.kind} named {part.name!r}.")
            self._parts[part.name] = part
            return build

        return add if build is None else add(build)

    def names(self) -> list[str]:
        """Every known name, in the order of registration."""
        _load_plugins()
        return list(self._parts)

    def get(self, name: str) -> Part:
        """The part of that name, or KeyError."""
        _load_plugins()
        return self._parts[name]

    def build(self, chosen: PartSettings, *args: Any) -> Any:
        """What the chosen part's function makes of its settings and of what the run hands it."""
        return self.get(chosen.name).build(*args, **chosen.settings())

    def choose(self, value: Any) -> PartSettings:
        """`value` from a spec (a name, or an object with a name and settings) as settings, or ValidationError."""
        if isinstance(value, PartSettings) and type(value) is self._class_of(value.name):
            return value
        part = self._named(value)
        given = {"name": value} if isinstance(value, str) else value
        try:
            return part.settings.model_validate(given)
        except ValidationError as error:
            raise refuse(self.kind, explain(error, part.settings, noun=f"the {self.kind} {part.name}")) from None

    def _class_of(self, name: str) -> type[PartSettings] | None:
        return self.get(name).settings if name in self.names() else None

    def _named(self, value: Any) -> Part:
        known = self.names()
        if not isinstance(value, str | dict):
            told = f"{shown(value)} chooses no {self.kind}: give a name, or an object with a name and settings."
            raise refuse(self.kind, [Finding((), value, told, known)])
        path = () if isinstance(value, str) else ("name",)
        name = value if isinstance(value, str) else value.get("name")
        if isinstance(value, dict) and "name" not in value:
            raise refuse(self.kind, [Finding(path, value, f"The {self.kind} needs a name.", known)])
        if not isinstance(name, str) or name not in self._parts:
            hint = nearest(name, known) if isinstance(name, str) else ""
            raise refuse(self.kind, [Finding(path, name, f"{shown(name)} is not a known {self.kind}.{hint}", known)])
        return self._parts[name]


datasets = Registry("dataset", needs=["shape"])
models = Registry("model", needs=["cost"])
losses = Registry("loss", needs=["tasks"])
optimizers = Registry("optimizer", needs=["lr"])
schedulers = Registry("scheduler")
metrics = Registry("metric", needs=["tasks", "mode"])
augmentations = Registry("augmentation", needs=["unit"])
tokenizers = Registry("tokenizer", needs=["vocabulary", "restore"])
layers = Registry("layer", needs=["sized"])


def rises(figure: str) -> bool:
    """Whether more of an epoch's figure is better; of a loss, and of a metric that is not installed here, less is."""
    name = figure.removeprefix("val_")
    return name in metrics.names() and metrics.get(name).facts["mode"] == "max"


@dataclass(frozen=True, slots=True)
class Plugin:
    """What an installed package adds parts by: its entry point, the package, and why it was left out, if it was."""

    name: str
    package: str
    error: str | None = None


_plugins_lock = threading.RLock()
_plugins: list[Plugin] = []
_plugins_loaded = threading.Event()


def plugins() -> tuple[Plugin, ...]:
    """Every installed plugin, loaded or left out."""
    _load_plugins()
    return tuple(_plugins)


def _load_plugins() -> None:
    """Import the installed packages that add parts, once; one that fails is left out and said in the log."""
    with _plugins_lock:
        if _plugins_loaded.is_set():
            return
        _plugins_loaded.set()
        for point in entry_points(group=PLUGINS):
            package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            _plugins.append(Plugin(point.name, package, _load(point.name, point.load)))


def _load(name: str, load: Callable[[], object]) -> str | None:
    """Import one; what went wrong, if anything did."""
    try:
        load()
    except Exception as error:  # noqa: BLE001  (a stranger's package must not take the service down)
        _log.exception("The parts of %r could not be loaded and are missing.", name)
        return sentence(error)
    return None


def _part(kind: str, build: Callable[..., Any], facts: Mapping[str, Any]) -> Part:
    handed = [one for one in inspect.signature(build).parameters.values() if one.kind is not one.KEYWORD_ONLY]
    given = {one.name: one.default for one in handed if one.default is not one.empty}
    summary = (inspect.getdoc(build) or "").partition("\n")[0]
    if not summary:
        raise TypeError(f"The {kind} {build.__name__!r} needs a docstring: it is its line in the catalogue.")
    settings = _settings(kind, build, summary=summary, check=facts.get("check"))
    takes = tuple(one.name for one in handed)
    return Part(kind, build.__name__, build, settings, summary, MappingProxyType({**given, **facts}), takes)


def _settings(
    kind: str, build: Callable[..., Any], *, summary: str, check: Callable[..., Iterable[Finding]] | None
) -> type[PartSettings]:
    parameters = {one.name: one for one in inspect.signature(build).parameters.values() if one.kind is one.KEYWORD_ONLY}
    # Only these annotations are evaluated: what the run hands over may be a torch type that is not imported here.
    wanted = SimpleNamespace(__annotations__={name: one.annotation for name, one in parameters.items()})
    hints = get_type_hints(wanted, globalns=build.__globals__, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints[name], ... if one.default is one.empty else one.default) for name, one in parameters.items()
    }
    fields = {"name": (Literal[build.__name__], ...), **fields}
    title = "".join(word.capitalize() for word in f"{build.__name__}_{kind}".split("_"))
    return create_model(
        title,
        __base__=PartSettings,
        __module__=build.__module__,
        __doc__=summary,
        __validators__={"run_check": _checked(check)} if check else {},
        **fields,
    )


def _checked(check: Callable[..., Iterable[Finding]]) -> Any:
    def run_check(chosen: PartSettings) -> PartSettings:
        if findings := list(check(**chosen.settings())):
            raise refuse(chosen.name, findings)
        return chosen

    return model_validator(mode="after")(run_check)
