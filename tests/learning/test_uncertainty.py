"""Coverage and fifths of the uncertainty, against errors drawn from it."""

import numpy as np
import pytest

from medview.learning.anomaly_scores import Drawn
from medview.learning.uncertainty import judge, uncertainty_rows

BRAIN = np.zeros((4, 128, 128), bool)
BRAIN[:, 20:108, 30:98] = True


def drawn(scale=1.0, seed=0):
    """Errors with the predicted deviation times `scale`, which grows from left to right."""
    rng = np.random.default_rng(seed)
    sd = np.broadcast_to(np.linspace(0.02, 0.2, 128), BRAIN.shape).astype(np.float32)
    pictures = np.full((2, *BRAIN.shape), 0.5, np.float32)
    slices = (0.5 + scale * sd * rng.normal(size=BRAIN.shape)).astype(np.float32)
    return Drawn(slices, BRAIN, pictures, sd**2)


def test_errors_drawn_from_the_uncertainty_are_covered_as_they_should():
    found = judge("p", drawn())
    assert found.coverage == pytest.approx((0.683, 0.954), abs=0.01)
    assert found.rmse == pytest.approx(found.sd, rel=0.05)
    assert list(found.sd) == sorted(found.sd)


def test_too_sure_a_model_covers_less():
    found = judge("p", drawn(scale=2.0))
    assert found.coverage[0] == pytest.approx(0.383, abs=0.01)
    assert np.divide(found.rmse, found.sd) == pytest.approx(2, rel=0.05)


def test_rows_are_means_over_brains():
    trials = [judge(f"p{n}", drawn(scale, n)) for n, scale in enumerate((1.0, 2.0))]
    rows = {(row.name, row.group): row for row in uncertainty_rows("s", trials)}
    assert rows["coverage", "within:1sd"].value == pytest.approx((0.683 + 0.383) / 2, abs=0.01)
    assert {group for name, group in rows if name == "rmse"} == {
        f"uncertainty:{n}/5" for n in range(1, 6)
    }
    assert all(row.n == row.n_patients == 2 for row in rows.values())
