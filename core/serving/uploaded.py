"""The samples of a whole upload, read and prepared as training read and prepared its own, some thousand at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.dataset import Facts, Format
from core.encoding import Reading
from core.errors import InvalidData
from core.loading.columns import cells_of
from core.loading.encoding import Encoder
from core.loading.table import numbers
from core.loading.uploads import read_frame
from core.serving.served import Served

if TYPE_CHECKING:
    import polars as pl

Take = Callable[[slice], Tensor]


@dataclass(frozen=True)
class Uploaded:
    """So many samples, given as the model takes them for each stretch that is asked for."""

    count: int
    take: Take

    def pieces(self, rows: int) -> Iterator[slice]:
        """Stretches of all of them in order, `rows` at a time."""
        return (slice(start, min(start + rows, self.count)) for start in range(0, self.count, rows))


def uploaded(served: Served, path: Path, format_: Format, *, time: str | None = None) -> Uploaded:
    """What is in the file at `path`, which is known to fit the model; raises InvalidData where it does not.

    The rows of a series ascend by the column `time`, where the file has that.
    """
    facts: Facts | None = served.spec.dataset.settings().get("facts")
    if format_ in ("npz", "npy"):
        return _arrays(served, path)
    if format_ == "zip":
        return _pictures(served, path)
    if facts is None:
        return _named(served, read_frame(path, format_, dict.fromkeys(served.names, "number")))
    told = facts.columns | ({} if time is None else {time: facts.others[time]})
    frame = read_frame(path, format_, {name: Reading.parse(one).kind for name, one in told.items()})
    if served.prepare.tokens is not None:
        column = str(facts.text_column)
        return Uploaded(frame.height, lambda rows: served.prepare(frame[column][rows].to_list()))
    if served.prepare.window is None:
        return _table(served, frame)
    _see_order(frame, time)
    return _series(served, frame)


def _table(served: Served, frame: pl.DataFrame) -> Uploaded:
    return Uploaded(frame.height, lambda rows: served.prepare.features(_encoded(served, frame[rows])))


def _encoded(served: Served, frame: pl.DataFrame) -> NDArray[np.float64]:
    encoder: Encoder | None = served.prepare.encoder
    if encoder is None:
        raise InvalidData("The model was not trained on a table.")
    return encoder({code.name: cells_of(frame[code.name]) for code in encoder.codes}, np.arange(frame.height))


def _series(served: Served, frame: pl.DataFrame) -> Uploaded:
    """All rows are one series, in the order of time; each sample is a window of them."""
    window = served.prepare.window or 1
    if frame.height < window:
        raise InvalidData(f"This model looks at {window:,} rows of a series: the upload has {frame.height:,}.")
    scaled = served.prepare.features(_encoded(served, frame))
    windows = scaled.unfold(0, window, 1)
    return Uploaded(len(windows), lambda rows: windows[rows].contiguous())


def _see_order(frame: pl.DataFrame, time: str | None) -> None:
    if time is None:
        return
    moments = numbers(cells_of(frame[time]))
    back = np.flatnonzero(~(np.diff(moments) >= 0))
    if len(back):
        at = int(back[0])
        told = f"The rows of a series ascend by {time!r}: row {at + 1:,} (from 0) does not come behind row {at:,}."
        raise InvalidData(told, hint="Sort the file by it, and upload it again.", param="/predict/dataset")


def _named(served: Served, frame: pl.DataFrame) -> Uploaded:
    """The columns by the names of the features of a bundled dataset, whose cells are all there."""
    rows = np.stack([numbers(cells_of(frame[name])) for name in served.names], axis=1).astype(np.float32)
    return _of_arrays(served, rows)


def _arrays(served: Served, path: Path) -> Uploaded:
    try:
        with path.open("rb") as opened:
            found: Any = np.load(opened, allow_pickle=False)
            rows = found if isinstance(found, np.ndarray) else found["x"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidData(f"The uploaded arrays cannot be read: {error}.") from error
    shape = served.spec.data_shape.features
    return _of_arrays(served, np.ascontiguousarray(rows, np.float32).reshape(len(rows), *shape))


def _of_arrays(served: Served, rows: NDArray[np.float32]) -> Uploaded:
    wrong = np.flatnonzero(~np.isfinite(rows).reshape(len(rows), -1).all(axis=1))
    if len(wrong):
        raise InvalidData(f"Row {wrong[0]:,} (from 0) has a feature that is no finite number, or is missing.")
    return Uploaded(len(rows), lambda part: served.prepare(rows[part]))


def _pictures(served: Served, path: Path) -> Uploaded:
    from core.loading import picture_files

    settings = served.spec.dataset.settings()
    files = picture_files.list_pictures(path, settings["facts"], resize=settings["resize"])
    places = np.arange(len(files.names))
    return Uploaded(len(places), lambda rows: served.prepare(files.pictures(places[rows])))
