"""Whether an anomaly model has collapsed: figures on some slices, and their verdict in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from medview.models.anomaly_vae import LATENT, AnomalyVae
from medview.models.blocks import SpatialAttention, channels_last
from medview.models.losses import gaussian_nll, kl_standard_normal

ACTIVE = 0.01
"""A latent unit counts as active when its mean varies more than this over the batch."""
HEALTH = (
    *("active_units", "kl_per_dimension", "kl_per_active_unit", "epistemic", "aleatoric"),
    "attention_entropy",
)
"""Figures that say whether a part of the model has collapsed; in history.csv of every epoch."""


@torch.no_grad()
def health(model: AnomalyVae, x: Tensor, mask: Tensor) -> dict[str, float]:
    """ELBO terms and the figures that name a collapse, on slices (n, 1, 128, 128).

    ``active_units``: latent units whose mean varies over slices; ``epistemic``: mean variance
    over 5 draws; ``attention_entropy``: mean over blocks, 1 is uniform.
    """
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = model.encode(channels_last(x))
    kl = kl_standard_normal(mean, log_variance)
    noise = torch.randn(len(x), LATENT, generator=generator).to(x.device)
    picture, s = model.decode(mean + torch.exp(0.5 * log_variance) * noise)
    nll = gaussian_nll(x, picture, s, mask)
    pixels = mask.sum((1, 2, 3)).mean()
    few, spread = x[:8], torch.exp(0.5 * log_variance[:8])
    draws = torch.stack(
        [
            model.decode(
                mean[:8] + spread * torch.randn(spread.shape, generator=generator).to(x.device)
            )[0]
            for _ in range(5)
        ]
    )
    inside = mask[:8]
    error = ((x - picture) ** 2 * mask).sum() / mask.sum()
    return {
        "loss": float(nll + kl.sum(1).mean() / pixels),
        "nll": float(nll),
        "kl": float(kl.sum(1).mean()),
        "rmse": float(error.sqrt()),
        "active_units": float((mean.var(0) > ACTIVE).sum()),
        "kl_per_dimension": float(kl.mean()),
        "kl_per_active_unit": float(kl.mean(0).sum() / max(1, int((mean.var(0) > ACTIVE).sum()))),
        "epistemic": float((draws.var(0, correction=0) * inside).sum() / inside.sum()),
        "aleatoric": float((s[: len(few)].exp() * inside).sum() / inside.sum()),
        "attention_entropy": attention_entropy(model, few),
    }


@torch.no_grad()
def attention_entropy(model: AnomalyVae, x: Tensor) -> float:
    """Entropy of the attention rows over log(keys), averaged over the blocks; NaN without any."""
    seen: list[float] = []

    def note(part: nn.Module, given: tuple[Tensor, ...]) -> None:
        if isinstance(part, SpatialAttention):
            rows = part.weights(given[0][:1]).clamp_min(1e-12)
            entropy = -(rows * rows.log()).sum(-1).mean() / np.log(rows.shape[-1])
            seen.append(float(entropy))

    parts = [p for p in model.modules() if isinstance(p, SpatialAttention)]
    hooks = [part.register_forward_pre_hook(note) for part in parts]
    mean, _ = model.encode(channels_last(x[:1]))
    model.decode(mean)
    for hook in hooks:
        hook.remove()
    return float(np.mean(seen)) if seen else float("nan")


def health_words(figures: dict[str, float]) -> list[dict[str, object]]:
    """The health figures with a verdict: KL, uncertainty and attention collapse by name."""
    checks: tuple[tuple[str, Callable[[float], bool], str], ...] = (
        ("active_units", lambda v: v >= 5, "KL collapse: the code ignores the picture"),
        ("epistemic", lambda v: v > 1e-6, "uncertainty collapse: all draws are the same"),
        ("attention_entropy", lambda v: not v > 0.999, "attention collapse: it looks everywhere"),
        ("kl_per_dimension", lambda v: v > 1e-3, "KL collapse: the code is the prior"),
    )
    return [
        {"name": name, "value": figures[name], "ok": ok, "text": "" if ok else trouble}
        for name, good, trouble in checks
        if name in figures
        for ok in (bool(good(figures[name])),)
    ]
