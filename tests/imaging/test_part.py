"""The part of a large slice that a pane needs, and what is drawn of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import geometry_of

from medview.domain.geometry import Plane
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.volume import Volume, Window
from medview.imaging import part
from medview.imaging.frame import Layer, View, compose_frame
from medview.imaging.oblique import STRAIGHT, turned
from medview.imaging.part import Room, grown, needed, part_of, placed, px_per_mm
from medview.imaging.reslice import cut_of

# Neither side is a whole number of blocks.
ROWS, COLUMNS = 101, 150
GEOMETRY = geometry_of("PSR", (1, ROWS, COLUMNS), (1.0, 0.5, 0.5))
DICE = np.random.default_rng(7)


def noise(geometry, modality):
    """Grey is the value, so that a mean of values can be read from the picture."""
    values = DICE.integers(0, 256, geometry.shape).astype(np.int16)
    window = Window(255.0, 127.5, "LINEAR_EXACT")
    return Volume(values, geometry, quantity="a.u.", modality=modality, windows=(window,))


FILM = noise(GEOMETRY, "DX")
MAP = ScalarMap("map", DICE.random(GEOMETRY.shape, dtype=np.float32), GEOMETRY, range=(0.0, 1.0))
MASK = ScalarMap("mask", (DICE.random(GEOMETRY.shape) < 0.01).astype(np.uint8), GEOMETRY, "mask")
STYLE = LayerStyle(visible=True, range=(0.0, 1.0), threshold=0.3, opacity=0.6)
LAYERS = (Layer(MAP, STYLE), Layer(MAP, STYLE, MAP), Layer(MASK, STYLE))


@pytest.fixture(autouse=True, scope="module")
def every_film_is_large():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part, "_LARGE", 0)
        yield


views = st.builds(
    View,
    plane=st.sampled_from([Plane.ACQUIRED, Plane.CORONAL]),
    flip_h=st.booleans(),
    flip_v=st.booleans(),
    rotate=st.sampled_from([0, 90, 180, 270]),
    zoom=st.floats(0.3, 30),
    pan_mm=st.tuples(st.floats(-40, 40), st.floats(-40, 40)),
)
rooms = st.builds(Room, st.floats(5, 400), st.floats(5, 400), st.sampled_from([1.0, 1.5, 2.0, 5.0]))


def crop(pixels, piece):
    """What of a whole slice a part of step 1 holds."""
    return pixels[piece.top : piece.top + piece.rows, piece.left : piece.left + piece.columns]


@given(views, rooms)
def test_where_a_pixel_of_the_film_is_one_of_the_frame_they_are_the_same(view, room):
    piece = needed(FILM, view, replace(room, fine=1000.0))
    assert piece.step == 1
    piece = replace(piece, left=int(piece.left), top=int(piece.top))
    some, whole = (compose_frame(FILM, LAYERS, view, part=each) for each in (piece, None))
    assert np.array_equal(some.image, crop(whole.image, piece))
    for tint, all_of_it in zip(some.tints, whole.tints, strict=True):
        assert np.array_equal(tint, crop(all_of_it, piece))
    assert some.size == whole.size
    assert np.array_equal(some.pixel_to_lps, whole.pixel_to_lps)
    assert (some.values, some.cursor, some.labels) == (whole.values, whole.cursor, whole.labels)


@given(views, rooms)
def test_every_pixel_shows_the_film_at_the_place_that_the_matrix_names(view, room):
    """The mean of what it covers, within what the finer planes were rounded to."""
    piece = needed(FILM, view, room)
    frame = compose_frame(FILM, (), view, part=piece)
    assert frame.image.shape == (piece.rows, piece.columns)
    step = piece.step
    for row, column in ((0, 0), (piece.rows - 1, piece.columns - 1), (piece.rows // 2, 0)):
        corner = np.array([piece.left, piece.top]) + np.array([column, row]) * step - 0.5
        ends = np.stack([corner, corner + step])
        index = [GEOMETRY.to_index(tuple((frame.pixel_to_lps @ [*end, 0, 1])[:3])) for end in ends]
        (top, left), (bottom, right) = np.sort(np.array(index)[:, 1:] + 0.5, axis=0)
        shares = np.outer(cover(top, bottom, ROWS), cover(left, right, COLUMNS))
        mean = np.average(FILM.array[0], weights=shares)
        # Blocks that are shared between two pixels count as if they were even.
        near = FILM.array[0][spread(shares, 2 ** int(np.log2(step)))]
        assert near.min() <= frame.image[row, column] <= near.max()
        if step < 2:
            assert frame.image[row, column] == pytest.approx(mean, abs=1.5)


def cover(low, high, size):
    """How much of each pixel of a side lies between two places."""
    return np.clip(
        np.minimum(np.arange(1, size + 1), high) - np.maximum(np.arange(size), low), 0, 1
    )


def spread(shares, by):
    """True where a pixel is covered, and as far around it as blocks reach."""
    rows, columns = (np.flatnonzero(shares.sum(axis=axis) > 1e-6) for axis in (1, 0))
    near = np.zeros(shares.shape, bool)
    near[
        max(rows[0] - by, 0) : rows[-1] + by + 1, max(columns[0] - by, 0) : columns[-1] + by + 1
    ] = True
    return near


@given(views, rooms)
def test_all_that_is_seen_is_there_and_no_more_pixels_than_the_screen_can_show(view, room):
    piece = needed(FILM, view, room)
    rows, columns = piece.whole
    spacing = cut_of(GEOMETRY, view).pixel_mm
    box = (0.0, 0.0, float(columns), float(rows))
    x, y, wide, high = placed(room, box, spacing, view.zoom, view.pan_mm)
    for n, start, count, at, size, pane in (
        (columns, piece.left, piece.columns, x, wide, room.width),
        (rows, piece.top, piece.rows, y, high, room.height),
    ):
        low, end = max(0.0, -at / size), min(float(n), (pane - at) / size)
        if low < end:
            assert start <= low + 1e-6
            assert start + count * piece.step >= end - 1e-6
        # At most one to a pixel of the screen along a side, and one over at both ends.
        assert count <= pane * room.fine / 0.999 + 2
    assert needed(FILM, view, room) == piece
    assert grown(piece, cut_of(GEOMETRY, view)).covers(piece)


@given(views, st.floats(1, 17), st.floats(-3, 3))
@settings(max_examples=30)
def test_of_a_mask_every_place_is_seen_however_coarse(view, step, begin):
    cut = cut_of(GEOMETRY, view)
    whole = compose_frame(FILM, LAYERS[2:], view)
    rows, columns = whole.size
    origin = (begin, begin) if step > 1 else (0.0, 0.0)
    piece = part_of(cut, (0, 0, columns, rows), step, origin)
    seen = compose_frame(FILM, LAYERS[2:], view, part=piece).tints[0][..., 3] > 0
    y, x = np.nonzero(whole.tints[0][..., 3])
    places = ((y + 0.5 - piece.top) / step, (x + 0.5 - piece.left) / step)
    assert seen[tuple(place.astype(int) for place in places)].all()
    # One that lies on an edge is seen on both sides of it, also by what is shared there.
    assert seen.sum() <= 16 * len(y)


@pytest.mark.parametrize(
    ("room", "px"),
    [(Room(300, 200), 3.0), (Room(600, 150), 3.0), (Room(500, 500), 5.0), (Room(0, 90), 1e-6)],
)
def test_a_slice_just_fits_its_pane(room, px):
    """50 columns of 2 mm and 100 rows of half a mm: 100 mm wide, 50 mm high."""
    assert px_per_mm(room, (10, 20, 60, 120), (2.0, 0.5)) == pytest.approx(px)


def test_a_slice_lies_in_the_middle_of_its_pane_and_goes_where_it_is_drawn_to():
    box, pixel_mm = (10.0, 20.0, 60.0, 120.0), (2.0, 0.5)
    x, y, wide, high = placed(Room(300, 200), box, pixel_mm, 1.0, (0.0, 0.0))
    assert (wide, high) == pytest.approx((6.0, 1.5))  # 3 pixels of the pane to a mm
    assert (x + 10 * wide, x + 60 * wide) == pytest.approx((0.0, 300.0))
    assert (y + 20 * high, y + 120 * high) == pytest.approx((25.0, 175.0))
    x, y, wide, high = placed(Room(300, 200), box, pixel_mm, 2.0, (5.0, -4.0))
    assert (wide, high) == pytest.approx((12.0, 3.0))
    assert (x + 35 * wide, y + 70 * high) == pytest.approx((150 + 5 * 6, 100 - 4 * 6))


@pytest.mark.parametrize("turn", [{}, {"flip_h": True, "flip_v": True}])
@pytest.mark.parametrize("origin", [(0.0, 0.0), (-2.0, 1.0)])
def test_beside_the_film_the_nearest_blocks_are_kept(turn, origin):
    cut = cut_of(GEOMETRY, View(plane=Plane.ACQUIRED, **turn))
    # The first block begins on the film, or before it with what lies on it.
    left, top = (0, 0) if origin[0] == 0 else (-2, -3)
    before = part_of(cut, (-70, -60, -50, -40), 4, origin)
    assert (before.left, before.top, before.columns, before.rows) == (left, top, 1, 1)
    beyond = part_of(cut, (500, 400, 600, 500), 4, origin)
    last = (148, 100) if origin[0] == 0 else (146, 97)
    assert (beyond.left, beyond.top, beyond.columns, beyond.rows) == (*last, 1, 1)
    some = part_of(cut, (left + 9, top + 9, left + 19, top + 11), 4, origin)
    assert (some.left, some.top, some.columns, some.rows) == (left + 8, top + 8, 3, 1)


def test_an_eighth_more_is_kept_on_each_side_as_far_as_the_film_goes():
    cut = cut_of(GEOMETRY, View(plane=Plane.ACQUIRED))
    more = grown(part_of(cut, (40, 24, 80, 40), 1), cut)
    assert (more.left, more.columns, more.top, more.rows) == (35, 50, 22, 20)
    edge = grown(part_of(cut, (0, 0, COLUMNS, 80), 1), cut)
    assert (edge.left, edge.columns, edge.top, edge.rows) == (0, COLUMNS, 0, 90)


def test_a_film_that_a_state_draws_on_is_drawn_whole(monkeypatch):
    monkeypatch.setattr(part, "is_drawn_on", lambda volume, view: True)
    assert needed(FILM, View(), Room(10, 10)) is None


def test_a_part_covers_what_lies_in_it_and_is_as_fine():
    cut = cut_of(GEOMETRY, View(plane=Plane.ACQUIRED))
    large, small = part_of(cut, (0, 0, 80, 80), 2), part_of(cut, (20, 20, 60, 60), 2)
    assert large.covers(small)
    assert not small.covers(large)
    assert not large.covers(part_of(cut, (20, 20, 60, 60), 1))
    assert not large.covers(replace(small, whole=(7, 7)))
    # Half a pixel of the screen further on are others.
    assert not large.covers(replace(small, left=small.left + 1))
    assert large.covers(replace(small, left=small.left + 2 + 1e-9))


def test_small_slices_are_drawn_whole_and_what_is_still_to_come(monkeypatch):
    assert needed(FILM, View(), Room(10, 10)) is not None
    assert needed(replace(FILM, slices_to_come=(0,)), View(), Room(10, 10)) is None
    monkeypatch.setattr(part, "_LARGE", ROWS * COLUMNS)
    assert needed(FILM, View(), Room(10, 10)) is None


GRID = geometry_of("LPS", (3, 40, 50), (2.0, 1.0, 1.0))
STACK = noise(GRID, "MG")


@pytest.mark.parametrize("k", [0, 1, 2])
def test_of_a_stack_the_slice_at_the_point_is_drawn(k):
    view = View(point_lps=tuple(GRID.to_mm((k, 20, 20))))
    piece = needed(STACK, view, Room(25, 20))
    assert (piece.step, piece.rows, piece.columns) == (2.0, 20, 25)
    frame = compose_frame(STACK, (), view, part=piece)
    blocks = STACK.array[k].reshape(20, 2, 25, 2).mean(axis=(1, 3))
    assert np.abs(frame.image - blocks).max() <= 1
    assert (frame.slice, frame.size) == (k, (40, 50))


@pytest.mark.parametrize(
    "change",
    [{"slab_mm": 9.0}, {"plane": Plane.CORONAL}, {"tilt": turned(STRAIGHT, (1.0, 0.0, 0.0), 20)}],
)
def test_slabs_and_planes_across_the_slices_are_taken_whole(change):
    view = View(point_lps=tuple(GRID.to_mm((1, 20, 20))), **change)
    assert needed(STACK, view, Room(25, 20)) is None


def test_what_fits_into_the_pane_may_be_the_body_alone():
    view = View(point_lps=tuple(GRID.to_mm((1, 20, 20))))
    corners = GRID.to_mm(np.array([(k, j, i) for k in (0, 2) for j in (10, 20) for i in (10, 20)]))
    some, whole = (needed(STACK, view, Room(8, 8), body) for body in (corners, None))
    assert (some.step, whole.step) == pytest.approx((1.4, 6.25))
    assert some.left > 9


def test_what_the_file_lays_over_a_film_is_not_thinned_out():
    lines = np.zeros(GEOMETRY.shape, bool)
    lines[0, 50, :] = True
    drawn = replace(FILM, graphics=lines)
    view = View(plane=Plane.ACQUIRED)
    piece = needed(drawn, view, Room(20, 20))
    assert piece.step > 2
    (tint,) = compose_frame(drawn, (), view, part=piece).tints
    row = int((50.5 - piece.top) / piece.step)
    assert (tint[row] == 255).all()
    assert not tint[row + 2].any()


def test_a_pane_without_any_room_is_no_error():
    assert needed(FILM, View(), Room(0, 0)).columns >= 1


def test_colours_keep_their_part():
    colours = np.random.default_rng(1).integers(0, 256, (*GEOMETRY.shape, 3), dtype=np.uint8)
    film = Volume(colours, GEOMETRY, quantity="", modality="XC")
    piece = needed(film, View(plane=Plane.ACQUIRED, rotate=90), Room(30, 30))
    frame = compose_frame(film, (), View(plane=Plane.ACQUIRED, rotate=90), part=piece)
    assert frame.image.shape == (piece.rows, piece.columns, 3)
