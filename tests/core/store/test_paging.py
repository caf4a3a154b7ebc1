from __future__ import annotations

import base64
import json
import math

import pytest

from core.errors import BadRequest
from core.job import Status
from core.sorting import Sorting
from core.store import JobQuery, Store
from tests.core.store.making import FINISHED, a_claim, a_spec, a_worker, an_epoch


def listed(store: Store, **query: object) -> list[str]:
    """Every id, page by page of two."""
    ids: list[str] = []
    after: str | None = None
    while True:
        page = store.jobs(JobQuery(limit=2, after=after, **query))  # type: ignore[arg-type]
        assert len(page.rows) <= 2
        ids += [job.id for job in page.rows]
        if page.next is None:
            return ids
        after = page.next


def test_jobs_are_listed_newest_first_page_by_page(store: Store) -> None:
    ids = [store.add(a_spec()).id for _ in range(5)]
    assert listed(store) == ids[::-1]
    assert listed(store, order=Sorting.OLDEST) == ids


def test_an_empty_store_has_one_empty_page(store: Store) -> None:
    page = store.jobs(JobQuery())
    assert (page.rows, page.next) == ((), None)


def test_the_last_page_has_no_next_even_when_it_is_full(store: Store) -> None:
    for _ in range(2):
        store.add(a_spec())
    assert store.jobs(JobQuery(limit=2)).next is None


def test_a_job_that_comes_while_one_reads_shifts_no_page(store: Store) -> None:
    ids = [store.add(a_spec()).id for _ in range(4)]
    first = store.jobs(JobQuery(limit=2))
    store.add(a_spec())
    second = store.jobs(JobQuery(limit=2, after=first.next))
    assert [job.id for job in (*first.rows, *second.rows)] == ids[::-1]


def test_jobs_are_found_by_status_one_or_several(store: Store) -> None:
    ids = [store.add(a_spec()).id for _ in range(6)]
    for job_id in ids[:3]:
        claim = store.claim(a_worker())
        assert claim is not None
        assert claim.job_id == job_id
    claim = store.claim(a_worker())
    assert claim is not None
    store.record(claim, [FINISHED])
    assert listed(store, statuses=[Status.RUNNING]) == ids[2::-1]
    assert listed(store, statuses=[Status.RUNNING, Status.SUCCEEDED]) == ids[3::-1]
    assert listed(store, statuses=set(Status), order=Sorting.OLDEST) == ids
    assert listed(store, statuses=[Status.FAILED]) == []


def test_jobs_are_found_by_name_and_by_all_of_several_labels(store: Store) -> None:
    both = [store.add(a_spec(name="one", labels={"team": "a", "run": "1"})).id for _ in range(3)]
    other = store.add(a_spec(name="two", labels={"team": "a"})).id
    store.add(a_spec(name="one", labels={"team": "b", "run": "1"}))
    assert listed(store, labels={"team": "a"}) == [other, *both[::-1]]
    assert listed(store, labels={"team": "a", "run": "1"}) == both[::-1]
    assert listed(store, name="two") == [other]
    assert listed(store, name="two", labels={"team": "a"}, statuses=[Status.QUEUED, Status.FAILED]) == [other]
    assert listed(store, labels={"team": "c"}) == []


def test_jobs_are_found_by_a_part_of_their_name_or_id(store: Store) -> None:
    names = ["Digits-MLP", "digits cnn", "iris_50%", "iris", "Größe", "no name at all"]
    ids = {name: store.add(a_spec(name=name)).id for name in names}
    assert listed(store, search="digits") == [ids["digits cnn"], ids["Digits-MLP"]]
    assert listed(store, search="digits", order=Sorting.OLDEST) == [ids["Digits-MLP"], ids["digits cnn"]]
    assert listed(store, search="_50%") == [ids["iris_50%"]], "no letter is a wildcard"
    assert listed(store, search="GRÖSSE") == [ids["Größe"]]
    assert listed(store, search=ids["iris"]) == [ids["iris"]]
    assert listed(store, search=ids["iris"][-12:]) == [ids["iris"]]
    assert listed(store, search="i", statuses=[Status.RUNNING]) == []
    assert listed(store, search="iris", name="iris") == [ids["iris"]]
    assert listed(store, search="nothing like it") == []


def test_a_search_looks_through_so_many_jobs_a_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.store.paging._PART", 3)
    monkeypatch.setattr("core.store.paging._PARTS", 2)
    old = store.add(a_spec(name="needle")).id
    for _ in range(7):
        store.add(a_spec(name="hay"))
    first = store.jobs(JobQuery(search="needle"))
    assert first.rows == ()
    assert first.next is not None
    second = store.jobs(JobQuery(search="needle", after=first.next))
    assert ([job.id for job in second.rows], second.next) == ([old], None)
    assert listed(store, search="needle") == [old]


def trained(store: Store, *losses: float, **figures: float | None) -> str:
    """A job that ended behind epochs of these losses, each the best so far."""
    job = store.add(a_spec())
    claim = a_claim(store)
    assert claim.job_id == job.id
    rows = [an_epoch(epoch, best=True, **{"val_loss": loss, **figures}) for epoch, loss in enumerate(losses, start=1)]
    store.record(claim, [*rows, FINISHED])
    return job.id


def test_jobs_are_listed_by_the_loss_of_their_best_epoch_and_those_without_one_last(store: Store) -> None:
    good, middle, like_it = trained(store, 0.9, 0.1), trained(store, 0.4), trained(store, 0.4)
    unvalidated = trained(store, 0.2, val_loss=None, train_loss=0.2)
    odd, worst = trained(store, math.nan), trained(store, 7.0)
    queued = [store.add(a_spec()).id for _ in range(3)]

    rising = [good, unvalidated, middle, like_it, worst]
    assert listed(store, order=Sorting.LOSS) == [*rising, odd, *queued]
    assert listed(store, order=Sorting.LOSS_DOWN) == [*rising[::-1], *queued[::-1], odd]
    assert listed(store, order=Sorting.LOSS, statuses=[Status.QUEUED]) == queued
    assert listed(store, order=Sorting.LOSS, statuses=[Status.SUCCEEDED]) == [*rising, odd]
    assert listed(store, order=Sorting.LOSS, search=good[-8:]) == [good]


def test_jobs_are_listed_by_when_they_ended_and_by_name(store: Store) -> None:
    names = ["b", "a", "c", "b"]
    ids = [
        store.add(a_spec(name=name, priority=priority)).id for name, priority in zip(names, (0, 2, 1, 0), strict=True)
    ]
    ended = [a_claim(store) for _ in range(3)]
    for claim in ended:
        store.record(claim, [FINISHED])

    assert [claim.job_id for claim in ended] == [ids[1], ids[2], ids[0]]
    assert listed(store, order=Sorting.FINISHED) == [ids[1], ids[2], ids[0], ids[3]]
    assert listed(store, order=Sorting.FINISHED_DOWN) == [ids[0], ids[2], ids[1], ids[3]]
    assert listed(store, order=Sorting.NAME) == [ids[1], ids[0], ids[3], ids[2]]
    assert listed(store, order=Sorting.NAME_DOWN) == [ids[2], ids[3], ids[0], ids[1]]
    assert listed(store, order=Sorting.NAME, name="b") == [ids[0], ids[3]]


def test_a_job_that_gets_better_while_one_reads_is_not_listed_twice_from_behind(store: Store) -> None:
    first, second = trained(store, 0.1), trained(store, 0.2)
    store.add(a_spec())
    claim = a_claim(store)
    page = store.jobs(JobQuery(limit=2, order=Sorting.LOSS))
    store.record(claim, [an_epoch(1, best=True, val_loss=0.3)])
    behind = store.jobs(JobQuery(limit=2, order=Sorting.LOSS, after=page.next))
    assert [job.id for job in (*page.rows, *behind.rows)] == [first, second, claim.job_id]


def forged(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


@pytest.mark.parametrize("order", sorted(Sorting))
def test_a_cursor_of_another_order_is_refused(store: Store, order: Sorting) -> None:
    job_id = trained(store, 0.5)
    places: list[tuple[object, ...]] = [
        (0.5,),
        ([], job_id),
        (True, job_id),
        ("a\0b", job_id),
        (None, "x"),
        (math.inf, job_id),
    ]
    for text in ("am9iXzE", *(forged(*place) for place in places)):
        with pytest.raises(BadRequest) as refused:
            store.jobs(JobQuery(order=order, after=text))
        assert refused.value.param == "after"


@pytest.mark.parametrize("text", ["", "x", "!!!!", "am9iXzE", "é", "a" * 10_000, "\ud800"])
def test_a_text_that_is_no_cursor_is_refused_by_name(store: Store, text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        store.jobs(JobQuery(after=text))
    assert refused.value.param == "after"


def test_a_page_shows_the_same_as_each_job_alone(store: Store) -> None:
    for _ in range(3):
        store.add(a_spec(labels={"a": "b"}))
    store.claim(a_worker())
    page = store.jobs(JobQuery())
    assert list(page.rows) == [store.job(job.id) for job in page.rows]
    assert len(page.rows[-1].transitions) == 2
