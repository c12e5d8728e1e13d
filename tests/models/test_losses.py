"""Loss terms against numbers worked out by hand."""

import math

import pytest
import torch

from medview.models.losses import gaussian_nll, kl_standard_normal


def picture(*values):
    return torch.tensor(values).reshape(1, 1, 1, -1)


def test_nll_of_three_pixels_by_hand():
    x, mean = picture(1.0, 0.0, 0.5), picture(0.0, 0.0, 0.25)
    s = picture(0.0, -2.0, math.log(0.25))
    # 1/2 (1 + 0), 1/2 (0 - 2), 1/2 (0.0625 / 0.25 + ln 0.25)
    wanted = (0.5 - 1.0 + 0.5 * (0.25 + math.log(0.25))) / 3
    assert gaussian_nll(x, mean, s, torch.ones_like(x)).item() == pytest.approx(wanted)


def test_nll_counts_only_pixels_with_weight():
    x, mean, s = picture(1.0, 9.0), picture(0.0, 0.0), picture(0.0, 0.0)
    assert gaussian_nll(x, mean, s, picture(1.0, 0.0)).item() == pytest.approx(0.5)


def test_nll_without_any_weight_is_zero_and_not_a_division_by_zero():
    x = picture(1.0, 2.0)
    assert gaussian_nll(x, x - 1, x, torch.zeros_like(x)).item() == 0


def test_nll_is_least_where_the_variance_is_the_squared_error():
    x, mean = picture(0.3), picture(0.0)
    trials = [gaussian_nll(x, mean, picture(s), picture(1.0)).item() for s in (-4, -2.408, -1)]
    assert trials[1] == min(trials)  # ln 0.09 = -2.408


def test_kl_of_the_prior_itself_is_zero():
    assert kl_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)).abs().max() == 0


@pytest.mark.parametrize(
    ("mean", "variance", "nats"),
    [
        (1.0, 1.0, 0.5),
        (0.0, math.e, (math.e - 2) / 2),
        (2.0, 0.25, 2 + 0.5 * (0.25 - 1 + math.log(4))),
    ],
)
def test_kl_by_hand(mean, variance, nats):
    found = kl_standard_normal(torch.tensor([[mean]]), torch.tensor([[math.log(variance)]]))
    assert found.item() == pytest.approx(nats, rel=1e-6)


def test_kl_agrees_with_an_estimate_from_draws():
    mean, log_variance = torch.tensor(0.7), torch.tensor(-1.2)
    torch.manual_seed(0)
    sd = torch.exp(0.5 * log_variance)
    z = mean + sd * torch.randn(200_000)
    density = torch.distributions.Normal(mean, sd).log_prob(z)
    estimate = (density - torch.distributions.Normal(0, 1).log_prob(z)).mean()
    assert kl_standard_normal(mean, log_variance).item() == pytest.approx(estimate.item(), abs=0.01)
