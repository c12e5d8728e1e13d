"""Every published loss once more in plain numpy: its value, and its gradient by differences."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

from medview.learning.cxr_recipe import SiteRecipe
from medview.models import armed, mavae, mdmt
from medview.models.label_loss import LabelLoss
from medview.models.losses import gaussian_nll, kl_standard_normal

STEP = 1e-6


def agree(ours, written_out, *inputs):
    """The same value, and the same gradient by every input, all in double precision."""
    tensors = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in inputs]
    value = ours(*tensors)
    assert value.item() == pytest.approx(written_out(*inputs), rel=1e-8)
    grads = torch.autograd.grad(value, tensors)
    for place, (each, grad) in enumerate(zip(inputs, grads, strict=True)):
        for at in np.ndindex(each.shape):
            ends = []
            for sign in (1, -1):
                moved = [one.copy() for one in inputs]
                moved[place][at] += sign * STEP
                ends.append(written_out(*moved))
            slope = (ends[0] - ends[1]) / (2 * STEP)
            assert grad[at].item() == pytest.approx(slope, rel=1e-5, abs=1e-8)


def draw(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).normal(size=shape)


def chance(logit):
    return 1 / (1 + np.exp(-logit))


def entropy(logit, truth):
    """Cross-entropy of single logits."""
    p = chance(logit)
    return -(truth * np.log(p) + (1 - truth) * np.log(1 - p))


def entropy_of_classes(logits, truth):
    """Cross-entropy of each row, (n,)."""
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return -np.log(shares[np.arange(len(truth)), truth])


# -- Bayesian VAE: 1/2 [exp(-s) (x - m)^2 + s], and -1/2 sum(1 + log v - m^2 - v) ---------------


def test_the_likelihood_of_a_picture_and_its_gradient():
    x, weight = draw(2, 1, 3, 3), (draw(2, 1, 3, 3, seed=1) > -0.5).astype(float)

    def written_out(mean, s):
        return (weight * 0.5 * ((x - mean) ** 2 / np.exp(s) + s)).sum() / weight.sum()

    def ours(mean, s):
        return gaussian_nll(torch.tensor(x), mean, s, torch.tensor(weight))

    agree(ours, written_out, draw(2, 1, 3, 3, seed=2), draw(2, 1, 3, 3, seed=3))


def test_the_divergence_of_a_code_is_the_integral_and_its_gradient():
    def written_out(mean, s):
        return -0.5 * (1 + s - mean**2 - np.exp(s)).sum()

    agree(lambda m, s: kl_standard_normal(m, s).sum(), written_out, draw(2, 3), draw(2, 3, seed=1))
    # The formula itself: the integral of q ln(q / p) by sums.
    z = np.linspace(-12, 12, 200_001)
    q = np.exp(-0.5 * ((z - 0.7) / 0.4) ** 2) / (0.4 * np.sqrt(2 * np.pi))
    logs = -0.5 * ((z - 0.7) / 0.4) ** 2 - np.log(0.4) + 0.5 * z**2
    integral = (q * logs).sum() * (z[1] - z[0])
    found = kl_standard_normal(torch.tensor(0.7), torch.tensor(0.16).log())
    assert found.item() == pytest.approx(integral, rel=1e-5)


# -- M-AVAE ------------------------------------------------------------------------------------


def small_mavae():
    torch.manual_seed(3)
    sizes = mavae.MavaeOptions(5, 4, (7,), 6, 3, age_head=(5,), sex_head=(5,))
    return mavae.Mavae(sizes).double()


def through(layers, x):
    """A perceptron by hand."""
    for layer in layers:
        if isinstance(layer, nn.Linear):
            x = x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        elif isinstance(layer, nn.LeakyReLU):
            x = np.where(x > 0, x, 0.2 * x)
        else:
            x = np.maximum(x, 0)
    return x


def test_every_term_of_the_autoencoder_of_age_is_its_formula():
    net, rng = small_mavae(), np.random.default_rng(5)
    x = {"smri": rng.normal(size=(6, 5)), "fmri": rng.normal(size=(6, 4))}
    eps = {role: rng.normal(size=(6, 6)) for role in x}
    age, sex = rng.normal(size=6), np.array([0.0, 1, 1, 0, 1, 0])
    as_rows = {role: torch.tensor(values) for role, values in x.items()}
    here = {role: torch.ones(6, dtype=torch.float64) for role in x}
    rows = mavae.Rows(as_rows, here, torch.tensor(age), torch.tensor(sex))
    noise = {role: torch.tensor(values) for role, values in eps.items()}
    terms = {n: t.item() for n, t in net.losses(net(rows, noise), rows).items()}

    g, u, kl = {}, {}, 0.0
    for role, values in x.items():
        coder = net.encoders[role]
        hidden = through(coder.trunk, values)
        mean, s = through([coder.to_mean], hidden), through([coder.to_log_variance], hidden)
        z = mean + np.exp(s / 2) * eps[role]
        g[role], u[role] = z[:, :3], z[:, 3:]
        kl += (-0.5 * (1 + s - mean**2 - np.exp(s)))[:, 3:].mean()
    other = {"smri": "fmri", "fmri": "smri"}

    def rebuilt(generic, unique):
        return sum(
            np.abs(through(net.decoders[r], np.c_[generic(r), u[unique(r)]]) - x[r]).mean()
            for r in x
        )

    codes = np.c_[g["smri"], g["fmri"], u["smri"], u["fmri"]]
    true = {role: chance(through(net.discriminator.layers, g[role])[:, 0]) for role in x}

    def square(a, b):
        return ((a - b) ** 2).sum(1)

    apart = square(g["smri"], u["smri"]) + square(g["fmri"], u["fmri"])
    apart = apart + square(u["smri"], u["fmri"]) + 1e-8
    said = through(net.age_head, codes)[:, 0], through(net.sex_head, codes)[:, 0]
    assert terms == pytest.approx(
        {
            "rec": rebuilt(lambda r: g[r], lambda r: r),
            "cross": rebuilt(lambda r: g[other[r]], lambda r: r),
            "adv": np.mean([-np.log(true[role]).mean() for role in x]),
            "kl": kl,
            "ratio": (square(g["smri"], g["fmri"]) / apart).mean(),
            "age": np.abs(said[0] - age).mean(),
            "sex": entropy(said[1], sex).mean(),
        },
        rel=1e-9,
    )
    prior = rng.normal(size=(6, 3))
    drawn = chance(through(net.discriminator.layers, prior)[:, 0])
    wanted = -np.log(drawn).mean() + np.mean([-np.log(1 - true[role]).mean() for role in x])
    found = net.adversary_loss(net.encode(rows, noise), here, torch.tensor(prior))
    assert found.item() == pytest.approx(wanted, rel=1e-9)


def test_the_encoder_and_the_discriminator_pull_a_code_opposite_ways():
    net = small_mavae()
    code = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    logit = net.discriminator(code)
    (up,) = torch.autograd.grad(logit.sum(), code, retain_graph=True)
    (encoder,) = torch.autograd.grad(nn.functional.softplus(-logit).sum(), code)
    # The encoder's step, against its gradient, makes a code look more like a draw of the prior.
    assert (-encoder * up).sum() > 0


# -- ARMED -------------------------------------------------------------------------------------


def test_the_main_loss_of_mixed_effects_and_its_gradient():
    truth, cluster = np.array([0.0, 1, 1, 0]), np.array([2, 0, 1, 1])
    weights = armed.LossWeights(0.7, 0.4, 0.3, 0.05)

    def ours(fixed, mixed, guess, kl):
        said = armed.ArmedOutput(fixed, mixed, guess, kl.sum())
        given = torch.tensor(truth), torch.tensor(cluster)
        return armed.main_loss("binary", said, guess, *given, weights)

    def written_out(fixed, mixed, guess, kl):
        data = 0.7 * entropy(mixed, truth).mean() + 0.4 * entropy(fixed, truth).mean()
        return data - 0.3 * entropy_of_classes(guess, cluster).mean() + 0.05 * kl.sum()

    agree(ours, written_out, draw(4), draw(4, seed=1), draw(4, 3), np.array([0.9]))


def test_the_divergence_of_random_effects_and_its_gradient():
    def written_out(mu, rho):
        s = 1e-5 + np.log1p(np.exp(rho))
        return (np.log(0.3 / s) + (s**2 + mu**2) / (2 * 0.3**2) - 0.5).sum()

    def ours(mu, rho):
        return armed.kl_to_prior(mu, 1e-5 + nn.functional.softplus(rho), 0.3)

    agree(ours, written_out, draw(3, 2), draw(3, 2, seed=1) - 4)


def test_weights_of_the_loss_are_the_published_ones():
    # lambda_ME, lambda_FE, lambda_g, weight of the KL: spirals, and the network of pictures.
    assert asdict(armed.LossWeights()) == {"mixed": 1, "fixed": 1, "adversary": 0.5, "kl": 1e-5}
    assert asdict(SiteRecipe().weights) == {"mixed": 1, "fixed": 1, "adversary": 0.1, "kl": 1e-3}


# -- MDMT --------------------------------------------------------------------------------------

OUTCOME = np.array([0, 1, 1, np.nan, np.nan, np.nan, np.nan])
SCORED = np.array([np.nan, np.nan, np.nan, 0, 3, 2, 2])


@pytest.mark.parametrize("loss", ["ce", "mse_logits"])
@pytest.mark.parametrize("reduction", ["per_task", "whole_batch"])
def test_the_loss_of_two_sets_and_its_gradient(loss, reduction):
    def ours(prognosis, severity):
        said = {"prognosis": prognosis, "severity": severity}
        labels = {"prognosis": torch.tensor(OUTCOME), "severity": torch.tensor(SCORED)}
        each = mdmt.task_losses(said, labels, prognosis_loss=loss, reduction=reduction)
        return mdmt.total_loss(each)

    def written_out(prognosis, severity):
        whole = reduction == "whole_batch"
        first, second = OUTCOME[:3].astype(int), SCORED[3:].astype(int)
        squares = ((prognosis[:3] - np.eye(2)[first]) ** 2).mean(1)
        one = squares if loss == "mse_logits" else entropy_of_classes(prognosis[:3], first)
        two = entropy_of_classes(severity[3:], second)
        if not whole:
            return one.mean() + two.mean()
        idle = 0 if loss == "mse_logits" else 4 * np.log(2)
        return (one.sum() + idle) / 7 + (two.sum() + 3 * np.log(4)) / 7

    agree(ours, written_out, draw(7, 2), draw(7, 4))


# -- fusion: (1/C) sum_k [exp(-s_k) BCE_k + s_k / 2], and its focal rivals ------------------------

LABELS = np.array([[1.0, 0, 1], [0, 1, np.nan], [0, 0, np.nan]])


def entropy_by_label(logits, soften=lambda wrong, k: 1.0):
    found = []
    for k in range(3):
        known = np.isfinite(LABELS[:, k])
        truth, logit = LABELS[known, k], logits[known, k]
        wrong = np.where(truth == 1, 1 - chance(logit), chance(logit))
        found.append((entropy(logit, truth) * soften(wrong, k)).mean())
    return np.array(found)


FOCAL = {
    "uncertainty": lambda x, s: (np.exp(-s) * entropy_by_label(x) + s / 2).mean(),
    "bce": lambda x, s: entropy_by_label(x).mean() + 0 * s.sum(),
    "focal": lambda x, s: (
        entropy_by_label(x, lambda wrong, k: wrong**2 if k == 1 else 1.0).mean() + 0 * s.sum()
    ),
    "learned-focal": lambda x, s: (
        entropy_by_label(x, lambda wrong, k: wrong ** np.exp(s[k])).mean() + s.mean() / 2
    ),
}


@pytest.mark.parametrize("rule", FOCAL)
def test_the_loss_of_labels_and_its_gradient(rule):
    def ours(logits, s):
        loss = LabelLoss(3, rule, prevalence=(0.3, 0.05, 0.3)).double()
        del loss.learned
        loss.learned = s
        return loss(logits, torch.tensor(LABELS)) + 0 * s.sum()

    agree(ours, FOCAL[rule], draw(3, 3), draw(3))


@pytest.mark.parametrize("rule", FOCAL)
@pytest.mark.parametrize("size", [30.0, 1e4])
def test_labels_that_are_told_with_full_certainty_give_finite_gradients(rule, size):
    loss = LabelLoss(2, rule, prevalence=(0.05, 0.05))
    loss.learned.data = torch.tensor([-1.0, 2.0])  # a gamma below 1 has an infinite slope at 0
    logits = torch.tensor([[size, -size], [-size, size]], requires_grad=True)
    value = loss(logits, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()
    assert (logits.grad[1, 0] < 0) & (logits.grad[1, 1] > 0)  # wrong answers are still pulled back
