"""What a training will take is said before it starts, once one of its kind has run here."""

import io

import pytest

from medview.cli.contract import Context, Options
from medview.cli.expecting import Expecting, as_answer
from medview.cli.progress import ProgressLine
from medview.domain.errors import DataError
from medview.services.training_notes import note_time

RECIPE = {"epochs": 10, "folds": 0}


class Told(Context):
    """A command whose child finds so many cases, or refuses the data."""

    def __init__(self, cases, threads=None):
        super().__init__(Options(threads=threads), ProgressLine(io.StringIO(), on_terminal=False))
        self.cases = cases

    def call(self, lane, work, *args):
        if self.cases is None:
            raise DataError("the same patient is in two parts")
        return {"cases": self.cases}

    @property
    def words(self):
        return self.progress.stream.getvalue()


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


def splits(out, cases):
    out.mkdir()
    rows = "".join(f"c{n},p{n},,train\n" for n in range(cases))
    (out / "splits.csv").write_text("case,patient,site,part\n" + rows)


def test_the_first_of_its_kind_is_noted_and_the_second_expected(tmp_path):
    splits(tmp_path / "out", 40)
    context = Told(40)
    first = Expecting(context, "brain-age", "train", RECIPE)
    assert first.say(("data",)) is None
    assert "the first of its kind" in context.words
    first._began -= 100.0  # it took so long
    first.note({"epochs": 10}, tmp_path / "out")
    context.cases = 80
    second = Expecting(context, "brain-age", "train", {**RECIPE, "epochs": 5})
    found = second.say(("data",))
    # Twice the cases, half the epochs.
    assert found.seconds == pytest.approx(100, rel=0.05)
    assert "Expected: about 2 min" in context.words
    assert as_answer(found).keys() == {"seconds", "memory_mb"}
    assert Expecting(context, "brain-age", "head", RECIPE).say(("data",)) is None


def test_a_cross_validation_takes_as_many_trainings_more(tmp_path):
    home = tmp_path / "home"
    note_time(home, "cxr train", seconds=60.0, epochs=10, cases=6, memory_mb=700.0)
    context = Told(6)
    found = Expecting(context, "cxr", "train", {"epochs": 10, "folds": 5}).say(("data",))
    assert as_answer(found) == {"seconds": 360.0, "memory_mb": 700}
    assert "Expected: about 6 min, 700 MB of memory." in context.words


def test_networks_side_by_side_are_expected_to_take_as_long_as_those_before(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "medview.services.training_notes.networks_at_once", lambda mb, threads, device: threads
    )
    splits(tmp_path / "out", 10)
    recipe, body = {"epochs": 10, "folds": 5}, {"epochs": 10}
    beside = Expecting(Told(10, threads=4), "anomaly", "train", recipe)
    beside._began -= 200.0  # four networks, then two
    beside.note(body, tmp_path / "out")
    assert Expecting(Told(10, threads=1), "anomaly", "train", recipe).say(("data",)) is None
    for threads, seconds in ((4, 200.0), (6, 100.0), (2, 300.0)):
        found = Expecting(Told(10, threads), "anomaly", "train", recipe).say(("data",))
        assert found.seconds == pytest.approx(seconds, rel=0.05)
    # What one network takes on all threads is another matter.
    alone = Expecting(Told(10, threads=4), "anomaly", "train", RECIPE)
    assert alone.say(("data",)) is None


def test_data_that_are_refused_are_left_to_the_training(tmp_path):
    note_time(tmp_path / "home", "cxr train", seconds=6.0, epochs=1, cases=6, memory_mb=7.0)
    assert Expecting(Told(None), "cxr", "train", RECIPE).say(("data",)) is None


def test_where_nothing_was_written_nothing_is_noted(tmp_path):
    made = Expecting(Told(3), "cxr", "train", RECIPE)
    made.note({"epochs": 3}, tmp_path)
    assert made.say(("data",)) is None
    assert as_answer(None) is None
