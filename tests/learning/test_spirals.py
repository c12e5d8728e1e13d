from __future__ import annotations

import numpy as np
import pytest
import torch

from medview.domain.progress import Silent
from medview.learning.armed_stack import Stack, StackBatch, Steps, train_stack
from medview.learning.spirals import VARIANTS, Variant, bench, make_spirals, run_spirals
from medview.models.armed import Armed, ArmedOptions, LossWeights, perceptron

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


def _stack(weights: LossWeights, copies: int = 2) -> Stack:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        options = ArmedOptions(3, ("1",), "hidden", "1")
        models = [
            Armed(perceptron((2, 4, 1)), options, (torch.zeros(1, 2),)) for _ in range(copies)
        ]
    return Stack(models, weights)


def _batch(copies: int = 2) -> StackBatch:
    dice = torch.Generator().manual_seed(2)
    x = torch.randn(copies, 9, 2, generator=dice)
    return StackBatch(x, (x[..., 0] > 0).float(), torch.arange(9).repeat(copies, 1) % 3)


def test_copies_do_not_touch_each_other() -> None:
    batch = _batch()
    both, lone = _stack(LossWeights()), _stack(LossWeights())
    other = StackBatch(batch.inputs.clone(), batch.truth.clone(), batch.cluster.clone())
    other.inputs[1] += 5
    for stack, rows in ((both, batch), (lone, other)):
        dice = torch.Generator().manual_seed(3)
        list(train_stack(stack, [rows] * 3, Steps(), generator=dice))
    for name, value in both.parameters.items():
        torch.testing.assert_close(value[0], lone.parameters[name][0])
    assert not torch.equal(both.parameters["base.0.weight"], lone.parameters["base.0.weight"])


def test_main_step_leaves_the_adversary_and_the_reverse() -> None:
    stack = _stack(LossWeights(0.0, 0.0, 0.0, 0.0))
    before = {name: value.detach().clone() for name, value in stack.parameters.items()}
    list(train_stack(stack, [_batch()], Steps()))
    moved = {n for n, v in stack.parameters.items() if not torch.equal(v, before[n])}
    assert moved == {n for n in before if n.startswith("adversary.")}
    stack = _stack(LossWeights(1.0, 1.0, 50.0, 0.0))
    before = {name: value.detach().clone() for name, value in stack.parameters.items()}
    list(train_stack(stack, [_batch()], Steps(adversary_rate=0.0)))
    assert all(torch.equal(v, before[n]) for n, v in stack.parameters.items() if "adv" in n)
    assert not torch.equal(stack.parameters["base.0.weight"], before["base.0.weight"])


def test_the_adversary_removes_what_tells_the_clusters() -> None:
    """The second input is the cluster, and helps to predict: without an adversary it is kept."""
    dice = torch.Generator().manual_seed(4)
    c = torch.arange(60).repeat(2, 1) % 3
    x = torch.stack([torch.randn(2, 60, generator=dice), 2 * (c - 1.0)], 2)
    batch = StackBatch(x, (x.sum(2) > 0).float(), c)
    weights = LossWeights(0.0, 1.0, torch.tensor([0.0, 2.0]), 0.0)
    *_, last = train_stack(_stack(weights), [batch] * 150, Steps(rate=1e-2, adversary_rate=5e-2))
    told, hidden = last["adversary"].tolist()
    assert told < 0.5 < 0.9 < hidden


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medview.learning.spirals.IN_A_CLASS", 20)


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
    assert {row["published"] for row in body["rows"]} >= {0.7636, 0.7525, 0.7878, 0.7933, 0.7670}
    assert all(0.3 < row["mean"] < 0.9 for row in body["rows"])
