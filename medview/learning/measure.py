"""Cross-validated figures: every brain scored by weights and baselines that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medview.domain.progress import Progress
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.baselines import fit_baselines
from medview.learning.cases import PreparedCase
from medview.learning.metrics import MetricRow
from medview.learning.scoring import model_scorer, together, trivial_scorer
from medview.learning.solid import solid_rows, try_solid
from medview.learning.synthetic import DRAWS, HeldOut, SyntheticTrials, try_lesions
from medview.learning.synthetic_rows import synthetic_rows

FoldOf = tuple[Engine, AnomalySettings, Sequence[PreparedCase]]


def try_folds(
    job: Progress,
    folds: Sequence[FoldOf],
    seed: int = 0,
    *,
    always: Sequence[PreparedCase] = (),
    draws: int = DRAWS,
) -> SyntheticTrials:
    """Score the left-out brains of each fold by its own model and its own baselines."""
    held_out = []
    for number, (engine, settings, left_out) in enumerate(folds):
        others = [case for n, (_, _, cases) in enumerate(folds) if n != number for case in cases]
        baselines = fit_baselines([*others, *always], seed)
        scorer = together(model_scorer(engine, settings, seed), trivial_scorer, *baselines)
        held_out += [HeldOut(case, scorer) for case in left_out]
    return try_lesions(job, held_out, draws=draws, seed=seed)


def measure_folds(
    job: Progress,
    folds: Sequence[FoldOf],
    seed: int = 0,
    *,
    always: Sequence[PreparedCase] = (),
    draws: int = DRAWS,
) -> list[dict[str, Any]]:
    """The figures of `try_folds` as fields of a card's `Figure`, without the command.

    All rows of all brains together, and of each set on its own the model's main rows: a card is
    read by people.
    """
    rows = synthetic_rows(try_folds(job, folds, seed, always=always, draws=draws))
    whole = rows[-1].subset if rows else ""
    rows += whole_volume_rows(job, folds, whole, seed)
    kept = [r for r in rows if r.subset == whole or (r.predictor == "model" and r.group == "all")]
    return [_figure_fields(row) for row in kept]


def whole_volume_rows(
    job: Progress, folds: Sequence[FoldOf], subset: str, seed: int = 0
) -> list[MetricRow]:
    """Figures of solid lesions in left-out volumes, by each fold's own model."""
    solids, cleans = [], []
    for number, (engine, settings, left_out) in enumerate(folds):
        job.report(number, len(folds), "solid lesions")
        tried = try_solid(job, engine, settings, left_out, seed=seed)
        solids += tried[0]
        cleans += tried[1]
    return solid_rows(subset, solids, cleans)


def _figure_fields(row: MetricRow) -> dict[str, Any]:
    body = row.as_dict()
    body["on"] = body.pop("subset")
    named = ("name", "value", "on", "low", "high", "n", "predictor", "level", "group")
    return {name: body.pop(name) for name in named} | {"extra": body}
