import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import StubJobs, on_screen, result_about

from medview.domain.errors import NOT_STAGED, MedviewError
from medview.services.session import Session
from medview.services.viewing import Viewing
from medview.services.volume_view import VolumeView

PIXELS = np.zeros((4, 6, 3), np.uint8)


class Seen:
    def __init__(self, **fields):
        self.session, self.jobs = Session(), StubJobs()
        grid = geometry_of("LPS", (20, 24, 22), (2.0, 2.0, 2.0))
        self.on = on_screen(self.session, volume=phantom_on(grid, **fields))
        self.view = VolumeView(self.jobs, self.session, Viewing(self.session))
        self.pictures, self.said = [], []
        self.view.drawn.connect(self.pictures.append)
        self.view.refused.connect(self.said.append)

    def stage(self):
        self.jobs.running("stage")[-1].finish(None)

    def draw(self):
        self.jobs.running("draw")[-1].finish(PIXELS)


@pytest.fixture
def seen():
    made = Seen(quantity="HU")
    made.view.open()
    made.stage()
    return made


def test_nothing_runs_until_it_is_opened_and_after_it_is_closed():
    seen = Seen()
    assert seen.jobs.asked == []
    seen.view.turn(5, 5)
    seen.view.open()
    seen.view.close()
    seen.stage()
    assert seen.jobs.running("draw") == []


def test_a_volume_is_staged_then_drawn_coarsely_and_finely_when_one_holds_still(seen):
    assert seen.jobs.last.args[0].preset == "ct_bone"
    seen.draw()
    seen.view.settle()
    assert seen.jobs.last.args[0].is_fine
    seen.draw()
    assert [each.scene.is_fine for each in seen.pictures] == [False, True]
    seen.view.settle()
    assert seen.jobs.running("draw") == []


def test_of_many_turns_only_the_newest_is_drawn_next(seen):
    for _ in range(20):
        seen.view.turn(3, 0)
    assert len(seen.jobs.running("draw")) == 1
    seen.draw()
    assert seen.jobs.last.args[0].azimuth == 60.0
    seen.draw()
    assert seen.jobs.running("draw") == []


def test_another_volume_is_staged_anew_and_seen_from_the_front(seen):
    seen.view.turn(40, 0)
    on_screen(seen.session, "1.2", phantom_on(geometry_of("LPS", (20, 24, 22)), quantity="a.u."))
    seen.stage()
    seen.draw()
    assert (seen.view.scene.preset, seen.view.scene.azimuth) == ("mr_head", 0.0)


def test_a_map_goes_with_the_volume_and_another_threshold_stages_it_again(seen):
    result = result_about(seen.on.id, seen.on.volume)
    seen.session.predictions = {seen.on.id: (result,)}
    seen.session.overlay_on = True
    assert seen.jobs.last.args[1] is result.maps[0]
    asked = len(seen.jobs.asked)
    seen.session.overlay_on = False
    assert len(seen.jobs.asked) == asked + 1
    assert seen.jobs.last.args[1] is None


def test_a_volume_that_still_fills_waits(seen):
    from dataclasses import replace

    asked = len(seen.jobs.asked)
    seen.session.volume = replace(seen.on.volume, slices_to_come=(3,))
    assert len(seen.jobs.asked) == asked


def test_without_opengl_a_sentence_says_so():
    seen = Seen()
    seen.view.open()
    seen.jobs.last.fail(MedviewError("the 3-D view needs OpenGL", do="Use the planes."))
    assert seen.said == ["the 3-D view needs OpenGL. Use the planes."]


def test_after_the_process_that_draws_has_died_the_volume_is_staged_again(seen):
    seen.jobs.last.fail(MedviewError("gone", code=NOT_STAGED))
    assert seen.jobs.last.work.endswith("stage")
    assert seen.said == []


def test_a_film_is_refused():
    seen = Seen()
    seen.session.volume = phantom_on(geometry_of("LPS", (1, 24, 22)))
    seen.view.open()
    assert "too few" in seen.said[0]
