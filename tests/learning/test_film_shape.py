"""What is odd about the lungs of a film: drawn ones by hand, real ones by how many are told."""

from pathlib import Path

import numpy as np
import pytest

from medview.io.tables import columns_of
from medview.learning.chest_sets import load_hannover
from medview.learning.film import Film, as_grey
from medview.learning.film_lie import UPRIGHT
from medview.learning.film_shape import FEWEST_PIXELS, oddities, unlike_lungs
from medview.learning.images import read_image
from medview.learning.lungs import FEWEST_LUNG, label_zones, lung_box, lung_mask

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "cxr" / "hannover"


def drawn(left=(20, 45), right=(55, 80), base=20, grey=0.1):
    """Two lungs 60 rows high, so many columns wide; `base` rows below are half as wide."""
    lungs = np.zeros((100, 100), np.int8)
    for zone, (first, last) in ((1, left), (4, right)):
        lungs[20:80, first:last] = zone
        lungs[80 - base : 80, first : first + (last - first) // 2] = 0
    picture = np.where(lungs > 0, grey, 0.6).astype(np.float32)
    return Film(picture, lungs, lung_box(lungs > 0), UPRIGHT, True, ())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"left": (2, 45), "right": (52, 60)}, "far larger"),
        ({"left": (0, 6), "right": (55, 80)}, "far larger"),
        ({"left": (40, 65), "right": (70, 95)}, ""),
        ({"grey": 0.63}, "inverted"),
        ({"grey": 0.61}, ""),
    ],
)
def test_what_is_odd_is_said(changed, words):
    said = unlike_lungs(drawn(**changed))
    assert words in said
    assert bool(said) == bool(words)


def test_a_film_upside_down_has_its_narrow_end_on_top():
    film = drawn()
    turned = Film(film.grey[::-1], film.lungs[::-1], film.box, UPRIGHT, True, ())
    assert "upside down" in unlike_lungs(turned)


def test_where_no_lungs_were_told_apart_that_is_said_elsewhere():
    film = drawn()
    assert unlike_lungs(Film(film.grey, film.lungs * 0, film.box, UPRIGHT, False, ())) == ""


def test_lungs_that_were_not_told_apart_are_an_oddity_of_the_film():
    film = drawn()
    whole = np.ones((FEWEST_PIXELS, FEWEST_PIXELS), np.float32)
    alone = Film(whole, np.zeros_like(whole, np.int8), film.box, UPRIGHT, False, ())
    assert oddities(alone) == ("the two lungs were not told apart; the middle was taken",)


@pytest.mark.parametrize(
    ("side", "told"), [(FEWEST_PIXELS, False), (FEWEST_PIXELS - 1, True), (64, True)]
)
def test_a_film_of_fewer_pixels_than_any_that_was_learnt_from_is_told(side, told):
    grey = np.zeros((side + 30, side), np.float32)
    film = Film(grey, grey.astype(np.int8), (0.0, 0.0, float(side)), UPRIGHT, True, ())
    said = " ".join(oddities(film))
    assert (f"only {side} x {side + 30} pixels" in said) == told
    assert bool(said) == told


def prepared(grey):
    """The film, or None where it would be refused."""
    mask = lung_mask(np.ascontiguousarray(grey))
    zones = label_zones(mask)
    box = lung_box(zones > 0) if zones.any() else (0.0, 0.0, float(min(mask.shape)))
    film = Film(grey, zones, box, UPRIGHT, bool(zones.any()), ())
    return None if mask.mean() < FEWEST_LUNG else film


def is_told(grey):
    film = prepared(grey)
    return film is None or not film.found or bool(unlike_lungs(film))


@pytest.mark.slow
def test_real_films_are_rarely_told_inverted_ones_mostly_and_turned_ones_often():
    if not columns_of(DATA / "metadata.csv"):
        pytest.skip("the Hannover films are not here")
    cases = {case.patient: case for case in load_hannover(DATA).cases}
    films = [as_grey(read_image(case.image)) for case in list(cases.values())[:40]]
    told = {
        "as they are": np.mean([is_told(grey) for grey in films]),
        "inverted": np.mean([is_told(1 - grey) for grey in films]),
        "upside down": np.mean([is_told(grey[::-1]) for grey in films]),
    }
    assert told["as they are"] <= 0.1, told
    assert told["inverted"] >= 0.8, told
    assert told["upside down"] >= 0.3, told
