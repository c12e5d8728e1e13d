"""Weights of several losses that one network learns at once, and gradients that do not fight.

All rules give weights of mean 1, so that they differ from equal weights in shares only.
"""

from __future__ import annotations

import torch
from torch import Tensor

TEMPERATURE = 2.0
"""Of the dynamic weight average, as its paper has it."""
ALPHA = 1.5
"""How strongly GradNorm pulls slow tasks up."""
GRADNORM_RATE = 0.025
LEAST = 1e-3
"""No weight of GradNorm falls below this: a task that is switched off would never come back."""


def weights_by_count(counts: Tensor) -> Tensor:
    """Weights in proportion to N / N_t of tasks with `counts` (T,) known cases.

    A task that nobody knows gets none.
    """
    shares = torch.where(counts > 0, counts.sum() / counts.clamp_min(1), 0.0)
    known = int((counts > 0).sum())
    return shares * known / shares.sum().clamp_min(1e-12)


def averaged_weights(last: Tensor, before: Tensor) -> Tensor:
    """Dynamic weight average: T softmax(r / 2), r = L(e-1) / L(e-2), of losses (T,) of two epochs.

    A task without a loss in one of them keeps the pace of the others. Liu, Johns, Davison, CVPR
    2019, equation 7.
    """
    pace = last / before
    known = pace.isfinite()
    middle = pace[known].mean() if known.any() else torch.ones_like(pace[0])
    pace = torch.where(known, pace, middle)
    return len(pace) * torch.softmax(pace / TEMPERATURE, 0)


def gradnorm_weights(weights: Tensor, norms: Tensor, progress: Tensor) -> Tensor:
    """One step of GradNorm on the weights (T,).

    `norms` are those of the gradients of the unweighted losses at the last shared layer, and
    `progress` is each loss as a share of its first value. The step goes down the gradient of
    sum_t |w_t norm_t - goal_t| with goal_t = mean(w norm) (progress_t / mean progress)^1.5 as a
    constant. Chen et al., ICML 2018, algorithm 1.
    """
    sizes = weights * norms
    goal = sizes.mean() * (progress / progress.mean()) ** ALPHA
    moved = weights - GRADNORM_RATE * torch.sign(sizes - goal) * norms
    kept = moved.clamp_min(LEAST)
    return kept * len(kept) / kept.sum()


def projected(gradients: Tensor, order: Tensor) -> Tensor:
    """PCGrad: gradients (T, P) of tasks without what works against another task, (T, P).

    `order` (T, T - 1) says for each task in which order the others are looked at; where the
    gradient so far points against the other's own one, its part along that is taken out. Yu et
    al., NeurIPS 2020, algorithm 1. It works on the products of all pairs: what is left of a
    gradient is a sum of the given ones.
    """
    products = gradients @ gradients.T
    tasks = torch.arange(len(gradients))
    mix = torch.eye(len(gradients), dtype=gradients.dtype)
    for other in order.T:
        along = (mix * products[:, other].T).sum(1)
        against = torch.where(along < 0, along / products[other, other].clamp_min(1e-30), 0.0)
        mix[tasks, other] -= against
    return mix @ gradients


def drawn_order(tasks: int) -> Tensor:
    """For each task the others in an order drawn anew, (T, T - 1); of one task nothing is drawn."""
    if tasks < 2:
        return torch.empty(tasks, 0, dtype=torch.long)
    drawn = torch.rand(tasks, tasks).fill_diagonal_(2.0)
    return drawn.argsort(1)[:, :-1]
