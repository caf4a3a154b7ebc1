"""The API is killed, again and again, under the stream of a long job that many watch."""

from __future__ import annotations

import pytest

from tests.chaos.harm import at_a_random_moment, kill
from tests.chaos.siege import Siege
from tests.chaos.specs import STREAMED
from tests.chaos.watchers import watching
from tests.sizes import EMBEDDED_ALWAYS


@pytest.mark.full
@pytest.mark.timeout(180)
@pytest.mark.parametrize("door", EMBEDDED_ALWAYS, indirect=True)
def test_a_stream_outlives_its_server(siege: Siege) -> None:
    door, many = siege.door, siege.size(15, 50)
    job_id = siege.submit(STREAMED)
    with watching(door, job_id, many, within_s=siege.size(90, 600)) as watchers:
        always = {"embedded": 1, "celery": 2}[door.kind]
        for _ in range(siege.size(always, 20)):
            at_a_random_moment(siege.rng, (0.2, 1.0))
            kill(door, door.api, siege.rng)
            siege.harms += 1
    events = len(door.all_of(f"/v1/jobs/{job_id}/events"))
    siege.verdict(f"API killed under {many} watchers", found=watchers.missed(events, job_id))
