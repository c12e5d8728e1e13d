"""Where the 3-D view draws a place of the patient, and what a drag over it means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import geometry_of

from medview.domain.crop import FACES, CropBox
from medview.domain.scene import Scene
from medview.imaging.sight import sight_of

GRID = geometry_of("LPS", (40, 44, 48), (2.0, 2.0, 2.0))
BOX = CropBox.around(GRID)
FRONT = Scene("mip", size=(400, 300))
RIGHT, LEFT, ANTERIOR, POSTERIOR, FEET, HEAD = range(6)

scenes = st.builds(
    lambda azimuth, elevation, zoom, pan: Scene(
        "mip", azimuth=azimuth, elevation=elevation, zoom=zoom, pan=pan, size=(400, 300)
    ),
    st.floats(0, 359),
    st.floats(-80, 80),
    st.floats(0.5, 4),
    st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
)


def test_from_the_front_left_is_on_the_right_and_the_head_is_up():
    sight = sight_of(GRID, FRONT)
    middle = sight.place(tuple(GRID.centre_mm))
    assert middle == pytest.approx((200, 150))
    assert sight.place(BOX.centre(LEFT))[0] > 210
    assert sight.place(BOX.centre(HEAD))[1] < 140
    assert sight.depth(BOX.centre(ANTERIOR)) < 0 < sight.depth(BOX.centre(POSTERIOR))


ELSEWHERE = geometry_of("LPS", (40, 44, 48), (2.0, 2.0, 2.0), centre_lps=(30.0, -10.0, 50.0))
HALF_MM = 0.42 * np.sqrt(80.0**2 + 88.0**2 + 96.0**2)  # a share of the diagonal of the volume


@pytest.mark.parametrize(
    ("size", "zoom", "half_mm"),
    [((400, 300), 1, HALF_MM), ((400, 300), 2, HALF_MM / 2), ((300, 600), 1, HALF_MM * 2)],
)
def test_a_place_is_drawn_as_far_from_the_middle_as_its_mm_are_pixels(size, zoom, half_mm):
    """In a high picture the width shows all of the volume."""
    sight = sight_of(ELSEWHERE, Scene("mip", zoom=zoom, size=size))
    px_per_mm = size[1] / 2 / half_mm
    assert sight.px_per_mm == pytest.approx(px_per_mm)
    x, y = size[0] / 2 + 10 * px_per_mm, size[1] / 2 - 4 * px_per_mm
    assert sight.place((40.0, 99.0, 54.0)) == pytest.approx((x, y))


def test_a_scene_is_pushed_by_parts_of_the_height_of_its_picture():
    pushed = Scene("mip", azimuth=25, elevation=40, zoom=1.5, pan=(0.1, 0.2), size=(400, 300))
    middle = sight_of(ELSEWHERE, pushed).place((30.0, -10.0, 50.0))
    assert middle == pytest.approx((200 + 0.1 * 300, 150 + 0.2 * 300))


@pytest.mark.parametrize(
    ("azimuth", "point", "mm"),
    [(0, (99.0, -3.0, 99.0), 7.0), (90, (37.0, 99.0, 99.0), -7.0), (180, (0.0, -3.0, 0.0), -7.0)],
)
def test_how_deep_a_place_lies_is_counted_from_the_middle_of_the_volume(azimuth, point, mm):
    sight = sight_of(ELSEWHERE, Scene("mip", azimuth=azimuth, size=(400, 300)))
    assert sight.depth(point) == pytest.approx(mm)


@given(scenes)
def test_hardly_any_of_the_box_is_beside_the_picture_at_first(scene):
    whole = Scene("mip", azimuth=scene.azimuth, elevation=scene.elevation, size=(400, 300))
    sight = sight_of(GRID, whole)
    for corner in BOX.corners:
        x, y = sight.place(corner)
        # A corner may look out by a fifth where it points at an edge.
        assert abs(x - 200) <= 200 * 1.2
        assert abs(y - 150) <= 150 * 1.2


@given(scenes, st.integers(0, 5), st.floats(-20, 20))
def test_the_handle_follows_the_mouse_along_its_axis(scene, face, mm):
    """Moved by the drag between two places of its middle, a face lands where that one was."""
    sight, (axis, _) = sight_of(GRID, scene), FACES[face]
    start = BOX.centre(face)
    end = tuple(v + (mm if n == axis else 0.0) for n, v in enumerate(start))
    (x0, y0), (x1, y1) = sight.place(start), sight.place(end)
    if (x1 - x0) ** 2 + (y1 - y0) ** 2 > (0.25 * mm * sight.px_per_mm) ** 2:
        assert sight.along_axis(axis, x1 - x0, y1 - y0) == pytest.approx(mm, abs=1e-6)


def test_an_axis_that_points_at_the_reader_is_drawn_away_by_going_up():
    sight = sight_of(GRID, FRONT)
    # From the front the axis to the back points away.
    assert sight.along_axis(1, 0.0, -30.0) == pytest.approx(30 / sight.px_per_mm)
    behind = sight_of(GRID, FRONT.turned(180, 0))
    assert behind.along_axis(1, 0.0, -30.0) == pytest.approx(-30 / behind.px_per_mm)


@pytest.mark.parametrize(("degrees", "follows"), [(11.0, False), (12.5, True)])
def test_an_axis_seen_as_a_fifth_of_its_length_follows_the_mouse(degrees, follows):
    sight = sight_of(GRID, FRONT.turned(degrees, 0))
    seen = np.sin(np.radians(degrees)) * sight.px_per_mm  # pixels to a mm of this axis
    across, up = sight.along_axis(1, 30.0, 0.0), sight.along_axis(1, 0.0, -30.0)
    if follows:
        assert (across, up) == pytest.approx((30 / seen, 0.0), abs=1e-9)
    else:
        assert (across, up) == pytest.approx((0.0, 30 / sight.px_per_mm), abs=1e-9)


def test_of_handles_behind_each_other_the_one_in_front_is_taken():
    sight = sight_of(GRID, FRONT)
    x, y = sight.place(BOX.centre(POSTERIOR))
    assert sight.place(BOX.centre(ANTERIOR)) == pytest.approx((x, y))
    assert sight.face_at(BOX, x, y, 8) == ANTERIOR
    behind = sight_of(GRID, FRONT.turned(180, 0))
    assert behind.face_at(BOX, *behind.place(BOX.centre(ANTERIOR)), 8) == POSTERIOR


@pytest.mark.parametrize("face", [LEFT, RIGHT, HEAD, FEET])
def test_a_handle_is_hit_near_its_middle_only(face):
    sight = sight_of(GRID, FRONT)
    x, y = sight.place(BOX.centre(face))
    assert sight.face_at(BOX, x + 5, y - 5, 8) == face
    assert sight.face_at(BOX, x + 9, y, 8) is None
