from dataclasses import replace

import numpy as np
import pytest
from phantoms import MARK_LPS, geometry_of, phantom_on
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from medview.domain.geometry import Plane
from medview.imaging.frame import Labels, View, compose_frame
from medview.imaging.marks import DrawnMark
from medview.imaging.view import Corners, DrawnShape, Part, ReferenceLine
from medview.ui import picture
from medview.ui.dress import Dress, Placing
from medview.ui.loupe import TIMES
from medview.ui.pane_text import LINE, MARGIN
from medview.ui.picture import Picture, merged
from medview.ui.pointer import Listener
from medview.ui.slice_pane import SERIES_DRAG, SlicePane
from medview.ui.theme import PANE_ACTIVE


@pytest.fixture
def pane(qtbot):
    made = SlicePane("main", "Main pane")
    qtbot.addWidget(made)
    made.resize(400, 300)
    with qtbot.waitExposed(made):
        made.show()
    return made


def frame_at(point=MARK_LPS, plane=Plane.AXIAL, spacing=(5.0, 6.0, 4.0)):
    volume = phantom_on(geometry_of("LPS", (16, 20, 24), spacing))
    return compose_frame(volume, (), View(plane, point))


def test_a_pixel_goes_to_millimetres_and_back(pane):
    frame = frame_at()
    pane.draw(frame, Placing(1.7, (12.0, -5.0)), Dress())
    at = pane.pixel_of(7, 3)
    assert pane.to_pixel(at.x(), at.y()) == pytest.approx((7, 3), abs=1e-9)
    wanted = frame.pixel_to_lps @ np.array([7, 3, 0, 1])
    assert pane.to_lps(at.x(), at.y()) == pytest.approx(tuple(wanted[:3]), abs=1e-6)


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
def test_the_crosshair_is_drawn_over_its_point(pane, plane):
    pane.draw(frame_at(plane=plane), Placing(), Dress())
    at = pane.pixel_of(*pane.frame_shown.cursor)
    assert pane.to_lps(at.x(), at.y()) == pytest.approx(MARK_LPS, abs=3.1)


def test_unequal_pixels_are_drawn_in_true_proportions(pane):
    frame = frame_at(plane=Plane.CORONAL, spacing=(10.0, 6.0, 4.0))
    pane.draw(frame, Placing(), Dress())
    a, b, c = pane.pixel_of(0, 0), pane.pixel_of(1, 0), pane.pixel_of(0, 1)
    assert (c.y() - a.y()) / (b.x() - a.x()) == pytest.approx(10 / 4)


def test_zoom_one_fits_the_whole_image(pane):
    frame = frame_at()
    pane.draw(frame, Placing(), Dress())
    rows, columns = frame.image.shape
    first, last = pane.pixel_of(-0.5, -0.5), pane.pixel_of(columns - 0.5, rows - 0.5)
    assert first.x() >= -1e-6
    assert first.y() >= -1e-6
    assert last.x() <= 400 + 1e-6
    assert last.y() <= 300 + 1e-6
    assert min(400 - (last.x() - first.x()), 300 - (last.y() - first.y())) == pytest.approx(0)


def test_a_box_is_what_fits_and_its_middle_is_in_the_middle(pane):
    pane.draw(frame_at(), Placing(box=(4.0, 2.0, 12.0, 10.0)), Dress())
    middle = pane.pixel_of(7.5, 5.5)
    assert (middle.x(), middle.y()) == pytest.approx((200, 150))


def test_pixels_on_screen_are_those_of_the_frame(pane, qtbot):
    frame = frame_at()
    pane.draw(frame, Placing(), Dress())
    shown = pane.grab().toImage()
    rows, columns = frame.image.shape
    for row, column in ((rows // 2, columns // 2), (rows // 2 + 4, columns // 2 - 5)):
        at = pane.pixel_of(column, row).toPoint()
        colour = shown.pixelColor(at)
        if frame.crosshair and abs(column - frame.cursor[0]) < 1:
            continue
        assert abs(colour.green() - int(frame.image[row, column])) <= 2


def test_the_letters_stand_where_the_frame_says(pane):
    """Drawn pixels, not fields: the left letter leaves marks at the left edge."""
    frame = frame_at((0.0, 0.0, 200.0))
    pane.draw(frame, Placing(), Dress(corners=None))
    with_letters = pane.grab().toImage()
    pane.draw(replace(frame, labels=Labels()), Placing(), Dress())
    without = pane.grab().toImage()
    changed = [
        (x, y)
        for x in range(0, 30)
        for y in range(120, 180)
        if with_letters.pixel(x, y) != without.pixel(x, y)
    ]
    assert changed


def test_a_frame_is_painted_once_and_merged_once(pane, qtbot, monkeypatch):
    """A second painting of every step is half of the time it takes."""
    frame, merges, paints = frame_at(), [], []
    monkeypatch.setattr(picture, "merged", lambda *one: merges.append(one) or merged(*one))
    monkeypatch.setattr(Picture, "paint", lambda *given: paints.append(given))
    steps = (
        ((frame, Placing(), Dress()), 1),
        ((replace(frame, position="H 1 mm"), Placing(2.0), Dress(is_active=True)), 1),
        ((replace(frame, image=255 - frame.image), Placing(2.0), Dress()), 2),
    )
    for painted, (step, times_merged) in enumerate(steps, 1):
        pane.draw(*step)
        qtbot.waitUntil(lambda painted=painted: len(paints) >= painted)
        qtbot.wait(40)
        assert (len(merges), len(paints)) == (times_merged, painted)


def test_an_empty_pane_knows_no_place(pane):
    pane.draw(None, Placing(), Dress(note="Drop a folder here"))
    assert pane.to_lps(10, 10) is None
    assert pane.pointer(QPointF(10, 10)).point_lps is None
    assert pane.strip_slice_at(10, 10) is None


@pytest.mark.parametrize(
    ("zoom", "pan"), [(None, None), (0.3, (0.0, 0.0)), (1.0, (0.0, 0.0)), (4.0, (90.0, -70.0))]
)
def test_nothing_of_what_was_there_before_shines_through(pane, zoom, pan):
    """What lies beneath a pane is not painted, so the pane paints every pixel."""
    before = QImage(400, 300, QImage.Format.Format_RGB32)
    before.fill(0xFFFF00FF)
    pane.draw(None if zoom is None else frame_at(), Placing(zoom or 1.0, pan or (0, 0)), Dress())
    pane.viewport().render(before, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    pixels = np.frombuffer(before.constBits(), np.uint32).reshape(300, 400)
    assert not (pixels == 0xFFFF00FF).any()
    if zoom == 0.3:
        assert pixels[60, 5] == 0xFF000000


def plain_frame():
    """A slice of which nothing is drawn but its pixels."""
    return replace(frame_at(), labels=Labels(), crosshair=False, annotations="none")


def seen(pane, frame=None, **dress):
    """The pixels of the pane with a frame and what stands around it, (rows, columns)."""
    whole = {"corners": Corners()} | dress
    pane.draw(frame or plain_frame(), Placing(), Dress(**whole))
    return grabbed(pane.grab())


def grabbed(pixmap):
    shown = pixmap.toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.array(shown.constBits(), np.uint8).view(np.uint32).reshape(shown.height(), -1)


TRIANGLE = ((4.0, 4.0), (12.0, 4.0), (8.0, 12.0))
OF_THE_FRAME = {
    "missing": True,
    "crosshair": True,
    "labels": Labels("R", "L", "A", "P"),
    "marks": (DrawnMark("A", TRIANGLE),),
    "shapes": (DrawnShape(1, "length", TRIANGLE[:2], TRIANGLE[:2], ("5 mm",)),),
    "reference": (ReferenceLine(Plane.CORONAL, TRIANGLE[:2]),),
    "crop": TRIANGLE,
    "strip": (0.1, 0.9, 0.4),
}
OF_THE_DRESS = {
    "corners": Corners(top_left=("HEAD",)),
    "tag": "PRIOR",
    "is_active": True,
    "has_scale": True,
}


@pytest.mark.parametrize("field", OF_THE_FRAME)
def test_all_that_a_frame_holds_is_drawn(pane, field):
    pane.resize(500, 300)
    bare = seen(pane)
    full = seen(pane, replace(plain_frame(), **{field: OF_THE_FRAME[field]}))
    assert (bare != full).any()


@pytest.mark.parametrize("field", OF_THE_DRESS)
def test_all_that_stands_around_an_image_is_drawn(pane, field):
    pane.resize(500, 300)
    assert (seen(pane) != seen(pane, **{field: OF_THE_DRESS[field]})).any()


@pytest.mark.parametrize(("width", "is_large"), [(399, True), (500, False)])
def test_strip_and_scale_are_left_out_where_there_is_no_room(pane, width, is_large):
    pane.resize(width, 300)
    full = replace(plain_frame(), strip=OF_THE_FRAME["strip"])
    bare = seen(pane, is_large=is_large)
    assert (bare == seen(pane, full, is_large=is_large, has_scale=True)).all()
    assert pane.strip_slice_at(width / 2, 240, anywhere=True) is None


def test_the_active_pane_has_an_outline_and_no_other(pane):
    outline = QColor(PANE_ACTIVE).rgb()
    edges = (slice(None), 0), (slice(None), -1), (0, slice(None)), (-1, slice(None))
    active, quiet = seen(pane, is_active=True), seen(pane)
    assert all((active[edge] == outline).mean() > 0.98 for edge in edges)
    assert not any((quiet[edge] == outline).any() for edge in edges)


def test_box_lines_and_glass_of_a_tool_come_and_go(pane):
    bare = seen(pane)
    steps = (
        (lambda: pane.set_box(QRectF(50, 60, 80, 40)), lambda: pane.set_box(None)),
        (lambda: pane.set_reading(("value 7",), 100, 100), lambda: pane.set_reading((), 0, 0)),
        (lambda: pane.set_loupe(QPointF(200, 150)), lambda: pane.set_loupe(None)),
    )
    for show, hide in steps:
        show()
        assert (grabbed(pane.grab()) != bare).any()
        hide()
        assert (grabbed(pane.grab()) == bare).all()


def test_a_picture_has_neither_outline_nor_glass_and_leaves_both_in_the_pane(pane):
    bare = seen(pane)
    full = seen(pane, is_active=True)
    pane.set_loupe(QPointF(200, 150))
    assert (grabbed(pane.picture()) == bare).all()
    assert (pane.loupe, pane.dress.is_active) == (QPointF(200, 150), True)
    pane.set_loupe(None)
    assert (grabbed(pane.grab()) == full).all()


def test_finer_pixels_are_asked_for_when_the_glass_comes_and_goes_and_the_pane_grows(pane):
    asked = []
    pane.on_room = lambda: asked.append(pane.room.fine)
    frame, fine = plain_frame(), pane.room.fine
    seen(pane, frame)
    pane.set_loupe(QPointF(9, 9))
    assert asked == []  # all of the slice is there
    rows, columns = frame.size
    pane.set_loupe(None)
    seen(pane, replace(frame, part=Part(0, 0, columns, rows, 1, (rows, columns))))
    pane.set_loupe(QPointF(9, 9))
    pane.set_loupe(QPointF(12, 9))
    pane.set_loupe(None)
    assert asked == [fine * TIMES, fine]
    pane.resize(450, 300)
    assert len(asked) == 3


def test_the_divider_is_held_near_its_line_alone(pane):
    seen(pane)
    assert pane.divider_x() is None
    assert not pane.is_on_divider(200)
    whole = seen(pane, divider=0.5, sides=("old", "new"))
    assert (whole != seen(pane)).any()
    seen(pane, divider=0.5, sides=("old", "new"))
    at = pane.divider_x()
    assert pane.share_at(at) == pytest.approx(0.5, abs=0.03)
    assert [pane.is_on_divider(at + away) for away in (-14.5, -14, 14, 14.5)] == [
        *(False, True, True, False),
    ]


class Heard(Listener):
    """What a pane passes on, by name."""

    def __init__(self):
        self.names = []

    def __getattribute__(self, name):
        if name in ("names", "dropped") or name.startswith("__"):
            return object.__getattribute__(self, name)
        return lambda *_: self.names.append(name)

    def dropped(self, pane, series):
        self.names.append(series)


def test_what_the_mouse_does_is_passed_on(pane):
    pane.listener = heard = Heard()
    part, at, left = pane.viewport(), QPoint(30, 40), Qt.MouseButton.LeftButton
    assert part.hasMouseTracking()
    QTest.mousePress(part, left, pos=at)
    QTest.mouseMove(part, QPoint(31, 41))
    QTest.mouseRelease(part, left, pos=at)
    QTest.mouseDClick(part, left, pos=at)
    QApplication.sendEvent(pane, QEvent(QEvent.Type.Leave))
    first = dict.fromkeys(heard.names)
    assert list(first) == ["pressed", "moved", "released", "double_clicked", "left"]


def test_a_series_of_the_list_is_taken_and_files_are_left_to_the_window(pane):
    pane.listener = heard = Heard()
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    for kind, is_taken in ((SERIES_DRAG, True), ("text/uri-list", False)):
        data = QMimeData()
        data.setData(kind, b"1.2#0")
        where = (QPoint(9, 9), copy, data, Qt.MouseButton.LeftButton, none)
        for event in (QDragEnterEvent(*where), QDragMoveEvent(*where)):
            QApplication.sendEvent(pane.viewport(), event)
            assert event.isAccepted() is is_taken
        drop = QDropEvent(QPointF(9, 9), *where[1:])
        QApplication.sendEvent(pane.viewport(), drop)
        assert drop.isAccepted() is is_taken
    assert heard.names == ["1.2#0"]


def test_around_a_bare_slice_nothing_is_drawn(pane):
    pane.resize(500, 300)
    bare = plain_frame()
    found = seen(pane, replace(bare, image=np.full_like(bare.image, 128)))
    assert set(np.unique(found)) == {0xFF000000, 0xFF808080}


def test_the_tag_of_a_pane_has_the_first_line_for_itself(pane):
    pane.resize(500, 300)
    below = int(MARGIN + LINE)
    tagged = seen(pane, tag="PRIOR", corners=Corners(top_left=("HEAD",)))
    plain = seen(pane, corners=Corners(top_left=("", "HEAD")))
    assert (tagged[:below] != plain[:below]).any()
    assert (tagged[below + 4 :] == plain[below + 4 :]).all()
