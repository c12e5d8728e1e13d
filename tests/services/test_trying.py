"""Old and new weights on the slice on screen, after each validation of a training."""

from dataclasses import replace

import pytest
from phantoms import phantom
from services.stubs import CARD, StubJobs, catalogue_of, on_screen, result_about

from medview.domain.errors import ModelInputError
from medview.domain.prediction import SliceScore
from medview.io.cards import write_card
from medview.services.analysis import Analysis
from medview.services.model_library import ModelLibrary
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.trying import Trying
from medview.services.tuned import Wish
from medview.services.tuning import Tuning
from medview.services.viewing import Viewing


class Room:
    """A session with a head on screen, and a training whose snapshots the test gives."""

    def __init__(self, folder):
        write_card(CARD, folder / "weights" / CARD.id / "card.json")
        self.session, self.jobs = Session(), StubJobs()
        preferences = Preferences(folder / "settings.json")
        models = ModelLibrary(self.jobs, self.session, shipped=folder / "weights")
        analysis = Analysis(self.jobs, self.session, preferences, models=models)
        self.tuning = Tuning(self.jobs, self.session, preferences)
        self.trying = Trying(self.jobs, self.session, analysis, self.tuning)
        self.viewing = Viewing(self.session)
        shown = on_screen(self.session)
        self.session.catalogue = catalogue_of(shown.series)
        self.base, self.folder = folder / "base.safetensors", folder

    def tell(self, epoch, phase="running"):
        preview = None if epoch is None else self.folder / f"{epoch}.safetensors"
        wish = Wish("anomaly@1.0")
        self.tuning.state.set(phase=phase, wish=wish, base=self.base, preview=preview)

    @property
    def asked(self):
        return [job.args[0] for job in self.jobs.asked if job.work.endswith("predict:run")]

    def answer(self, sha, *, version="1.0", score=1.0):
        request = self.asked[-1]
        made = result_about(self.session.volume_id, self.session.volume, names=("score", "seen"))
        row = SliceScore(request.slice, 0.0, score, 0.0, 0.0, 0.0)
        self.jobs.last.finish(
            replace(made, weights_sha256=sha, version=version, slices=(row,), maps=made.maps)
        )


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_nothing_runs_before_the_first_validation(room):
    room.tell(None)
    room.viewing.scroll("main", 1)
    assert room.asked == []
    assert room.session.swiped is None


def test_old_and_new_are_run_on_the_slice_on_screen_and_stand_beside_each_other(room):
    room.tell(3)
    (old,) = room.asked
    middle = room.session.volume.geometry.shape[0] // 2
    assert (old.weights, old.slice) == (str(room.base), middle)
    room.answer("0" * 64, score=1.5)
    assert len(room.asked) == 2
    assert room.asked[1].weights.endswith("3.safetensors")
    assert room.session.swiped is None
    room.answer("f" * 64, version="1.0 epoch 3", score=2.5)
    swipe = room.session.swiped
    assert (swipe.old.name, swipe.old.sha256[:4], swipe.old.figure) == ("1.0", "0000", 1.5)
    assert (swipe.new.name, swipe.new.sha256[:4], swipe.new.figure) == ("epoch 3", "ffff", 2.5)
    assert (swipe.slice, swipe.axis, swipe.names) == (middle, 0, ("score",))


def shown(room, epoch=3):
    room.tell(epoch)
    if room.asked[-1].weights == str(room.base):
        room.answer("0" * 64)
    room.answer("f" * 64, version=f"1.0 epoch {epoch}")


def test_the_next_validation_runs_the_new_weights_only(room):
    shown(room)
    room.viewing.maps.move_divider(0.3)
    shown(room, 4)
    assert [request.weights == str(room.base) for request in room.asked] == [True, False, False]
    assert (room.session.swiped.new.name, room.session.swiped.share) == ("epoch 4", 0.3)


def test_scrolling_runs_both_again_there_one_after_the_other(room):
    shown(room)
    count = len(room.asked)
    for _ in range(3):
        room.viewing.scroll("main", 1)
    assert len(room.asked) == count + 1
    room.answer("0" * 64)
    # The first step is answered; what is on screen now is asked for, not what was in between.
    wanted = room.session.volume.geometry.shape[0] // 2 + 3
    assert room.asked[-1].slice == wanted
    room.answer("0" * 64)
    room.answer("f" * 64)
    assert room.session.swiped.slice == wanted


def test_finished_weights_are_called_new_and_a_decision_ends_it(room):
    shown(room)
    room.tell(9, "done")
    room.answer("a" * 64)
    assert room.session.swiped.new.name == "new"
    room.tell(None, "ready")
    assert room.session.swipe is None


def test_a_slice_that_cannot_be_run_is_left_and_the_next_one_tried(room):
    room.tell(3)
    room.jobs.last.fail(ModelInputError("there is no brain in this slice"))
    assert room.session.swiped is None
    assert room.trying.why_not == "there is no brain in this slice"
    assert room.session.message is None
    assert len(room.asked) == 1
    room.viewing.scroll("main", 1)
    assert len(room.asked) == 2


def test_another_study_shows_nothing_of_the_first(room):
    shown(room)
    on_screen(room.session, "2.2", phantom(), sha256="other")
    assert room.session.swiped is None


def test_the_first_reader_sees_neither(room):
    shown(room)
    room.session.first_reader = True
    assert room.session.swiped is None


def test_blinking_goes_between_new_and_old_and_the_divider_brings_both_back(room):
    shown(room)
    seen = []
    for _ in range(3):
        room.viewing.maps.blink_versions()
        seen.append(room.session.swiped.shown)
    assert seen == ["new", "old", "new"]
    room.viewing.maps.move_divider(1.7)
    assert (room.session.swiped.shown, room.session.swiped.share) == ("both", 1.0)
