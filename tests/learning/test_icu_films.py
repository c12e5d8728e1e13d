"""What of a film the encoder of a stay is given: upright, and without a frame round it."""

from __future__ import annotations

import chest_phantom
import numpy as np
import pytest
import torch

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.learning.film import prepare_film, whole_film
from medview.learning.icu_films import SIDE, features_of, on_film, seen_map, squeezed, steps_of


def of(pixels: np.ndarray, affine: np.ndarray | None = None) -> Volume:
    shape = (1, *pixels.shape)
    known = affine is not None
    geometry = Geometry.from_ijk_affine(
        shape, affine if known else np.eye(4), orientation_known=known, spacing_kind=None
    )
    return Volume(pixels[None].astype(np.float32), geometry)


PLAIN = of(chest_phantom.picture())


@pytest.fixture
def framed() -> Volume:
    """The film in a page four times its area: more frame than any film has."""
    page = np.full((500, 520), 3.0)
    page[150:350, 200:380] = chest_phantom.picture()
    return of(page)


def test_the_frame_of_a_page_does_not_count(framed):
    given, alone = whole_film(framed), whole_film(PLAIN)
    assert prepare_film(framed).inside == given.inside
    assert given.grey == pytest.approx(alone.grey, abs=0.02)
    one, other = features_of(framed), features_of(PLAIN)
    assert np.corrcoef(one, other)[0, 1] > 0.999
    assert any("frame" in step for step in steps_of(framed, equalise=False))
    assert not any("frame" in step for step in steps_of(PLAIN, equalise=False))


def test_maps_of_a_framed_film_lie_on_the_film_and_are_empty_on_its_frame(framed):
    seen = seen_map(framed).array[0].copy()
    assert seen.shape == framed.array.shape[1:]
    assert seen[150:350, 200:380] == pytest.approx(seen_map(PLAIN).array[0], abs=0.02)
    seen[150:350, 200:380] = 0
    assert not seen.any()


def test_a_film_that_lies_turned_by_its_header_is_turned_and_its_maps_are_turned_back():
    # Columns run to the patient's left, rows to the feet: so films lie. Here both are turned.
    upright = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    turned = upright @ np.diag([-1.0, -1, 1, 1])
    one, other = (
        of(chest_phantom.picture(), upright),
        of(np.ascontiguousarray(chest_phantom.picture()[::-1, ::-1]), turned),
    )
    assert torch.equal(squeezed(whole_film(one)), squeezed(whole_film(other)))
    assert np.array_equal(seen_map(one).array[0], seen_map(other).array[0, ::-1, ::-1])
    assert any("turned" in step for step in steps_of(other, equalise=True))


def test_a_map_is_drawn_out_on_the_films_own_pixels():
    values = torch.zeros(SIDE, SIDE)
    values[: SIDE // 2] = 1
    drawn = on_film(whole_film(PLAIN), values)
    assert drawn.shape == PLAIN.array.shape[1:]
    assert drawn[:99].min() == 1
    assert drawn[101:].max() == 0
