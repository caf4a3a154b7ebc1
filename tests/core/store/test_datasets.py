"""Uploads: the same bytes are one dataset, names have versions, and what a job needs stays."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from core.dataset import Column, Dataset, Profile, Targets
from core.errors import BadRequest, Gone, NotFound, SpecRefused, WrongStatus
from core.job import Reason
from core.store import DatasetQuery, Fork, Retry, Store, Submit, Upload
from core.store.needing import NAMED_JOBS
from tests.core.store.making import FINISHED, a_claim, a_spec, an_epoch, failed, told

COLUMNS = (
    Column("größe", "number", missing=2, distinct=90, minimum=-1.5, maximum=2e300, mean=0.25, examples=("1", "2")),
    Column("species", "category", missing=0, distinct=2, minimum="a", maximum="b", counts={"a": 60, "b": 40}),
)
PROFILE = Profile("table", "csv", 100, columns=COLUMNS)
ARRAYS = Profile("arrays", "npz", 7, shape=(1, 8, 8), targets=Targets(classes=None, outputs=2))


def upload(number: int, *, profile: Profile = PROFILE) -> Upload:
    return Upload(f"{number:064x}", 10**12 + number, f"file {number}.csv", profile)


def added(store: Store, number: int, name: str | None = None) -> Dataset:
    return store.add_dataset(upload(number), name=name)[0]


class SpecOver:
    """A sound spec with its dataset replaced, as the store sees one that rests on an upload."""

    def __init__(self, dataset_id: str, *, beside: Mapping[str, str] | None = None, **fields: Any) -> None:
        dataset = {"name": "upload", "id": dataset_id, "validation": None, "test": None, **(beside or {})}
        self.whole = a_spec(**fields).model_dump(mode="json") | {"dataset": dataset}

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        assert mode == "json"
        return self.whole


def spec_over(dataset_id: str, **fields: Any) -> Any:
    return SpecOver(dataset_id, **fields)


@pytest.mark.parametrize("profile", [PROFILE, ARRAYS])
def test_a_dataset_comes_back_as_it_was_added(store: Store, profile: Profile) -> None:
    made, new = store.add_dataset(upload(1, profile=profile), name="iris")
    assert new
    assert (made.sha256, made.bytes, made.filename) == (f"{1:064x}", 10**12 + 1, "file 1.csv")
    assert made.profile == profile
    assert made.names == (("iris", 1),)
    assert store.dataset(made.id) == made
    assert store.find_dataset(made.id) == made


def test_the_same_bytes_are_one_dataset(store: Store) -> None:
    first, new = store.add_dataset(upload(1))
    again, newer = store.add_dataset(replace(upload(1), filename="other.csv"))
    assert (new, newer) == (True, False)
    assert again == first
    assert store.name_dataset(first.sha256, name=None) == first
    assert store.name_dataset("f" * 64, name="x") is None


def test_a_name_means_the_last_file_that_was_given_it(store: Store) -> None:
    assert added(store, 1, "iris").names == (("iris", 1),)
    assert added(store, 1, "iris").names == (("iris", 1),)
    assert added(store, 2, "iris").names == (("iris", 2),)
    assert added(store, 1, "iris").names == (("iris", 1), ("iris", 3))
    assert added(store, 1, "best").names == (("best", 1), ("iris", 1), ("iris", 3))


def test_the_version_of_a_deleted_dataset_is_never_given_again(store: Store) -> None:
    added(store, 1, "iris")
    store.remove_dataset(added(store, 2, "iris").id)
    assert added(store, 3, "iris").names == (("iris", 3),)


def test_datasets_are_listed_newest_first_in_pages(store: Store) -> None:
    made = [added(store, number, "odd" if number % 2 else "even") for number in range(5)]
    first = store.datasets(DatasetQuery(limit=3))
    last = store.datasets(DatasetQuery(limit=3, after=first.next))
    assert [row.id for row in (*first.rows, *last.rows)] == [row.id for row in reversed(made)]
    assert last.next is None
    assert [row.id for row in store.datasets(DatasetQuery(name="odd")).rows] == [made[3].id, made[1].id]
    assert store.datasets(DatasetQuery(name="none")).rows == ()
    with pytest.raises(BadRequest):
        store.datasets(DatasetQuery(after="x"))


def test_an_unknown_dataset_is_not_found_and_a_deleted_one_is_gone(store: Store) -> None:
    with pytest.raises(NotFound):
        store.dataset("ds_x")
    with pytest.raises(NotFound):
        store.remove_dataset("ds_x")
    made = added(store, 1, "iris")
    assert store.remove_dataset(made.id) == made.sha256
    assert store.remove_dataset(made.id) is None
    with pytest.raises(Gone, match="Dataset"):
        store.dataset(made.id)
    assert store.find_dataset(made.id) is None


def test_data_that_come_back_are_another_dataset(store: Store) -> None:
    old = added(store, 1)
    store.remove_dataset(old.id)
    again, new = store.add_dataset(upload(1))
    assert new
    assert again.id > old.id


def test_files_that_datasets_have_are_known(store: Store) -> None:
    made = added(store, 1)
    assert store.stored_datasets([made.sha256, "f" * 64]) == {made.sha256}
    assert store.stored_datasets([]) == set()


def test_a_dataset_stays_while_a_job_that_has_not_ended_needs_it(store: Store) -> None:
    made = added(store, 1)
    job = store.add(spec_over(made.id))
    for move in (store.job, store.pause, store.resume):
        move(job.id)
        with pytest.raises(WrongStatus, match=job.id):
            store.remove_dataset(made.id)
    claim = a_claim(store)
    with pytest.raises(WrongStatus, match=job.id):
        store.remove_dataset(made.id)
    store.record(claim, [an_epoch(1), FINISHED])
    assert store.remove_dataset(made.id) == made.sha256
    assert store.job(job.id).status.ended


def test_datasets_that_validate_or_test_stay_too_while_a_job_needs_them(store: Store) -> None:
    whole, held, tested = (added(store, number) for number in range(3))
    job = store.add(spec_over(whole.id, beside={"validation": held.id, "test": tested.id}))
    again = store.add(spec_over(held.id, beside={"test": held.id}))
    for needed, names in ((whole, job.id), (held, f"{job.id}, {again.id}"), (tested, job.id)):
        with pytest.raises(WrongStatus, match=f"needed by {names}\\."):
            store.remove_dataset(needed.id)
    store.cancel(job.id)
    assert store.remove_dataset(tested.id) == tested.sha256
    with pytest.raises(WrongStatus, match=again.id):
        store.remove_dataset(held.id)
    with pytest.raises(SpecRefused, match=r"/dataset/test.*was deleted"):
        store.create(Retry(job.id), told=told)
    store.cancel(again.id)
    assert store.remove_dataset(held.id) == held.sha256
    for ended in (job.id, again.id):
        store.delete(ended)


def test_only_some_of_many_jobs_are_named(store: Store) -> None:
    made = added(store, 1)
    ids = [store.add(spec_over(made.id)).id for _ in range(NAMED_JOBS + 1)]
    with pytest.raises(WrongStatus, match=f"{ids[NAMED_JOBS - 1]} and others") as refused:
        store.remove_dataset(made.id)
    assert ids[NAMED_JOBS] not in str(refused.value)


@pytest.mark.parametrize("ghost", ["ds_unknown", "removed"])
def test_a_job_over_a_dataset_that_is_gone_is_refused_and_leaves_nothing(store: Store, ghost: str) -> None:
    made = added(store, 1)
    store.remove_dataset(made.id)
    with pytest.raises(SpecRefused, match="/dataset/id"):
        store.create(Submit(spec_over(made.id if ghost == "removed" else ghost)), told=told)
    assert sum(store.counts().values()) == 0


def test_retries_and_forks_need_the_dataset_too(store: Store) -> None:
    made = added(store, 1)
    job = store.add(spec_over(made.id))
    claim = a_claim(store)
    store.record(claim, [an_epoch(1), failed(Reason.DIVERGED)])
    retried = store.create(Retry(job.id), told=told)
    with pytest.raises(WrongStatus, match=retried.job_id):
        store.remove_dataset(made.id)
    store.cancel(retried.job_id)
    forked = store.create(Fork(job.id, 1, spec_over(made.id)), told=told)
    with pytest.raises(WrongStatus, match=forked.job_id):
        store.remove_dataset(made.id)
    store.cancel(forked.job_id)
    store.remove_dataset(made.id)
    for wish in (Retry(job.id), Fork(job.id, 1, spec_over(made.id))):
        with pytest.raises(SpecRefused, match="was deleted"):
            store.create(wish, told=told)


def test_of_many_that_bring_the_same_bytes_at_once_one_makes_the_dataset(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(store.add_dataset, upload(number % 2), name="same") for number in range(16)]
        found = [one.result() for one in asked]
    assert sum(new for _, new in found) == 2
    assert len({made.id for made, _ in found}) == 2
    rows = store.datasets(DatasetQuery()).rows
    versions = sorted(version for row in rows for _, version in row.names)
    assert versions == list(range(1, len(versions) + 1))


def test_a_job_and_the_deletion_of_its_dataset_never_both_succeed(store: Store) -> None:
    for number in range(8):
        made = added(store, number)
        with ThreadPoolExecutor(2) as threads:
            asked = threads.submit(store.add, spec_over(made.id))
            gone = threads.submit(store.remove_dataset, made.id)
            outcomes = [type(one.exception()) for one in (asked, gone)]
        assert outcomes in ([type(None), WrongStatus], [SpecRefused, type(None)])
