"""Drawings measure the patient: 50 mm are 50 mm in every plane, regions hold what NumPy says."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.geometry import Plane
from medview.domain.measurement import Measurement
from medview.domain.volume import Volume
from medview.imaging.measuring import (
    OF_ONE_SLICE,
    angle_of,
    area_of,
    described,
    lies_on,
    measured,
    outline,
    own_view,
    shapes_on,
    values_inside,
    voxels_inside,
)
from medview.imaging.oblique import STRAIGHT, turned
from medview.imaging.reslice import cut_of
from medview.imaging.view import View

GRID = geometry_of("LPS", (30, 40, 50), (3.0, 2.0, 1.0))


def volume(geometry=GRID, **fields):
    values = np.random.default_rng(0).normal(40, 300, geometry.shape).astype(np.int16)
    return Volume(values, geometry, quantity="HU", modality="CT", **fields)


def view_at(index, plane=Plane.AXIAL, geometry=GRID):
    return View(plane=plane, point_lps=tuple(float(v) for v in geometry.to_mm(index)))


def axes(cut):
    matrix = cut.pixel_to_lps
    return tuple(tuple(matrix[:3, n] / np.linalg.norm(matrix[:3, n])) for n in (0, 1))


def drawn(kind, pixels, cut, number=1, **fields):
    """A drawing by pixels (x, y) of the frame."""
    points = [tuple((cut.pixel_to_lps @ (x, y, 0, 1))[:3]) for x, y in pixels]
    return Measurement(number, kind, tuple(points), *axes(cut), **fields)


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
@pytest.mark.parametrize("turn", [{}, {"flip_h": True}, {"rotate": 90}])
def test_a_length_is_that_of_the_patient_in_every_plane_and_turn(plane, turn):
    view = replace(view_at((15, 20, 25), plane), **turn)
    cut = cut_of(GRID, view)
    across, down = cut.pixel_mm
    found = drawn("length", [(2, 3), (2 + 12 / across, 3 + 9 / down)], cut)
    assert described(found, volume(), cut) == ("15.0 mm",)


def test_fifty_millimetres_of_a_phantom_are_fifty():
    geometry = geometry_of("LPS", (5, 120, 120), (2.0, 0.5, 0.5))
    values = np.zeros(geometry.shape, np.int16)
    values[:, 10:111, 30] = 1000
    view = view_at((2, 60, 60), geometry=geometry)
    cut = cut_of(geometry, view)
    rows, columns = np.nonzero(cut.take(values))
    ends = [(columns[0], rows.min()), (columns[0], rows.max())]
    (text,) = described(drawn("length", ends, cut), Volume(values, geometry), cut)
    assert float(text.split()[0]) == pytest.approx(50.0, abs=0.5)


@pytest.mark.parametrize(
    ("pixels", "kind", "degrees"),
    [
        ([(10, 0), (0, 0), (0, 5)], "angle", 90),
        ([(10, 0), (0, 0), (10, 5)], "angle", 45),
        ([(10, 0), (0, 0), (-10, 0)], "angle", 180),
        ([(0, 0), (10, 0), (0, 8), (10, 3)], "cobb", 45),
        ([(0, 0), (10, 0), (10, 8), (0, 8)], "cobb", 0),
    ],
)
def test_angles_by_hand_on_pixels_that_are_no_squares(pixels, kind, degrees):
    cut = cut_of(GRID, view_at((15, 20, 25)))
    assert cut.pixel_mm == (1.0, 2.0)
    assert angle_of(drawn(kind, pixels, cut)) == pytest.approx(degrees, abs=1e-6)


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
def test_a_rectangle_holds_what_numpy_says(plane):
    scan = volume()
    view = view_at((15, 20, 25), plane)
    cut = cut_of(GRID, view)
    values = cut.take(scan.array)[4:11, 6:20].astype(float)
    found = values_inside(drawn("rectangle", [(5.5, 3.5), (19.5, 10.5)], cut), scan, cut)
    assert found.count == values.size
    assert (found.mean, found.sd) == pytest.approx((values.mean(), values.std()))
    assert (found.low, found.high, found.unit) == (values.min(), values.max(), "HU")
    assert found.area == pytest.approx(14 * 7 * cut.pixel_mm[0] * cut.pixel_mm[1])


def test_an_ellipse_is_the_pixels_whose_middle_is_inside():
    scan, view = volume(), view_at((15, 20, 25))
    cut = cut_of(GRID, view)
    shape = drawn("ellipse", [(10, 5), (30, 25)], cut)
    y, x = np.mgrid[:40, :50]
    inside = ((x - 20) / 10) ** 2 + ((y - 15) / 10) ** 2 <= 1
    values = cut.take(scan.array)[inside].astype(float)
    found = values_inside(shape, scan, cut)
    assert (found.count, found.mean) == (inside.sum(), pytest.approx(values.mean()))
    assert area_of(shape) == pytest.approx(np.pi * 10 * 20)


def test_a_polygon_has_its_own_area_and_pixels():
    scan, cut = volume(), cut_of(GRID, view_at((15, 20, 25)))
    shape = drawn("polygon", [(9.5, 9.5), (29.5, 9.5), (29.5, 19.5), (9.5, 19.5)], cut)
    box = cut.take(scan.array)[10:20, 10:30].astype(float)
    found = values_inside(shape, scan, cut)
    assert (found.count, found.mean) == (box.size, pytest.approx(box.mean()))
    assert area_of(shape) == pytest.approx(20 * 1 * 10 * 2)


def test_padding_and_missing_slices_do_not_count():
    scan = volume()
    padded = replace(scan, padding=(0, -5000))  # in either order
    cut = cut_of(GRID, view_at((15, 20, 25)))
    shape = drawn("rectangle", [(-0.5, -0.5), (49.5, 39.5)], cut)
    values = cut.take(scan.array)
    assert values_inside(shape, padded, cut).count == int((values > 0).sum())
    gone = replace(scan, padding=(-5000, 5000))
    assert values_inside(shape, gone, cut) is None


def test_without_spacing_pixels_are_counted_and_at_a_detector_it_is_said():
    for kind, length, area in (
        (None, "10.0 pixels", "200 pixels"),
        ("detector", "10.0 mm at detector", "200 mm² at detector"),
    ):
        geometry = replace(geometry_of("LPS", (1, 40, 50), (1.0, 1.0, 1.0)), spacing_kind=kind)
        scan = Volume(np.ones(geometry.shape, np.int16), geometry)
        cut = cut_of(geometry, view_at((0, 20, 25), geometry=geometry))
        assert described(drawn("length", [(5, 5), (15, 5)], cut), scan, cut) == (length,)
        box = drawn("rectangle", [(4.5, 4.5), (24.5, 14.5)], cut)
        assert described(box, scan, cut)[0] == area


def test_a_drawing_is_on_its_own_slice_and_plane_only():
    cut = cut_of(GRID, view_at((15, 20, 25)))
    line = drawn("length", [(2, 3), (12, 3)], cut)
    assert lies_on(line, cut)
    assert lies_on(line, cut_of(GRID, replace(view_at((15, 1, 1)), flip_v=True, rotate=180)))
    assert not lies_on(line, cut_of(GRID, view_at((16, 20, 25))))
    assert not lies_on(line, cut_of(GRID, view_at((15, 20, 25), Plane.CORONAL)))


@pytest.mark.parametrize(("away", "on"), [(1.4, True), (-1.4, True), (1.6, False), (-1.6, False)])
@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL])
def test_a_drawing_is_on_the_slice_that_is_less_than_half_a_step_away(plane, away, on):
    grid = geometry_of("LPS", (30, 40, 50), (3.0, 3.0, 1.0))
    cut = cut_of(grid, view_at((15, 20, 25), plane, grid))
    moved = drawn("length", [(2, 3), (12, 3)], cut)
    points = tuple(tuple(np.array(point) + away * cut.normal) for point in moved.points)
    assert lies_on(replace(moved, points=points), cut) is on


@pytest.mark.parametrize("code", ["LPS", "RPI", "SAL", "PIR"])
@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
@pytest.mark.parametrize(
    "tilt", [STRAIGHT, turned(turned(STRAIGHT, (1, 0, 0), 20), (0, 0, 1), -30)]
)
def test_a_drawing_is_found_again_on_the_plane_it_was_drawn_on(code, plane, tilt):
    grid = geometry_of(code, (20, 22, 24), (3.0, 2.0, 1.0))
    cut = cut_of(grid, View(plane, (4.0, -3.0, 2.0), tilt=tilt))
    line = drawn("length", [(2, 3), (12, 9)], cut)
    found = own_view(line, grid)
    assert (found.plane, found.point_lps) == (plane, line.points[0])
    assert lies_on(line, cut_of(grid, found))
    assert bool(found.tilt) is bool(tilt)


def test_a_drawing_on_a_film_is_found_on_the_film():
    film = geometry_of("LIP", (1, 40, 50))
    line = drawn("length", [(2, 3), (12, 9)], cut_of(film, View(Plane.ACQUIRED)))
    assert own_view(line, film).plane is Plane.ACQUIRED


def flat_outline(shape):
    """The outline along the drawing's own axes, mm (n, 2)."""
    return outline(shape) @ np.stack([shape.right, shape.down], axis=-1)


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.SAGITTAL])
def test_outlines_are_those_of_the_figure_and_closed(plane):
    cut = cut_of(GRID, view_at((15, 20, 25), plane))
    box = drawn("rectangle", [(4, 6), (14, 12)], cut)
    (left, top), (right, low) = flat_outline(replace(box, kind="arrow"))
    corners = [(left, top), (right, top), (right, low), (left, low), (left, top)]
    assert flat_outline(box) == pytest.approx(np.array(corners))
    round_ = flat_outline(replace(box, kind="ellipse"))
    middle, half = np.array([left + right, top + low]) / 2, np.array([right - left, low - top]) / 2
    assert (((round_ - middle) / half) ** 2).sum(axis=1) == pytest.approx(1.0)
    assert round_[0] == pytest.approx(round_[-1])
    assert len(np.unique(round_.round(6), axis=0)) == len(round_) - 1 >= 36
    for kind in ("rectangle", "ellipse"):  # on the plane it was drawn on
        away = (outline(replace(box, kind=kind)) - np.array(box.points[0])) @ cut.normal
        assert away == pytest.approx(0, abs=1e-9)


def test_a_polygon_closes_with_its_third_point_and_drafts_are_as_they_are():
    cut = cut_of(GRID, view_at((15, 20, 25)))
    corners = [(4, 6), (14, 12), (9, 20)]
    shape = drawn("polygon", corners, cut)
    assert outline(shape).tolist() == [list(point) for point in (*shape.points, shape.points[0])]
    for kind, count in (("polygon", 2), ("ellipse", 1), ("rectangle", 1), ("length", 2)):
        draft = drawn(kind, corners[:count], cut)
        assert outline(draft).tolist() == [list(point) for point in draft.points]


def figures_of(kind, pixels, scan, cut):
    return [
        (each.name, pytest.approx(each.value), each.unit, each.at_detector)
        for each in measured(drawn(kind, pixels, cut), scan, cut).figures
    ]


@pytest.mark.parametrize(
    ("kind", "mm", "mm2", "at_detector"),
    [("patient", "mm", "mm2", False), ("detector", "mm", "mm2", True), (None, "px", "px", False)],
)
def test_figures_have_their_units_and_say_when_they_are_of_the_detector(kind, mm, mm2, at_detector):
    grid = replace(geometry_of("LPS", (1, 40, 50), (1.0, 1.0, 1.0)), spacing_kind=kind)
    scan = volume(grid)
    cut = cut_of(grid, view_at((0, 20, 25), geometry=grid))
    assert figures_of("length", [(5, 5), (8, 9)], scan, cut) == [("length", 5.0, mm, at_detector)]
    assert figures_of("angle", [(9, 0), (0, 0), (0, 5)], scan, cut) == [
        ("angle", 90.0, "deg", False)
    ]
    values = cut.take(scan.array)[5:15, 5:25].astype(float)
    assert figures_of("rectangle", [(4.5, 4.5), (24.5, 14.5)], scan, cut) == [
        ("area", 200.0, mm2, at_detector),
        ("mean", values.mean(), "HU", False),
        ("SD", values.std(), "HU", False),
        ("minimum", values.min(), "HU", False),
        ("maximum", values.max(), "HU", False),
    ]
    assert figures_of("text", [(1, 1)], scan, cut) == []


def test_a_drawing_with_its_numbers_has_its_line_through_the_patient():
    cut = cut_of(GRID, view_at((15, 20, 25)))
    box = drawn("rectangle", [(4, 6), (14, 12)], cut)
    made = measured(box, volume(), cut)
    assert made.drawing is box
    assert np.array(made.outline) == pytest.approx(outline(box))


@pytest.mark.parametrize(
    ("quantity", "value", "said"),
    [
        ("HU", 1.0, ("mean 1.0 HU, SD 0.0", "1.0 to 1.0 HU")),
        ("a.u.", -7.25, ("mean -7.2, SD 0.0", "-7.2 to -7.2")),
        ("1", 0.25, ("mean 0.250, SD 0.000", "0.250 to 0.250")),
        ("g/ml", -0.9, ("mean -0.900 g/ml, SD 0.000", "-0.900 to -0.900 g/ml")),
    ],
)
def test_small_values_have_more_digits_and_no_unit_is_made_up(quantity, value, said):
    scan = Volume(np.full(GRID.shape, value, np.float32), GRID, quantity=quantity)
    cut = cut_of(GRID, view_at((15, 20, 25)))
    assert described(drawn("rectangle", [(4, 6), (14, 12)], cut), scan, cut)[1:] == said


def test_shapes_come_back_on_the_pixels_they_were_drawn_on():
    view = replace(view_at((15, 20, 25)), flip_h=True)
    cut = cut_of(GRID, view)
    found = drawn("arrow", [(2.25, 3.5), (12, 30)], cut, number=7)
    (shape,) = shapes_on((found,), volume(), view, chosen=7)
    assert np.array(shape.handles) == pytest.approx(np.array([(2.25, 3.5), (12, 30)]))
    assert (shape.id, shape.is_chosen, shape.lines) == (7, True, ())
    assert shapes_on((found,), volume(), view_at((3, 20, 25))) == ()


def test_words_are_what_was_typed_and_a_draft_says_nothing():
    cut = cut_of(GRID, view_at((15, 20, 25)))
    assert described(drawn("text", [(1, 1)], cut, text="cyst?"), volume(), cut) == ("cyst?",)
    assert described(drawn("length", [(1, 1)], cut), volume(), cut) == ()


def test_a_region_on_a_slab_says_the_figures_of_its_own_slice():
    made = volume()
    plain = view_at((15, 20, 25))
    cut = cut_of(made.geometry, plain)
    region = drawn("rectangle", ((2.0, 3.0), (7.0, 8.0)), cut)
    slab = cut_of(made.geometry, replace(plain, slab_mm=1000.0))
    assert slab.last > slab.first
    assert described(region, made, slab) == (*described(region, made, cut), OF_ONE_SLICE)


@pytest.mark.parametrize("kind", ["ellipse", "rectangle", "polygon"])
@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL])
def test_the_voxels_of_a_region_are_the_pixels_that_its_figures_count(kind, plane):
    at = (14, 21, 27)
    cut = cut_of(GRID, view_at(at, plane))
    right, down = (np.array(axis) for axis in axes(cut))
    middle = GRID.to_mm(at)
    corners = [(-9, -7), (8, 10)] if kind != "polygon" else [(-9, -7), (8, -5), (3, 11)]
    points = tuple(tuple(middle + x * right + y * down) for x, y in corners)
    drawn = Measurement(1, kind, points, tuple(right), tuple(down))
    inside = voxels_inside(drawn, GRID)
    found = values_inside(drawn, volume(), cut)
    values = volume().array[inside]
    assert inside.any(axis=tuple(n for n in range(3) if n != cut.layout.cut)).sum() == 1
    assert (values.size, values.max(), values.mean()) == (
        found.count, found.high, pytest.approx(found.mean),
    )  # fmt: skip


def test_a_region_beside_the_grid_holds_nothing():
    far = tuple((500.0 + n, 500.0 + n, 0.0) for n in (0, 20))
    drawn = Measurement(1, "ellipse", far, (1.0, 0, 0), (0, 1.0, 0))
    assert not voxels_inside(drawn, GRID).any()
