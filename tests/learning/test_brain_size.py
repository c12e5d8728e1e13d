"""A brain that is no brain's size: the voxels of the file are doubted."""

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on

from medview.domain.volume import Volume
from medview.learning.brain_size import size_notes


def brain(sides_mm: tuple[float, float, float], step: float = 5.0) -> tuple[Volume, np.ndarray]:
    """A volume and a box in it, as a brain of these sides along (k, j, i)."""
    sides = [round(side / step) for side in sides_mm]
    mask = np.zeros([side + 4 for side in sides], bool)
    mask[tuple(slice(2, 2 + side) for side in sides)] = True
    return phantom_on(geometry_of(shape=mask.shape, spacing_mm=(step, step, step))), mask


@pytest.mark.parametrize(
    ("sides", "is_told"),
    [
        ((130, 170, 140), False),
        ((65, 85, 70), True),
        ((260, 340, 280), True),
        ((20, 80, 60), False),
        ((20, 300, 260), True),
    ],
)
def test_a_brain_of_a_size_that_none_has_is_told(sides, is_told):
    notes = size_notes(*brain(sides))
    assert bool(notes) is is_told
    assert all(f"{max(sides)} mm long" in note.text for note in notes)


def test_of_no_brain_nothing_is_told():
    volume, mask = brain((65, 85, 70))
    assert size_notes(volume, np.zeros_like(mask)) == ()
