"""The finished pixels: what is drawn, where it is drawn, and the letters beside it."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import BASE_CASES, MARK_LPS, geometry_of, map_of, phantom, phantom_on, sphere_at
from scipy import ndimage

from medview.domain.geometry import Geometry, Plane
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.volume import Volume, Window
from medview.imaging.frame import Corners, Labels, Layer, View, compose_frame, flatten, placement
from medview.imaging.marks import DrawnMark
from medview.imaging.part import needed_here

WIDE = Window(1000, 500, "LINEAR_EXACT")
SIZE = (300, 240)
_TOWARDS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "H": (2, 1), "F": (2, -1)}


def bare(frame):
    """The frame without texts, letters and crosshair."""
    return replace(frame, annotations="none", crosshair=False, labels=Labels(), corners=Corners())


def centroid(picture):
    """(x, y) of the bright blob of a picture, weighted by brightness."""
    light = picture.astype(float).mean(axis=-1)
    light[light < 60] = 0
    rows, columns = np.indices(light.shape)
    return (light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()


def drawn_letters(frame):
    """Where pixels change when one letter is taken away: {edge: (x, y)}."""
    whole = flatten(frame, SIZE).astype(int)
    found = {}
    for edge in ("left", "right", "top", "bottom"):
        without = flatten(replace(frame, labels=replace(frame.labels, **{edge: ""})), SIZE)
        rows, columns = np.nonzero(np.abs(whole - without).sum(axis=-1))
        found[edge] = (columns.mean(), rows.mean())
    return found


@pytest.mark.parametrize("flip_v", [False, True])
@pytest.mark.parametrize("flip_h", [False, True])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_the_letter_drawn_beside_the_blob_says_where_the_voxel_is(case, rotate, flip_h, flip_v):
    view = View(Plane.ACQUIRED, case.point_lps, WIDE, flip_h=flip_h, flip_v=flip_v, rotate=rotate)
    frame = compose_frame(case.single_voxel, (), view)
    blob = np.array(centroid(flatten(bare(frame), SIZE)))
    middle = (np.array(SIZE) - 1) / 2
    away_lps = np.array(case.point_lps) - case.geometry.to_mm((3, 2.5, 4))
    for edge, at in drawn_letters(frame).items():
        letter = getattr(frame.labels, edge)[0]
        toward_edge = np.array(at) - middle
        axis, sign = _TOWARDS[letter]
        on_this_side = float((blob - middle) @ toward_edge) > 0
        along = (
            case.geometry.affine[:3, 2]
            if edge_is_columns(edge, rotate)
            else case.geometry.affine[:3, 1]
        )
        along = along * np.sign(along[axis]) * sign  # toward the letter
        assert on_this_side == (float(away_lps @ along) > 0)


def edge_is_columns(edge, rotate):
    """Whether going to this edge runs along the stored columns' direction."""
    return (edge in ("left", "right")) == (rotate % 180 == 0)


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("rotate", [0, 90])
@pytest.mark.parametrize("zoom", [1.0, 2.5])
def test_a_pixel_of_the_picture_is_where_the_placement_says(plane, rotate, zoom):
    grid = geometry_of("RPI", (40, 50, 44), (2.0, 2.5, 3.0))
    ball = sphere_at((8.0, -10.0, 6.0), radius_mm=9.0, geometry=grid, value=1000.0)
    view = View(plane, (8.0, -10.0, 6.0), WIDE, rotate=rotate)
    frame = compose_frame(ball, (), view)
    pan = (5.0, 4.0)
    picture = flatten(bare(frame), SIZE, zoom=zoom, pan_mm=pan)
    x, y = centroid(picture)
    found = (placement(frame, SIZE, zoom=zoom, pan_mm=pan) @ np.array([x, y, 0, 1]))[:3]
    rows, columns = np.nonzero(frame.image == 255)
    truth = (frame.pixel_to_lps @ np.array([columns.mean(), rows.mean(), 0, 1]))[:3]
    assert found == pytest.approx(truth, abs=0.35)


@pytest.mark.parametrize("size", [(300, 240), (301, 241), (57, 1000)])
def test_a_single_voxel_is_drawn_to_a_small_part_of_a_pixel(size):
    case = BASE_CASES[0]
    frame = compose_frame(case.single_voxel, (), View(Plane.ACQUIRED, case.point_lps, WIDE))
    light = flatten(bare(frame), size).astype(float).mean(axis=-1)
    rows, columns = np.indices(light.shape)
    x, y = (light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()
    expected = np.linalg.inv(placement(frame, size)) @ (*case.point_lps, 1)
    assert (x, y) == pytest.approx(expected[:2], abs=0.15)


def test_panning_moves_the_image_to_the_right_and_down():
    frame = bare(compose_frame(phantom(), (), View(point_lps=MARK_LPS, window=WIDE)))
    here, there = (centroid(flatten(frame, SIZE, pan_mm=pan)) for pan in ((0, 0), (5.0, 10.0)))
    per_mm = SIZE[1] / 120  # 20 rows of 6 mm fill the height
    moved = there[0] - here[0], there[1] - here[1]
    assert moved == pytest.approx((5 * per_mm, 10 * per_mm), abs=1.0)


def test_the_whole_image_fits_in_its_true_proportions():
    grid = geometry_of("LPS", (20, 30, 40), (6.0, 2.0, 1.0))  # coronal: 40 mm wide, 120 mm high
    volume = phantom_on(grid)
    frame = bare(
        compose_frame(
            replace(volume, array=np.full(grid.shape, 1000, np.int16)),
            (),
            View(Plane.CORONAL, window=WIDE),
        )
    )
    picture = flatten(frame, (400, 240))
    rows, columns = np.nonzero(picture.mean(axis=-1) > 128)
    assert np.ptp(rows) + 1 == 240
    assert np.ptp(columns) + 1 == 80
    assert columns.mean() == pytest.approx(199.5)


def test_a_film_far_larger_than_the_picture_is_averaged_not_picked():
    stripes = np.zeros((1, 1000, 1000), dtype=np.int16)
    stripes[:, :, ::2] = 1000
    film = replace(phantom_on(geometry_of("LPS", (1, 1000, 1000), (1, 1, 1))), array=stripes)
    picture = flatten(bare(compose_frame(film, (), View(window=WIDE))), (100, 100))
    assert picture[10:-10, 10:-10].min() > 110
    assert picture[10:-10, 10:-10].max() < 145


def test_an_overlay_shows_only_where_it_is_above_its_threshold():
    volume = phantom()
    layer = Layer(map_of(volume), LayerStyle(True, range=(0, 1000), threshold=500.0, opacity=1.0))
    view = View(point_lps=MARK_LPS, window=WIDE)
    bright = compose_frame(volume, (), view)
    tinted = replace(bare(compose_frame(volume, (layer,), view)), colour_bars=())
    plain, drawn = (flatten(frame, SIZE).astype(int) for frame in (bare(bright), tinted))
    changed = np.abs(plain - drawn).sum(axis=-1) > 0
    x, y = centroid(np.repeat(changed[..., None] * 255, 3, axis=-1))
    back = placement(bright, SIZE) @ np.array([x, y, 0, 1])
    rows, columns = np.nonzero(bright.image == 255)
    truth = bright.pixel_to_lps @ np.array([columns.mean(), rows.mean(), 0, 1])
    assert back == pytest.approx(truth, abs=0.5)
    assert np.ptp(plain[changed], axis=-1).max() == 0  # grey before
    assert np.ptp(drawn[changed], axis=-1).max() > 50  # coloured now


def test_half_opacity_is_half_way_between_grey_and_colour():
    volume = phantom()
    view = View(point_lps=MARK_LPS, window=WIDE)
    at = None
    shades = []
    for opacity in (0.0, 0.5, 1.0):
        style = LayerStyle(True, "#0000ff", (0, 1000), 500.0, opacity)
        frame = replace(
            bare(compose_frame(volume, (Layer(map_of(volume), style),), view)), colour_bars=()
        )
        picture = flatten(frame, SIZE).astype(int)
        if at is None:
            x, y = centroid(picture - 80)
            at = round(y), round(x)
        shades.append(picture[at])
    assert shades[0].tolist() == [255, 255, 255]
    assert shades[2].tolist() == [0, 0, 255]
    assert shades[1].tolist() == pytest.approx([127, 127, 255], abs=2)


def test_a_missing_slice_is_hatched_and_named():
    volume = replace(phantom(), missing_slices=(8,))
    gone = compose_frame(volume, (), View(point_lps=(0, 0, 2.5), window=Window(9e5, 4e5)))
    hatched = flatten(bare(gone), SIZE).mean(axis=-1) > 60
    assert 0.05 < hatched.mean() < 0.3
    there = compose_frame(volume, (), View(point_lps=(0, 0, 7.5), window=Window(9e5, 4e5)))
    assert not (flatten(bare(there), SIZE).mean(axis=-1) > 60).any()


def test_the_crosshair_crosses_at_the_point_and_leaves_it_free():
    volume = phantom()
    frame = replace(
        compose_frame(volume, (), View(point_lps=MARK_LPS, window=Window(9e5, 4e5))),
        annotations="none",
    )
    change = flatten(frame, SIZE).astype(int) - flatten(replace(frame, crosshair=False), SIZE)
    lines = np.abs(change).sum(axis=-1) > 0
    column, row = lines.sum(axis=0).argmax(), lines.sum(axis=1).argmax()
    at = (placement(frame, SIZE) @ np.array([column, row, 0, 1]))[:2]
    assert at == pytest.approx(MARK_LPS[:2], abs=0.6)
    assert not lines[row - 8 : row + 9, column - 8 : column + 9].any()


def test_panned_out_of_sight_is_black():
    frame = bare(compose_frame(phantom(), (), View()))
    assert not flatten(frame, SIZE, pan_mm=(5000.0, 0.0)).any()


def test_colour_is_drawn_in_its_colours():
    values = np.full((1, 8, 8, 3), (200, 100, 50), dtype=np.uint8)
    film = replace(phantom_on(geometry_of("LPS", (1, 8, 8))), array=values)
    picture = flatten(bare(compose_frame(film, (), View())), (80, 80))
    assert picture[40, 40].tolist() == [200, 100, 50]


# -- large films -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film():
    """A film of 5 Mpx: a slope with a bright square, and a map with a square of its own."""
    rows, columns = 2501, 2003
    array = 300 + np.add.outer(np.arange(rows), np.arange(columns))[None].astype(np.int16)
    array[0, 600:700, 400:500] = 4800
    array.setflags(write=False)
    grid = Geometry(array.shape, np.diag([0.1, 0.1, 1.0, 1.0])[:, [2, 1, 0, 3]])
    volume = Volume(array, grid, windows=(Window(5000, 2500),), modality="DX")
    found = np.zeros(array.shape, np.float32)
    found[0, 1200:1500, 900:1400] = 1.0
    return volume, Layer(ScalarMap("evidence", found, grid), LayerStyle(visible=True))


def both_ways(film, size, **turned):
    """A picture made of the whole film, and of what it needs of it."""
    volume, layer = film
    middle = tuple(float(mm) for mm in volume.geometry.to_mm([0, 1250, 1000]))
    view = View(Plane.ACQUIRED, middle, crosshair=False, annotations="none", **turned)
    part = needed_here(volume, view, size)
    way = {"zoom": view.zoom, "pan_mm": view.pan_mm}
    frames = [compose_frame(volume, (layer,), view, part=each) for each in (None, part)]
    for each in frames:
        np.testing.assert_array_equal(
            placement(each, size, **way), placement(frames[0], size, **way)
        )
    return part, [flatten(each, size, **way).astype(int) for each in frames]


@pytest.mark.parametrize("rotate", [0, 90])
@pytest.mark.parametrize("flip_h", [False, True])
def test_of_a_film_no_finer_pixels_are_drawn_than_the_picture_has(film, rotate, flip_h):
    size = (400, 300) if rotate else (300, 400)
    part, (whole, coarse) = both_ways(film, size, rotate=rotate, flip_h=flip_h)
    assert part.step == pytest.approx(2003 / 300)
    assert np.abs(whole - coarse).mean() < 0.6
    away = np.abs(whole - coarse).max(axis=2) > 24
    # Only along the edges of the squares, by less than two pixels, and nowhere else.
    assert away.mean() < 0.01
    assert not ndimage.binary_erosion(away, iterations=2).any()
    np.testing.assert_array_equal(whole.sum(axis=2) == 0, coarse.sum(axis=2) == 0)


def test_of_a_film_that_is_magnified_what_is_seen_is_drawn_pixel_by_pixel(film):
    part, (whole, seen) = both_ways(film, (300, 300), zoom=9.0, pan_mm=(30.0, 12.0))
    assert part.step == 1
    assert part.rows * part.columns < 2501 * 2003 / 9
    assert np.abs(whole - seen).max() <= 1


def test_boxes_are_drawn_where_their_corners_lie_on_the_picture():
    frame = bare(compose_frame(phantom(), (), View(point_lps=MARK_LPS)))
    corners = ((2.0, 1.0), (5.0, 1.0), (5.0, 4.0), (2.0, 4.0))
    plain, boxed = (
        flatten(replace(frame, marks=marks), SIZE).astype(int)
        for marks in ((), (DrawnMark("", corners),))
    )
    rows, columns = np.nonzero(np.abs(boxed - plain).sum(axis=-1))
    back = np.linalg.inv(placement(frame, SIZE)) @ frame.pixel_to_lps
    for n, drawn in enumerate((columns, rows)):
        ends = [(back @ (x, y, 0, 1))[n] for x, y in (corners[0], corners[2])]
        assert (drawn.min(), drawn.max()) == pytest.approx(ends, abs=1.5)
