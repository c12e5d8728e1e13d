from __future__ import annotations

import numpy as np
import pytest
import torch

from medview.domain.progress import Silent
from medview.learning.spirals import VARIANTS, Variant, bench, run_spirals
from medview.learning.spirals_data import make_spirals
from medview.models.armed import LossWeights

RADII = (0.701911, 0.680980, 0.808577, 1.318477, 0.952779)
RADII += (1.328119, 0.377544, 1.210190, 1.502392, 0.880800)


def test_golden_values_of_the_generator() -> None:
    data = make_spirals()
    np.testing.assert_allclose(data.radii, RADII, atol=5e-7)
    np.testing.assert_allclose(data.x[0], (-0.10895736, 0.1400298), rtol=1e-6)
    np.testing.assert_allclose(data.x[1], (0.41056767, -0.4559447), rtol=1e-6)
    np.testing.assert_allclose(data.x[9999], (-0.4854642, 0.01115015), rtol=1e-6)
    np.testing.assert_allclose(data.x.mean(0), (-0.00227, 0.0000288), atol=5e-6)
    np.testing.assert_allclose(data.x.std(0), (0.44257, 0.42230), atol=5e-6)
    assert data.x.shape == (10_000, 2)
    assert np.bincount(data.c * 2 + data.y).tolist() == [500] * 20


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medview.learning.spirals_data.IN_A_CLASS", 20)


@pytest.mark.usefixtures("_few")
def test_same_seed_same_accuracies_and_pairs_start_alike() -> None:
    plain = Variant("plain", LossWeights(0.0, 1.0, 0.0, 0.0))
    resting = Variant("no step", LossWeights(0.0, 0.0, 0.0, 0.0), mixed=True)
    found = [run_spirals(lambda *_: None, (7,), 1, (plain, resting))[0] for _ in range(2)]
    np.testing.assert_array_equal(found[0].accuracy, found[1].accuracy)
    assert found[0].accuracy.shape == (1, 10)
    other = run_spirals(lambda *_: None, (8,), 1, (plain,))[0]
    assert (found[0].accuracy != other.accuracy).any()


@pytest.mark.usefixtures("_few")
def test_rows_carry_what_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(v for v in VARIANTS if v.link == "prob" and not v.cluster_input)
    monkeypatch.setattr("medview.learning.spirals.VARIANTS", few)
    monkeypatch.setattr(run_spirals, "__defaults__", (10, few))
    before = torch.get_num_threads()
    try:
        body = bench(Silent(), (0,), 1)
    finally:
        torch.set_num_threads(before)
    names = [row["name"] for row in body["rows"]]
    assert names[0] == "conventional"
    assert "ARMED (ME), random Z" in names
    told = {0.7636, 0.6328, 0.7525, 0.7878, 0.7933, 0.7670}
    assert {row["published"] for row in body["rows"]} >= told
    assert all(0.3 < value < 0.9 for row in body["rows"] for value in row["values"])
