"""What a table's columns become: fitted on what trains, restored from JSON, unmoved by what it never saw."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from core.encoding import Reading
from core.loading import encoding, preprocess
from core.loading.encoding import Encoder
from core.loading.table import Cells, Words

NAN = float("nan")
MASS = np.array([1.0, 3.0, NAN, 100.0])
COLOR = Words(np.array([0, 1, -1, 2], np.int32), ("blue", "red", "white"))
WILD = np.array([1.0, 0.0, 1.0, NAN])
TRAIN = np.array([0, 1, 2])
ALL = np.arange(4)


def fitted(reading: str, cells: Cells, *, rows: np.ndarray[tuple[int], np.dtype[np.int64]] = TRAIN) -> Encoder:
    return encoding.fit({"it": cells}, {"it": Reading.parse(reading)}, rows)


def coded(reading: str, cells: Cells) -> list[list[float]]:
    block: list[list[float]] = fitted(reading, cells)({"it": cells}, ALL).tolist()
    return block


@pytest.mark.parametrize("text", ["number", "number?", "boolean", "category 3", "category 70?", "date?"])
def test_a_reading_is_what_it_says(text: str) -> None:
    assert str(Reading.parse(text)) == text


def test_an_empty_number_is_the_mean_of_training_and_says_so() -> None:
    assert coded("number?", MASS) == [[1, 0], [3, 0], [2, 1], [100, 0]]
    assert coded("number", np.array([1.0, 3.0, 2.0, NAN])) == [[1], [3], [2], [2]]


def test_true_is_one() -> None:
    assert coded("boolean?", WILD) == [[1, 0], [0, 0], [1, 0], [pytest.approx(2 / 3), 1]]


def test_a_word_has_its_own_slot_and_what_training_never_saw_shares_the_last() -> None:
    blue, red, empty, white = coded("category 3?", COLOR)
    assert (blue, red) == ([1, 0, 0, 0], [0, 1, 0, 0])
    assert empty == white == [0, 0, 0, 1]
    assert fitted("category 3?", COLOR).slots == ("it=blue", "it=red", "it unused", "it other")


def test_only_the_most_frequent_words_have_slots_of_their_own() -> None:
    names = tuple(f"w{place:03}" for place in range(100))
    codes = np.concatenate([np.arange(100), np.arange(50, 100)]).astype(np.int32)
    kept = fitted("category 100", Words(codes, names), rows=np.arange(150)).statistics()[0]["values"]
    assert len(kept) == 64
    assert set(names[50:]) < set(kept)
    assert Reading.parse("category 100").slots == 65


def test_a_date_is_a_year_and_three_circles() -> None:
    noon = datetime(2024, 7, 1, 12, tzinfo=UTC).timestamp()  # a Monday in the middle of a leap year
    eve, day = (datetime(*when, tzinfo=UTC).timestamp() for when in ((2023, 12, 31), (2024, 1, 1)))
    cells = np.array([noon, eve, day, NAN])
    middle, last, first, empty = np.array(coded("date?", cells))
    assert middle[0] == pytest.approx(2024.5, abs=0.01)
    assert middle[3:8] == pytest.approx([0, 1, 0, -1, 0], abs=1e-9)
    assert np.abs(last[1:3] - first[1:3]).max() < 0.02
    assert np.isfinite(empty).all()
    assert empty[-1] == 1


def test_dates_long_ago_have_the_right_year() -> None:
    block = coded("date", np.array([datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1901, 1969, 1970, 2100)]))
    assert [row[0] for row in block] == [1901, 1969, 1970, 2100]


def test_nothing_rests_on_rows_that_do_not_train() -> None:
    other = Words(np.array([0, 1, -1, 0], np.int32), ("blue", "red", "white"))
    assert fitted("category 3?", COLOR) == fitted("category 3?", other)
    assert fitted("number?", MASS) == fitted("number?", np.array([1.0, 3.0, NAN, -5.0]))


def test_an_encoder_is_json_and_back() -> None:
    columns: dict[str, Cells] = {"mass": MASS, "color": COLOR, "wild": WILD, "seen": MASS * 1e9}
    readings = {"mass": "number?", "color": "category 3?", "wild": "boolean?", "seen": "date?"}
    encoder = encoding.fit(columns, {name: Reading.parse(text) for name, text in readings.items()}, TRAIN)
    again = Encoder.restore(json.loads(json.dumps(encoder.statistics())))
    assert again == encoder
    assert np.array_equal(again(columns, ALL), encoder(columns, ALL))
    assert len(encoder.slots) == sum(Reading.parse(text).slots for text in readings.values())


def test_only_what_has_a_unit_is_scaled_and_what_never_moved_stays_0() -> None:
    columns: dict[str, Cells] = {"mass": MASS, "color": Words(np.array([0, 1, 0, 2], np.int32), COLOR.names)}
    encoder = encoding.fit(columns, {"mass": Reading.parse("number?"), "color": Reading.parse("category 3")}, TRAIN)
    scaling = preprocess.fit("standard", encoder(columns, TRAIN), only=encoder.scaled)
    scaled = scaling(encoder(columns, ALL)).numpy()
    assert scaled[:3, 0] == pytest.approx([-1.2247449, 1.2247449, 0])
    assert scaled[:3, 1:4].tolist() == [[0, 1, 0], [0, 0, 1], [1, 1, 0]]
    assert scaled[3, 2:].tolist() == [0, 0, 0, 0], "no word of training: its slot never learned anything"
