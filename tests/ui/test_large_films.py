"""A film with more pixels than the screen: it costs what the screen has, and shows the same."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from phantoms import geometry_of
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from scipy import ndimage

from medview.domain.geometry import Plane
from medview.domain.volume import Volume, Window
from medview.imaging.frame import compose_frame
from medview.imaging.part import needed

ROWS, COLUMNS = 2600, 2200
WINDOW = Window(300.0, 150.0, "LINEAR_EXACT")


@pytest.fixture(scope="module")
def film():
    """Slow waves with one bright patch, far from every line of symmetry."""
    geometry = geometry_of("LIP", (1, ROWS, COLUMNS), (1.0, 0.15, 0.15))
    row, column = np.ogrid[:ROWS, :COLUMNS]
    waves = 60 + 50 * np.sin(row / 97) * np.cos(column / 71)
    waves[400:480, 1500:1640] = 300
    return Volume(waves.astype(np.int16)[None], geometry, modality="DX", windows=(WINDOW,))


@pytest.fixture
def shown(bench, film):
    bench.show(film)
    return bench


def view(bench, **change):
    views = bench.session.views
    bench.session.views = {**views, "main": replace(views["main"], **change)}
    return bench.frame()


def pixels_of(pane):
    image = pane.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width()].astype(int)


def test_what_is_composed_is_no_finer_than_the_screen(shown):
    frame = shown.frame()
    assert frame.part.step > 1
    assert frame.image.size < ROWS * COLUMNS / 3
    assert frame.size == (ROWS, COLUMNS)
    near = view(shown, zoom=8.0)
    assert near.part.step == 1
    assert near.image.size < ROWS * COLUMNS / 3


def test_a_short_way_needs_no_new_pixels_and_a_long_one_gets_them(shown):
    start = view(shown, zoom=8.0)
    near, far = view(shown, pan_mm=(2.0, -2.0)), view(shown, pan_mm=(90.0, 0.0))
    assert near.image is start.image
    assert far.part.left < start.part.left
    assert view(shown, zoom=1.0).part.step > 1


def test_a_window_is_turned_on_what_is_seen(shown):
    before = shown.frame()
    after = view(shown, window=Window(600.0, 150.0, "LINEAR_EXACT"))
    assert after.image.shape == before.image.shape
    assert after.image.max() < before.image.max()


@pytest.mark.parametrize("turn", [{}, {"flip_h": True}, {"rotate": 90}, {"flip_v": True}])
def test_the_patch_is_painted_where_the_patient_has_it(shown, film, turn):
    """Left is left: the place is known from the file's own geometry."""
    frame = view(shown, annotations="none", **turn)
    pane = shown.pane()
    regions, _ = ndimage.label(pixels_of(pane) > 230)
    # Letters are smaller.
    patch = regions == np.bincount(regions[regions > 0]).argmax()
    y, x = (indices[patch].mean() for indices in np.indices(patch.shape))
    found = pane.to_lps(x + 0.5, y + 0.5)
    middle = film.geometry.to_mm((0, 439.5, 1569.5))
    assert found == pytest.approx(tuple(middle), abs=2.0 * frame.part.step * 0.15)


places = st.builds(
    dict,
    plane=st.sampled_from([Plane.ACQUIRED, Plane.CORONAL]),
    zoom=st.floats(0.5, 12),
    pan_mm=st.tuples(st.floats(-120, 120), st.floats(-120, 120)),
    rotate=st.sampled_from([0, 90, 180, 270]),
    flip_h=st.booleans(),
    flip_v=st.booleans(),
)


STRAIGHT = {"plane": Plane.ACQUIRED, "pan_mm": (0.0, 0.0), "rotate": 0, "flip_h": False}


@example(STRAIGHT | {"zoom": 1.0, "flip_v": False})
@example(STRAIGHT | {"zoom": 0.8, "flip_v": True})
@given(places)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_pane_looks_as_if_all_of_the_film_were_painted(shown, film, place):
    some = view(shown, **place)
    pane = shown.pane()
    painted = pixels_of(pane)
    whole = compose_frame(film, (), shown.session.views["main"])
    assert whole.part is None
    pane.draw(replace(some, image=whole.image, part=None), pane._placing, pane.dress)
    away = np.abs(pixels_of(pane) - painted)
    if some.part.step == 1:
        assert away.max() <= 1
    # Where the patch has its edge, pixels of the screen share it out in another way.
    assert np.quantile(away, 0.99) <= 2
    # Rounded twice instead of once: 0.66 on average where it is most, at a zoom of 0.8.
    assert away.mean() < 0.8


@pytest.mark.parametrize("zoom", [0.7, 1.0, 1.9, 3.1, 9.0])
@pytest.mark.parametrize("turn", [{}, {"flip_h": True, "rotate": 90}])
def test_a_marked_pixel_is_painted_within_half_a_pixel_of_the_screen(shown, film, zoom, turn):
    """Found by its weight in the painted pixels, on a film that is black elsewhere."""
    j, i = 1303, 1098
    spot = np.zeros(film.array.shape, np.int16)
    spot[0, j - 8 : j + 9, i - 8 : i + 9] = 250
    shown.show(replace(film, array=spot), uid="1.2")
    frame = view(shown, annotations="none", zoom=zoom, **turn)
    pane = shown.pane()
    assert (frame.part.step == 1) == (pane.px_per_mm() * 0.15 >= 1)
    seen = pixels_of(pane).astype(float)
    x, y, *_ = np.linalg.inv(frame.pixel_to_lps) @ [*film.geometry.to_mm((0, j, i)), 1.0]
    at = pane.pixel_of(x, y)
    rows, columns = np.indices(seen.shape) + 0.5
    seen[np.hypot(rows - at.y(), columns - at.x()) > 60] = 0  # letters
    found = tuple(float(np.average(places, weights=seen)) for places in (columns, rows))
    assert found == pytest.approx((at.x(), at.y()), abs=0.5)


def test_lines_finer_than_the_screen_make_no_waves(shown, film):
    """A grid of two bright columns in four is a grey on screen, as it is on a light box."""
    lines = np.zeros(film.array.shape, np.int16)
    lines[..., ::4] = lines[..., 1::4] = 300
    shown.show(replace(film, array=lines), uid="1.2")
    wide = 1 / (shown.pane().px_per_mm() * 0.15)  # pixels of the film to one of the screen
    view(shown, annotations="none", zoom=wide / 3.9)
    painted = pixels_of(shown.pane())
    high, across = (n // 2 for n in painted.shape)
    middle = painted[high - 100 : high + 100, across - 150 : across + 150]
    assert middle.mean() == pytest.approx(127.5, abs=2)
    assert np.ptp(np.median(middle, axis=0)) < 40


@pytest.mark.parametrize("zoom", [1.0, 2.3, 8.0])
def test_probed_values_are_those_of_the_stored_pixels(shown, film, zoom):
    place = film.geometry.to_mm((0, 700, 900))
    frame = view(shown, zoom=zoom, point_lps=tuple(float(mm) for mm in place))
    assert frame.values["image"] == film.array[0, 700, 900]
    x, y = frame.cursor
    assert film.geometry.to_index((frame.pixel_to_lps @ [x, y, 0, 1])[:3])[1:] == pytest.approx(
        (700, 900), abs=1e-6
    )


def test_under_the_glass_are_finer_pixels(shown):
    step = shown.frame().part.step
    shown.pane().set_loupe(QPointF(100, 100))
    shown.settle()
    assert shown.frame().part.step < step
    shown.pane().set_loupe(None)
    shown.settle()
    assert shown.frame().part.step == step


def test_a_pane_that_has_become_another_size_asks_for_its_pixels(shown, film):
    pane = shown.pane()
    asked = []
    pane.on_room = lambda: asked.append(needed(film, shown.session.views["main"], pane.room))
    pane.resize(pane.width() // 5, pane.height() // 5)
    assert asked[-1].step > shown.window.grid.frame_of("main").part.step
