"""What Qt paints of a frame, read from painted pixels."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import MARK_LPS, map_of, phantom
from PySide6.QtGui import QImage, QPainter, QTransform

from medview.domain.overlay import LayerStyle
from medview.imaging.frame import Layer, View, compose_frame
from medview.imaging.view import Part
from medview.ui.picture import Picture, merged

STYLE = LayerStyle(visible=True, range=(0.0, 1.0), threshold=0.2, opacity=0.6)


@pytest.fixture(scope="module")
def frame():
    volume = phantom()
    dice = np.random.default_rng(3)
    maps = [
        replace(map_of(volume), array=dice.random(volume.geometry.shape, dtype=np.float32))
        for _ in range(2)
    ]
    layers = tuple(
        Layer(each, replace(STYLE, colour_map=name))
        for each, name in zip(maps, ("inferno", "viridis"), strict=True)
    )
    return compose_frame(volume, layers, View(point_lps=MARK_LPS))


def rgb_of(image):
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def painted(frame, transform, size):
    picture = Picture()
    picture.show(frame)
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    picture.paint(painter, transform)
    painter.end()
    return rgb_of(image)


def blended(frame):
    """Image and tints laid one over the other by the formula, in whole numbers."""
    image = frame.image if frame.image.ndim == 3 else np.stack([frame.image] * 3, axis=-1)
    found = image.astype(float)
    for tint in frame.tints:
        alpha = tint[..., 3:] / 255
        found = tint[..., :3] * alpha + found * (1 - alpha)
    return found


def test_image_and_tints_become_the_colours_that_the_formula_gives(frame):
    assert len(frame.tints) == 2
    assert np.abs(rgb_of(merged(frame)) - blended(frame)).max() <= 2


def test_a_colour_image_keeps_its_colours_and_needs_no_contiguous_array(frame):
    dice = np.random.default_rng(5)
    turned = dice.integers(0, 256, (*frame.image.shape[::-1], 3), dtype=np.uint8).swapaxes(0, 1)
    assert np.array_equal(rgb_of(merged(replace(frame, image=turned, paints=()))), turned)


def test_at_the_resolution_of_the_data_every_pixel_is_its_own(frame):
    rows, columns = frame.image.shape
    shown = painted(frame, QTransform(), (columns, rows))
    assert np.array_equal(shown, rgb_of(merged(frame)))


def test_what_is_finer_than_the_screen_is_averaged_and_not_left_out(frame):
    """Bright lines of one pixel in eight: on a screen eight times as coarse none may be lost."""
    lines = np.zeros((256, 256), np.uint8)
    lines[:, 5::8] = 240
    fine = replace(frame, image=lines, paints=())
    shown = painted(fine, QTransform.fromScale(1 / 8, 1 / 8), (32, 32))[2:-2, 2:-2, 0]
    assert shown.min() > 15
    assert shown.max() < 60


def test_a_place_stays_where_it_is_however_coarse_the_screen(frame):
    spot = np.zeros((301, 403), np.uint8)
    spot[100:140, 200:240] = 255
    for scale in (1.0, 0.6, 0.3, 0.11):
        size = (int(403 * scale) + 1, int(301 * scale) + 1)
        bare = replace(frame, image=spot, paints=())
        shown = painted(bare, QTransform.fromScale(scale, scale), size)[..., 0]
        y, x = (np.average(axis, weights=shown) for axis in np.indices(shown.shape))
        assert ((x + 0.5) / scale, (y + 0.5) / scale) == pytest.approx((220, 120), abs=0.6 / scale)


def test_pixels_are_merged_again_only_when_they_are_others(frame, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "medview.ui.picture.merged", lambda *given: calls.append(given) or merged(*given)
    )
    picture = Picture()
    picture.show(frame)
    picture.show(replace(frame, position="H 1 mm"))
    assert len(calls) == 1
    picture.show(replace(frame, paints=frame.paints[:1]))
    picture.show(replace(frame, image=255 - frame.image))
    picture.show(None)
    assert len(calls) == 3


@pytest.mark.parametrize("at", [(3.0, 5.0), (3.4, 4.8)])
def test_pixels_of_the_screen_are_painted_as_they_are(frame, at):
    """Blocks of 2.5 pixels of the slice on a screen that is 2.5 times as coarse."""
    dice = np.random.default_rng(6)
    image = dice.integers(1, 256, (8, 9), dtype=np.uint8)
    part = Part(left=2.5, top=5.0, columns=9, rows=8, step=2.5, whole=(23, 24))
    some = replace(frame, image=image, paints=(), part=part)
    shown = painted(some, QTransform.fromTranslate(*at).scale(0.4, 0.4), (20, 20))[..., 0]
    # The slice ends after 9.2 pixels of the screen: what lies beyond is not drawn.
    assert np.array_equal(shown[7:14, 4:13], image[:7])
    assert not shown[14:].any()
    assert not shown[:7].any()


def test_nothing_is_painted_where_there_is_no_frame():
    assert not painted(None, QTransform(), (4, 4)).any()


def test_what_is_merged_in_pieces_is_as_if_done_at_once(frame, monkeypatch):
    whole = rgb_of(merged(frame))
    monkeypatch.setattr("medview.ui.picture._AT_ONCE", 5 * frame.image.shape[1])
    assert np.array_equal(rgb_of(merged(frame)), whole)


def test_an_image_of_another_size_is_not_written_into(frame):
    kept = merged(frame)
    small = replace(frame, image=frame.image[:-3, :-5], paints=())
    made = merged(small, kept)
    assert made.size() != kept.size()
    assert np.array_equal(rgb_of(merged(frame, kept)), rgb_of(merged(frame)))
    assert merged(frame, kept) is kept


def test_what_is_not_shown_leaves_the_image_as_it_is(frame):
    shown = np.random.default_rng(9).random(frame.image.shape) < 0.5
    bare = replace(frame, paints=())
    some = replace(frame, paints=(replace(frame.paints[0], shown=shown),))
    assert np.abs(rgb_of(merged(some)) - blended(some)).max() <= 1
    assert np.array_equal(rgb_of(merged(some))[~shown], rgb_of(merged(bare))[~shown])


def test_fading_is_laid_over_as_the_formula_says(frame):
    dice = np.random.default_rng(9)
    alpha = dice.integers(0, 256, frame.image.shape, dtype=np.uint8)
    alpha[:4] = alpha[-2:] = 0
    faded = replace(frame, paints=(replace(frame.paints[0], alpha=alpha), frame.paints[1]))
    assert np.abs(rgb_of(merged(faded)) - blended(faded)).max() <= 2
