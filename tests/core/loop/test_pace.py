"""Progress readings."""

from core.loop.pace import Pace


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_reading_is_due_at_most_twice_a_second() -> None:
    clock = Clock()
    pace = Pace(1, 100, clock=clock)
    due = []
    for step in range(1, 21):
        clock.now += 0.125
        if pace.due():
            due.append(step)
            pace.reading(1, step)
    assert due == [4, 8, 12, 16, 20]


def test_the_time_left_follows_from_the_speed_so_far() -> None:
    clock = Clock()
    pace = Pace(4, 10, clock=clock)
    clock.now += 6.0
    reading = pace.reading(2, 5)
    assert (reading.epoch, reading.step, reading.eta_s) == (2, 5, 10.0)


def test_steps_made_before_a_resume_are_progress_but_not_speed() -> None:
    clock = Clock()
    pace = Pace(4, 10, done=12, clock=clock)
    clock.now += 6.0
    reading = pace.reading(2, 5)
    assert (reading.epoch, reading.step, reading.eta_s) == (2, 5, 50.0)
