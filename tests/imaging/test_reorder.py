"""Masks whose axes lie in another order than those of their image."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on, tilted

from medview.imaging.reorder import reordered

CODES = [
    "".join(turned) for three in permutations(("LR", "PA", "SI")) for turned in product(*three)
]
SIZE, STEP = {"x": 9, "y": 7, "z": 5}, {"x": 2.0, "y": 3.0, "z": 4.0}
WORLD = {"L": "x", "R": "x", "P": "y", "A": "y", "S": "z", "I": "z"}


def grid(code):
    """The same box of voxels, indexed toward the letters of `code`."""
    along = [WORLD[letter] for letter in reversed(code)]
    return geometry_of(code, tuple(SIZE[w] for w in along), tuple(STEP[w] for w in along))


@pytest.mark.parametrize("code", CODES)
def test_the_same_voxels_are_found_in_every_order_of_axes(code):
    image = phantom_on(grid("LPS"))
    mask = phantom_on(grid(code))
    found = reordered(mask.array, mask.geometry, image.geometry)
    np.testing.assert_array_equal(found, image.array)


def test_a_tilted_grid_is_turned_as_well():
    image = tilted(grid("LPS"), 12)
    affine = image.affine.copy()
    affine[:3, 0] *= -1
    affine[:3, 3] = image.to_mm((image.shape[0] - 1, 0, 0))
    values = np.arange(np.prod(image.shape)).reshape(image.shape)
    found = reordered(values, replace(image, affine=affine), image)
    np.testing.assert_array_equal(found, values[::-1])


@pytest.mark.parametrize(
    "other",
    [
        geometry_of("RAI", (5, 7, 9), (4.0, 3.0, 2.0), centre_lps=(1.0, 0, 0)),
        geometry_of("RAI", (5, 7, 9), (4.0, 3.0, 2.2)),
        geometry_of("RAI", (5, 7, 8), (4.0, 3.0, 2.0)),
        geometry_of("RAI", (10, 7, 9), (2.0, 3.0, 2.0)),
        replace(grid("RAI"), orientation_known=False),
    ],
)
def test_other_voxels_are_none_of_it(other):
    assert reordered(np.zeros(other.shape), other, grid("LPS")) is None


@pytest.mark.parametrize(
    "steps",
    [
        np.diag([2.0, 1.0, 1.0]),  # every second slice
        [(1, 0, 0), (0, 1, 0.9), (0, 0, 0.3)],  # two axes that run nearly alike
        [(0.7, 0, 0.4), (0.7, 0, -0.4), (0, 1, 0)],  # turned by 45 degrees, with shorter steps
    ],
)
def test_steps_that_lead_along_no_axis_are_none_of_it(steps):
    own = grid("LPS")
    affine = own.affine.copy()
    affine[:3, :3] = own.affine[:3, :3] @ steps
    assert reordered(np.zeros(own.shape), own, replace(own, affine=affine)) is None
