"""The course of a training: its clock, its folder, its epochs, the words of its answer."""

from itertools import count

import pytest
import torch

from medview.domain.errors import Cancelled, ModelInputError
from medview.domain.progress import Silent
from medview.domain.training import Place, TrainRequest
from medview.learning import course
from medview.learning.checkpoint import EpochReport
from medview.learning.course import Course, end_after, epochs_of
from medview.learning.subset import LeftOut


class Told(Silent):
    """Writes down what it is told."""

    def __init__(self):
        self.heard, self.parts = [], []

    def report(self, done, total, text=""):
        self.heard.append((done, total, text))

    def partial(self, payload):
        self.parts.append(payload)


class Four:
    """A trainer of four epochs."""

    def __init__(self):
        self.stopped, self.epoch = "epochs", 0

    def fit(self):
        while self.epoch < 4:
            self.epoch += 1
            yield EpochReport(self.epoch, 4, {}, 0.0, True)


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by a second whenever it is looked at."""
    seconds = count(100.0)
    monkeypatch.setattr(course.time, "perf_counter", lambda: next(seconds))


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def begun(out, **more):
    return Course.start(Silent(), TrainRequest((), str(out), {}, **more))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("asked", "own", "used"), [(None, 2, 2), (1, 2, 1), (None, None, 3)])
def test_threads_are_those_asked_for_or_else_the_models_own(asked, own, used):
    torch.set_num_threads(3)
    job = Told()
    Course.start(job, TrainRequest((), "out", {}, threads=asked), threads=own)
    assert torch.get_num_threads() == used
    assert job.parts == [Place("CPU", used)]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("only_cpu", "told"), [(True, ("cpu", "CPU")), (False, ("cuda:0", "X1"))])
def test_the_device_that_is_told_is_the_one_that_is_used(monkeypatch, only_cpu, told):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "X1")
    job = Told()
    request = TrainRequest((), "out", {}, device="auto")
    started = Course.start(job, request, only_cpu=only_cpu)
    assert (started.device, job.parts[0].name) == told


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ModelInputError, match="no GPU"):
        begun(tmp_path, device="cuda:99")


def test_the_folder_is_made_when_it_is_asked_for_and_not_before(tmp_path):
    started = begun(tmp_path / "new" / "out")
    assert not (tmp_path / "new").exists()
    assert started.made_folder() == tmp_path / "new" / "out"
    assert started.made_folder().is_dir()


@pytest.mark.usefixtures("clock")
def test_time_is_counted_from_the_start_on(tmp_path):
    timed, endless = begun(tmp_path, max_minutes=2 / 60), begun(tmp_path)
    assert (timed.began, timed.until, endless.until) == (100.0, 102.0, float("inf"))
    # The clock says 102 now: the time is up when more than it has gone by.
    assert [timed.is_over, timed.is_over, endless.is_over] == [False, True, False]
    assert (end_after(0.5, 7.0), end_after(None, 7.0)) == (37.0, float("inf"))


@pytest.mark.usefixtures("clock")
def test_the_answer_tells_who_was_left_out_where_that_is_known(tmp_path):
    told = {"epochs": 3, "best_epoch": 2, "stopped": "time", "weights_sha256": "ab"}
    health = [{"name": "loss", "ok": True}]
    started = begun(tmp_path)
    body = started.answer(**told, n={"train": 5}, health=health)
    assert body == {**told, "n": {"train": 5}, "health": health, "seconds": 1.0}
    body = started.answer(**told, n={}, health=(), skipped=[LeftOut("a", "MV-DAT-101", "odd")])
    assert body["skipped"] == [{"case": "a", "code": "MV-DAT-101", "what": "odd"}]


@pytest.mark.parametrize(("name", "front"), [("fold 1 of 2", "fold 1 of 2: "), ("", "")])
def test_each_epoch_is_told_and_its_figures_passed_on(name, front):
    job, trainer = Told(), Four()
    reports = list(epochs_of(job, trainer, lambda: False, name))
    assert [one.epoch for one in reports] == [1, 2, 3, 4]
    assert job.heard[:2] == [(0, 1, f"{front}learning"), (1, 4, f"{front}epoch 1 / 4")]
    assert job.parts == reports
    assert trainer.stopped == "epochs"


@pytest.mark.parametrize(("after", "stopped", "epochs"), [(2, "time", 2), (4, "epochs", 4)])
def test_time_ends_it_between_two_epochs_and_never_after_the_last(after, stopped, epochs):
    trainer = Four()
    asked = []

    def is_over():
        asked.append(trainer.epoch)
        return trainer.epoch >= after

    assert len(list(epochs_of(Silent(), trainer, is_over))) == epochs
    assert trainer.stopped == stopped
    assert asked == list(range(1, epochs + 1))  # processes that train together must all ask


def test_a_training_that_is_cancelled_ends_before_its_epoch_is_told():
    class Stopped(Told):
        def check(self):
            raise Cancelled("stopped by the user")

    job = Stopped()
    with pytest.raises(Cancelled):
        next(epochs_of(job, Four(), lambda: False))
    assert [words for *_, words in job.heard] == ["learning"]
