"""Turned planes: sampled where their matrix says, at right angles, through the crosshair."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import (
    MARK_LPS,
    ORIENTATIONS,
    geometry_of,
    map_of,
    phantom_on,
    positions,
    sphere_at,
    tilted,
)

from medview.domain.geometry import Plane
from medview.domain.overlay import LayerStyle
from medview.domain.volume import Volume
from medview.imaging.frame import compose_frame
from medview.imaging.oblique import (
    STRAIGHT,
    covering,
    lean_of,
    matrix_of,
    oblique_grid,
    onto,
    turned,
)
from medview.imaging.reslice import crosshair_lines, cut_of, plane_axes
from medview.imaging.view import Layer, View

PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
SLOPE = np.array([0.3, -0.7, 0.5])

directions = st.tuples(*(st.floats(-1, 1) for _ in range(3))).filter(
    lambda axis: np.linalg.norm(axis) > 0.1
)
tilts = st.builds(
    lambda one, a, other, b: turned(turned(STRAIGHT, one, a), other, b),
    directions, st.floats(-80, 80), directions, st.floats(-80, 80),
)  # fmt: skip


def ramp_on(geometry):
    """Values that are linear in place, which linear interpolation gives back exactly."""
    return Volume((positions(geometry) @ SLOPE).astype(np.float32), geometry)


def places_of(cut, shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    matrix = cut.pixel_to_lps
    return matrix[:3, 3] + columns[..., None] * matrix[:3, 0] + rows[..., None] * matrix[:3, 1]


@settings(max_examples=60)
@given(
    tilt=tilts,
    code=st.sampled_from(ORIENTATIONS),
    plane=st.sampled_from(PLANES),
    flip_h=st.booleans(),
    rotate=st.sampled_from((0, 90, 180, 270)),
)
def test_every_pixel_has_the_value_of_the_place_its_matrix_names(tilt, code, plane, flip_h, rotate):
    volume = ramp_on(geometry_of(code))
    view = View(plane, (3.0, -4.0, 6.0), flip_h=flip_h, rotate=rotate, tilt=tilt)
    cut = cut_of(volume.geometry, view)
    drawn = cut.take(volume.array)
    places = places_of(cut, drawn.shape)
    index = volume.geometry.to_index(places)
    inner = ((index >= 0) & (index <= np.array(volume.geometry.shape) - 1)).all(-1)
    outer = ((index < -0.5) | (index > np.array(volume.geometry.shape) - 0.5)).any(-1)
    assert inner.any()
    np.testing.assert_allclose(drawn[inner], (places @ SLOPE)[inner], atol=1e-3)
    if cut.is_oblique:
        assert np.isnan(drawn[outer]).all()


@settings(max_examples=60)
@given(tilt=tilts, code=st.sampled_from(ORIENTATIONS), x=st.floats(-30, 30), y=st.floats(-30, 30))
def test_planes_go_through_the_crosshair_at_right_angles(tilt, code, x, y):
    grid = geometry_of(code)
    cuts = [cut_of(grid, View(plane, (x, y, 5.0), tilt=tilt)) for plane in PLANES]
    for cut in cuts:
        away = (np.array([x, y, 5.0]) - cut.pixel_to_lps[:3, 3]) @ cut.normal
        assert abs(away) <= cut.step_mm / 2 + 1e-6
    normals = np.stack([cut.normal for cut in cuts])
    leans = [cut.is_oblique for cut in cuts]
    # A lean too small to be drawn is left out of one plane, and of it alone.
    np.testing.assert_allclose(normals @ normals.T, np.eye(3), atol=1e-6 if all(leans) else 2e-3)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("degrees", [0.5, 20.0, -75.0, 180.0])
def test_a_plane_that_turns_about_its_own_normal_is_drawn_as_before(plane, degrees):
    grid = geometry_of("LPS")
    straight = cut_of(grid, View(plane))
    cut = cut_of(grid, View(plane, tilt=turned(STRAIGHT, straight.normal, degrees)))
    assert cut.grid is grid
    assert not cut.is_oblique
    np.testing.assert_array_equal(cut.pixel_to_lps, straight.pixel_to_lps)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("code", ["LPS", "RAI", "SLP", "AIR"])
def test_what_lies_at_a_place_is_drawn_there_however_planes_are_turned(plane, code):
    sphere = sphere_at(MARK_LPS, geometry=geometry_of(code, (40, 44, 48), (2.5, 2.5, 2.5)))
    tilt = turned(turned(STRAIGHT, (1, 0, 0), 25), (0, 0, 1), 35)
    cut = cut_of(sphere.geometry, View(plane, MARK_LPS, tilt=tilt))
    assert cut.is_oblique
    drawn = np.nan_to_num(cut.take(sphere.array))
    found = (places_of(cut, drawn.shape) * drawn[..., None]).sum((0, 1)) / drawn.sum()
    np.testing.assert_allclose(found, MARK_LPS, atol=1.6)
    area = (drawn > 0.5).sum() * np.prod(cut.pixel_mm)
    assert area == pytest.approx(np.pi * 12**2, rel=0.08)


def test_a_plane_turned_to_another_shows_that_one():
    volume = phantom_on(geometry_of("LPS", (40, 40, 40), (2.5, 2.5, 2.5)))
    quarter = turned(STRAIGHT, (1, 0, 0), 90)
    axial = cut_of(volume.geometry, View(Plane.AXIAL, MARK_LPS, tilt=quarter))
    coronal = cut_of(volume.geometry, View(Plane.CORONAL, MARK_LPS))
    assert abs(axial.normal @ coronal.normal) == pytest.approx(1.0)
    areas = [(np.nan_to_num(cut.take(volume.array)) > 650).sum() for cut in (axial, coronal)]
    assert areas[0] == pytest.approx(areas[1], rel=0.15)


@pytest.mark.parametrize("plane", PLANES)
def test_the_lines_of_the_crosshair_run_along_the_other_planes(plane):
    grid, tilt = geometry_of("LAS"), turned(turned(STRAIGHT, (0, 0, 1), 30), (1, 0, 0), 20)
    view = View(plane, (4.0, 2.0, -3.0), rotate=90, tilt=tilt)
    cut = cut_of(grid, view)
    screen = cut.pixel_to_lps[:3, :2] / np.linalg.norm(cut.pixel_to_lps[:3, :2], axis=0)
    others = [cut_of(grid, replace(view, plane=each)).normal for each in PLANES if each != plane]
    for right, down in crosshair_lines(cut, view):
        along = screen @ (right, down)
        assert np.linalg.norm(along) == pytest.approx(1.0)
        # In one of the other planes, and along the normal of the third.
        assert sorted(abs(along @ normal) for normal in others) == pytest.approx([0, 1], abs=1e-6)


def test_straight_planes_have_an_upright_crosshair():
    grid = geometry_of("LAS")
    view = View(Plane.CORONAL)
    assert crosshair_lines(cut_of(grid, view), view) == ((1.0, 0.0), (0.0, 1.0))


def test_labels_are_taken_from_the_nearest_voxel():
    grid = geometry_of("LPS")
    regions = np.where(positions(grid)[..., 0] > 0, 7.0, 2.0).astype(np.float32)
    volume = phantom_on(grid)
    shown = replace(map_of(volume, "regions", kind="labels"), array=regions)
    view = View(Plane.CORONAL, tilt=turned(STRAIGHT, (0, 0, 1), 33))
    cut = cut_of(grid, view)
    assert set(np.unique(cut.take(regions, nearest=True)[~np.isnan(cut.take(regions))])) == {2, 7}
    frame = compose_frame(volume, (Layer(shown, LayerStyle(visible=True, range=(0, 10))),), view)
    assert len(np.unique(frame.tints[0].reshape(-1, 4), axis=0)) == 3


def test_the_corner_tells_by_how_much_a_plane_leans_and_that_it_is_interpolated():
    volume = phantom_on(geometry_of("LPS"))
    tilt = turned(STRAIGHT, (1, 0, 0), 20)
    frame = compose_frame(volume, (), View(Plane.AXIAL, tilt=tilt))
    assert frame.lean == pytest.approx(20.0)
    assert frame.corners.top_right[0].startswith("Axial ")
    assert frame.corners.top_right[1].endswith("tilted 20°")
    assert "Interpolated between slices" in frame.corners.bottom_left
    assert (frame.labels.right, frame.labels.left) == ("L", "R")
    assert set(frame.labels.bottom) == {"P", "H"} or set(frame.labels.bottom) == {"P", "F"}
    assert compose_frame(volume, (), View(Plane.SAGITTAL, tilt=tilt)).lean == 0.0


def test_missing_slices_are_hatched_where_a_turned_plane_meets_them():
    volume = replace(phantom_on(geometry_of("LPS")), missing_slices=(7, 8))
    view = View(Plane.AXIAL, tilt=turned(STRAIGHT, (1, 0, 0), 30))
    cut = cut_of(volume.geometry, view)
    absent = cut.absent(volume.missing_slices)
    k = volume.geometry.to_index(places_of(cut, absent.shape))[..., 0]
    assert absent[(k > 6.6) & (k < 8.4)].any()
    assert not absent[(k < 6.4) | (k > 8.6)].any()


@pytest.mark.parametrize("plane", PLANES)
def test_planes_of_a_sheared_volume_are_turned_too(plane):
    volume = ramp_on(tilted(geometry_of("LPS"), 15))
    view = View(plane, tilt=turned(STRAIGHT, (0, 1, 1), 25))
    cut = cut_of(volume.geometry, view)
    drawn = cut.take(volume.array)
    places = places_of(cut, drawn.shape)
    index = volume.geometry.to_index(places)
    inner = ((index >= 0) & (index <= np.array(volume.geometry.shape) - 1)).all(-1)
    assert inner.sum() > 50
    np.testing.assert_allclose(drawn[inner], (places @ SLOPE)[inner], atol=1e-3)


def test_a_film_and_stored_slices_are_not_turned():
    tilt = turned(STRAIGHT, (1, 0, 0), 30)
    film = geometry_of("LPS", (1, 20, 24))
    assert cut_of(film, View(Plane.AXIAL, tilt=tilt)).grid is film
    stack = geometry_of("LPS")
    assert cut_of(stack, View(Plane.ACQUIRED, tilt=tilt)).grid is stack


@given(tilt=tilts)
def test_a_tilt_is_a_rotation(tilt):
    matrix = matrix_of(tilt)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_many_small_turns_are_one_large_one_and_all_the_way_round_is_none():
    tilt = STRAIGHT
    for _ in range(90):
        tilt = turned(tilt, (0, 0, 2.0), 1.0)
    np.testing.assert_allclose(matrix_of(tilt), [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-9)
    for _ in range(270):
        tilt = turned(tilt, (0, 0, 1), 1.0)
    assert tilt == STRAIGHT


@given(one=directions, other=directions)
def test_onto_takes_a_direction_to_another_the_shortest_way(one, other):
    unit, wanted = (np.array(each) / np.linalg.norm(each) for each in (one, other))
    matrix = matrix_of(onto(one, other))
    np.testing.assert_allclose(matrix @ unit, wanted, atol=1e-7)
    angle = np.degrees(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1)))
    assert angle == pytest.approx(np.degrees(np.arccos(np.clip(unit @ wanted, -1, 1))), abs=1e-4)


@pytest.mark.parametrize("axis", [(0, 0, 1), (0, -1, 0), (-3, 0, 0), (1, 1, 0), (-1, -2, -3)])
def test_a_half_turn_and_no_turn_are_found_too(axis):
    unit = np.array(axis) / np.linalg.norm(axis)
    np.testing.assert_allclose(matrix_of(onto(axis, -unit)) @ unit, -unit, atol=1e-9)
    assert onto(axis, 2 * unit) == STRAIGHT


def test_the_length_of_a_direction_does_not_matter():
    assert onto((2, 0, 0), (0, 5, 0)) == onto((1, 0, 0), (0, 1, 0))
    tilt = turned(STRAIGHT, (1, 0, 0), 20)
    assert lean_of(tilt, (0, 0, 7)) == pytest.approx(lean_of(tilt, (0, 0, 1))) == pytest.approx(20)


def test_a_lean_is_measured_between_planes_not_between_their_sides():
    assert lean_of(turned(STRAIGHT, (1, 0, 0), 170), (0, 0, 1)) == pytest.approx(10)
    assert lean_of(STRAIGHT, (0, 0, 1)) == 0.0


def test_the_turned_grid_covers_every_voxel_with_cubes_of_the_smallest_spacing():
    grid = geometry_of("PSR")
    wide = oblique_grid(grid, 0, turned(STRAIGHT, (1, 1, 1), 40))
    assert wide.spacing_mm == pytest.approx((4.0, 4.0, 4.0))
    index = wide.to_index(positions(grid).reshape(-1, 3))
    assert (index >= -1e-6).all()
    assert (index <= np.array(wide.shape) - 1 + 1e-6).all()


@pytest.mark.parametrize("code", ["LPS", "SAR"])
def test_the_turned_grid_is_no_larger_than_what_it_covers(code):
    grid = geometry_of(code, (7, 9, 11), (3.0, 2.0, 2.5))
    unit = grid.affine[:3, :3] / np.array(grid.spacing_mm)
    again = covering(grid, unit, np.array(grid.spacing_mm))
    assert again.same_grid(grid)
    wide = oblique_grid(grid, 0, turned(STRAIGHT, (1, 1, 1), 40))
    index = wide.to_index(positions(grid).reshape(-1, 3))
    assert index.min(axis=0) == pytest.approx([0, 0, 0], abs=1e-6)
    assert (index.max(axis=0) > np.array(wide.shape) - 2).all()
    np.testing.assert_allclose(np.linalg.det(wide.affine[:3, :3] / np.linalg.det(unit)), 2.0**3)


def test_axes_of_the_planes_turn_with_the_tilt():
    tilt = turned(STRAIGHT, (0, 0, 1), 90)
    axes = plane_axes(geometry_of("LPS"), View(tilt=tilt))
    np.testing.assert_allclose(axes[:, 2], (0, 1, 0), atol=1e-9)
