"""Planes turned by hand: what is dragged, what is seen, measured, marked and set straight."""

import math

import numpy as np
import pytest
from phantoms import MARK_LPS, geometry_of, phantom_on
from ui.fakes import drag

from medview.imaging.oblique import lean_of
from medview.imaging.reslice import cut_of
from medview.services import tilting


@pytest.fixture
def brain(bench):
    """A head of 2 mm voxels, with the crosshair on its bright cube."""
    bench.show(phantom_on(geometry_of("LPS", (50, 60, 56), (2.0, 2.0, 2.0)), modality="MR"))
    bench.app.viewing.set_point(MARK_LPS)
    return bench


def round_the_crosshair(bench, degrees, pane="main"):
    """Drag clockwise about the crosshair, beginning to its right."""
    shown = bench.pane(pane)
    bench.app.window.use_tool("tilt")
    at = shown.pixel_of(*shown.frame_shown.cursor)
    for step in range(0, degrees, 5):
        one, other = (math.radians(step + more) for more in (0, 5))
        start = (at.x() + 60 * math.cos(one), at.y() + 60 * math.sin(one))
        end = (at.x() + 60 * math.cos(other), at.y() + 60 * math.sin(other))
        drag(shown, start, (end[0] - start[0], end[1] - start[1]), steps=1)


def plane_of(bench, pane):
    view = bench.session.views[pane]
    return cut_of(bench.session.volume.geometry, view)


def test_dragging_round_the_crosshair_turns_the_other_planes_and_not_this_one(brain):
    before = brain.frame("main").image.copy()
    round_the_crosshair(brain, 30)
    assert np.array_equal(brain.frame("main").image, before)
    assert brain.frame("main").lean == 0.0
    for pane in ("upper", "lower"):
        assert brain.frame(pane).lean == pytest.approx(30.0, abs=0.5)
    assert brain.frame("main").values["image"] == 1000


def test_the_lines_follow_the_mouse(brain):
    round_the_crosshair(brain, 30)
    (right, down), _ = brain.frame("main").lines
    assert math.degrees(math.atan2(down, right)) == pytest.approx(30.0, abs=0.5)
    pane = brain.pane("main")
    at = pane.pixel_of(*brain.frame("main").cursor)
    picture = pane.grab().toImage()

    def is_blue(angle):
        x, y = (at.x() + 45 * math.cos(angle), at.y() + 45 * math.sin(angle))
        around = ((x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
        colours = [picture.pixelColor(round(a), round(b)) for a, b in around]
        return any(each.blue() > each.red() + 25 for each in colours)

    assert is_blue(math.radians(30))
    assert is_blue(math.radians(120))
    assert not is_blue(0.0)


def test_every_pane_shows_the_cube_where_its_crosshair_is(brain):
    round_the_crosshair(brain, 40)
    round_the_crosshair(brain, 25, "upper")
    for pane in ("main", "upper", "lower"):
        frame = brain.frame(pane)
        x, y = (round(place) for place in frame.cursor)
        assert frame.image[y, x] > 200
        assert brain.frame(pane).values["image"] == 1000


def test_a_small_pane_says_that_its_plane_leans(brain):
    round_the_crosshair(brain, 30)
    brain.settle()
    assert brain.pane("upper").dress.corners.top_left[0].endswith("30°")


def test_scrolling_goes_along_the_normal_of_the_turned_plane(brain):
    round_the_crosshair(brain, 30)
    cut, before = plane_of(brain, "upper"), brain.session.views["upper"].point_lps
    brain.app.viewing.scroll("upper", 3)
    moved = np.array(brain.session.views["upper"].point_lps) - before
    assert abs(moved @ cut.normal) == pytest.approx(3 * cut.step_mm, abs=cut.step_mm / 2)
    assert np.linalg.norm(np.cross(moved, cut.normal)) == pytest.approx(0, abs=1e-6)


def test_straighten_and_reset_set_all_planes_straight(brain):
    before = {pane: brain.frame(pane).image.copy() for pane in ("main", "upper", "lower")}
    for undo in ("plane.straighten", "image.reset"):
        round_the_crosshair(brain, 20)
        assert tilting.is_tilted(brain.session)
        brain.app.window.table.refresh()  # as its timer does shortly after a view changes
        brain.app.window.table[undo].trigger()
        assert not tilting.is_tilted(brain.session)
    for pane, image in before.items():
        assert np.array_equal(brain.frame(pane).image, image)


def test_by_keyboard_five_degrees_at_a_time(brain):
    table = brain.app.window.table
    assert not table["plane.straighten"].isEnabled()
    for _ in range(3):
        table["plane.tilt"].trigger()
    assert brain.frame("upper").lean == pytest.approx(15.0)
    table["plane.tilt_back"].trigger()
    assert brain.frame("upper").lean == pytest.approx(10.0)


def test_with_one_series_a_pane_it_says_why_not(brain):
    brain.app.arranging.use("1x2")
    round_the_crosshair(brain, 20)
    assert not tilting.is_tilted(brain.session)
    assert "Three planes" in brain.session.message.text


def test_a_length_on_a_turned_plane_is_one_of_the_patient(brain):
    round_the_crosshair(brain, 30)
    brain.app.window.use_tool("length")
    pane = brain.pane("upper")
    at = pane.pixel_of(*brain.frame("upper").cursor)
    drag(pane, (at.x() - 40, at.y()), (80, 0))
    (drawn,) = brain.session.drawings[brain.session.series.key]
    length = math.dist(*drawn.points)
    assert length == pytest.approx(80 / pane.px_per_mm(), rel=0.01)
    (figures,) = brain.app.measuring.figures
    assert figures.figures[0].value == pytest.approx(length)
    assert len(brain.frame("upper").shapes) == 1
    assert brain.frame("main").shapes == ()
    # Set straight, the line leaves the plane; its figure stays the same.
    tilting.straighten(brain.session)
    assert brain.frame("upper").shapes == ()
    assert brain.app.measuring.figures[0].figures[0].value == pytest.approx(length)


def test_a_marked_turned_image_is_found_again(brain):
    round_the_crosshair(brain, 30)
    brain.app.viewing.activate("upper")
    brain.app.measuring.toggle_key("upper")
    (marked,) = brain.app.measuring.key_images
    assert marked.tilt
    assert marked.words.endswith(", tilted")
    shown = brain.frame("upper").image.copy()
    tilting.straighten(brain.session)
    assert not brain.app.measuring.is_key("upper")
    brain.app.measuring.jump_to_key(marked)
    assert np.array_equal(brain.frame("upper").image, shown)
    assert brain.app.measuring.is_key("upper")
    assert brain.app.measuring.key_slices == ()


def test_turned_planes_stay_turned_as_one(brain):
    round_the_crosshair(brain, 30)
    round_the_crosshair(brain, 15, "lower")
    assert len({view.tilt for view in brain.session.views.values()}) == 1
    normals = np.stack([plane_of(brain, pane).normal for pane in ("main", "upper", "lower")])
    np.testing.assert_allclose(normals @ normals.T, np.eye(3), atol=1e-9)
    tilt = brain.session.views["main"].tilt
    assert lean_of(tilt, (0, 0, 1)) == pytest.approx(15.0, abs=0.5)


def test_the_image_keeps_its_size_while_planes_turn(brain):
    before = brain.pane("upper").px_per_mm()
    for _ in range(4):
        round_the_crosshair(brain, 15)
        brain.settle()
        assert brain.pane("upper").px_per_mm() == pytest.approx(before, rel=0.2)
