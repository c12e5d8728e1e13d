"""What a pane shows, read from the frame."""

from dataclasses import fields, replace

import numpy as np
import pytest
from phantoms import (
    BASE_CASES,
    MARK_LPS,
    MARK_VALUE,
    ORIENTATIONS,
    geometry_of,
    map_of,
    phantom,
    phantom_on,
    sphere_at,
    tilted,
)

from medview.domain.errors import GeometryError
from medview.domain.geometry import Plane
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.volume import Note, ValueTable, Volume, Window
from medview.imaging.frame import INTERPOLATED, Labels, Layer, View, compose_frame, letters
from medview.imaging.oblique import STRAIGHT, turned

CUT_PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
WIDE = Window(1000, 500, "LINEAR_EXACT")


def brightest_lps(frame):
    """LPS mm of the middle of the brightest pixels of a frame."""
    rows, columns = np.nonzero(frame.image == frame.image.max())
    at = frame.pixel_to_lps @ np.array([columns.mean(), rows.mean(), 0, 1])
    return at[:3]


def overlay(volume, **style):
    """A visible layer with the volume's own values as its map."""
    wanted = {"visible": True, "range": (0.0, 1000.0), "threshold": 500.0, **style}
    return Layer(map_of(volume, title="anomaly score"), LayerStyle(**wanted))


@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_stored_rows_and_columns_carry_the_letters_of_the_table(case):
    frame = compose_frame(case.volume, (), View(Plane.ACQUIRED, case.point_lps, WIDE))
    cut = (case.left[:2], case.right[:2], case.top[:2], case.bottom[:2])
    found = frame.labels
    assert (found.left, found.right, found.top, found.bottom) == cut
    assert frame.image[1, 2] == frame.image.max() > 0
    assert frame.slice == 3
    assert frame.cursor == pytest.approx((2, 1), abs=1e-3)


@pytest.mark.parametrize("plane", CUT_PLANES)
@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_the_bright_voxel_of_every_case_is_drawn_where_it_is_in_every_plane(case, plane):
    frame = compose_frame(case.single_voxel, (), View(plane, case.point_lps, WIDE))
    assert np.count_nonzero(frame.image) == 1
    assert brightest_lps(frame) == pytest.approx(case.point_lps, abs=1e-3)
    assert frame.values["image"] == 1003


@pytest.mark.parametrize("plane", CUT_PLANES)
@pytest.mark.parametrize("code", ORIENTATIONS)
def test_every_one_of_48_orientations_gives_the_same_radiological_picture(code, plane):
    frame = compose_frame(phantom(code), (), View(plane, MARK_LPS, WIDE))
    expected = {
        Plane.AXIAL: Labels("R", "L", "A", "P"),
        Plane.CORONAL: Labels("R", "L", "H", "F"),
        Plane.SAGITTAL: Labels("A", "P", "H", "F"),
    }
    assert frame.labels == expected[plane]
    assert brightest_lps(frame) == pytest.approx(MARK_LPS, abs=3.1)


def test_letters_are_ordered_by_strength_and_weak_parts_are_left_out():
    assert letters((1, 0, 0)) == "L"
    assert letters((-0.3, 0.1, 0.9)) == "HR"
    assert letters((0, 0, -2)) == "F"
    assert letters((0.99, 0.00009, 0)) == "L"
    assert letters((0.99, -0.0002, 0)) == "LA"


def test_nothing_is_lettered_when_the_file_does_not_say_where_left_is():
    volume = phantom()
    unknown = replace(volume, geometry=replace(volume.geometry, orientation_known=False))
    frame = compose_frame(unknown, (), View(Plane.AXIAL))
    assert frame.labels == Labels()
    assert frame.position == ""
    assert frame.image.any()


@pytest.mark.parametrize(
    ("view", "edges"),
    [
        (View(flip_h=True), ("L", "R", "A", "P")),
        (View(flip_v=True), ("R", "L", "P", "A")),
        (View(rotate=90), ("P", "A", "R", "L")),
        (View(rotate=180), ("L", "R", "P", "A")),
        (View(rotate=270), ("A", "P", "L", "R")),
        (View(flip_h=True, rotate=90), ("P", "A", "L", "R")),
    ],
)
def test_flips_come_before_the_clockwise_turn_and_letters_follow(view, edges):
    frame = compose_frame(phantom(), (), replace(view, point_lps=MARK_LPS, window=WIDE))
    found = frame.labels
    assert (found.left, found.right, found.top, found.bottom) == edges
    assert brightest_lps(frame) == pytest.approx(MARK_LPS, abs=3.1)


def test_a_turned_picture_is_the_turned_array():
    straight = compose_frame(phantom(), (), View(point_lps=MARK_LPS))
    turned = compose_frame(phantom(), (), View(point_lps=MARK_LPS, rotate=90))
    assert np.array_equal(turned.image, np.rot90(straight.image, -1))
    flipped = compose_frame(phantom(), (), View(point_lps=MARK_LPS, flip_h=True, rotate=90))
    assert np.array_equal(flipped.image, np.rot90(straight.image[:, ::-1], -1))


@pytest.mark.parametrize(
    ("plane", "point", "words"),
    [
        (Plane.AXIAL, (0, 0, 12.5), "H 12.5 mm"),
        (Plane.AXIAL, (0, 0, -12.5), "F 12.5 mm"),
        (Plane.CORONAL, (0, -45, 0), "A 45.0 mm"),
        (Plane.CORONAL, (0, 45, 0), "P 45.0 mm"),
        (Plane.SAGITTAL, (6, 0, 0), "L 6.0 mm"),
        (Plane.SAGITTAL, (-6, 0, 0), "R 6.0 mm"),
        (Plane.ACQUIRED, (0, 0, 12.5), "H 12.5 mm"),
    ],
)
def test_the_place_of_a_slice_is_said_with_a_letter_never_a_sign(plane, point, words):
    frame = compose_frame(phantom(), (), View(plane, point))
    assert frame.position == words
    assert any(words in line for line in frame.corners.top_right)


@pytest.mark.parametrize(
    ("height", "words"),
    [
        *((0.0, "H 0.0 mm"), (0.04, "H 0.0 mm"), (-0.04, "H 0.0 mm"), (-0.06, "F 0.1 mm")),
        *((0.4, "H 0.4 mm"), (-0.4, "F 0.4 mm")),
    ],
)
def test_at_the_origin_the_letter_is_that_of_the_rounded_height(height, words):
    volume = phantom_on(geometry_of("LPS", (17, 20, 24), centre_lps=(0, 0, height)))
    assert compose_frame(volume, (), View(point_lps=(0, 0, height))).position == words


def test_the_slice_drawn_is_the_nearest_one_and_stays_inside():
    grid = geometry_of()  # 16 slices, 5 mm apart, from -37.5 to 37.5
    assert compose_frame(phantom_on(grid), (), View(point_lps=(0, 0, 4.9))).slice == 8
    assert compose_frame(phantom_on(grid), (), View(point_lps=(0, 0, 5.1))).slice == 9
    assert compose_frame(phantom_on(grid), (), View(point_lps=(0, 0, 400))).slice == 15
    assert compose_frame(phantom_on(grid), (), View(point_lps=(0, 0, -400))).slice == 0


def test_pixels_keep_their_true_size_when_voxels_are_not_cubes():
    volume = phantom()  # 5 mm slices, 6 mm rows, 4 mm columns
    assert compose_frame(volume, (), View(Plane.AXIAL)).pixel_mm == pytest.approx((4, 6))
    assert compose_frame(volume, (), View(Plane.CORONAL)).pixel_mm == pytest.approx((4, 5))
    assert compose_frame(volume, (), View(Plane.SAGITTAL)).pixel_mm == pytest.approx((6, 5))
    turned = compose_frame(volume, (), View(Plane.CORONAL, rotate=90))
    assert turned.pixel_mm == pytest.approx((5, 4))


def test_monochrome1_is_inverted_once_and_the_readers_invert_turns_it_back():
    volume = phantom()
    plain = compose_frame(volume, (), View(window=WIDE))
    film = replace(volume, inverted=True)
    assert np.array_equal(compose_frame(film, (), View(window=WIDE)).image, 255 - plain.image)
    both = compose_frame(film, (), View(window=WIDE, inverted=True))
    assert np.array_equal(both.image, plain.image)


def test_the_readers_window_wins_over_the_files_and_that_over_the_automatic_one():
    volume = phantom()
    assert compose_frame(volume, (), View()).window.label == "Automatic"
    with_own = replace(volume, windows=(Window(80, 40), Window(400, 40)))
    assert compose_frame(with_own, (), View()).window == Window(80, 40)
    assert compose_frame(with_own, (), View(window=WIDE)).window == WIDE
    table = ValueTable(0.0, np.linspace(0, 1, 1001, dtype=np.float32))
    with_table = replace(with_own, value_table=table)
    frame = compose_frame(with_table, (), View(point_lps=MARK_LPS))
    assert frame.window is None
    assert frame.image.max() == 255
    assert compose_frame(with_table, (), View(window=WIDE)).window == WIDE


@pytest.mark.parametrize("plane", list(Plane))
def test_an_overlay_changes_neither_image_nor_window_nor_slice(plane):
    volume = phantom()
    view = View(plane, MARK_LPS)
    bare = compose_frame(volume, (), view)
    tinted = compose_frame(volume, (overlay(volume), overlay(volume)), view)
    assert np.array_equal(bare.image, tinted.image)
    assert np.array_equal(bare.pixel_to_lps, tinted.pixel_to_lps)
    same = ("window", "slice", "slices", "position", "labels", "cursor", "pixel_mm")
    assert all(getattr(bare, name) == getattr(tinted, name) for name in same)
    assert len(tinted.tints) == 2
    assert tinted.values["score"] == MARK_VALUE


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("code", ["LPS", "RAS", "PIR", "SAL"])
def test_an_overlay_lies_exactly_on_what_it_was_found_in(code, plane):
    volume = phantom(code)
    view = View(plane, MARK_LPS, WIDE, flip_v=True, rotate=270)
    frame = compose_frame(volume, (overlay(volume),), view)
    assert np.array_equal(frame.tints[0][..., 3] > 0, frame.image == 255)


def test_a_hidden_layer_is_not_drawn_but_its_value_is_read():
    volume = phantom()
    frame = compose_frame(volume, (overlay(volume, visible=False),), View(point_lps=MARK_LPS))
    assert frame.tints == ()
    assert frame.colour_bar is None
    assert frame.values == {"image": MARK_VALUE, "score": MARK_VALUE}


def test_the_colour_bar_is_that_of_the_topmost_layer_with_range_and_threshold_apart():
    volume = phantom()
    under = overlay(volume)
    top = overlay(volume, range=(0.0, 18.0), threshold=6.0)
    bar = compose_frame(volume, (under, top), View()).colour_bar
    assert (bar.low, bar.high, bar.threshold, bar.title) == (0.0, 18.0, 6.0, "anomaly score")
    assert bar.colours.shape == (256, 3)


def test_a_map_on_another_grid_is_refused_by_name():
    volume = phantom()
    other = map_of(phantom("RAS"), title="anomaly score")
    layer = Layer(other, LayerStyle(visible=True))
    with pytest.raises(GeometryError, match="anomaly score does not lie on the grid"):
        compose_frame(volume, (layer,), View())
    faded = replace(overlay(volume), fade=other)
    with pytest.raises(GeometryError, match="anomaly score"):
        compose_frame(volume, (faded,), View())


def test_fading_lowers_opacity_where_the_other_map_is_high():
    volume = phantom()
    doubt = np.zeros(volume.geometry.shape, dtype=np.float32)
    doubt[..., 12:] = 0.5  # the patient's left half
    doubt[..., 18:] = 2.0
    fade = ScalarMap("total", doubt, volume.geometry, kind="uncertainty", range=(0.0, 1.0))
    layer = overlay(volume, threshold=100.0, opacity=0.8)
    view = View(point_lps=MARK_LPS)
    plain = compose_frame(volume, (layer,), view).tints[0]
    faded = compose_frame(volume, (replace(layer, fade=fade),), view).tints[0]
    drawn = plain[..., 3] == 204
    assert drawn[:, :12].any()
    assert drawn[:, 18:].any()
    assert np.array_equal(faded[:, :12], plain[:, :12])
    assert set(faded[:, 12:18, 3][drawn[:, 12:18]]) == {102}
    assert not faded[:, 18:, 3].any()
    seen = faded[..., 3] > 0
    assert np.array_equal(faded[seen, :3], plain[seen, :3])


def test_zero_of_a_mask_is_never_drawn_even_at_threshold_zero():
    volume = phantom()
    mask = ScalarMap("brain", (volume.array > 500).astype(np.uint8), volume.geometry, kind="mask")
    style = LayerStyle(visible=True, colour_map="#e8a33d", threshold=0.0)
    frame = compose_frame(volume, (Layer(mask, style),), View(point_lps=MARK_LPS, window=WIDE))
    assert np.array_equal(frame.tints[0][..., 3] > 0, frame.image == 255)


def test_equal_inputs_give_equal_frames():
    volume = phantom()
    view = View(Plane.CORONAL, MARK_LPS, slab_mm=12.0)
    one, two = (compose_frame(volume, (overlay(volume),), view) for _ in range(2))
    for field in fields(one):
        first, second = getattr(one, field.name), getattr(two, field.name)
        if field.name == "colour_bars":
            assert np.array_equal(first[0].colours, second[0].colours)
        elif isinstance(first, np.ndarray):
            assert np.array_equal(first, second)
        elif field.name == "paints":
            assert all(map(np.array_equal, one.tints, two.tints))
        else:
            assert first == second


@pytest.mark.parametrize("plane", CUT_PLANES)
def test_a_maximum_slab_is_at_least_every_slice_inside_it(plane):
    volume = phantom()
    rng = np.random.default_rng(1)
    noisy = replace(volume, array=rng.integers(0, 1000, volume.array.shape).astype(np.int16))
    slab = compose_frame(noisy, (), View(plane, window=WIDE, slab_mm=24.0))
    lowest = compose_frame(noisy, (), View(plane, window=WIDE, slab_mm=24.0, slab_mode="minip"))
    mean = compose_frame(noisy, (), View(plane, window=WIDE, slab_mm=24.0, slab_mode="mean"))
    normal = {Plane.AXIAL: 2, Plane.CORONAL: 1, Plane.SAGITTAL: 0}[plane]
    inside = []
    for mm in np.arange(-20, 20.1, 0.5):
        point = [0.0, 0.0, 0.0]
        point[normal] = mm
        one = compose_frame(noisy, (), View(plane, tuple(point), WIDE))
        middle = slab.pixel_to_lps[normal, 3]
        if abs(one.pixel_to_lps[normal, 3] - middle) <= 12.0 + 1e-6:
            inside.append(one.image.astype(int))
    assert len({image.tobytes() for image in inside}) >= 3
    assert (slab.image >= np.max(inside, axis=0)).all()
    assert (slab.image == np.max(inside, axis=0)).all()
    assert (lowest.image == np.min(inside, axis=0)).all()
    assert (mean.image <= slab.image).all()
    assert (mean.image >= lowest.image).all()


def test_a_minimum_slab_does_not_make_a_small_finding_vanish():
    volume = sphere_at((0, 0, 2.5), radius_mm=4.0)  # in one slice only
    layer = overlay(volume, range=(0.0, 1.0), threshold=0.5)
    view = View(point_lps=(0, 0, 2.5), slab_mm=20.0, slab_mode="minip")
    frame = compose_frame(volume, (layer,), view)
    assert not frame.image.any()
    assert frame.tints[0][..., 3].any()


def test_a_missing_slice_is_marked_and_a_reformat_across_it_in_part():
    volume = replace(phantom(), missing_slices=(7, 8))
    gone = compose_frame(volume, (), View(point_lps=(0, 0, 2.5)))
    assert gone.slice == 8
    assert gone.missing
    assert gone.absent.all()
    assert gone.values["image"] is None
    there = compose_frame(volume, (), View(point_lps=(0, 0, 7.5)))
    assert not there.missing
    assert there.absent is None
    coronal = compose_frame(volume, (), View(Plane.CORONAL))
    assert not coronal.missing
    assert np.array_equal(np.nonzero(coronal.absent.all(axis=1))[0], [7, 8])  # of 16, head up
    assert coronal.absent.sum() == 2 * coronal.image.shape[1]


def test_a_slab_leaves_missing_slices_out():
    volume = phantom()
    array = volume.array.copy()
    array[8] = 5000
    volume = replace(volume, array=array, missing_slices=(8,))
    window = Window(5000, 2500, "LINEAR_EXACT")
    frame = compose_frame(volume, (), View(point_lps=(0, 0, 2.5), window=window, slab_mm=11.0))
    assert not frame.missing
    assert frame.image.max() < 255


def test_a_film_is_shown_as_stored_whatever_plane_is_asked_for():
    values = np.arange(12, dtype=np.int16).reshape(1, 3, 4)
    grid = replace(geometry_of("LPS", (1, 3, 4), (1.0, 0.2, 0.1)), spacing_kind="detector")
    film = Volume(values, grid, modality="DX")
    for plane in Plane:
        frame = compose_frame(film, (), View(plane, window=Window(11, 5.5, "LINEAR_EXACT")))
        assert frame.image.shape == (3, 4)
        assert frame.image[0, 0] == 0
        assert frame.image[2, 3] == 255
        assert frame.pixel_mm == pytest.approx((0.1, 0.2))
        assert frame.position == ""


def test_colour_is_shown_as_it_is_and_turned_like_grey():
    values = np.zeros((2, 3, 4, 3), dtype=np.uint8)
    values[1, 0, 3] = (200, 100, 50)
    volume = Volume(values, geometry_of("LPS", (2, 3, 4), (1, 1, 1)))
    frame = compose_frame(volume, (), View(point_lps=(0, 0, 0.5), flip_h=True))
    assert frame.image.shape == (3, 4, 3)
    assert tuple(frame.image[0, 0]) == (200, 100, 50)
    assert frame.window is None
    assert frame.values == {"image": None}
    assert compose_frame(volume, (), View(slab_mm=4.0)).image.shape == (3, 4, 3)


@pytest.mark.parametrize("plane", CUT_PLANES)
@pytest.mark.parametrize(("degrees", "axis"), [(15.0, 1), (-15.0, 1), (15.0, 2)])
def test_a_tilted_gantry_does_not_lean_the_patient(degrees, axis, plane):
    grid = tilted(geometry_of("LPS", (48, 60, 60), (2.0, 2.0, 2.0)), degrees, axis)
    straight = geometry_of("LPS", (48, 60, 60), (2.0, 2.0, 2.0))
    view = View(plane, MARK_LPS, WIDE)
    frame = compose_frame(phantom_on(grid), (), view)
    assert frame.labels == compose_frame(phantom_on(straight), (), view).labels
    across, along = frame.pixel_to_lps[:3, 0], frame.pixel_to_lps[:3, 1]
    assert abs(across @ along) < 1e-6
    assert brightest_lps(frame) == pytest.approx(MARK_LPS, abs=1.6)
    rows, columns = np.nonzero(frame.image == 255)
    width, height = frame.pixel_mm
    assert np.ptp(columns) * width == pytest.approx(18, abs=4.1)
    assert np.ptp(rows) * height == pytest.approx(18, abs=4.1)
    assert frame.image[0, 0] == frame.image[-1, -1] == 0


def test_an_overlay_on_tilted_slices_is_sampled_with_them():
    grid = tilted(geometry_of("LPS", (48, 60, 60), (2.0, 2.0, 2.0)), 15.0)
    volume = phantom_on(grid)
    frame = compose_frame(volume, (overlay(volume),), View(Plane.SAGITTAL, MARK_LPS, WIDE))
    drawn = frame.tints[0][..., 3] > 0
    rows, columns = np.nonzero(drawn)
    centre = frame.pixel_to_lps @ np.array([columns.mean(), rows.mean(), 0, 1])
    assert centre[:3] == pytest.approx(MARK_LPS, abs=1.6)
    assert not drawn[0, 0]


def test_the_cursor_is_where_the_point_is():
    view = View(Plane.SAGITTAL, MARK_LPS)
    frame = compose_frame(phantom("RAS"), (), view)
    x, y = frame.cursor
    at = (frame.pixel_to_lps @ np.array([x, y, 0, 1]))[:3]
    assert at[1:] == pytest.approx(MARK_LPS[1:], abs=1e-6)
    assert at[0] == pytest.approx(MARK_LPS[0], abs=2.0)  # to the slice, half a step


def test_values_outside_the_image_are_not_known():
    volume = phantom()
    frame = compose_frame(volume, (overlay(volume),), View(point_lps=(500, 0, 0)))
    assert frame.values == {"image": None, "score": None}


def test_the_first_and_the_last_voxel_have_values_and_missing_slices_have_none():
    grid = geometry_of("LPS", (6, 4, 5), (2.0, 1.0, 1.0))
    numbers = np.arange(1, 121, dtype=np.int16).reshape(grid.shape)
    volume = Volume(numbers, grid, missing_slices=(3,))
    inside = {(0, 0, 0): 1.0, (5, 3, 4): 120.0, (2.4, 0, 0): 41.0, (3.6, 0, 0): 81.0}
    outside = [(2.6, 0, 0), (3.4, 0, 0), (0, 0, -0.6), (0, 0, 4.6)]
    wanted = inside | dict.fromkeys(outside)
    for index, value in wanted.items():
        point = tuple(float(mm) for mm in grid.to_mm(index))
        assert compose_frame(volume, (), View(point_lps=point)).values == {"image": value}


@pytest.mark.parametrize("tilt", [(1, 0, 0), (0, 1, 0)])
def test_the_place_of_a_turned_slice_is_that_of_the_crosshair(tilt):
    view = View(Plane.AXIAL, (30.0, -20.0, 5.0), tilt=turned(STRAIGHT, tilt, 20))
    letter, mm, _ = compose_frame(phantom(), (), view).position.split()
    assert letter == "H"
    assert float(mm) == pytest.approx(5.0, abs=2.2)  # to the slice, half a step of 4 mm


def test_corners_of_other_planes_say_which_and_films_have_no_slices():
    assert (
        compose_frame(phantom(), (), View(Plane.CORONAL))
        .corners.top_right[0]
        .startswith("Coronal ")
    )
    film = phantom_on(geometry_of("PSR", (1, 20, 24)), modality="DX")
    assert compose_frame(film, (), View(Plane.ACQUIRED)).corners.top_right == ()


@pytest.mark.parametrize("kind", [None, "detector"])
def test_millimetres_that_are_not_the_patients_are_not_written(kind):
    volume = phantom_on(replace(geometry_of("LPS"), spacing_kind=kind))
    corners = compose_frame(volume, (), View(point_lps=(0, 0, 2.5))).corners
    assert corners.top_right == ("Im 9 / 16",)


def test_what_models_say_stands_below_the_place_unless_texts_are_hidden():
    said = ("Brain age 63", "Anomaly 0.2")
    for annotations, found in (("all", said), ("minimal", ()), ("none", ())):
        view = View(annotations=annotations)
        lines = compose_frame(phantom(), (), view, said=said).corners.top_right
        plain = compose_frame(phantom(), (), view).corners.top_right
        assert lines == (*plain, *found)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (Window(5.256, 0.5), "W 5.26  L 0.5"),
        (Window(1234.4, -600.4), "W 1234  L \u2212600"),
        (Window(10.0, 9.99), "W 10  L 9.99"),
    ],
)
def test_windows_are_written_short(window, said):
    view = View(window=window, slab_mm=10.0, annotations="minimal")
    assert compose_frame(phantom(), (), view).corners.bottom_left == (said,)


def test_a_table_of_grey_is_named_and_colour_has_none():
    table = ValueTable(0.0, np.array([0.0, 1.0], dtype=np.float32))
    grey = compose_frame(replace(phantom(), value_table=table), (), View())
    assert grey.corners.bottom_left == ("Look-up table",)
    colours = np.zeros((*phantom().geometry.shape, 3), np.uint8)
    colour = compose_frame(Volume(colours, phantom().geometry), (), View())
    assert colour.corners.bottom_left == ()


@pytest.mark.parametrize("length", [1e-6, 1.0, 1e4])
def test_letters_do_not_hang_on_how_long_a_direction_is(length):
    assert letters(np.array([1.0, 5e-5, 0.0]) * length) == "L"
    assert letters(np.array([1.0, -5e-3, 0.0]) * length) == "LA"


def test_corners_say_slice_window_and_that_it_is_for_research():
    volume = phantom()
    view = View(point_lps=(0, 0, 2.5), window=Window(980, 470), slab_mm=10.0, inverted=True)
    corners = compose_frame(volume, (overlay(volume),), view).corners
    assert corners.top_right == ("Im 9 / 16", "H 2.5 mm · 5.0 mm")
    assert corners.bottom_left == ("W 980  L 470", "MIP 10 mm", "Inverted")
    assert corners.bottom_right == ("Anomaly score", "research use only")
    minimal = compose_frame(volume, (), replace(view, annotations="minimal")).corners
    assert minimal.top_right == ("Im 9 / 16",)
    none = compose_frame(volume, (), replace(view, annotations="none")).corners
    assert none.top_right == none.bottom_left == ()
    assert none.bottom_right == ("research use only",)


def test_what_is_doubtful_about_the_image_stands_above_the_window():
    notes = tuple(Note(code, "text") for code in ("LOSSY", "TILTED", "NO_SPACING"))
    volume = replace(phantom(), warnings=notes, missing_slices=(3, 4))
    view = View(point_lps=(0, 0, 2.5), window=Window(980, 470))
    lines = compose_frame(volume, (), view).corners.bottom_left
    assert lines[:-1] == ("2 slices missing · tilted slices", "Lossy · no size in mm")
    minimal = compose_frame(volume, (), replace(view, annotations="minimal")).corners
    assert minimal.bottom_left[:1] == lines[:1]
    assert compose_frame(phantom(), (), view).corners.bottom_left == ("W 980  L 470",)


@pytest.mark.parametrize(
    ("plane", "spacing", "lean", "said"),
    [
        (Plane.AXIAL, (5.0, 1.0, 1.0), 0.0, False),
        (Plane.CORONAL, (5.0, 1.0, 1.0), 0.0, True),
        (Plane.SAGITTAL, (5.0, 1.0, 1.0), 0.0, True),
        (Plane.SAGITTAL, (1.2, 1.0, 1.0), 0.0, False),
        (Plane.CORONAL, (1.0, 1.0, 1.0), 15.0, True),
        (Plane.ACQUIRED, (5.0, 1.0, 1.0), 15.0, False),
    ],
)
@pytest.mark.parametrize("annotations", ["all", "minimal"])
def test_what_lies_between_thick_or_leaning_slices_is_called_interpolated(
    plane, spacing, lean, said, annotations
):
    grid = geometry_of("LPS", (8, 20, 24), spacing)
    volume = phantom_on(tilted(grid, lean) if lean else grid)
    frame = compose_frame(volume, (), View(plane, annotations=annotations))
    assert (INTERPOLATED in frame.corners.bottom_left) is said


def test_graphics_of_the_file_lie_in_white_beneath_all_maps():
    volume = phantom()
    marks = np.zeros(volume.geometry.shape, bool)
    k, j, i = (n // 2 for n in volume.geometry.shape)
    marks[k, j, i] = True
    drawn = replace(volume, graphics=marks)
    point = tuple(float(v) for v in volume.geometry.to_mm((k, j, i)))
    frame = compose_frame(drawn, (), View(point_lps=point))
    (tint,) = frame.tints
    x, y = (round(v) for v in frame.cursor)
    assert tint[y, x].tolist() == [255, 255, 255, 255]
    assert (tint[..., 3] > 0).sum() == 1
    away = tuple(float(v) for v in volume.geometry.to_mm((k + 3, j, i)))
    assert compose_frame(drawn, (), View(point_lps=away)).tints == ()
