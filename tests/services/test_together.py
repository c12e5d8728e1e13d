"""Library, viewing and analysis on real files and real child processes.

``post`` puts calls into a queue that the test empties, as the window's event loop does.
"""

import queue
import random
import time
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from running import PATIENCE_S, children
from services.stubs import CARD, seconds

from medview.domain.errors import InputRefused, ReadError
from medview.io.cards import write_card
from medview.services import analysis as analysis_module
from medview.services import library as library_module
from medview.services.analysis import Analysis
from medview.services.choices import Choices
from medview.services.jobs import Jobs
from medview.services.library import Library
from medview.services.model_library import ModelLibrary
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.tasks import mark_silent


class Window:
    """Everything a window holds, and its loop."""

    def __init__(self, folder):
        self._calls = queue.SimpleQueue()
        self.session = Session()
        hung = lambda job: mark_silent(self.session, job)  # noqa: E731  # as main.py does
        self.jobs = Jobs(self._calls.put, hang_after_s=0.5, hung=hung)
        preferences = Preferences(folder / "settings.json")
        self.library = Library(self.jobs, self.session, preferences)
        models = ModelLibrary(self.jobs, self.session, shipped=folder)
        self.analysis = Analysis(self.jobs, self.session, preferences, models=models)

    def turn(self, wait=0.01):
        """Run what was posted within some time."""
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            try:
                self._calls.get(timeout=left)()
            except queue.Empty:
                return

    def until(self, claim):
        end = time.monotonic() + PATIENCE_S
        while not claim():
            assert time.monotonic() < end, f"never came true; message: {self.session.message}"
            self.turn()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(analysis_module, "PREDICT", "services.works:predict")
    for name in ("anomaly", "other"):
        (tmp_path / name).mkdir()
        write_card(replace(CARD, id=name), tmp_path / name / "card.json")
    return tmp_path


@pytest.fixture
def window(folder):
    before = children()
    window = Window(folder)
    yield window
    window.jobs.close()
    assert children() <= before


def study(folder, *marks):
    """A folder of NIfTI volumes, each with its own value everywhere."""
    place = folder / "study"
    place.mkdir()
    for mark in marks:
        array = np.full((24, 20, 16), mark, dtype=np.int16)
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), place / f"t1_{mark}.nii.gz")
    return place


def test_from_a_folder_to_a_result_on_screen(window, folder):
    window.library.open([study(folder, 7)])
    session = window.session
    window.until(lambda: session.volume_id is not None)
    assert int(session.volume.array.max()) == 7
    job = window.analysis.run("anomaly", Choices(seed=20))
    window.until(lambda: session.unfinished is not None)
    window.until(lambda: session.tasks and session.tasks[0].total == 16)
    window.until(lambda: session.results)
    assert job.state == "done"
    assert session.unfinished is None
    assert (session.map("score").array == 7.0).all()
    assert session.tasks == ()
    assert session.message is None


def test_a_cancelled_run_is_gone_within_a_second_with_all_its_slices(window, folder):
    window.library.open([study(folder, 7)])
    session = window.session
    window.until(lambda: session.volume_id is not None)
    window.analysis.run("anomaly", Choices(seed=20_000))
    window.until(lambda: session.unfinished is not None)
    asked = time.monotonic()
    session.tasks[0].cancel()
    window.until(lambda: session.tasks == ())
    assert time.monotonic() - asked < seconds(1)
    assert session.maps == ()
    assert session.message is None


def failing(monkeypatch, window, folder, samples):
    """A run that goes wrong, with another one behind it; the pixels are those of the 7s."""
    monkeypatch.setattr(analysis_module, "PREDICT", "services.works:predict_or_fail")
    window.library.open([study(folder, 7)])
    session = window.session
    window.until(lambda: session.volume_id is not None)
    window.analysis.run("anomaly", Choices(samples=samples))
    window.analysis.run("other", Choices())
    # One that is killed at once may have come and gone between two looks.
    window.until(lambda: session.unfinished is not None or session.message is not None)
    return session


def test_a_hung_model_is_noticed_stopped_and_replaced(window, folder, monkeypatch):
    session = failing(monkeypatch, window, folder, 13)
    window.until(lambda: session.tasks[0].is_silent)
    assert not session.tasks[1].is_silent
    asked = time.monotonic()
    session.tasks[0].cancel()
    window.until(lambda: len(session.tasks) < 2)
    assert time.monotonic() - asked < seconds(2)
    window.until(lambda: session.results)
    assert [each.model for each in session.results] == ["other"]
    window.analysis.run("anomaly")
    window.until(lambda: len(session.results) == 2)
    assert (session.map("score").array == 7.0).all()
    assert session.message is None


def test_a_killed_model_is_told_with_ways_on_and_the_queue_goes_on(window, folder, monkeypatch):
    session = failing(monkeypatch, window, folder, 99)
    window.until(lambda: session.message is not None)
    assert "perhaps because memory ran out (signal 9)" in session.message.text
    assert "GB are free" in session.message.text
    (smaller,) = session.message.ways
    assert smaller.text == "Smaller batch"
    window.until(lambda: session.results)
    assert [each.model for each in session.results] == ["other"]
    assert all(np.isin(found.array, 7.0).all() for found in session.maps)
    assert session.unfinished is None
    session.message = None
    smaller.take()
    window.until(lambda: session.message is not None)  # it is killed again
    window.analysis.run("anomaly")
    window.until(lambda: len(session.results) == 2)


def test_a_file_that_vanished_is_a_sentence_that_names_it(window, folder):
    place = study(folder, 7, 8)
    window.library.open([place])
    session = window.session
    window.until(lambda: session.volume_id is not None)
    other = next(s for s in session.catalogue.all_series() if s.key != session.series.key)
    other.files[0].unlink()
    window.library.show(other)
    window.until(lambda: session.message is not None)
    assert isinstance(session.message.error, InputRefused)
    assert session.message.error.file
    assert int(session.volume.array.max()) in (7, 8)
    assert session.tasks == ()


def test_an_empty_folder_is_a_sentence(window, tmp_path):
    (tmp_path / "letters").mkdir()
    window.library.open([tmp_path / "letters"])
    window.until(lambda: window.session.message is not None)
    assert window.session.message.text.startswith("letters: ")
    assert window.session.series is None


def test_the_command_line_waits_for_the_same(folder):
    place = study(folder, 7)
    seen = []
    with Jobs(lambda call: call()) as jobs:
        catalogue = library_module.scan(jobs, [place], progress=lambda *now: seen.append(now))
        volume = library_module.load(jobs, catalogue.all_series()[0])
        with pytest.raises(ReadError):
            library_module.scan(jobs, [folder / "nothing here"])
    assert (int(volume.array.max()), volume.array.flags.writeable) == (7, False)
    assert seen[-1][:2] == (1, 1)


def wander(window, chance, series):
    """One random step of a reader who does not wait."""
    session = window.session
    step = chance.choice(["show", "show", "run", "run", "cancel", "wait", "wait"])
    if step == "show":
        window.library.show(chance.choice(series))
    elif step == "run":
        window.analysis.run("anomaly", Choices(seed=chance.randrange(3)))
    elif step == "cancel" and session.tasks:
        chance.choice(session.tasks).cancel()
    else:
        window.turn(chance.random() * 0.05)


def only_its_own(session):
    """Every map on screen holds the mark of the volume on screen, or nothing yet."""
    mark = float(session.volume.array.flat[0])
    return all(np.isin(m.array[~np.isnan(m.array)], mark).all() for m in session.maps)


@pytest.mark.parametrize("seed", range(10))
def test_no_result_ever_lands_on_another_volume(window, folder, seed):
    chance = random.Random(seed)
    session = window.session
    wrong = []
    window.library.open([study(folder, 7, 8, 9)])
    window.until(lambda: session.volume_id is not None)
    session.events.connect(lambda info: only_its_own(session) or wrong.append(info))
    series = session.catalogue.all_series()
    for _ in range(40):
        wander(window, chance, series)
    window.until(lambda: session.tasks == ())
    assert wrong == []
    for one in series:
        window.library.show(one)
        window.until(lambda: session.volume_id is not None and session.tasks == ())
        assert {result.inputs[0].series for result in session.results} <= {one.uid}
    assert wrong == []


@pytest.mark.parametrize("seed", range(5))
def test_closing_at_any_moment_is_quick_and_leaves_no_process(folder, seed):
    chance, before = random.Random(seed), children()
    window = Window(folder)
    window.library.open([study(folder, 7, 8)])
    window.until(lambda: window.session.volume_id is not None)
    for _ in range(10):
        wander(window, chance, window.session.catalogue.all_series())
    started = time.monotonic()
    window.jobs.close()
    assert time.monotonic() - started < seconds(3)
    assert children() <= before
