import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QComboBox
from ui.fakes import LEFT, NO, RIGHT, drag, type_key, wheel

from medview.domain.errors import MedviewError


class Held:
    """The picture as `drag` and `wheel` of the panes want it."""

    def __init__(self, picture):
        self._picture = picture

    @property
    def area(self):
        return self._picture.rect().toRectF()

    def viewport(self):
        return self._picture


@pytest.fixture
def seen(head):
    head.press("Alt+3")
    head.jobs.running("stage")[-1].finish(None)
    draw(head)
    return head


def draw(bench):
    """Answer every picture that is asked for."""
    while bench.jobs.running("draw"):
        job = bench.jobs.running("draw")[-1]
        width, height = job.args[0].size
        job.finish(np.full((height, width, 3), 90, np.uint8))


def held(bench):
    return Held(bench.window.volume.picture)


def scene(bench):
    return bench.app.volume_view.scene


def test_it_takes_room_beside_the_planes_and_gives_it_back(seen):
    pane = seen.window.volume
    assert pane.isVisible()
    assert pane.width() > 250
    assert seen.window.grid.width() > pane.width() * 0.8
    seen.press("Alt+3")
    assert not pane.isVisible()
    assert not seen.app.volume_view.is_open
    assert not seen.window.table["view.volume"].isChecked()


def test_left_turns_right_zooms_middle_pushes_and_the_wheel_comes_nearer(seen):
    drag(held(seen), (100, 100), (40, 0))
    assert scene(seen).azimuth == pytest.approx(340.0)
    drag(held(seen), (100, 100), (0, 30))
    assert scene(seen).elevation == pytest.approx(15.0)
    drag(held(seen), (100, 100), (0, -60), RIGHT)
    assert scene(seen).zoom > 1.2
    drag(held(seen), (100, 100), (30, 0), Qt.MouseButton.MiddleButton)
    assert scene(seen).pan[0] > 0.02
    before = scene(seen).zoom
    wheel(held(seen), 1)
    assert scene(seen).zoom > before


def test_arrows_turn_it_and_do_not_scroll_the_planes(seen):
    before = seen.frame().slice
    picture = seen.window.volume.picture
    picture.setFocus()
    type_key(picture, Qt.Key.Key_Left)
    type_key(picture, Qt.Key.Key_Up)
    assert (scene(seen).azimuth, scene(seen).elevation) == (350.0, 10.0)
    assert seen.frame().slice == before


def test_coarse_while_it_moves_and_fine_when_it_is_held_still(seen, qtbot):
    drag(held(seen), (100, 100), (40, 0))
    draw(seen)
    assert not scene(seen).is_fine
    qtbot.waitUntil(lambda: bool(seen.jobs.running("draw")))
    assert seen.jobs.last.args[0].is_fine


def test_only_presets_that_fit_are_offered(seen):
    box = seen.find(QComboBox, "volume_preset")
    assert [box.itemText(n) for n in range(box.count())] == ["MR head", "Maximum (MIP)"]
    box.activated.emit(1)
    assert scene(seen).preset == "mip"


def test_a_sentence_stands_where_there_is_no_opengl(head):
    head.press("Alt+3")
    head.jobs.running("stage")[-1].fail(MedviewError("needs OpenGL", do="Use the planes."))
    assert head.window.volume.picture.note == "needs OpenGL. Use the planes."
    assert head.window.volume.picture.shown is None


def test_a_double_click_looks_from_the_front_again(seen):
    drag(held(seen), (100, 100), (40, 10))
    from ui.fakes import mouse

    mouse(held(seen), QEvent.Type.MouseButtonDblClick, (90, 90), LEFT, LEFT, NO)
    assert (scene(seen).azimuth, scene(seen).zoom) == (0.0, 1.0)
