"""Health figures of an M-AVAE: what collapses is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from medview.models.mavae import TERMS, LossWeights, Mavae, Rows
from medview.models.priors import divergence, draws

MOSTLY = 0.95
"""A larger share of the age by the linear path leaves the codes little to say."""
ACTIVE = 0.01
"""A unit counts as active when its mean varies more than this over the rows."""


@torch.no_grad()
def health(net: Mavae, rows: Rows) -> dict[str, float]:
    """Figures of one member on rows.

    ``active_units`` counts generic and unique units that vary; ``kl_ROLE_NN`` is the KL of each
    unique dimension in nats; ``adversary_accuracy`` is against a chance of 0.5 on as many draws
    of the prior as codes; ``generic_spread`` the mean standard deviation of the generic codes.
    ``linear_share`` is the share of the variance of the age that the linear path makes, where
    the network has one.
    """
    codes = net.encode(rows)
    split, found = net.options.generic, dict[str, float]()
    active, fooled, spread = 0, list[Tensor](), list[Tensor]()
    generator = np.random.default_rng(0)
    for role in net.options.roles:
        here = rows.present[role] > 0
        mean, log_variance = codes.mean[role][here], codes.log_variance[role][here]
        if len(mean) < 2:
            continue
        active += int((mean.var(0) > ACTIVE).sum())
        own = divergence(net.options.prior, mean, log_variance)[:, split:].mean(0)
        found[f"kl_{role}"] = float(own.mean())
        found |= {f"kl_{role}_{number:02d}": float(value) for number, value in enumerate(own)}
        generic = mean[:, :split]
        prior = torch.from_numpy(draws(net.options.prior, generator, tuple(generic.shape)))
        fooled += [net.discriminator(prior) > 0, net.discriminator(generic) <= 0]
        spread.append(generic.std(0).mean())
    if not spread:
        return found
    if net.options.skip:
        found["linear_share"] = _linear_share(net, rows)
    return {
        "active_units": float(active),
        "adversary_accuracy": float(torch.cat(fooled).float().mean()),
        "generic_spread": float(torch.stack(spread).mean()),
        **found,
    }


def _linear_share(net: Mavae, rows: Rows) -> float:
    """Variance of the linear path's part of the age over that of both parts, 0 to 1."""
    whole = net(rows).age
    direct = torch.stack(
        [skip(rows.inputs[role])[:, 0] * rows.present[role] for role, skip in net.skips.items()]
    ).sum(0)
    straight, coded = direct.var(), (whole - direct).var()
    return float(straight / (straight + coded).clamp_min(1e-12))


def gradient_shares(net: Mavae, rows: Rows, weights: LossWeights) -> dict[str, float]:
    """Share of each weighted loss term in the gradient of each encoder, ``TERM_ROLE``.

    Shares of one encoder add up to 1.
    """
    terms = net.losses(net(rows), rows)
    shares: dict[str, float] = {}
    for role in net.options.roles:
        own = list(net.encoders[role].parameters())
        norms = {name: _norm(getattr(weights, name) * terms[name], own) for name in TERMS}
        total = sum(norms.values())
        shares |= {
            f"{name}_{role}": value / total if total else 0.0 for name, value in norms.items()
        }
    return shares


def _norm(term: Tensor, parameters: list[torch.nn.Parameter]) -> float:
    if not term.requires_grad:
        return 0.0
    found = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
    squares = [(grad**2).sum() for grad in found if grad is not None]
    return float(torch.stack(squares).sum().sqrt()) if squares else 0.0


def health_words(figures: Mapping[str, float], roles: int) -> list[dict[str, object]]:
    """Health figures with a verdict: collapse of the KL, of the codes and of the adversary."""
    checks: tuple[tuple[str, Callable[[float], bool], str], ...] = (
        (
            "active_units",
            lambda v: v >= 3 * roles,
            "code collapse: hardly any unit of the codes varies from row to row",
        ),
        *(
            (
                f"kl_{role}",
                lambda v: v > 1e-3,
                f"KL collapse: the unique code of {role} says nothing of the row",
            )
            for role in ("smri", "fmri")
        ),
        (
            "generic_spread",
            lambda v: v > 0.05,
            "mode collapse: all rows have nearly the same generic code",
        ),
        (
            "adversary_accuracy",
            lambda v: v < 0.95,
            "the adversary always wins: the generic codes do not look like their prior",
        ),
        (
            "linear_share",
            lambda v: v <= MOSTLY,
            "nearly all of the age comes by the linear path: the codes add little to it",
        ),
    )
    return [
        {"name": name, "value": figures[name], "ok": ok, "text": "" if ok else trouble}
        for name, good, trouble in checks
        if name in figures
        for ok in (bool(good(figures[name])),)
    ]
