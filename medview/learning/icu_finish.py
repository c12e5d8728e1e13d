"""What an ICU training leaves: weights and card of the parts whose networks are all there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.domain.wording import counted
from medview.learning.icu_armed import unit_columns
from medview.learning.icu_baselines import Tables, fit_models
from medview.learning.icu_card import make_card
from medview.learning.icu_evidence import measured_likeness
from medview.learning.icu_figures import measured
from medview.learning.icu_model import Cut, IcuModel, Part
from medview.learning.icu_parts import learnt_from, patients_in
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_tasks import Done, Runner, units_of
from medview.learning.icu_units import (
    cut_elsewhere,
    cut_of,
    site_effects,
)
from medview.learning.icu_work import Work
from medview.learning.metrics import MetricRow
from medview.learning.plain_models import Model, save_models
from medview.learning.subset import Subset
from medview.learning.temperature import calmed_by_others, reliability
from medview.learning.weights import save


def finish(
    job: Progress,
    runner: Runner,
    works: Sequence[Work],
    subsets: Sequence[Subset],
    request: TrainRequest,
) -> str:
    """Weights and card of the parts whose final networks are all there; their hash, or ""."""
    ready = [w for w in works if _final(w)]
    if not ready:
        return ""
    rows = {work.name: measured(job, work, runner.variables) for work in works}
    parts = [_part(runner, work, rows[work.name]) for work in ready]
    model = IcuModel(runner.variables, parts, clahe=runner.recipe.clahe)
    for work in ready:
        for net, done in zip(model.whole(work.name), _final(work), strict=True):
            net.load_state_dict(done.state)
    command = command_of(request, runner.recipe)
    effects = (
        [one for work in ready for one in site_effects(model, work)] if runner.recipe.rule else []
    )
    learnt, patients = learnt_from(subsets, works), patients_in(works)["train"]
    card = make_card(model, runner.recipe, learnt, patients, rows, command, effects)
    settings = {**card.settings, **_beside(runner, works)}
    for work in ready:
        if len(work.outputs) == 1:
            settings |= measured_likeness(job, model, work.name, work.stays)
    card = replace(card, settings=settings)
    return save(model, card, runner.out).weights_sha256


def _beside(runner: Runner, works: Sequence[Work]) -> dict[str, object]:
    """What the card keeps of the classical models of each risk and of its calibration.

    The models are fitted on the training stays of the networks and lie beside the weights.
    """
    models: dict[str, Model] = {}
    curves: dict[str, object] = {}
    for work in works:
        raw = work.scores("folds")
        if len(work.outputs) > 1 or raw is None:
            continue
        used = np.array([stay.case.split in ("", "train") for stay in work.stays])
        stays = [stay for stay, one in zip(work.stays, used, strict=True) if one]
        truth = work.labels[:, 0] == 1
        fitted = fit_models(Tables.of(stays, runner.variables), truth[used])
        models |= {f"{work.name}/{name}": model for name, model in fitted.items()}
        known = np.isfinite(raw[:, 0])
        calm = calmed_by_others(raw[:, 0], truth, work.parts("folds"))
        curves[work.name] = {
            "before": reliability(raw[known, 0], truth[known]),
            "after": reliability(calm[known], truth[known]),
        }
    return {"baselines": save_models(models, runner.out), "reliability": curves} if models else {}


def _final(work: Work) -> list[Done]:
    return [done for task, done in work.done.values() if task.phase == "final"]


def _part(runner: Runner, work: Work, rows: Sequence[MetricRow]) -> Part:
    task = next(task for task, _ in work.done.values() if task.phase == "final")
    recipe, variables = runner.recipe, runner.variables
    armed, cut = recipe.rule is not None, cut_of(work, work.scores("folds"))
    networks = [
        recipe.of_member(work.name, n).network(variables.columns, len(work.outputs))
        for n in range(len(_final(work)))
    ]
    blank = unit_columns(variables) if armed else ()
    return Part(
        work.name,
        work.outputs,
        tuple(replace(one, blank=blank) for one in networks),
        runner.normaliser(task, work.stays),
        cut.threshold,
        _unavailable(work, rows, recipe.fewest_positives),
        cut.temperature,
        tuple(units_of(work.stays, task.train)) if armed else (),
        cut_elsewhere(work) if armed else Cut(),
    )


def _unavailable(work: Work, rows: Sequence[MetricRow], fewest: int) -> dict[str, str]:
    """Outputs with too few positives, or no better than chance on stays left out in training."""
    if len(work.outputs) == 1:
        return {}
    reasons = {}
    areas = {row.task: row for row in rows if row.name == "roc_auc" and row.group == "all"}
    for k, name in enumerate(work.outputs):
        positive = int(np.nansum(work.labels[:, k]))
        row = areas.get(name)
        if positive < fewest:
            reasons[name] = f"only {counted(positive, 'stay')} to learn it from"
        elif row is not None and (row.low or 0) <= 0.5:
            reasons[name] = "on stays left out in training it was no better than chance"
    return reasons


def command_of(request: TrainRequest, recipe: IcuRecipe) -> str:
    """The command that gives the figures again; folders by their names, not this machine's."""
    shown = type(recipe)()
    changed = [
        f"--set {name}={getattr(recipe, name)}"
        for name in (one.name for one in fields(recipe))
        if getattr(recipe, name) != getattr(shown, name) and name != "phases"
    ]
    data = [f"--data {_shown(spec)}" for spec in request.data]
    return " ".join([f"medview train {recipe.MODEL}", *data, *changed, "--out DIR"]).replace(
        "=True", "=true"
    )


def _shown(spec: str) -> str:
    layout, equals, path = spec.rpartition("=")
    parts = Path(path).parts
    inside = parts[parts.index("data") + 1 :] if "data" in parts else parts[-1:]
    place = "/".join(("../shared/data", *inside)) if "data" in parts else "/".join(inside)
    return f"{layout}{equals}{place}"
