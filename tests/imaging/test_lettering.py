"""Texts and legends on the finished picture."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import map_of, phantom

from medview.domain.overlay import LayerStyle
from medview.domain.volume import Window
from medview.imaging.frame import Corners, Labels, Layer, View, compose_frame, flatten

WIDE = Window(1000, 500, "LINEAR_EXACT")
SIZE = (300, 240)


def test_the_colour_bar_has_a_tick_at_the_threshold_and_moves_with_it():
    volume = phantom()
    pictures = []
    for threshold in (200.0, 800.0):
        style = LayerStyle(True, range=(0, 1000), threshold=threshold, opacity=0.0)
        frame = compose_frame(volume, (Layer(map_of(volume), style),), View(window=WIDE))
        pictures.append(flatten(frame, (500, 500)).astype(int))
    rows, columns = np.nonzero(np.abs(pictures[0] - pictures[1]).sum(axis=-1))
    assert columns.min() > 380
    assert 140 < rows.min() < rows.max() < 360


def test_the_research_sentence_stays_in_the_corner_whatever_is_hidden():
    frame = compose_frame(phantom(), (), View(annotations="none", crosshair=False))
    drawn = flatten(frame, SIZE).astype(int)
    without = flatten(replace(frame, corners=Corners()), SIZE).astype(int)
    rows, columns = np.nonzero(np.abs(drawn - without).sum(axis=-1))
    assert rows.min() > SIZE[1] * 0.8
    assert columns.min() > SIZE[0] * 0.5


def test_the_score_strip_shows_the_current_slice_in_blue():
    frame = compose_frame(phantom(), (), View(point_lps=(0, 0, 2.5), window=Window(9e5, 4e5)))
    strip = replace(frame, strip=tuple(float(n) for n in range(16)), crosshair=False)
    change = flatten(strip, (500, 500)).astype(int) - flatten(replace(strip, strip=()), (500, 500))
    rows = np.nonzero(np.abs(change).sum(axis=-1))[0]
    assert rows.min() > 400
    blue = change[..., 2] > change[..., 0] + 60
    assert np.nonzero(blue)[1].mean() == pytest.approx(140 + 220 * 8.5 / 16, abs=6)


def test_a_thumbnail_has_room_for_letters_but_not_for_texts():
    frame = compose_frame(phantom(), (), View(crosshair=False))
    small = (80, 80)
    assert np.array_equal(flatten(frame, small), flatten(replace(frame, corners=Corners()), small))
    assert not np.array_equal(
        flatten(frame, small), flatten(replace(frame, labels=Labels()), small)
    )
    assert flatten(frame, (20, 10)).shape == (10, 20, 3)


def test_larger_text_is_drawn_larger():
    frame = replace(compose_frame(phantom(), (), View()), image=np.zeros((20, 24), np.uint8))
    small, large = (flatten(frame, (500, 500), text_px=px).astype(int).sum() for px in (12, 24))
    assert large > 2 * small


def test_a_text_is_legible_on_white():
    white = replace(
        compose_frame(phantom(), (), View(crosshair=False)),
        image=np.full((20, 24), 255, np.uint8),
    )
    picture = flatten(white, SIZE).astype(int).min(axis=-1)
    letter = picture[6:26, 138:162]  # "A" at the upper edge
    assert picture[60:80, 138:162].min() == 255
    assert letter.min() < 40
