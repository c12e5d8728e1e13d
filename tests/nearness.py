"""Whether arrays are the same but for rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def assert_near(
    found: ArrayLike, wanted: ArrayLike, *, within: float = 0.0, rel: float = 0.0
) -> None:
    """As ``found == pytest.approx(wanted, abs=within, rel=rel)``, which takes seconds for images.

    The shapes are the same, and no value is NaN.
    """
    assert np.shape(found) == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=rel, atol=within, equal_nan=False)
