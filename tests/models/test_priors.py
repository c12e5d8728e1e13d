"""Priors of the codes: their moments, and divergences against plain Monte Carlo."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from medview.models.mavae import Mavae, MavaeOptions, Rows
from medview.models.priors import PRIORS, divergence, draws, log_density

DENSITIES = {
    "normal": stats.norm().logpdf,
    "laplace": stats.laplace(scale=math.sqrt(0.5)).logpdf,
    "student": stats.t(5, scale=math.sqrt(0.6)).logpdf,
    "mixture": lambda z: np.log((stats.norm(0.8, 0.6).pdf(z) + stats.norm(-0.8, 0.6).pdf(z)) / 2),
}


@pytest.mark.parametrize("prior", PRIORS)
def test_every_prior_has_mean_zero_and_variance_one(prior):
    found = draws(prior, np.random.default_rng(0), (40_000, 3))
    assert found.dtype == np.float32
    assert np.abs(found.mean(0)).max() < 0.02
    assert found.var(0) == pytest.approx([1, 1, 1], abs=0.05)


def test_their_shapes_differ():
    found = {one: draws(one, np.random.default_rng(0), (40_000, 3)) for one in PRIORS}
    tails = {one: stats.kurtosis(values.ravel()) for one, values in found.items()}
    assert tails["mixture"] < -0.5 < tails["normal"] < 0.5 < tails["laplace"]
    assert tails["student"] > 1
    length = np.linalg.norm(found["sphere"], axis=1)
    assert length == pytest.approx(math.sqrt(3), abs=1e-5)


def test_the_normal_one_takes_the_same_numbers_as_before():
    wanted = np.random.default_rng(4).standard_normal((5, 2), dtype=np.float32)
    assert np.array_equal(draws("normal", np.random.default_rng(4), (5, 2)), wanted)


@pytest.mark.parametrize("prior", DENSITIES)
@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (0.7, 0.4), (-2.0, 0.8)])
def test_divergences_are_those_of_monte_carlo(prior, mean, sd):
    z = stats.norm(mean, sd).rvs(100_000, random_state=1)
    by_chance = (stats.norm(mean, sd).logpdf(z) - DENSITIES[prior](z)).mean()
    told = divergence(prior, torch.tensor([[mean]]), torch.tensor([[2 * math.log(sd)]]))
    assert told.item() == pytest.approx(by_chance, abs=0.02)
    if prior in ("student", "mixture"):
        logs = log_density(prior, torch.from_numpy(z)).numpy()
        assert np.allclose(logs, DENSITIES[prior](z), atol=1e-9)


def test_on_the_sphere_unique_codes_keep_the_normal_prior():
    given = torch.randn(4, 3), torch.randn(4, 3)
    assert torch.equal(divergence("sphere", *given), divergence("normal", *given))


@pytest.mark.parametrize("prior", PRIORS[1:4])
def test_the_loss_of_the_network_follows_its_prior(prior):
    terms = []
    for name in ("normal", prior):
        torch.manual_seed(0)
        net = Mavae(MavaeOptions(6, 5, (8,), 6, 3, age_head=(4,), sex_head=(4,), prior=name))
        torch.manual_seed(1)
        here = {"smri": torch.ones(9), "fmri": torch.ones(9)}
        rows = Rows(
            {"smri": torch.randn(9, 6), "fmri": torch.randn(9, 5)},
            here,
            torch.randn(9),
            torch.ones(9),
        )
        terms.append(net.losses(net(rows), rows))
    assert terms[0]["kl"] != terms[1]["kl"]
    assert all(terms[0][n] == terms[1][n] for n in terms[0] if n != "kl")


@pytest.mark.parametrize("prior", PRIORS)
def test_codes_far_out_have_a_finite_divergence_that_pulls_them_back(prior):
    # The encoder keeps log variances within 10.
    mean = torch.tensor([[0.0, 50.0, -50.0, 0.0, 50.0]], requires_grad=True)
    spread = torch.tensor([[0.0, 10.0, -10.0, -10.0, -10.0]], requires_grad=True)
    found = divergence(prior, mean, spread)
    found.sum().backward()
    assert found.isfinite().all()
    assert mean.grad.isfinite().all()
    assert spread.grad.isfinite().all()
    assert mean.grad[0, 2] < 0 < mean.grad[0, 4]
    assert spread.grad[0, 3] < 0  # too sure a code grows wider


@pytest.mark.parametrize("sd", [0.001, 1.0, 10.0, 148.0])
@pytest.mark.parametrize("mean", [0.5, 2.0, 50.0])
def test_the_divergence_from_students_is_the_integral_however_wide_a_code_is(mean, sd):
    code, prior = stats.norm(mean, sd), stats.t(5, scale=math.sqrt(0.6))
    z = mean + sd * np.linspace(-9, 9, 2_000_001)
    share = code.pdf(z) * (z[1] - z[0])
    away = 6 * z / (3 + z**2)  # of minus the logarithm of the prior, as written out by hand
    at = torch.tensor([[mean]], dtype=torch.float64, requires_grad=True)
    spread = torch.tensor([[2 * math.log(sd)]], dtype=torch.float64, requires_grad=True)
    found = divergence("student", at, spread)
    found.sum().backward()
    assert found.item() == pytest.approx((share * (code.logpdf(z) - prior.logpdf(z))).sum(), 1e-5)
    assert at.grad.item() == pytest.approx((share * away).sum(), rel=1e-4)
    widening = (share * away * (z - mean)).sum() / 2 - 0.5
    assert spread.grad.item() == pytest.approx(widening, rel=1e-4, abs=1e-6)
