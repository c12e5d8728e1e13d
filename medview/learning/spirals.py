"""Spirals in clusters: the simulation of the ARMED paper, its protocol and its rivals.

Source: the published notebook; 10-fold accuracy on the data of seed 48.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from torch import Tensor
from torch.nn import functional as F

from medview.domain.progress import Progress
from medview.learning.armed_stack import Stack, StackBatch, Steps, train_stack
from medview.learning.spirals_data import CLUSTERS, Floats, Spirals, make_spirals
from medview.learning.spirals_mldg import ROWS, cluster_batches, train_mldg
from medview.models.armed import Armed, ArmedOptions, Link, LossWeights, perceptron

HIDDEN = (4, 4, 4)
BATCH = 32
FOLDS = 10

Report = Callable[[int, int, str], None]
"""Takes what is done, of how many, and its name."""
Tell = Callable[[int, int], None]
Plan = tuple[Sequence[int], int]
"""Seeds and epochs."""
Tensors = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Variant:
    """A rival: the loss terms it learns by, and what of it is scored.

    `meta` learns by MLDG. `published` is the accuracy of the authors' single seed, where there is
    one. Their program counts the data terms twice against the KL term, by an oversight; here each
    counts once, as they write it.
    """

    name: str
    weights: LossWeights
    mixed: bool = False
    link: Link = "prob"
    cluster_input: bool = False
    meta: bool = False
    random_z: float | None = None
    published: float | None = None


VARIANTS = (
    Variant("conventional", LossWeights(0.0, 1.0, 0.0, 0.0), published=0.7636),
    Variant("MLDG", LossWeights(0.0, 1.0, 0.0, 0.0), meta=True, published=0.6328),
    Variant("cluster input", LossWeights(0.0, 1.0, 0.0, 0.0), cluster_input=True, published=0.6755),
    Variant("domain adversarial", LossWeights(0.0, 1.0, 0.5, 0.0), published=0.7525),
    Variant("ARMED (ME)", LossWeights(), mixed=True, published=0.7878, random_z=0.7670),
    Variant("ME without adversary", LossWeights(1.0, 0.0, 0.0, 1e-5), mixed=True, published=0.7933),
    Variant("ARMED (ME), logit link", LossWeights(), mixed=True, link="logit"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Accuracies (seeds, folds) of a variant, with its own clusters and with random ones."""

    variant: Variant
    accuracy: Floats
    random_z: Floats | None


def run_spirals(
    report: Report, seeds: Sequence[int], epochs: int = 10, variants: Sequence[Variant] = VARIANTS
) -> list[Scores]:
    """Train every variant on every fold with every seed, those of one shape as one stack.

    The same seed starts the network and shuffles the rows alike in all variants and folds, as
    the published protocol does; only the network with cluster input is larger.
    """
    data = make_spirals()
    found: dict[str, Scores] = {}
    shapes = dict.fromkeys((v.link, v.cluster_input, v.meta) for v in variants)
    for number, shape in enumerate(shapes):
        group = [v for v in variants if (v.link, v.cluster_input, v.meta) == shape]
        name = ", ".join(v.name for v in group)

        def tell(done: int, total: int, at: int = number, name: str = name) -> None:
            report(at * total + done, len(shapes) * total, name)

        run = _run_meta if group[0].meta else _run_group
        found |= {s.variant.name: s for s in run(data, group, (seeds, epochs), tell)}
    return [found[v.name] for v in variants]


def _run_group(data: Spirals, group: Sequence[Variant], plan: Plan, tell: Tell) -> list[Scores]:
    train, test = _folds(data)
    given = tensors_of(data, cluster_input=group[0].cluster_input)
    stack = trained_stack(given, train, group, plan, tell)
    return _scored(stack, group, given, test, len(plan[0]))


def tensors_of(data: Spirals, *, cluster_input: bool = False) -> Tensors:
    """Inputs (n, d), classes and clusters (n,); with `cluster_input` its one-hot code behind x."""
    x, c = torch.tensor(data.x, dtype=torch.float32), torch.tensor(data.c)
    if cluster_input:
        x = torch.cat([x, F.one_hot(c, CLUSTERS).float()], 1)
    return x, torch.tensor(data.y, dtype=torch.float32), c


def trained_stack(
    data: Tensors,
    train: Tensor,
    group: Sequence[Variant],
    plan: Plan,
    tell: Tell,
) -> Stack:
    """Train variants of one shape on rows `train` (folds, rows); copies as variant, seed, fold."""
    seeds, epochs = plan
    starts = [_start(seed, data[0], group[0].link) for seed in seeds]
    models = [start for _ in group for start in starts for _ in range(len(train))]
    stack = Stack(models, _weights(group, len(seeds) * len(train)))
    batches = _batches(data, train, (len(group), seeds, epochs))
    total = epochs * -(-train.shape[1] // BATCH)
    dice = torch.Generator().manual_seed(int(seeds[0]))
    for done, _ in enumerate(train_stack(stack, batches, Steps(), generator=dice)):
        if done % 50 == 0:
            tell(done, total)
    return stack


def _run_meta(data: Spirals, group: Sequence[Variant], plan: Plan, tell: Tell) -> list[Scores]:
    seeds, epochs = plan
    x, y, c = tensors_of(data)
    train, test = _folds(data)
    bases = [_start(seed, x, group[0].link).base for seed in seeds for _ in range(FOLDS)]
    total = epochs * (train.shape[1] // CLUSTERS // ROWS)

    def report(done: int) -> None:
        if done % 50 == 0:
            tell(done, total)

    says = train_mldg(bases, cluster_batches((x, y, c), train, seeds, epochs), report)
    rows = test.repeat(len(seeds), 1)
    right = ((says(x[rows]) > 0) == (y[rows] > 0.5)).double().mean(1)
    accuracy = np.asarray(right.reshape(len(seeds), FOLDS).numpy(), dtype=np.float64)
    return [Scores(variant, accuracy, None) for variant in group]


def _folds(data: Spirals) -> tuple[Tensor, Tensor]:
    """Rows of training (folds, 9000) and test (folds, 1000), by class and cluster at once."""
    joint = data.c * 2 + data.y
    parts = list(StratifiedKFold(FOLDS).split(data.x, joint))
    return (
        torch.tensor(np.stack([train for train, _ in parts])),
        torch.tensor(np.stack([test for _, test in parts])),
    )


def _start(seed: int, x: Tensor, link: Link) -> Armed:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        base = perceptron((x.shape[1], *HIDDEN, 1))
        options = ArmedOptions(CLUSTERS, ("1", "3", "5"), "hidden", "5", "binary", link)
        return Armed(base, options, (x[:1],))


def _weights(group: Sequence[Variant], each: int) -> LossWeights:
    def stacked(name: str) -> Tensor:
        values = torch.tensor([float(getattr(v.weights, name)) for v in group])
        return values.repeat_interleave(each)

    return LossWeights(*(stacked(name) for name in ("mixed", "fixed", "adversary", "kl")))


def _batches(
    data: Tensors, train: Tensor, plan: tuple[int, Sequence[int], int]
) -> Iterator[StackBatch]:
    """Batches of every copy; a seed shuffles alike in all folds and variants."""
    (x, y, c), (variants, seeds, epochs) = data, plan
    dice = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    for _ in range(epochs):
        orders = torch.stack([torch.randperm(train.shape[1], generator=one) for one in dice])
        for places in torch.split(orders, BATCH, dim=1):
            rows = train[:, places].transpose(0, 1).reshape(-1, places.shape[1])
            rows = rows.repeat(variants, 1)
            yield StackBatch(x[rows], y[rows], c[rows])


@torch.no_grad()
def _scored(
    stack: Stack,
    group: Sequence[Variant],
    data: Tensors,
    test: Tensor,
    seeds: int,
) -> list[Scores]:
    x, y, c = data
    rows = test.repeat(len(group) * seeds, 1)
    dice = torch.Generator().manual_seed(0)
    odd = torch.randint(CLUSTERS, rows.shape, generator=dice)
    fixed, mixed, *_ = stack.outputs(x[rows], F.one_hot(c[rows], CLUSTERS).float())
    _, odd_mixed, *_ = stack.outputs(x[rows], F.one_hot(odd, CLUSTERS).float())

    def accuracy(logit: Tensor) -> NDArray[np.float64]:
        right = ((logit > 0) == (y[rows] > 0.5)).double().mean(1)
        return np.asarray(right.reshape(len(group), seeds, FOLDS).numpy(), dtype=np.float64)

    plain, own, random = accuracy(fixed), accuracy(mixed), accuracy(odd_mixed)
    return [
        Scores(v, own[n] if v.mixed else plain[n], random[n] if v.mixed else None)
        for n, v in enumerate(group)
    ]


def bench(job: Progress, seeds: tuple[int, ...], epochs: int) -> dict[str, Any]:
    """Run all rivals, for ``medview bench spirals``: accuracies of each seed, mean over folds."""
    began = time.perf_counter()
    use_one_thread()
    rows: list[dict[str, Any]] = []
    for each in run_spirals(reported(job), seeds, epochs):
        name, published = each.variant.name, each.variant.published
        rows.append(bench_row(name, "accuracy", each.accuracy, published))
        if each.random_z is not None:
            name, published = f"{name}, random Z", each.variant.random_z
            rows.append(bench_row(name, "accuracy", each.random_z, published))
    return {"rows": rows, "seconds": round(time.perf_counter() - began, 1)}


def use_one_thread() -> None:
    """Use one thread: the tensors are so small that a second one would only be waited for."""
    torch.set_num_threads(1)


def reported(job: Progress) -> Report:
    """Tell a job how far the rivals are, and stop when it is cancelled."""

    def tell(done: int, total: int, name: str) -> None:
        job.check()
        job.report(done, total, name)

    return tell


def bench_row(name: str, figure: str, values: Floats, published: float | None) -> dict[str, Any]:
    """One figure (seeds, folds) of a rival: the means over folds, one a seed."""
    by_seed = values.mean(1).tolist()
    return {"name": name, "figure": figure, "values": by_seed, "published": published}
