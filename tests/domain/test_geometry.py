"""One affine in LPS millimetres, held against what nibabel makes of the same matrix."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nibabel.orientations import aff2axcodes
from phantoms import geometry_of, positions
from scipy.spatial.transform import Rotation

from medview.domain.geometry import Geometry

RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SIZES = st.integers(1, 40)
STEPS = st.floats(0.2, 8.0)


@st.composite
def geometries(draw):
    """Any turned grid: columns orthogonal, some flipped."""
    turn = Rotation.from_euler("zyx", draw(st.tuples(*3 * [st.floats(-180, 180)])), degrees=True)
    steps = np.array(draw(st.tuples(STEPS, STEPS, STEPS)))
    signs = np.array(draw(st.tuples(*3 * [st.sampled_from((-1, 1))])))
    affine = np.eye(4)
    affine[:3, :3] = turn.as_matrix() * steps * signs
    affine[:3, 3] = draw(st.tuples(*3 * [st.floats(-300, 300)]))
    return Geometry(draw(st.tuples(SIZES, SIZES, SIZES)), affine)


def plain(**changes):
    """2 x 3 x 4 mm voxels along z, y and x."""
    affine = np.array([[0, 0, 4.0, -10], [0, 3.0, 0, -20], [2.0, 0, 0, -30], [0, 0, 0, 1]])
    return Geometry((5, 6, 7), affine, **changes)


@given(geometries(), st.tuples(*3 * [st.floats(-100, 100)]))
def test_there_and_back_is_the_same_place(geometry, index):
    back = geometry.to_index(geometry.to_mm(index))
    assert np.allclose(back, index, atol=1e-6)


@given(geometries())
def test_spacing_and_letters_are_those_of_nibabel(geometry):
    ras = RAS_OF_LPS @ geometry.affine_ijk
    i, j, k = nibabel.affines.voxel_sizes(ras)
    assert np.allclose(geometry.spacing_mm, (k, j, i))
    unit = np.abs(ras[:3, :3] / np.linalg.norm(ras[:3, :3], axis=0))
    if np.min(np.abs(np.diff(np.sort(unit, axis=1)[:, 1:]))) > 0.05:  # no tie between two axes
        assert geometry.orientation_code == "".join(aff2axcodes(ras))


@given(geometries())
def test_every_axis_of_the_array_runs_along_one_of_the_patient(geometry):
    assert sorted(geometry.axis_of) == [0, 1, 2]
    assert geometry.shear_degrees == pytest.approx(0, abs=1e-3)


@given(geometries())
def test_the_grid_holds_its_corners_and_nothing_a_voxel_outside(geometry):
    last = np.array(geometry.shape) - 1
    assert geometry.contains(geometry.centre_mm)
    assert geometry.contains(geometry.to_mm(last))
    assert not geometry.contains(geometry.to_mm(last + 1))
    assert not geometry.contains(geometry.to_mm((-1, 0, 0)))


@given(geometries(), st.tuples(STEPS, STEPS, STEPS))
def test_which_axis_runs_where_hangs_on_directions_not_on_steps(geometry, steps):
    """Thick slices pull no axis to themselves."""
    unit = geometry.affine[:3, :3] / np.array(geometry.spacing_mm)
    assume(np.min(np.diff(np.sort(np.abs(unit), axis=None))) > 1e-6)  # two alike: either is right
    stretched = geometry.affine.copy()
    stretched[:3, :3] = unit * np.array(steps)
    assert Geometry(geometry.shape, stretched).axis_of == geometry.axis_of


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_grid_reaches_half_a_voxel_beyond_its_outer_centres(axis):
    grid = Geometry((4, 5, 6), np.eye(4))
    inside = np.array([1.0, 1.0, 1.0])
    for edge, outward in ((-0.5, -0.01), (grid.shape[axis] - 0.5, 0.01)):
        at = np.where(np.arange(3) == axis, edge, inside)
        assert grid.contains(at)
        assert not grid.contains(at + np.where(np.arange(3) == axis, outward, 0.0))


def test_the_middle_lies_halfway_between_opposite_corners():
    made = plain()
    ends = made.to_mm([(0, 0, 0), (4, 5, 6)])
    assert made.centre_mm == pytest.approx(ends.mean(axis=0))


def test_json_order_swaps_row_and_slice_only():
    made = plain()
    assert np.array_equal(Geometry.from_ijk_affine(made.shape, made.affine_ijk).affine, made.affine)
    assert np.array_equal(made.affine_ijk @ (1, 2, 3, 1), made.affine @ (3, 2, 1, 1))


def test_a_voxel_of_2_3_and_4_mm_holds_24_microlitres():
    assert plain().voxel_ml == pytest.approx(0.024)


@pytest.mark.parametrize("world", [0, 1])
def test_a_tilted_gantry_shears_and_keeps_the_volume(world):
    affine = plain().affine.copy()
    affine[world, 0] = 2.0 * np.tan(np.radians(15))  # each slice further to a side or back
    tilted = Geometry((5, 6, 7), affine)
    assert tilted.shear_degrees == pytest.approx(15)
    assert tilted.voxel_ml == pytest.approx(0.024)
    assert tilted.spacing_mm[0] == pytest.approx(2.0 / np.cos(np.radians(15)))


@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_grids_are_the_same_within_a_thousandth(column):
    """A step that is a little longer is held against where the far end then lies."""
    steps = (5, 6, 7, 1)[column]
    for apart, same in ((9e-4, True), (-9e-4, True), (1.1e-3, False), (-1.1e-3, False)):
        moved = plain().affine.copy()
        moved[0, column] += apart / steps
        assert plain().same_grid(Geometry((5, 6, 7), moved)) is same
    assert not plain().same_grid(Geometry((5, 6, 8), plain().affine))


@pytest.mark.parametrize(
    ("affine", "said"),
    [
        (np.eye(3), "4 x 4"),
        (np.full((4, 4), np.nan), "finite"),
        (np.diag([1.0, 1.0, np.nan, 1.0]), "finite"),
        (np.diag([1.0, 1.0, 0.0, 1.0]), "singular"),
    ],
)
def test_what_places_nothing_is_refused(affine, said):
    with pytest.raises(ValueError, match=said):
        Geometry((2, 2, 2), affine)


def test_nobody_can_write_into_an_affine():
    with pytest.raises(ValueError, match="read-only"):
        plain().affine[0, 0] = 1


def test_a_moved_or_turned_copy_answers_for_itself():
    """Answers are kept by geometry; a copy on another affine must not be given those."""
    first = plain()
    asked = first.spacing_mm, first.axis_of, tuple(first.to_index((0.0, 0.0, 0.0)))
    other = replace(first, affine=first.affine[:, [2, 0, 1, 3]] @ np.diag([2.0, 3.0, 4.0, 1.0]))
    assert other.spacing_mm == pytest.approx((8.0, 6.0, 12.0))
    assert other.axis_of == (0, 2, 1)
    assert other.to_mm(other.to_index((1.0, 2.0, 3.0))) == pytest.approx((1.0, 2.0, 3.0))
    assert (first.spacing_mm, first.axis_of, tuple(first.to_index((0.0, 0.0, 0.0)))) == asked


@pytest.mark.parametrize("code", ["LPS", "PIR", "RAI"])
def test_the_middle_of_a_slice_is_the_mean_of_its_voxels(code):
    geometry = geometry_of(code, centre_lps=(3.0, 4.0, 50.0))
    places = positions(geometry)
    for axis in range(3):
        found = geometry.slice_centre_mm(axis, 2)
        assert found == pytest.approx(np.moveaxis(places, axis, 0)[2].mean(axis=(0, 1)))
