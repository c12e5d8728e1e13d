"""Variants of ``medview ablate cxr`` with effects of clusters: what they say of left-out films.

The cluster of a film is its source, or its source and projection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from medview.domain.progress import Progress
from medview.learning.armed_rules import RULES, UNKNOWN, Scores, one_hot, read_out, risks
from medview.learning.cxr_armed import ArmedRun, ClusterOf, Effects, source_of
from medview.learning.cxr_fit import PHASES, begun, fit_method
from medview.learning.cxr_folds import Fold, as_said
from medview.learning.cxr_given import scores_of
from medview.learning.cxr_metrics import Said
from medview.learning.subset import TrainCase
from medview.models.armed import ArmedOutput, LossWeights
from medview.models.site_mdmt import OUTCOME


def view_of(case: TrainCase) -> str:
    """Source and projection, PA or bedside; the source alone where it is not known."""
    view = case.cells.get("view", "").upper()
    return f"{case.site}, {'PA' if view == 'PA' else 'bedside'}" if view else case.site


# Variant -> the weights of its loss, and what a cluster is.
ARMED: dict[str, tuple[LossWeights, ClusterOf]] = {
    **{name: (rule, source_of) for name, rule in RULES.items()},
    **{f"{name}-view": (rule, view_of) for name, rule in RULES.items()},
}


@dataclass(frozen=True, slots=True, eq=False)
class ArmedSaid:
    """What is said of left-out films: as the variant says it, as all clusters would on the mean,
    and the effects (``armed_rules.read_out``).
    """

    own: Said
    average: Said
    effects: dict[tuple[str, str], float]


def armed_said(job: Progress, fold: Fold, variant: str) -> ArmedSaid:
    """Train with effects of clusters, and ask of the films left out."""
    weights, cluster_of = ARMED[variant]
    *before, final = PHASES["mdmt"]
    parts = fold.parts
    for phase in before:
        alone = replace(fold.recipe, method=phase)
        fit_method(job, alone, fold.given, parts, fold.seed, known=fold.known)
    model = begun(fold.recipe, fold.given, parts[0], final, fold.known, fold.seed)
    run = ArmedRun(
        *(fold.recipe, fold.given, parts, model, final, fold.seed),
        effects=Effects(weights, cluster_of),
    )
    run.to_end(job)
    return _said(run, fold)


@torch.no_grad()
def _said(run: ArmedRun, fold: Fold) -> ArmedSaid:
    run.armed.eval()
    test = fold.test
    plain = np.zeros(len(test), np.intp)
    clusters = run.clusters[torch.from_numpy(test)]
    heads, output = run.ask(test, plain, one_hot(clusters, run.count))

    def ask(shares: Tensor) -> ArmedOutput:
        return run.ask(test, plain, shares)[1]

    def said(severe: Scores) -> Said:
        return as_said({**scores_of(heads), "severe": severe}, fold)

    found = risks(ask, clusters, run.count, run.weights)
    outcome = [bool(run.given.films.cases[n].cells.get(OUTCOME)) for n in test]
    told = torch.where(torch.tensor(outcome), clusters, UNKNOWN)
    effects = read_out(run.armed, output, told, run.names, "clusters")
    return ArmedSaid(said(found["own"]), said(found["average"]), effects)
