"""Confounded spirals: do networks lean on probes, inputs that hold the cluster and nothing else?

After the ARMED paper's test: clusters differ in their share of the classes, two probes hold that
share, and a network that does not want to know the cluster should rank them below the two inputs
that make the spiral. One cluster is left out in each fold, a tenth of the rows of the others too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from medview.domain.progress import Progress
from medview.learning.armed_stack import Stack
from medview.learning.spirals import (
    VARIANTS,
    Report,
    Tensors,
    Variant,
    bench_row,
    reported,
    tensors_of,
    trained_stack,
    use_one_thread,
)
from medview.learning.spirals_data import CLUSTERS, PROBES, Floats, Spirals, make_confounded

RIVALS = tuple(one for one in VARIANTS if not one.meta and one.link == "prob")
# Balanced accuracies of the authors' older notebook: clusters seen, cluster left out.
PUBLISHED: dict[str, tuple[float, float]] = {
    "conventional": (0.807, 0.416),
    "cluster input": (0.812, 0.350),
    "ARMED (ME)": (0.821, 0.431),
}
HELD_SHARE = 10
"""One of so many rows of the clusters seen is held out."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeScores:
    """Of one variant, (seeds, folds) each.

    Balanced accuracy on rows held out of the clusters `seen` and on the cluster `left_out`, which
    has no effects of its own; the `share` that the probes have of the importance of the four
    inputs; and whether both probes are `ranked` below both true inputs.
    """

    variant: Variant
    seen: Floats
    left_out: Floats
    share: Floats
    ranked: Floats


def run_probes(
    report: Report, seeds: Sequence[int], epochs: int, variants: Sequence[Variant] = RIVALS
) -> list[ProbeScores]:
    """Train every variant without each cluster with every seed, those of one shape as one stack."""
    data = make_confounded()
    train, seen, left_out = _parts(data)
    found: dict[str, ProbeScores] = {}
    shapes = dict.fromkeys(v.cluster_input for v in variants)
    for number, shape in enumerate(shapes):
        group = [v for v in variants if v.cluster_input == shape]
        name = ", ".join(v.name for v in group)

        def tell(done: int, total: int, at: int = number, name: str = name) -> None:
            report(at * total + done, len(shapes) * total, name)

        given = tensors_of(data, cluster_input=shape)
        stack = trained_stack(given, train, group, (seeds, epochs), tell)
        found |= {s.variant.name: s for s in _scored(stack, group, given, (seen, left_out))}
    return [found[v.name] for v in variants]


def _parts(data: Spirals) -> tuple[Tensor, Tensor, Tensor]:
    """Rows by fold: of training, held out of the clusters seen, and of the cluster left out."""
    dice = np.random.default_rng(0)
    orders = [dice.permutation(np.flatnonzero(data.c == k)) for k in range(CLUSTERS)]
    held = [order[: len(order) // HELD_SHARE] for order in orders]
    kept = [order[len(order) // HELD_SHARE :] for order in orders]

    def others(parts: Sequence[np.ndarray[Any, Any]]) -> Tensor:
        rows = [
            np.sort(np.concatenate([part for n, part in enumerate(parts) if n != k]))
            for k in range(CLUSTERS)
        ]
        return torch.tensor(np.stack(rows))

    return others(kept), others(held), torch.tensor(np.stack(orders))


def _scored(
    stack: Stack, group: Sequence[Variant], data: Tensors, parts: tuple[Tensor, Tensor]
) -> list[ProbeScores]:
    x, y, c = data
    seen, left_out = (part.repeat(stack.copies // CLUSTERS, 1) for part in parts)
    mixed = torch.tensor([v.mixed for v in group]).repeat_interleave(stack.copies // len(group))
    size = x[:, : 2 + PROBES].std(0)
    told, slopes = _asked(stack, x[seen], F.one_hot(c[seen], CLUSTERS).float(), mixed)
    # Of a cluster that was never seen nothing is known: no effects, no code.
    foreign = x[left_out].clone()
    foreign[..., 2 + PROBES :] = 0
    nothing = torch.zeros(*left_out.shape, CLUSTERS)
    unknown, _ = _asked(stack, foreign, nothing, torch.zeros_like(mixed))
    weight = slopes[..., : 2 + PROBES].abs().mean(1) * size  # (copies, inputs)
    share = weight[:, 2:].sum(1) / weight.sum(1).clamp_min(1e-12)
    ranked = weight[:, 2:].amax(1) < weight[:, :2].amin(1)
    figures = (balanced(told, y[seen]), balanced(unknown, y[left_out]), share, ranked.double())

    def parted(values: Tensor, number: int) -> Floats:
        shaped = values.reshape(len(group), -1, CLUSTERS)[number]
        return np.asarray(shaped.numpy(), dtype=np.float64)

    return [ProbeScores(v, *(parted(one, n) for one in figures)) for n, v in enumerate(group)]


def _asked(stack: Stack, x: Tensor, z: Tensor, mixed: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (copies, n), with effects where `mixed`, and slopes of the fixed part (copies, n, d).

    The slopes are those of each row's logit by its inputs, without effects of any cluster.
    """
    given = x.clone().requires_grad_()
    fixed, whole, *_ = stack.outputs(given, z)
    (slopes,) = torch.autograd.grad(fixed.sum(), given)
    return torch.where(mixed[:, None], whole, fixed).detach(), slopes


def balanced(logit: Tensor, truth: Tensor) -> Tensor:
    """Mean of sensitivity and specificity of each copy, (copies,), from (copies, n)."""
    right = ((logit > 0) == (truth > 0.5)).double()
    parts = [(right * kind).sum(1) / kind.sum(1) for kind in (truth.double(), 1 - truth.double())]
    return (parts[0] + parts[1]) / 2


def bench(job: Progress, seeds: tuple[int, ...], epochs: int) -> dict[str, Any]:
    """Run all rivals, for ``medview bench probes``: figures of each seed, mean over folds."""
    began = time.perf_counter()
    use_one_thread()
    rows: list[dict[str, Any]] = []
    for one in run_probes(reported(job), seeds, epochs):
        known = PUBLISHED.get(one.variant.name, (None, None))
        figures: dict[str, tuple[Floats, float | None]] = {
            "balanced accuracy, clusters seen": (one.seen, known[0]),
            "balanced accuracy, cluster left out": (one.left_out, known[1]),
            "share of the importance that the probes have": (one.share, None),
            "share of the runs that rank both probes last": (one.ranked, None),
        }
        rows += [bench_row(one.variant.name, name, *each) for name, each in figures.items()]
    return {"rows": rows, "seconds": round(time.perf_counter() - began, 1)}
