"""What a job says of itself, by a clock that the test sets."""

import pytest

from medview.services import job as job_module
from medview.services.job import Job, Report


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(job_module, "time", made)
    return made


@pytest.fixture
def job(clock):
    made = Job("files", "some.module:work", (), None, lambda job: None)
    made.begin(pid=1)
    return made


def tell(job, clock, after, *report):
    clock.now += after
    job.hear()
    job.learn(Report(*report))


def test_the_time_left_follows_from_the_pace(job, clock):
    assert job.seconds_left is None
    tell(job, clock, 9.0, 1, 101)  # the start took long
    assert job.seconds_left is None
    tell(job, clock, 4.0, 21, 101)
    assert job.seconds_left == pytest.approx(80 * 0.2)
    clock.now += 3.0
    assert (job.silent_s, job.seconds_left) == (3.0, pytest.approx(80 * 0.2 - 3.0))
    clock.now += 30.0
    assert job.seconds_left == 0.0
    job.settle()
    assert job.seconds_left is None


def test_the_time_left_does_not_count_what_went_before(job, clock):
    tell(job, clock, 1.0, 0, 1, "finding the brain")
    tell(job, clock, 60.0, 1, 100)
    tell(job, clock, 2.0, 11, 100)
    assert job.seconds_left == pytest.approx(89 * 0.2)
