from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QComboBox, QPushButton
from ui.fakes import LEFT, NO, RIGHT, drag, mouse, type_key, wheel

from medview.domain.crop import CropBox
from medview.domain.errors import MedviewError

LEFT_FACE, HEAD_FACE = 1, 5
NO_BUTTON = Qt.MouseButton.NoButton


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


def test_the_words_of_its_bar_are_whole_in_a_small_window(seen):
    seen.window.resize(1280, 720)
    seen.settle()
    bar = [seen.find(QPushButton, f"volume_{name}") for name in ("crop", "reset", "close")]
    for part in (seen.window.volume.presets, *bar):
        assert part.width() >= part.sizeHint().width(), part.objectName()


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
    mouse(held(seen), QEvent.Type.MouseButtonDblClick, (90, 90), LEFT, LEFT, NO)
    assert (scene(seen).azimuth, scene(seen).zoom) == (0.0, 1.0)


# -- the crop box ------------------------------------------------------------------------------


@pytest.fixture
def cut(seen):
    seen.press("Alt+X")
    draw(seen)
    return seen


def handle(bench, face):
    """Where the handle of a face is drawn, in pixels of the picture."""
    sight = bench.window.volume.picture._sight()
    x, y = sight.place(bench.app.viewing.crop.box.centre(face))
    return round(x), round(y)


def box(bench):
    return bench.app.viewing.crop.box


def test_the_box_is_off_until_it_is_asked_for_and_opens_the_view(head):
    assert box(head) is None
    head.press("Alt+X")
    assert head.window.volume.isVisible()
    assert head.window.table["view.crop"].isChecked()
    assert head.window.volume.crop.isChecked()
    head.jobs.running("stage")[-1].finish(None)
    assert scene(head).crop == CropBox.around(head.session.volume.geometry)
    head.press("Alt+X")
    assert scene(head).crop is None
    assert not head.window.volume.crop.isChecked()


def test_a_face_is_drawn_along_by_its_handle_and_nothing_is_turned(cut):
    before, seen_from = box(cut), scene(cut)
    drag(held(cut), handle(cut, LEFT_FACE), (-30, 0))
    sight = cut.window.volume.picture._sight()
    assert box(cut).high[0] - before.high[0] == pytest.approx(-30 / sight.px_per_mm, abs=1e-6)
    assert replace(box(cut), high=before.high) == before
    assert (scene(cut).azimuth, scene(cut).elevation) == (seen_from.azimuth, seen_from.elevation)
    assert scene(cut).crop == box(cut)
    drag(held(cut), (5, 5), (40, 0))
    assert scene(cut).azimuth != seen_from.azimuth


def test_a_drag_beyond_the_edge_and_back_ends_where_the_mouse_does(cut, qtbot):
    x, y = handle(cut, LEFT_FACE)
    before = box(cut)
    picture = held(cut)
    mouse(picture, QEvent.Type.MouseButtonPress, (x, y), LEFT, LEFT, NO)
    for away in (200, 90, -20):
        mouse(picture, QEvent.Type.MouseMove, (x + away, y), NO_BUTTON, LEFT, NO)
    mouse(picture, QEvent.Type.MouseButtonRelease, (x - 20, y), LEFT, NO_BUTTON, NO)
    sight = cut.window.volume.picture._sight()
    assert box(cut).high[0] - before.high[0] == pytest.approx(-20 / sight.px_per_mm, abs=1e-6)
    qtbot.waitUntil(lambda: cut.window.table["edit.undo"].isEnabled())
    cut.press("Ctrl+Z")
    assert box(cut) == before
    assert not cut.app.measuring.can_undo


def test_a_double_click_on_a_handle_puts_the_box_back_and_not_the_eye(cut):
    drag(held(cut), handle(cut, LEFT_FACE), (-30, 0))
    drag(held(cut), (5, 5), (30, 0))
    azimuth = scene(cut).azimuth
    mouse(held(cut), QEvent.Type.MouseButtonDblClick, handle(cut, LEFT_FACE), LEFT, LEFT, NO)
    assert not cut.app.viewing.crop.is_changed
    assert scene(cut).azimuth == azimuth
    mouse(held(cut), QEvent.Type.MouseButtonDblClick, (5, 5), LEFT, LEFT, NO)
    assert scene(cut).azimuth == 0.0


def test_over_a_handle_the_mouse_says_so(cut):
    picture = cut.window.volume.picture
    x, y = handle(cut, HEAD_FACE)
    mouse(held(cut), QEvent.Type.MouseMove, (x, y), NO_BUTTON, NO_BUTTON, NO)
    assert picture.cursor().shape() == Qt.CursorShape.SizeAllCursor
    mouse(held(cut), QEvent.Type.MouseMove, (5, 5), NO_BUTTON, NO_BUTTON, NO)
    assert picture.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_the_panes_show_where_the_box_is_and_the_letters_stay(cut):
    letters = cut.frame().labels
    rows, columns = cut.frame().size
    whole = np.array(cut.frame().crop)
    assert whole.min(axis=0) == pytest.approx((-0.5, -0.5), abs=1e-6)
    assert whole.max(axis=0) == pytest.approx((columns - 0.5, rows - 0.5), abs=1e-6)
    cut.app.viewing.crop.move(LEFT_FACE, -30.0)
    cut.settle()
    frame = cut.frame()
    right = max(x for x, _ in frame.crop)
    place = frame.pixel_to_lps @ [right, 0, 0, 1]
    assert place[0] == pytest.approx(box(cut).high[0])
    assert (frame.labels, frame.labels.right) == (letters, "L")
    pane = cut.pane()
    image = pane.grab().toImage()
    x, y = pane.pixel_of(right, rows * 0.3).x(), pane.pixel_of(0, rows * 0.3).y()
    near = [image.pixelColor(round(x) + n, round(y) + m) for n in (-1, 0, 1) for m in range(8)]
    assert any(c.blue() > 150 and c.blue() > c.red() + 40 for c in near)
    cut.press("Alt+X")
    assert cut.frame().crop == ()


def test_without_annotations_no_box_is_drawn_over_the_image(cut):
    cut.press("Space")
    cut.press("Space")
    assert cut.frame().crop == ()
