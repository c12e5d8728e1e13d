"""ARMED round the chest network: what a source adds to the odds of a severe course.

The cluster of a film is its source, or its source and projection. Adversary and effects are of the
outcome alone, and zones are learnt as without them. First weights, films and draws are those
of the network without effects; ``medview ablate cxr`` compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.progress import Progress
from medview.learning.armed_rules import (
    RULES,
    UNKNOWN,
    Asked,
    Opponent,
    Scores,
    numbered,
    one_hot,
    put_round,
    read_out,
    risks,
)
from medview.learning.cxr_fit import PHASES, Fitted, Run, begun, fit_method
from medview.learning.cxr_folds import Index, as_said, median_total, split_val
from medview.learning.cxr_given import Given, scores_of
from medview.learning.cxr_metrics import Said
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.subset import TrainCase
from medview.models.armed import Armed, ArmedOutput, LossWeights, watching
from medview.models.mdmt import Mdmt, task_losses

OUTCOME = "prognosis"
NET = "net"
LAYERS = tuple(f"{NET}.heads.{OUTCOME}.{n}" for n in (1, 4))
"""Both hidden layers of the head of the outcome (``mdmt.deep_head``), after their ReLU."""


def source_of(case: TrainCase) -> str:
    """The data set, hospital or maker that a film comes from."""
    return case.site


def view_of(case: TrainCase) -> str:
    """Source and projection, PA or bedside; the source alone where it is not known."""
    view = case.cells.get("view", "").upper()
    return f"{case.site}, {'PA' if view == 'PA' else 'bedside'}" if view else case.site


ClusterOf = Callable[[TrainCase], str]
# Variant -> the weights of its loss, and what a cluster is.
ARMED: dict[str, tuple[LossWeights, ClusterOf]] = {
    **{name: (rule, source_of) for name, rule in RULES.items()},
    **{f"{name}-view": (rule, view_of) for name, rule in RULES.items()},
}


def clusters_of(cases: Sequence[TrainCase], cluster_of: ClusterOf) -> list[str]:
    """Clusters with an outcome, by name."""
    return sorted({cluster_of(case) for case in cases if case.cells.get(OUTCOME)})


class Whole(nn.Module):
    """The network from what is learnt of its encoder on, called with a batch of ``Given``."""

    def __init__(self, net: Mdmt, *, pooled: bool) -> None:
        super().__init__()
        self.net, self.pooled = net, pooled

    def forward(self, inputs: Tensor, shares: Tensor) -> dict[str, Tensor]:
        """Outputs by task."""
        said: dict[str, Tensor] = self.net(
            inputs if self.pooled else self.net.run_tail(inputs, shares)
        )
        return said


class ArmedRun(Run):
    """The last phase of a training, with adversary and effects; `clusters` numbers all films."""

    def __init__(
        self,
        recipe: CxrRecipe,
        given: Given,
        parts: tuple[Index, Index],
        model: Mdmt,
        seed: int,
        weights: LossWeights,
        clusters: Tensor,
    ) -> None:
        self.weights, self.clusters = weights, clusters
        self.count = int(clusters.max()) + 1
        nobody = np.zeros(1, np.intp)
        self.armed: Armed = put_round(
            Whole(model, pooled=given.pooled is not None), self.count, LAYERS,
            given.batch(nobody, nobody), lambda said: said[OUTCOME][:, 1] - said[OUTCOME][:, 0],
            seed,
        )  # fmt: skip
        self._opponent = Opponent(self.armed, weights, recipe.rate, seed)
        super().__init__(recipe, given, parts, model, PHASES["mdmt"][-1], seed, None)

    @property
    def whole(self) -> nn.Module:
        """The network with its effects."""
        return self.armed

    def _learnt(self) -> list[nn.Parameter]:
        return [p for p in self.armed.main_parameters() if p.requires_grad]

    def ask(
        self, chosen: Index, copies: Index, shares: Tensor, noise: Tensor | None = None
    ) -> tuple[dict[str, Tensor], ArmedOutput]:
        """What is said of films by task, and of the outcome with effects of clusters (n, K)."""
        with watching(self.armed.base, (NET,)) as layers:
            armed: ArmedOutput = self.armed(self.given.batch(chosen, copies), shares, noise)
        heads: Mapping[str, Tensor] = layers[NET]  # type: ignore[assignment]  # outputs by task
        return dict(heads), armed

    def _losses(self, chosen: NDArray[np.intp], copies: NDArray[np.intp]) -> dict[str, Tensor]:
        cluster = self.clusters[torch.from_numpy(chosen)]
        shares = one_hot(cluster, self.count)
        said, armed = self.ask(chosen, copies, shares, self._opponent.noise())
        targets = self.given.targets(chosen, copies)
        losses = task_losses({t: rows for t, rows in said.items() if t != OUTCOME}, targets)
        truth = targets[OUTCOME]
        known = truth.isfinite() & (cluster >= 0)
        if known.any():
            only = ArmedOutput(armed.fixed[known], armed.mixed[known], armed.seen[known], armed.kl)
            losses[OUTCOME] = self._opponent.loss([Asked(1.0, only, truth[known], cluster[known])])
        return losses

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """As without effects; the outcome is judged as the variant will say it."""
        if not len(self.val):
            return {}
        self.armed.eval()
        plain = np.zeros(len(self.val), np.intp)
        cluster = self.clusters[torch.from_numpy(self.val)]
        said, armed = self.ask(self.val, plain, one_hot(cluster, self.count))
        logit = armed.fixed if self.weights.mixed == 0 else armed.mixed
        said[OUTCOME] = torch.stack([torch.zeros_like(logit), logit], 1)
        found = task_losses(said, self.given.targets(self.val, plain))
        return {task: value.item() for task, value in found.items()}


@dataclass(frozen=True, slots=True, eq=False)
class ArmedSaid:
    """What is said of left-out films: as the variant says it, as all clusters would on the mean,
    and the effects (``armed_rules.read_out``).
    """

    own: Said
    average: Said
    effects: dict[tuple[str, str], float]


def armed_said(
    job: Progress,
    recipe: CxrRecipe,
    given: Given,
    parts: tuple[Index, Index],
    seed: int,
    known: dict[str, Fitted],
    variant: str,
) -> ArmedSaid:
    """Train on the first of `parts` with effects of clusters, and ask of the second.

    `known` holds the single-task nets of the same films and seed, and takes in those trained here.
    """
    train, test = parts
    weights, cluster_of = ARMED[variant]
    cases = given.films.cases
    inner = split_val(cases, train, recipe.val_share, seed)
    for phase in PHASES["mdmt"][:-1]:
        fit_method(job, replace(recipe, method=phase), given, inner, seed, known=known)
    names = clusters_of([cases[n] for n in inner[0]], cluster_of)
    clusters = numbered([cluster_of(case) for case in cases], names)
    model = begun(recipe, given, inner[0], PHASES["mdmt"][-1], known, seed)
    run = ArmedRun(recipe, given, inner, model, seed, weights, clusters)
    run.to_end(job)
    return _said(run, test, names, median_total([cases[n] for n in train]))


@torch.no_grad()
def _said(run: ArmedRun, test: Index, names: Sequence[str], median: float) -> ArmedSaid:
    run.armed.eval()
    plain = np.zeros(len(test), np.intp)
    clusters = run.clusters[torch.from_numpy(test)]
    heads, output = run.ask(test, plain, one_hot(clusters, run.count))

    def ask(shares: Tensor) -> ArmedOutput:
        return run.ask(test, plain, shares)[1]

    def said(severe: Scores) -> Said:
        return as_said({**scores_of(heads), "severe": severe}, run.given, test, median)

    found = risks(ask, clusters, run.count, run.weights)
    outcome = [bool(run.given.films.cases[n].cells.get(OUTCOME)) for n in test]
    told = torch.where(torch.tensor(outcome), clusters, UNKNOWN)
    effects = read_out(run.armed, output, told, names, "clusters")
    return ArmedSaid(said(found["own"]), said(found["average"]), effects)
