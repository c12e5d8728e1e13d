"""MLDG, a rival of ARMED: learn so that a step on some clusters also helps another one.

Source: Li et al., Learning to generalize, arXiv 1710.03463, with the numbers that the ARMED paper's
notebook gives: inner step by plain gradient at 1e-3, outer step by Adam at 1e-3, four rows of each
cluster in a step, one cluster held back in each, weight 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional as F

from medview.learning.armed_stack import Steps

INNER_RATE = 1e-3
ROWS = 4
"""Of each cluster in a step."""
HELD_WEIGHT = 1.0

Given = tuple[Tensor, Tensor, Tensor]
"""Rows (clusters, n, d), their truth (clusters, n) and, (clusters,), 1 for the one held back."""


def meta_loss(base: nn.Module, parameters: dict[str, Tensor], given: Given) -> Tensor:
    """Loss on the other clusters, plus that on the one held back after a step on the others."""
    x, truth, held = given

    def loss(own: dict[str, Tensor], weight: Tensor) -> Tensor:
        told = functional_call(base, own, (x.reshape(-1, x.shape[-1]),)).reshape(truth.shape)
        each = F.binary_cross_entropy_with_logits(told, truth, reduction="none").mean(1)
        return (each * weight).sum() / weight.sum()

    slopes = grad(loss)(parameters, 1 - held)
    stepped = {name: value - INNER_RATE * slopes[name] for name, value in parameters.items()}
    return loss(parameters, 1 - held) + HELD_WEIGHT * loss(stepped, held)


def train_mldg(
    bases: Sequence[nn.Module],
    batches: Iterator[Given],
    report: Callable[[int], None] = lambda _: None,
) -> Callable[[Tensor], Tensor]:
    """Train copies of one network; each batch is `Given` with a first axis of copies.

    Returns what the copies say of inputs (copies, n, d): logits (copies, n).
    """
    parameters, _ = stack_module_state(list(bases))
    own = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    steps = Steps()
    outer = torch.optim.Adam(own.values(), lr=steps.rate, eps=steps.eps)
    slope = vmap(grad(lambda p, given: meta_loss(bases[0], p, given)))
    for number, given in enumerate(batches):
        found = slope({name: value.detach() for name, value in own.items()}, given)
        for name, value in own.items():
            value.grad = found[name]
        outer.step()
        report(number)

    @torch.no_grad()
    def says(x: Tensor) -> Tensor:
        told: Tensor = vmap(lambda p, rows: functional_call(bases[0], p, (rows,)))(own, x)
        return told.squeeze(-1)

    return says


def cluster_batches(
    data: Given, train: Tensor, seeds: Sequence[int], epochs: int
) -> Iterator[Given]:
    """Batches of rows by cluster for copies in the order seed, fold; alike in all folds of a seed.

    `data` are inputs (n, d), truth (n,) and clusters (n,); `train` (folds, rows) holds as many
    rows of every cluster.
    """
    x, y, c = data
    kinds = torch.unique(c)
    # (folds, clusters, rows of each)
    parted = torch.stack([torch.stack([fold[c[fold] == kind] for kind in kinds]) for fold in train])
    folds, clusters, each = parted.shape
    dice = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    for _ in range(epochs):
        orders = torch.stack(
            [torch.stack([torch.randperm(each, generator=one) for _ in kinds]) for one in dice]
        )
        for begin in range(0, each - ROWS + 1, ROWS):
            places = orders[:, None, :, begin : begin + ROWS].expand(-1, folds, -1, -1)
            rows = parted.expand(len(dice), -1, -1, -1).gather(3, places).flatten(0, 1)
            held = torch.stack([torch.randint(clusters, (), generator=one) for one in dice])
            chosen = F.one_hot(held, clusters).float().repeat_interleave(folds, 0)
            yield x[rows], y[rows], chosen
