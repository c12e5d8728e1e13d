"""Half widths of intervals from errors that were seen before."""

import numpy as np
import pytest

from medview.learning.conformal import half_width


def test_the_half_width_covers_by_hand():
    errors = np.arange(1.0, 20.0)  # 19 errors: ceil(20 * 0.95) = 19th smallest
    assert half_width(errors) == 19
    assert half_width(np.arange(1.0, 40.0)) == 38
    assert half_width(np.array([1.0, -3.0, np.nan])) == 3
    assert half_width(np.arange(1.0, 100.0), 0.9) == 90
    assert np.isnan(half_width(np.array([])))


def test_half_widths_cover_new_errors_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = [abs(rng.normal()) <= half_width(rng.normal(0, 1, 99)) for _ in range(2000)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)
