"""Copies of a network with random effects that learn in the same steps."""

from __future__ import annotations

import torch

from medview.learning.armed_stack import Stack, StackBatch, StackTrainer, Steps, train_stack
from medview.models.armed import Armed, ArmedOptions, LossWeights, perceptron


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


def test_only_what_is_named_learns_and_each_copy_can_be_taken_out() -> None:
    stack = _stack(LossWeights())
    before = {name: value.detach().clone() for name, value in stack.parameters.items()}
    list(train_stack(stack, [_batch()] * 2, Steps(adversary_rate=0.0, only=("intercept.",))))
    moved = {n for n, v in stack.parameters.items() if not torch.equal(v, before[n])}
    assert moved
    assert all(name.startswith("intercept.") for name in moved)
    model = _stack(LossWeights(), copies=1).skeleton
    stack.copy(1, model)
    for name, value in model.named_parameters():
        assert torch.equal(value, stack.parameters[name][1])


def test_steps_after_a_break_are_those_without_one() -> None:
    whole, first, again = (StackTrainer(_stack(LossWeights()), Steps(rate=1e-2)) for _ in range(3))
    with torch.random.fork_rng(devices=[]):
        for trainer in (whole, first):
            torch.manual_seed(5)
            trainer.step(_batch())
        again.load(first.state())
        for trainer in (whole, again):
            torch.manual_seed(6)
            trainer.step(_batch(), share=0.5)
    for name, value in whole.stack.parameters.items():
        assert torch.equal(value, again.stack.parameters[name]), name
