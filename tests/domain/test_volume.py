"""Volumes and maps hold together what belongs together, and nobody writes into them."""

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.overlay import ScalarMap
from medview.domain.volume import Volume

GRID = geometry_of(shape=(3, 4, 5))


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 3)])
def test_values_are_read_only_and_may_be_colours(shape):
    volume = Volume(np.zeros(shape, np.uint8), GRID, graphics=np.zeros((3, 4, 5), bool))
    assert volume.is_colour is (len(shape) == 4)
    for array in (volume.array, volume.graphics):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize(("planes", "is_film"), [(1, True), (2, False)])
def test_a_single_plane_is_a_film(planes, is_film):
    grid = geometry_of(shape=(planes, 4, 5))
    assert Volume(np.zeros(grid.shape, np.int16), grid).is_film is is_film


@pytest.mark.parametrize(
    "make",
    [
        lambda: Volume(np.zeros((5, 4, 3), np.int16), GRID),
        lambda: Volume(np.zeros((3, 4, 5), np.int16), GRID, graphics=np.zeros((3, 4), bool)),
        lambda: ScalarMap("score", np.zeros((5, 4, 3), np.float32), GRID),
    ],
)
def test_an_array_that_is_not_on_its_grid_is_refused(make):
    with pytest.raises(ValueError, match="differ"):
        make()


def test_a_map_is_read_only():
    found = ScalarMap("score", np.zeros(GRID.shape, np.float32), GRID)
    with pytest.raises(ValueError, match="read-only"):
        found.array[0, 0, 0] = 1
