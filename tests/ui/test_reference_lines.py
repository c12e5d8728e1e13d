"""Reference lines in the window: where they are drawn, and how they go away."""

import pytest

from medview.domain.geometry import Plane


@pytest.fixture(autouse=True)
def _on(head):
    """The crosshair marks the same places, so the lines are off until they are asked for."""
    assert planes(head) == []
    head.press("Shift+R")


def planes(head, pane="main"):
    return [line.plane for line in head.frame(pane).reference]


def test_every_pane_shows_where_the_others_cut_and_follows_them(head):
    assert planes(head) == [Plane.CORONAL, Plane.SAGITTAL]
    assert planes(head, "upper") == [Plane.AXIAL, Plane.SAGITTAL]
    before = head.frame("upper").reference[0].ends[0][1]
    head.press("Down")
    assert abs(head.frame("upper").reference[0].ends[0][1] - before) == 1.0


def test_the_lines_run_through_the_crosshair(head):
    frame = head.frame()
    coronal, sagittal = frame.reference
    assert abs(coronal.ends[0][1] - frame.cursor[1]) <= 0.5
    assert abs(sagittal.ends[0][0] - frame.cursor[0]) <= 0.5


def test_a_key_takes_them_away_and_brings_them_back(head):
    head.press("Shift+R")
    assert planes(head) == []
    assert not head.window.table["view.reference"].isChecked()
    head.press("Shift+R")
    assert len(planes(head)) == 2


def test_a_pane_alone_has_no_lines(head):
    head.press("F")
    assert planes(head) == []


def test_without_annotations_nothing_is_drawn_over_the_image(head):
    head.press("Space")
    head.press("Space")
    assert planes(head) == []


def test_they_are_drawn_in_the_colour_of_the_plane(head):
    head.press("X")
    head.app.viewing.set_point((0.0, 0.0, 0.0))
    pane = head.pane()
    (start, end) = head.frame().reference[0].ends
    at = pane.pixel_of(*start)
    row = round(at.y())
    image = pane.grab().toImage()

    def greens():
        for y in (row - 1, row, row + 1):
            for x in range(round(at.x()), round(pane.pixel_of(*end).x())):
                colour = image.pixelColor(x, y)
                yield colour.green() - colour.red()

    assert max(greens()) > 30
    head.press("Shift+R")
    image = pane.grab().toImage()
    assert max(greens()) < 10
