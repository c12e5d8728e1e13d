from dataclasses import replace

import numpy as np
import pytest
from phantoms import MARK_LPS, geometry_of, phantom_on
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QImage, QRegion
from PySide6.QtWidgets import QWidget

from medview.domain.geometry import Plane
from medview.imaging.frame import Labels, View, compose_frame
from medview.ui import picture
from medview.ui.dress import Dress, Placing
from medview.ui.picture import Picture, merged
from medview.ui.slice_pane import SlicePane


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
