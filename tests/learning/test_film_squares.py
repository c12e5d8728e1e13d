"""Squares of films: cut by area, put back, shared out."""

import numpy as np
import pytest

from medview.learning.film_squares import cut_square, paste_square, pick_square, shares_of


def test_a_square_is_cut_by_area_and_goes_back_to_its_place():
    rng = np.random.default_rng(0)
    picture = rng.random((60, 50)).astype(np.float32)
    assert cut_square(picture, (10, 5, 40), 10) == pytest.approx(
        picture[10:50, 5:45].reshape(10, 4, 10, 4).mean((1, 3)), abs=1e-5
    )
    back = paste_square(np.ones((8, 8), np.float32), (10, 5, 40), (60, 50))
    assert back[10:50, 5:45].min() == 1
    assert back.sum() == 1600


def test_beyond_the_film_its_edge_goes_on():
    picture = np.arange(4, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)
    assert cut_square(picture, (-4, 0, 4), 2) == pytest.approx(np.zeros((2, 2)))
    assert cut_square(picture, (4, 0, 4), 2) == pytest.approx(np.full((2, 2), 3))
    assert not pick_square(np.ones((4, 4), np.int8), (5, 0, 4), 4).any()


def test_shares_are_parts_of_each_cell():
    zones = np.zeros((8, 8), np.int8)
    zones[:4, :2] = 1
    assert shares_of(zones, 2)[0] == pytest.approx(np.array([[0.5, 0], [0, 0]]))
