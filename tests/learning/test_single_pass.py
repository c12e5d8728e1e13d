"""One pass instead of several: the line is found, and the guess enters as two pictures."""

import numpy as np
import pytest

from medview.learning.anomaly_maps import Smoothing
from medview.learning.anomaly_scores import Drawn
from medview.learning.single_pass import SinglePass, fit_single_pass

BRAIN = np.zeros((2, 128, 128), bool)
BRAIN[:, 20:100, 30:90] = True


def drawn(aleatoric, pictures):
    slices = np.zeros(BRAIN.shape, np.float32)
    return Drawn(slices, BRAIN, pictures.astype(np.float32), aleatoric.astype(np.float32))


def test_the_line_through_the_logarithms_is_found():
    rng = np.random.default_rng(0)
    aleatoric = np.exp(rng.normal(-4, 1, BRAIN.shape))
    spread = np.sqrt(0.1 * aleatoric**1.5)
    mean = drawn(aleatoric, np.full((1, *BRAIN.shape), 0.5))
    several = drawn(aleatoric, 0.5 + np.stack([spread, -spread]))
    line = fit_single_pass(mean, several)
    assert line.slope == pytest.approx(1.5, abs=1e-3)
    assert np.exp(line.offset) == pytest.approx(0.1, rel=1e-2)


def test_the_guess_is_the_epistemic_map_and_the_picture_stays():
    line = SinglePass(np.log(0.25), 1.0)
    mean = drawn(np.full(BRAIN.shape, 0.04), np.full((1, *BRAIN.shape), 0.3))
    found = line.estimate(mean).maps(Smoothing())
    assert found.epistemic[BRAIN] == pytest.approx(0.01, rel=1e-4)
    assert found.aleatoric[BRAIN] == pytest.approx(0.04)
    assert found.x_bar[BRAIN] == pytest.approx(0.3)


def test_a_network_of_one_variance_gets_one_guess():
    mean = drawn(np.full(BRAIN.shape, 0.04), np.full((1, *BRAIN.shape), 0.3))
    several = drawn(mean.aleatoric, np.stack([np.full(BRAIN.shape, v) for v in (0.2, 0.4)]))
    line = fit_single_pass(mean, several)
    assert line.slope == 0
    assert line.epistemic(mean.aleatoric) == pytest.approx(0.01, rel=1e-4)
