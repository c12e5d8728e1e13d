"""Texts and legends on the finished picture."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import map_of, phantom
from PIL import Image

from medview.domain.overlay import LayerStyle
from medview.domain.report import ColourBar
from medview.domain.volume import Window
from medview.imaging import lettering
from medview.imaging.frame import Corners, Labels, Layer, View, compose_frame, flatten
from medview.imaging.lettering import write, write_marks
from medview.imaging.marks import DrawnMark

BAR = ColourBar(np.eye(3, dtype=np.uint8) * 200, 10.0, 30.0, 25.0, "%", "score")
MASK = ColourBar(np.full((1, 3), 90, np.uint8), 0.0, 1.0, None, "", "brain")
BLACK = Image.new("RGB", (400, 200))
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


@pytest.fixture
def written(monkeypatch):
    """What is written on a picture, each text with its place, by calling the fixture."""

    def of(draw, *args):
        texts = []
        monkeypatch.setattr(lettering, "_draw", lambda picture, given: texts.extend(given))
        draw(*args)
        return {text.words: (tuple(round(n, 6) for n in text.at), text.anchor) for text in texts}

    return of


def plain_frame(**changes):
    return replace(compose_frame(phantom(), (), View(crosshair=False)), **changes)


def test_letters_and_corners_stand_where_they_are_meant(written):
    frame = plain_frame(
        labels=Labels("R", "L", "A", "P"),
        corners=Corners(("one", "two"), ("three",), ("four", "five"), ("six",)),
    )
    assert written(write, BLACK.copy(), frame, 10.0) == {
        "R": ((8, 100), "lm"),
        "L": ((392, 100), "rm"),
        "A": ((200, 8), "mt"),
        "P": ((200, 192), "mb"),
        "one": ((8, 8), "la"),
        "two": ((8, 21.5), "la"),
        "three": ((392, 8), "ra"),
        "four": ((8, 178.5), "ld"),
        "five": ((8, 192), "ld"),
        "six": ((392, 192), "rd"),
    }


def test_a_slice_that_is_missing_says_so_in_its_middle(written):
    found = written(write, BLACK.copy(), plain_frame(missing=True), 10.0)
    assert found["This slice is missing"] == ((200, 100), "mm")
    assert "This slice is missing" not in written(write, BLACK.copy(), plain_frame(), 10.0)


def test_numbers_stand_at_their_place_of_the_bar_and_the_threshold_between(written):
    frame = plain_frame(labels=Labels(), corners=Corners(), colour_bars=(BAR,))
    picture = BLACK.copy()
    # The bar is 84 high from 58, 8 wide from 352; 25 is three quarters of the way up.
    assert written(write, picture, frame, 10.0) == {
        "30": ((346, 58), "rm"),
        "20": ((346, 100), "rm"),
        "10": ((346, 142), "rm"),
        "25": ((346, 79), "rm"),
        "%": ((360, 49), "rd"),
    }
    drawn = np.array(picture)
    top, middle, bottom = (drawn[y, 356].argmax() for y in (60, 100, 140))
    assert (top, middle, bottom) == (2, 1, 0)  # the last colour is the highest value


@pytest.mark.parametrize(("threshold", "stays"), [(10.0, False), (30.0, True), (31.0, False)])
def test_a_threshold_off_the_bar_has_no_tick(threshold, stays, written):
    bar = replace(BAR, threshold=threshold, low=10.0)
    off = replace(BAR, threshold=None)
    frames = [plain_frame(corners=Corners(), colour_bars=(each,)) for each in (bar, off)]
    with_tick, without = (BLACK.copy(), BLACK.copy())
    assert written(write, with_tick, frames[0], 10.0) == written(write, without, frames[1], 10.0)
    assert (with_tick.tobytes() != without.tobytes()) is stays


def test_several_maps_bear_their_names_and_no_more_than_three_are_shown(written):
    bars = tuple(replace(BAR, title=f"map {n}", unit="") for n in range(5))
    frame = plain_frame(labels=Labels(), corners=Corners(), colour_bars=bars)
    found = written(write, BLACK.copy(), frame, 10.0)
    assert [found[f"map {n}"] for n in range(3)] == [((366 - 75 * n, 147), "ra") for n in range(3)]
    assert "map 3" not in found
    alone = written(write, BLACK.copy(), replace(frame, colour_bars=bars[:1]), 10.0)
    assert not [words for words in alone if words.startswith("map")]


def test_masks_are_named_beside_their_colour_and_the_rest_is_counted(written):
    masks = tuple(replace(MASK, title=f"region {n}") for n in range(14))
    frame = plain_frame(labels=Labels(), corners=Corners(), colour_bars=masks)
    picture = BLACK.copy()
    found = written(write, picture, frame, 10.0)
    assert len(found) == 12
    assert found["region 0"] == ((348, 62), "rm")
    assert found["region 10"] == ((348, 212), "rm")
    assert "3 more" in found
    assert picture.getpixel((356, 62)) == (90, 90, 90)
    below = written(write, BLACK.copy(), replace(frame, colour_bars=(BAR, *masks[:3])), 10.0)
    assert below["region 0"] == ((348, 166), "rm")
    assert "region 2" in below


def test_marks_are_boxes_with_their_words_inside_the_corner(written):
    mark = DrawnMark("nodule 0.9", ((10.0, 20.0), (40.0, 20.0), (40.0, 50.0), (10.0, 50.0)))
    picture = BLACK.copy()
    found = written(write_marks, picture, (mark,), lambda x, y: (2 * x, y), 10.0)
    assert found == {"nodule 0.9": ((25, 24), "la")}
    lit = np.array(picture).max(axis=-1) > 0
    rows, columns = np.nonzero(lit)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (20, 80, 20, 50)
    assert lit[20, 20:81].all()
    assert lit[20:51, 80].all()
    assert lit[50, 20:81].all()
    assert lit[20:51, 20].all()
    assert not lit[21:50, 21:80].any()
    none = BLACK.copy()
    write_marks(none, (), lambda x, y: (x, y), 10.0)
    assert none.tobytes() == BLACK.tobytes()
