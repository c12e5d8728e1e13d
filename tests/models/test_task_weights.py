"""Weights of several losses, by hand: toy problems whose gradients are known."""

import pytest
import torch

from medview.models.task_weights import (
    ALPHA,
    GRADNORM_RATE,
    averaged_weights,
    drawn_order,
    gradnorm_weights,
    projected,
    weights_by_count,
)


def test_a_task_that_half_as_many_cases_know_counts_twice():
    assert weights_by_count(torch.tensor([100.0, 50.0, 0.0])).tolist() == pytest.approx(
        [2 / 3, 4 / 3, 0]
    )


def test_the_dynamic_average_favours_what_falls_slowly():
    weights = averaged_weights(torch.tensor([0.5, 1.0]), torch.tensor([1.0, 1.0]))
    by_hand = torch.tensor([0.25, 0.5]).exp()
    assert torch.allclose(weights, 2 * by_hand / by_hand.sum())
    assert averaged_weights(torch.ones(3), torch.ones(3)).tolist() == pytest.approx([1, 1, 1])


def test_the_dynamic_average_passes_over_a_task_without_a_loss():
    last = torch.tensor([0.5, float("nan"), 0.5])
    assert averaged_weights(last, torch.ones(3)).tolist() == pytest.approx([1, 1, 1])


def test_a_step_of_gradnorm_goes_down_the_gradient_of_its_loss():
    weights = torch.tensor([1.2, 0.8, 1.0], requires_grad=True)
    norms, progress = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([0.9, 0.5, 0.7])
    sizes = weights * norms
    goal = (sizes.mean() * (progress / progress.mean()) ** ALPHA).detach()
    (sizes - goal).abs().sum().backward()
    moved = weights.detach() - GRADNORM_RATE * weights.grad
    found = gradnorm_weights(weights.detach(), norms, progress)
    assert torch.allclose(found, moved * 3 / moved.sum())
    assert found.sum().item() == pytest.approx(3)


def test_gradnorm_makes_gradients_of_tasks_alike():
    weights, norms = torch.ones(2), torch.tensor([1.0, 2.0])
    for _ in range(200):
        weights = gradnorm_weights(weights, norms, torch.ones(2))
    assert weights.tolist() == pytest.approx([4 / 3, 2 / 3], abs=0.05)
    behind = gradnorm_weights(torch.ones(2), torch.ones(2), torch.tensor([0.9, 0.3]))
    assert behind[0] > 1 > behind[1]


def test_two_gradients_that_fight_lose_what_points_against_the_other():
    found = projected(torch.tensor([[1.0, 0.0], [-1.0, 1.0]]), torch.tensor([[1], [0]]))
    assert torch.allclose(found, torch.tensor([[0.5, 0.5], [0.0, 1.0]]))


def test_gradients_that_agree_stay_as_they_are():
    given = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert torch.equal(projected(given, torch.tensor([[1], [0]])), given)
    assert torch.equal(projected(given[:1], drawn_order(1)), given[:1])


def test_many_gradients_are_projected_one_after_the_other_as_in_the_paper():
    torch.manual_seed(0)
    given = torch.randn(5, 7, dtype=torch.float64)
    order = drawn_order(5)
    assert all(set(row) == set(range(5)) - {n} for n, row in enumerate(order.tolist()))
    by_hand = given.clone()
    for task, others in enumerate(order.tolist()):
        for other in others:
            along = by_hand[task] @ given[other]
            if along < 0:
                by_hand[task] -= along / (given[other] @ given[other]) * given[other]
    assert torch.allclose(projected(given, order), by_hand)
    assert not torch.allclose(by_hand, given)
