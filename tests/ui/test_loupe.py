"""The magnifying glass over a pane."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QTransform
from ui.fakes import hover, key, wheel

from medview.ui import action_table
from medview.ui.loupe import RADIUS_PX, TIMES, magnified


def test_the_place_under_the_mouse_stays_and_its_surroundings_are_larger():
    plain, at = QTransform.fromTranslate(30, 40).scale(2, 3), QPointF(130, 100)
    large = magnified(plain, at)
    there = plain.inverted()[0].map(at)
    assert large.map(there) == at
    beside = plain.map(there + QPointF(4, 0))
    assert large.map(there + QPointF(4, 0)).x() - at.x() == pytest.approx(
        TIMES * (beside.x() - at.x())
    )


@pytest.fixture
def plain(head):
    """A head without words and crosshair over it."""
    head.app.viewing.toggle_crosshair()
    for _ in range(2):
        head.app.viewing.cycle_annotations()
    head.settle()
    return head


def test_what_is_under_the_mouse_is_painted_larger(plain):
    pane = plain.pane()
    image, x = pane.grab().toImage(), round(pane.area.center().x())
    rows = range(40, image.height())
    at = QPointF(x, next(y for y in rows if image.pixelColor(x, y).lightness() > 40))
    hover(pane, (at.x(), at.y()))
    before = pane.grab().toImage()
    plain.press("G")
    after = pane.grab().toImage()
    for right, down in ((0, -20), (20, 10), (-30, 10), (10, -30), (0, 20)):
        there = at + QPointF(right, down)
        larger = at + QPointF(TIMES * right, TIMES * down)
        was, now = (
            image.pixelColor(place.toPoint()).lightness()
            for image, place in ((before, there), (after, larger))
        )
        assert now == pytest.approx(was, abs=12)
    sides = [before.pixelColor(at.toPoint() + QPoint(0, n)).lightness() for n in (-20, 20)]
    assert sides[0] + 40 < sides[1]
    above = at - QPointF(0, RADIUS_PX + 5)
    assert after.pixelColor(above.toPoint()) == before.pixelColor(above.toPoint())


def test_it_goes_with_the_mouse_and_stays_over_the_image_that_scrolls(plain):
    plain.press("G")
    hover(plain.pane(), (100, 120))
    assert plain.pane().loupe == QPointF(100, 120)
    hover(plain.pane(), (140, 120))
    assert plain.pane().loupe == QPointF(140, 120)
    wheel(plain.pane(), -1, at=(140, 120))
    assert plain.pane().loupe == QPointF(140, 120)
    plain.window.mouse.left(plain.pane())
    assert plain.pane().loupe is None


def test_held_down_it_is_there_only_so_long(plain, monkeypatch):
    monkeypatch.setattr(action_table, "_HELD_MS", -1)
    hover(plain.pane(), (100, 120))
    plain.press("G")
    assert plain.window.table["view.magnify"].isChecked()
    key(plain.window, Qt.Key.Key_G, kind=QEvent.Type.KeyRelease)
    assert plain.pane().loupe is None
    assert not plain.window.table["view.magnify"].isChecked()


def test_without_a_mouse_it_lies_on_the_crosshair(plain):
    plain.press("G")
    pane = plain.pane()
    assert pane.loupe == pane.pixel_of(*pane.frame_shown.cursor)
    plain.press("G")
    assert pane.loupe is None


def test_a_saved_picture_has_no_glass_in_it(plain):
    pane = plain.pane()
    hover(pane, (100, 120))
    before = pane.picture().toImage()
    plain.press("G")
    assert pane.picture().toImage() == before
    assert pane.loupe == QPointF(100, 120)
