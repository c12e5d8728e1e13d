"""Maps that lie on an image."""

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.overlay import ScalarMap


def test_a_map_has_the_shape_of_its_grid():
    grid = geometry_of()
    k, j, i = grid.shape
    with pytest.raises(ValueError, match="differ"):
        ScalarMap("score", np.zeros((j, k, i), np.float32), grid)


def test_what_a_model_said_cannot_be_changed_afterwards():
    grid = geometry_of()
    made = ScalarMap("score", np.zeros(grid.shape, np.float32), grid)
    with pytest.raises(ValueError, match="read-only"):
        made.array[0, 0, 0] = 1.0
