import random
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from phantoms import phantom
from services.stubs import CARD, StubJobs, catalogue_of, on_screen, result_about, series_of

from medview.domain.errors import MedviewError
from medview.domain.prediction import Opinion, Score
from medview.domain.progress import Silent
from medview.io.cards import write_card
from medview.services.analysis import Analysis
from medview.services.library import Library
from medview.services.model_library import ModelLibrary
from medview.services.session import Session
from medview.services.session_values import VolumeId
from medview.services.settings import Preferences
from medview.services.shelf import Shelf


class DirectJobs(StubJobs):
    """Does what a child would do, at once; runs of models are left to the test."""

    def run(self, lane, work, *args, **calls):
        job = super().run(lane, work, *args, **calls)
        if lane == "files":
            module, _, name = work.partition(":")
            try:
                answer = getattr(import_module(module), name)(Silent(), *args)
            except MedviewError as error:
                job.fail(error)
            else:
                job.finish(answer)
        return job


class Desk:
    """A session with a shelf, as after a start of the program."""

    def __init__(self, folder, jobs=None):
        self.session, self.jobs = Session(), jobs or DirectJobs()
        self.session.catalogue = catalogue_of(series_of("1.1"), series_of("1.8"))
        preferences = Preferences(folder / "settings.json")
        self.shelf = Shelf(self.jobs, self.session, folder / "results")
        write_card(CARD, folder / "weights" / "anomaly" / "card.json")
        models = ModelLibrary(self.jobs, self.session, shipped=folder / "weights")
        self.analysis = Analysis(
            self.jobs, self.session, preferences, models=models, shelf=self.shelf
        )

    def show(self, uid="1.1", sha256="abc"):
        self.session.volume_id = None
        on_screen(self.session, uid, sha256=sha256)
        return self.session.volume_id

    def run(self, value=1.5, **fields):
        """Run the model on what is on screen."""
        self.analysis.run("anomaly")
        made = result_about(self.session.volume_id)
        made = replace(made, scores=(Score("anomaly", value),), **fields)
        self.jobs.running("predict:run")[-1].finish(made)
        return made


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    made.show()
    return made


def values(session):
    return [result.scores[0].value for result in session.results]


def test_a_result_is_there_again_after_a_start(desk, tmp_path):
    desk.run(1.5)
    again = Desk(tmp_path)
    assert values(again.session) == []
    again.show()
    assert values(again.session) == [1.5]
    assert again.session.map("score") is not None


def test_other_pixels_of_the_same_series_have_no_results(desk, tmp_path):
    desk.run()
    again = Desk(tmp_path)
    again.show(sha256="other")
    assert again.session.results == ()
    again.show(uid="1.8")
    assert again.session.results == ()


def test_answers_come_back_with_name_and_time(desk, tmp_path):
    desk.run()
    desk.shelf.answer("anomaly@1.0", "score anomaly", "rejected", "A reader")
    again = Desk(tmp_path)
    again.show()
    said = again.session.opinion("anomaly@1.0", "score anomaly")
    assert (said.verdict, said.by) == ("rejected", "A reader")
    assert said.at.startswith("20")


def test_an_answer_given_before_the_result_is_stored_is_stored_with_it(tmp_path):
    desk = Desk(tmp_path, StubJobs())
    desk.show()
    desk.run()
    desk.shelf.answer("anomaly@1.0", "score anomaly", "agree")
    assert desk.jobs.running("judge") == []
    keeping = desk.jobs.running("keep")[0]
    keeping.finish(_really(keeping))
    (job,) = desk.jobs.running("judge")
    assert [each.verdict for each in job.args[2]] == ["agree"]


def _really(job):
    module, _, name = job.work.partition(":")
    return getattr(import_module(module), name)(Silent(), *job.args)


def test_a_new_run_starts_without_the_answers_to_the_old_one(desk):
    desk.run(1.0)
    desk.shelf.answer("anomaly@1.0", "score anomaly", "agree")
    desk.run(2.0)
    assert desk.session.opinion("anomaly@1.0", "score anomaly") is None
    assert values(desk.session) == [2.0]


def test_a_stored_result_does_not_replace_one_that_was_made_meanwhile(desk, tmp_path):
    desk.run(1.0)
    again = Desk(tmp_path, StubJobs())
    again.show()
    found = _really(again.jobs.running("reopen")[0])
    again.run(2.0)
    again.jobs.running("reopen")[0].finish(found)
    assert values(again.session) == [2.0]


def test_a_stored_result_waits_while_its_model_runs_again(desk, tmp_path):
    desk.run(1.0)
    again = Desk(tmp_path, StubJobs())
    again.show()
    again.analysis.run("anomaly")
    reopening = again.jobs.running("reopen")[0]
    reopening.finish(_really(reopening))
    assert again.session.results == ()


def test_deleting_takes_the_study_off_screen_and_disk(desk, tmp_path):
    desk.run()
    desk.shelf.answer("anomaly@1.0", "score anomaly", "agree")
    desk.shelf.forget()
    assert desk.session.results == ()
    assert desk.session.opinions == {}
    assert "1 stored result of this study deleted" in desk.session.message.text
    again = Desk(tmp_path)
    again.show()
    assert again.session.results == ()


def test_deleting_stops_what_still_runs_on_that_study_and_on_no_other(desk):
    elsewhere = replace(series_of("1.8"), study_uid="9.9")
    desk.session.catalogue = catalogue_of(series_of("1.1"), elsewhere)
    desk.analysis.run("anomaly")
    desk.show("1.8", "def")
    desk.session.series = elsewhere
    desk.analysis.run("anomaly")
    first, second = desk.jobs.running("predict:run")
    desk.shelf.forget()
    assert (first.is_over, second.is_over) == (False, True)
    assert [pixels.series for pixels, _ in desk.session.running] == ["1.1#0"]


def test_a_damaged_result_is_told_and_the_others_are_shown(desk, tmp_path):
    desk.run()
    for path in (tmp_path / "results" / "data").glob("*/maps/score.nii.gz"):
        path.write_bytes(b"no map")
    again = Desk(tmp_path)
    again.show()
    assert again.session.results == ()
    assert "score.nii.gz: is not the file that was stored" in again.session.message.text


def test_answers_that_cannot_be_read_are_told_beside_their_result(desk, tmp_path):
    desk.run(1.5)
    (kept,) = (tmp_path / "results" / "data").iterdir()
    (kept / "opinions.json").write_text("{")
    again = Desk(tmp_path)
    again.show()
    assert values(again.session) == [1.5]
    assert "Answers to a stored result: opinions.json: is damaged" in again.session.message.text


def test_what_a_run_takes_is_known_from_the_last_one(desk, tmp_path):
    assert desk.shelf.estimate("anomaly", 100) is None
    desk.run(seconds=8.0, peak_memory_mb=700.0)
    voxels = 24 * 20 * 16
    for shelf in (desk.shelf, Desk(tmp_path).shelf):
        told = shelf.estimate("anomaly", 2 * voxels)
        assert (told.seconds, told.peak_memory_mb, told.device) == (16.0, 700.0, "cpu")
    assert desk.shelf.estimate("other", voxels) is None


def test_without_a_folder_nothing_is_kept_and_nothing_is_asked(tmp_path):
    jobs = StubJobs()
    session = Session()
    shelf = Shelf(jobs, session)
    about = on_screen(session).id
    shelf.keep(about, result_about(about))
    shelf.answer("anomaly@1.0", "finding 1", "agree")
    assert jobs.asked == []
    assert session.opinions[about, "anomaly@1.0"][0] == Opinion(
        "finding 1", "agree", "", session.opinions[about, "anomaly@1.0"][0].at
    )


@pytest.mark.parametrize("seed", range(50))
def test_no_result_ever_lands_on_another_study(tmp_path, seed):
    """Load, run, switch and close in any order, answers in any order: reliability.md E14."""
    dice = random.Random(seed)
    jobs = StubJobs()
    desk = Desk(tmp_path, jobs)
    library = Library(jobs, desk.session, Preferences(tmp_path / "settings.json"))
    marks = {uid: float(n + 1) for n, uid in enumerate(("1.1", "1.2", "1.3"))}
    volumes = {uid: replace(phantom(), quantity=uid) for uid in marks}
    desk.session.catalogue = catalogue_of(*(series_of(uid) for uid in marks))
    for _ in range(40):
        _one_step(dice, desk, library, volumes, marks)
        _check_what_is_drawn(desk.session, marks)


def _one_step(dice, desk, library, volumes, marks):
    waiting = [job for job in desk.jobs.asked if not job.is_over]
    what = dice.choice(("show", "run", "answer", "answer", "answer", "cancel", "close"))
    if what == "show":
        library.show(desk.session.catalogue.find(dice.choice(list(marks))))
    elif what == "run":
        desk.analysis.run("anomaly")
    elif what == "close":
        desk.session.predictions = {}
    elif waiting and what == "cancel":
        dice.choice(waiting).cancel()
    elif waiting:
        _answer(dice.choice(waiting), volumes, marks)


def _answer(job, volumes, marks):
    if job.work.endswith("load_and_identify"):
        series = job.args[0]
        job.send(volumes[series.uid])
        job.finish(f"pixels of {series.uid}")
    elif job.work.endswith("predict:run"):
        (given,) = job.args[0].inputs
        about = VolumeId(f"{given.series}#{given.stack}", given.sha256)
        made = result_about(about)
        maps = tuple(
            replace(m, array=np.full(m.array.shape, marks[given.series], np.float32))
            for m in made.maps
        )
        job.finish(replace(made, maps=maps))
    else:
        try:
            job.finish(_really(job))
        except MedviewError as error:
            job.fail(error)


def _check_what_is_drawn(session, marks):
    for layer in session.layers:
        assert session.series is not None
        assert float(layer.map.array.max()) == marks[session.series.uid]
        assert session.volume.quantity == session.series.uid
