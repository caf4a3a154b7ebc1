"""An experiment: jobs are submitted, harm is done while they train, and the verdict looks from outside."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.chaos.checks import BROKEN, DOUBLED, Damage, Expected, changed, damage
from tests.chaos.harm import at_a_random_moment
from tests.chaos.reference import Reference, reference
from tests.chaos.report import Report
from tests.chaos.seen import look
from tests.chaos.services import ENDED, Door
from tests.chaos.specs import Spec

NOBODY_AFTER_S = 5.0
"""How long a process may go on training without a job's lease."""
Harm = Callable[[random.Random], int]
"""Does it, and says how often (0: there was nobody to harm)."""


class Siege:
    """One experiment on one door."""

    def __init__(self, door: Door, report: Report, *, seed: int, full: bool, test: str) -> None:
        self.door = door
        self.full = full
        self.rng = random.Random(seed)
        self.jobs: dict[str, Spec] = {}
        self.harms = 0
        self._report = report
        self._seed = seed
        self._test = test

    def size(self, always: int, full: int) -> int:
        """The number for this run."""
        return full if self.full else always

    def submit(self, spec: Spec) -> str:
        """Queue a job that the verdict will ask for."""
        job_id = self.door.submit(spec)
        self.jobs[job_id] = spec
        return job_id

    def besiege(self, harm: Harm, *, times: int, specs: Sequence[Spec], jobs: int) -> None:
        """Submit `jobs` jobs and do the harm `times` times while they train; more of them if they end before that."""
        for number in range(jobs):
            self.submit(specs[number % len(specs)])
        done = 0
        while done < times:
            at_a_random_moment(self.rng)
            harmed = harm(self.rng)
            if not harmed and self.is_over():
                self.submit(self.rng.choice(specs))
            done += harmed
        self.harms += done

    def is_over(self) -> bool:
        """Whether nothing is left to harm."""
        return all(self.door.job(job_id)["status"] in ENDED for job_id in self.jobs)

    def wait_epochs(self, job_id: str, epochs: int = 1) -> None:
        """Return once so many epochs are stored, or the job has ended."""
        while self.door.job(job_id)["status"] not in ENDED:
            if self.door.get(f"/v1/jobs/{job_id}/metrics", after=epochs - 1, wait=5)["data"]:
                return

    def wait_status(self, job_id: str, *statuses: str, within_s: float = 60.0) -> str:
        """The job's status, once it is one of these or has ended."""
        deadline = time.monotonic() + within_s
        while (status := str(self.door.job(job_id)["status"])) not in {*statuses, *ENDED}:
            assert time.monotonic() < deadline, f"{job_id} is {status}, not {' or '.join(statuses)}"
            time.sleep(0.02)
        return status

    def verdict(
        self,
        experiment: str,
        *,
        ends: Mapping[str, Iterable[str]] | None = None,
        references: Mapping[str, Reference] | None = None,
        attempts: int | None = None,
        found: Sequence[Damage] = (),
    ) -> None:
        """Wait until every job has ended, and find nothing wrong with any, nor with one that had ended before.

        `ends` and `references` are for jobs that are to come out otherwise than their spec alone would.
        """
        bound = 1 + self.harms if attempts is None else attempts
        wanted = {
            job_id: Expected(
                (references or {}).get(job_id) or reference(spec),
                frozenset((ends or {}).get(job_id, ("succeeded",))),
                attempts=bound,
            )
            for job_id, spec in self.jobs.items()
        }
        self.door.wait_ended(list(wanted), within_s=600 if self.full else 90)
        wrong = [*found, *self._damage(wanted), *self._unsettled(), *self._strangers(), *self._left_behind()]
        self._report.add(experiment, self.door.kind, self.harms, len(wanted), wrong, test=self._test, seed=self._seed)
        assert not wrong, "\n".join(map(str, wrong))

    def _damage(self, wanted: Mapping[str, Expected]) -> list[Damage]:
        found: list[Damage] = []
        for job_id, expected in wanted.items():
            seen = look(self.door, job_id)
            found += damage(seen, expected)
            if seen.job and seen.status in ENDED:
                self.door.settled[job_id] = dict(seen.job)
        return found

    def _unsettled(self) -> list[Damage]:
        """What became of the jobs that had ended, in this experiment or an earlier one."""
        return [each for job_id, before in self.door.settled.items() for each in self._changed(job_id, before)]

    def _changed(self, job_id: str, before: Mapping[str, Any]) -> list[Damage]:
        return changed(before, self.door.job(job_id))

    def _strangers(self) -> list[Damage]:
        return [Damage(DOUBLED, job_id, "exists, and no answer told of it") for job_id in self.door.strangers()]

    def _left_behind(self) -> list[Damage]:
        deadline = time.monotonic() + NOBODY_AFTER_S
        while pids := self.door.left_behind():
            if time.monotonic() > deadline:
                return [Damage(BROKEN, "", f"left the processes {pids}, {NOBODY_AFTER_S:g} s after every job's end")]
            time.sleep(0.05)
        return []
