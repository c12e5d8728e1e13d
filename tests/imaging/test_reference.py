"""Lines in which planes cut each other, on every kind of grid."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import ORIENTATIONS, geometry_of, tilted

from medview.domain.geometry import Plane
from medview.imaging.oblique import STRAIGHT, turned
from medview.imaging.reference import reference_lines
from medview.imaging.reslice import cut_of
from medview.imaging.view import View

PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
POINT = (9.0, -13.0, 7.0)


def in_patient(geometry, view, line):
    """The ends of a line in LPS mm, (2, 3)."""
    to_lps = cut_of(geometry, view).pixel_to_lps
    return np.array([(to_lps @ np.array([x, y, 0.0, 1.0]))[:3] for x, y in line.ends])


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_in_every_orientation_a_line_runs_where_the_other_slice_is(code):
    geometry = geometry_of(code)
    for plane in PLANES:
        view = View(plane, POINT)
        others = [View(other, POINT) for other in PLANES if other is not plane]
        lines = reference_lines(geometry, view, others)
        assert [line.plane for line in lines] == [other.plane for other in others]
        for line, other in zip(lines, others, strict=True):
            axis = {Plane.SAGITTAL: 0, Plane.CORONAL: 1, Plane.AXIAL: 2}[other.plane]
            where = cut_of(geometry, other).pixel_to_lps[axis, 3]
            assert in_patient(geometry, view, line)[:, axis] == pytest.approx([where, where])


def test_a_line_is_as_long_as_the_other_slice_is_wide():
    geometry = geometry_of("LPS", (16, 20, 24), (5.0, 6.0, 4.0))
    view = View(Plane.AXIAL, POINT)
    (line,) = reference_lines(geometry, view, [View(Plane.CORONAL, POINT)])
    first, last = in_patient(geometry, view, line)
    assert np.linalg.norm(last - first) == pytest.approx(24 * 4.0)


def test_flips_and_turns_move_the_line_with_the_patient():
    geometry = geometry_of()
    other = [View(Plane.SAGITTAL, POINT)]
    plain = View(Plane.AXIAL, POINT)
    turned = replace(plain, flip_h=True, rotate=90)
    wanted, found = (
        {tuple(np.round(end, 6)) for end in in_patient(geometry, view, line)}
        for view in (plain, turned)
        for line in reference_lines(geometry, view, other)
    )
    assert wanted == found


def test_in_a_tilted_stack_the_line_leans_with_the_slices():
    geometry = tilted(geometry_of("LPS", (16, 20, 24), (5.0, 6.0, 4.0)), 20.0)
    view, other = View(Plane.SAGITTAL), View(Plane.AXIAL)
    (line,) = reference_lines(geometry, view, [other])
    matrix = cut_of(geometry, other).pixel_to_lps
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    away = (in_patient(geometry, view, line) - matrix[:3, 3]) @ (normal / np.linalg.norm(normal))
    assert away == pytest.approx([0.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("lean", [0.0, 20.0])
@pytest.mark.parametrize("code", ["LPS", "RSA", "PIR"])
@pytest.mark.parametrize("tilt", [STRAIGHT, turned(turned(STRAIGHT, (1, 0, 0), 25), (0, 1, 1), 20)])
def test_a_line_ends_at_the_border_of_the_other_slice_and_lies_in_it(tilt, code, lean, plane):
    """Turned planes meet at no right angle, so only a place in both is the right one."""
    straight = geometry_of(code, (16, 20, 24), (5.0, 6.0, 4.0))
    geometry = tilted(straight, lean) if lean else straight
    view = View(plane, POINT)
    others = [View(other, POINT, tilt=tilt) for other in PLANES if other is not plane]
    lines = reference_lines(geometry, view, others)
    assert len(lines) == 2
    for line, other in zip(lines, others, strict=True):
        cut = cut_of(geometry, other)
        ends = np.column_stack([in_patient(geometry, view, line), np.ones(2)])
        x, y, away = (np.linalg.inv(cut.pixel_to_lps) @ ends.T)[:3]
        assert away == pytest.approx([0, 0], abs=1e-9)
        rows, columns = (cut.grid.shape[axis] for axis in cut.layout.shape_axes)
        to_border = np.abs([x + 0.5, x - columns + 0.5, y + 0.5, y - rows + 0.5]).min(axis=0)
        assert to_border == pytest.approx([0, 0], abs=1e-9)
        assert (np.minimum(x, y) > -0.5 - 1e-9).all()
        assert (x < columns - 0.5 + 1e-9).all()
        assert (y < rows - 0.5 + 1e-9).all()
        assert np.linalg.norm(ends[1] - ends[0]) > 50
        assert line.ends[0] < line.ends[1]


@pytest.mark.parametrize(("degrees", "count"), [(0.5, 0), (2.0, 1), (-2.0, 1), (179.5, 0)])
def test_planes_that_hardly_lean_against_each_other_have_no_line(degrees, count):
    geometry = geometry_of()
    # The middle of a voxel: both planes go through it, so they do meet inside the image.
    own = View(Plane.AXIAL, tuple(geometry.to_mm((8, 10, 12))))
    other = replace(own, tilt=turned(STRAIGHT, (1, 0, 0), degrees))
    assert len(reference_lines(geometry, own, [other])) == count


def test_a_slab_shows_its_edges():
    geometry = geometry_of("LPS", (16, 20, 24), (5.0, 6.0, 4.0))
    lines = reference_lines(geometry, View(Plane.CORONAL), [View(Plane.AXIAL, slab_mm=20.0)])
    assert [line.is_edge for line in lines] == [True, False, True]
    rows = [line.ends[0][1] for line in lines]
    assert abs(rows[2] - rows[0]) == pytest.approx(4.0)


def test_parallel_planes_have_no_line():
    assert reference_lines(geometry_of(), View(Plane.AXIAL), [View(Plane.AXIAL, POINT)]) == ()
