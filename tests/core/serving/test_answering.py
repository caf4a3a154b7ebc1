"""What trained models say: of each kind of data, the very numbers of the validation pass."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.loading import data, joining
from core.loading.cache import load
from core.loop import load_model, load_preprocess
from core.spec import parse_spec
from core.windows import stretches
from tests.core.intake.zipping import zipped
from tests.core.loop.test_series import STEADY, csv
from tests.core.loop.test_targets import CSV as TARGETS
from tests.core.loop.test_text import DOCUMENTATION, TINY, reviews
from tests.core.serving.conftest import MakeTrained, Trained
from tests.core.uploading import Shelf

PEOPLE = "age,town,joined,member,fare\n" + "".join(
    f"{'' if row % 9 == 0 else 20 + row % 50},{('Rome', 'Oslo', 'Kyiv', '')[row % 4]},2024-{1 + row % 12:02}-03,"
    f"{str(row % 5 == 0).lower()},{row % 7 + (row % 3) / 10}\n"
    for row in range(120)
)


def held_scores(job: Trained, shelf: Shelf, cache: Path) -> torch.Tensor:
    """What the model gives in the validation pass, in its batches."""
    held = data.make(job.spec, cache=cache, datasets=shelf.folder).held
    assert held is not None
    with torch.inference_mode():
        model = load_model(job.folder)
        return torch.cat([model(part.x) for part in held.cut(job.spec.rows_at_once)])


def held_places(job: Trained, shelf: Shelf, cache: Path) -> list[int]:
    """Which samples of the data validate."""
    source = load(job.spec.dataset, cache=cache, uploads=shelf.folder)
    places: list[int] = joining.parts(job.spec, source).validation.tolist()
    return places


def shares(told: list[dict[str, Any]]) -> torch.Tensor:
    return torch.tensor([list(one["probabilities"].values()) for one in told])


@pytest.mark.parametrize(
    "fields",
    [
        {"model": {"name": "mlp", "hidden": [16]}},
        {"model": {"name": "cnn", "channels": [4], "hidden": [8]}, "split": {"folds": 2}},
        {"model": {"name": "mlp", "hidden": [30_000]}, "batch_size": 700, "epochs": 1, "lr": 0.0001},
        {"model": "linear", "early_stopping": {"patience": 1, "restore_best": True}, "lr": 0.5},
        {"model": {"name": "mlp", "hidden": [16], "batch_norm": True}, "ema": {"decay": 0.9}, "precision": "bf16"},
    ],
)
def test_bundled_digits_get_the_numbers_of_the_validation_pass_bit_for_bit(
    trained: MakeTrained, shelf: Shelf, cache: Path, fields: dict[str, Any]
) -> None:
    job = trained(parse_spec({"dataset": "digits", "epochs": 3, **fields}))
    job.spec = parse_spec(json.loads((job.folder / "model.json").read_text())["spec"])  # of the fold that is kept
    source = load(job.spec.dataset, cache=cache)
    rows = source.x[held_places(job, shelf, cache)].tolist()  # type: ignore[union-attr]
    told = job.ask(json.dumps({"rows": rows}).encode())
    found = shares(told["data"])
    if "precision" not in fields:
        assert torch.equal(found, held_scores(job, shelf, cache).softmax(1))
    held = data.make(job.spec, cache=cache).held
    assert held is not None
    right = [one["class"] for one in told["data"]] == np.array([str(label) for label in held.y.tolist()])
    cost = torch.nn.functional.nll_loss(found.log(), held.y).item()
    row = next(one for one in job.rows if one.epoch == told["weights"]["epoch"])
    assert cost == pytest.approx(row.val_loss, abs=1e-5)
    assert np.mean(right) == pytest.approx(row.metrics["val_accuracy"], abs=1e-5)
    assert told["weights"]["fold"] == job.spec.split.fold


def test_rows_of_a_table_mean_what_they_meant_in_the_file(trained: MakeTrained, shelf: Shelf, cache: Path) -> None:
    settings = {"target": "fare"}
    job = trained(shelf.spec(shelf.put("people.csv", PEOPLE.encode()), settings, model="mlp", epochs=3))
    header, *lines = PEOPLE.splitlines()
    kept = "\n".join([header, *(lines[place] for place in held_places(job, shelf, cache))])
    prepare = load_preprocess(job.folder)
    wanted = [{"value": one} for one in prepare.undo(held_scores(job, shelf, cache)).flatten().tolist()]
    assert job.ask(kept.encode(), "text/csv")["data"] == wanted
    assert job.ask(kept.replace(",", "\t").encode(), "text/tab-separated-values; charset=utf-8")["data"] == wanted


def test_missing_cells_unseen_words_and_other_columns_are_no_problem(trained: MakeTrained, shelf: Shelf) -> None:
    job = trained(shelf.spec(shelf.put("people.csv", PEOPLE.encode()), {"target": "fare"}, epochs=1))
    row = {"age": 30, "town": "Rome", "joined": "2024-03-01", "member": True}
    same, empty, unseen = job.say(rows=[{**row, "fare": 3, "x": [1]}, {**row, "age": None}, {**row, "town": "Bonn"}])
    assert [same] == job.say(rows=[row])
    assert [empty] == job.say(rows=[{**row, "age": ""}])
    assert unseen != same
    assert [unseen] == job.say(rows=[{**row, "town": None}])
    lines = "\n".join(json.dumps(one) for one in (row, {**row, "age": None}))
    assert job.ask(lines.encode(), "application/jsonl")["data"] == [same, empty]


def test_each_target_has_its_name_and_each_label_its_probability(trained: MakeTrained, shelf: Shelf) -> None:
    upload, fields = shelf.put("rows.csv", TARGETS.encode()), {"epochs": 100, "lr": 0.05, "model": "mlp"}
    numbers = trained(shelf.spec(upload, {"target": ["far", "double"], "features": ["x"]}, **fields))
    assert numbers.say(rows=[{"x": 2.0}]) == [
        {"values": {"far": pytest.approx(800, abs=60), "double": pytest.approx(4, abs=2)}}
    ]
    marked = {"target": "names", "target_separator": "|", "features": ["x", "odd", "big"]}
    labels = trained(shelf.spec(upload, marked, **fields))
    (both, none) = labels.say(rows=[{"x": 5.1, "odd": 1, "big": True}, {"x": 0.2, "odd": 0, "big": False}])
    assert (both["labels"], none["labels"]) == (["big", "odd"], [])
    assert set(both["probabilities"]) == {"big", "odd"}
    assert min(both["probabilities"].values()) > 0.5 > max(none["probabilities"].values())


def test_two_classes_have_a_probability_each(trained: MakeTrained) -> None:
    job = trained(parse_spec({"dataset": "breast_cancer", "model": "linear", "epochs": 5}))
    (told,) = job.say(rows=[[0.0] * 30])
    assert sum(told["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert told["class"] == max(told["probabilities"], key=told["probabilities"].get)


def test_a_series_is_forecast_behind_each_window(trained: MakeTrained, shelf: Shelf, cache: Path) -> None:
    days = np.arange(60)
    content = csv(("t", days), ("y", days * 10), ("x", np.sin(days)))
    settings = {"target": "y", "series": STEADY}
    fields: dict[str, Any] = {"model": "linear", "epochs": 3, "preprocess": {"target": "standard"}}
    job = trained(shelf.spec(shelf.put("s.csv", content), settings, **fields))
    rows = [{"y": int(10 * day), "x": float(np.sin(day))} for day in days]
    wanted = load_preprocess(job.folder).undo(held_scores(job, shelf, cache))
    told = job.say(rows=rows[-4 - len(wanted) : -2])
    assert [one["forecast"] for one in told] == wanted.tolist()
    assert [one["behind_row"] for one in told] == list(range(3, 3 + len(wanted)))


def test_pictures_are_brought_to_the_size_of_training(trained: MakeTrained, shelf: Shelf, tmp_path: Path) -> None:
    files = {f"{('dark', 'light')[at % 2]}/{at:02}.png": drawn(at) for at in range(40)}
    path = zipped(tmp_path / "p.zip", files)
    fields: dict[str, Any] = {"model": {"name": "cnn", "channels": [4], "hidden": [8]}, "epochs": 8, "lr": 0.01}
    job = trained(shelf.spec(shelf.put("p.zip", path.read_bytes()), {"size": [8, 8], "resize": "crop"}, **fields))
    (told,) = job.ask(files["dark/00.png"], "image/png")["data"]
    assert told["class"] == "dark"
    several = form({"a.png": files["light/01.png"], "b.png": files["dark/00.png"]})
    answers = job.ask(*several)["data"]
    assert [one["class"] for one in answers] == ["light", "dark"]
    assert answers[1]["probabilities"] == pytest.approx(told["probabilities"], abs=1e-6)


def drawn(number: int) -> bytes:
    rng, file = np.random.default_rng(number), io.BytesIO()
    bright = rng.integers(0, 120, (9, 12)) + 130 * (number % 2)
    Image.fromarray(bright.astype(np.uint8)).save(file, "png")
    return file.getvalue()


def form(files: dict[str, bytes]) -> tuple[bytes, str]:
    parts = b"".join(
        f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in files.items()
    )
    return parts + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def test_texts_are_judged_alone_in_their_column_or_as_they_are(trained: MakeTrained, shelf: Shelf) -> None:
    job = trained(reviews(shelf, epochs=5))
    texts = ["the film in room 3 was lovely at 3:00", "the meal in room 3 was dire at 3:00"]
    told = job.say(texts=texts)
    assert [one["class"] for one in told] == ["good", "bad"]
    assert job.say(rows=[{"text": text} for text in texts]) == told
    assert job.ask(texts[0].encode(), "text/plain")["data"][0]["class"] == "good"


def test_a_language_model_tells_the_cost_of_validation_what_comes_next_and_goes_on(
    trained: MakeTrained, shelf: Shelf
) -> None:
    text = DOCUMENTATION[:30_000].decode("ascii", "ignore").encode()
    fields: dict[str, Any] = {"preprocess": {"text": "bytes", "block_size": 32}, "epochs": 1}
    job = trained(shelf.spec(shelf.put("a.txt", text), {}, model=TINY, **fields))
    part = stretches(len(text), 0.2, test=0.0)["validation"]
    held = text[part.start : part.stop].decode()
    (told,) = job.say(text=held)
    assert told["loss"] == pytest.approx(job.rows[-1].val_loss, abs=1e-5)
    assert told["perplexity"] == pytest.approx(math.exp(told["loss"]))
    assert len(told["next"]) == 5
    first, again = (job.say(text="The ", generate=20)[0]["generated"] for _ in range(2))
    assert first == again
    assert len(first) == 20
    drawn_ = [job.say(text="The ", generate=20, temperature=1, seed=seed)[0]["generated"] for seed in (0, 0, 1)]
    assert drawn_[0] == drawn_[1] != drawn_[2]


def test_an_autoencoder_gives_back_the_rows_and_how_far_off_they_are(trained: MakeTrained, shelf: Shelf) -> None:
    model = {"name": "autoencoder", "latent": 2, "hidden": [8]}
    settings = {"exclude": ["fare"]}
    job = trained(shelf.spec(shelf.put("people.csv", PEOPLE.encode()), settings, model=model, epochs=2))
    (told,) = job.say(rows=[{"age": 30, "town": "Rome", "joined": "2024-03-01", "member": True}])
    assert {"age", "town=Rome", "member"} <= set(told["reconstruction"])
    assert len(told["code"]) == 2
    assert told["error"] > 0


def test_models_that_embed_words_answer_too(trained: MakeTrained, shelf: Shelf, cache: Path) -> None:
    fields: dict[str, Any] = {"model": {"name": "mlp", "hidden": [8], "embeddings": "auto"}, "epochs": 2}
    job = trained(shelf.spec(shelf.put("people.csv", PEOPLE.encode()), {"target": "fare"}, **fields))
    header, *lines = PEOPLE.splitlines()
    kept = "\n".join([header, *(lines[place] for place in held_places(job, shelf, cache))])
    told = [one["value"] for one in job.ask(kept.encode(), "text/csv")["data"]]
    assert told == load_preprocess(job.folder).undo(held_scores(job, shelf, cache)).flatten().tolist()
