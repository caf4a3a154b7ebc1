"""Jobs are paused, resumed, cancelled, forked and retried at random moments, while they train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.chaos.checks import BROKEN, Damage
from tests.chaos.harm import at_a_random_moment
from tests.chaos.siege import Siege
from tests.chaos.specs import HARMED, Spec
from tests.sizes import EMBEDDED_ALWAYS

BETWEEN_S = (0.0, 0.15)
BECOMES = {
    "pause": {"pausing", "paused"},
    "resume": {"queued", "running"},
    "cancel": {"cancelling", "cancelled"},
}
"""What a verb that was taken makes of a job."""
REFUSES = {
    "pause": {"cancelling", "succeeded", "failed", "cancelled"},
    "resume": {"cancelling", "succeeded", "failed", "cancelled"},
    "cancel": {"succeeded", "failed"},
}
"""The statuses that a verb cannot change."""
JOBS_AT_MOST = 8


@pytest.mark.timeout(180)
@pytest.mark.parametrize("door", EMBEDDED_ALWAYS, indirect=True)
def test_a_verb_is_safe_at_every_moment(siege: Siege) -> None:
    play = Play(siege)
    for spec in HARMED:
        siege.submit(spec)
    for _ in range(siege.size(24, 1000)):
        at_a_random_moment(siege.rng, BETWEEN_S)
        play.one()
        siege.harms += 1
    for job_id in siege.jobs:
        play.resume_if_paused(job_id)
    siege.verdict("verbs at random moments", ends=play.ends, found=play.wrong)


class Play:
    """What was done to whom, and what was wrong with the answer."""

    def __init__(self, siege: Siege) -> None:
        self.ends: dict[str, tuple[str, ...]] = {}
        self.wrong: list[Damage] = []
        self._siege = siege
        self._rng = siege.rng

    def one(self) -> None:
        """One verb for one job."""
        job_id = self._rng.choice(sorted(self._siege.jobs)[-JOBS_AT_MOST:])
        acts: list[Callable[[str], None]] = [self._fork, self._retry, self._new]
        verb = self._rng.choice(["pause", "pause", "resume", "resume", "cancel", None, None])
        if verb is None:
            self._rng.choice(acts)(job_id)
        else:
            self._verb(job_id, verb)

    def resume_if_paused(self, job_id: str) -> None:
        """Let a job go on to its end."""
        if self._siege.wait_status(job_id, "queued", "running", "paused") == "paused":
            self._verb(job_id, "resume")

    def _verb(self, job_id: str, verb: str) -> None:
        before = self._siege.door.job(job_id)["status"]
        answer = self._siege.door.ask("POST", f"/v1/jobs/{job_id}/{verb}")
        if answer.status_code in {httpx.codes.OK, httpx.codes.ACCEPTED}:
            if verb == "cancel":
                self.ends[job_id] = ("cancelled", "succeeded")
            if (status := answer.json()["status"]) not in BECOMES[verb]:
                self._complain(job_id, f"{verb} of a job that was {before} made it {status}")
        elif answer.status_code != httpx.codes.CONFLICT:
            self._complain(job_id, f"{verb} was answered {answer.status_code}: {answer.text}")
        elif not REFUSES[verb] & {before, self._siege.door.job(job_id)["status"]}:
            self._complain(job_id, f"{verb} was refused while it was {before}: {answer.text}")

    def _fork(self, job_id: str) -> None:
        """At any epoch that the job has; behind the last one of all there is nothing left to train."""
        job = self._siege.door.job(job_id)
        first = (job["parent"] or {}).get("epoch") or 0
        newest = (job["latest"] or {}).get("epoch") or first
        epoch = self._rng.randint(first, newest)
        refusals = {int(httpx.codes.UNPROCESSABLE_ENTITY)} if epoch == job["spec"]["epochs"] else set[int]()
        self._take(job_id, "fork", refusals, {"epoch": epoch})

    def _retry(self, job_id: str) -> None:
        start = self._rng.choice(["checkpoint", "start"])
        before = self._siege.door.job(job_id)["status"]
        ended_badly = before in {"failed", "cancelled"}
        self._take(job_id, "retry", set() if ended_badly else {httpx.codes.CONFLICT}, {"from": start})

    def _new(self, _: str) -> None:
        self._siege.submit(self._rng.choice(HARMED))

    def _take(self, job_id: str, verb: str, refusals: set[int], body: dict[str, Any]) -> None:
        """Make a job from another one, which has the same spec, so it must come out the same."""
        answer = self._siege.door.make(f"/v1/jobs/{job_id}/{verb}", body)
        if answer.status_code == httpx.codes.ACCEPTED:
            spec: Spec = self._siege.jobs[job_id]
            self._siege.jobs[str(answer.json()["id"])] = spec
        elif answer.status_code not in refusals:
            self._complain(job_id, f"{verb} was answered {answer.status_code}: {answer.text}")

    def _complain(self, job_id: str, what: str) -> None:
        self.wrong.append(Damage(BROKEN, job_id, what))
