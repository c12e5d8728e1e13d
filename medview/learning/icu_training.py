"""Train the ICU model: folds, sites, the networks that ship, figures and card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import FOLLOWS, TrainRequest
from medview.learning import splits_file
from medview.learning.begun_with import begin
from medview.learning.checkpoint import HistoryRow, write_history
from medview.learning.course import Course
from medview.learning.icu_armed import unit_columns
from medview.learning.icu_baselines import Tables, fit_models
from medview.learning.icu_card import make_card
from medview.learning.icu_evidence import measured_likeness
from medview.learning.icu_figures import measured
from medview.learning.icu_films import film_features
from medview.learning.icu_model import Cut, IcuModel, Part
from medview.learning.icu_recipe import JOINT, ArmedRecipe, IcuRecipe
from medview.learning.icu_stays import (
    JOINTLY,
    OUTPUTS,
    Stay,
    find_stays,
    map_called,
    to_bins,
    with_films,
)
from medview.learning.icu_tasks import PLAIN, Done, Runner, plan, to_train_on, units_of
from medview.learning.icu_units import (
    cut_elsewhere,
    cut_of,
    refuse_films,
    site_effects,
    with_units,
)
from medview.learning.icu_variables import VariableMap
from medview.learning.icu_work import Work
from medview.learning.metrics import MetricRow
from medview.learning.plain_models import Model, save_models
from medview.learning.ranks import Ranks, refuse_several
from medview.learning.subset import LeftOut, Subset
from medview.learning.temperature import calmed_by_others, reliability
from medview.learning.too_alike import refuse_one_class, refuse_one_patient
from medview.learning.weights import save


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train ``icu``; see ``fit_kind``."""
    return fit_kind(job, request, IcuRecipe)


def fit_armed(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train ``icu-armed``, the risks with effects of units; see ``fit_kind``."""
    return fit_kind(job, request, ArmedRecipe)


def fit_kind(job: Progress, request: TrainRequest, kind: type[IcuRecipe]) -> dict[str, Any]:
    """Train every part that the data have labels for; write weights, card, history and splits.

    With weights to start from these go on learning (``icu_tuning``).

    Returns
    -------
    dict
        The body of ``medview.train/1``; of several processes only the first one's.

    Raises
    ------
    DataError
        Unusable data or recipe; a patient in two parts; no labels.
    UsageError
        Several processes that cannot reach each other, or with weights to start from.
    """
    course = Course.start(request, threads=2)
    if request.init:
        refuse_several(f"{kind.MODEL} with --init", "a version goes on in a minute")
        from medview.learning.icu_tuning import tune

        return tune(job, request, kind)
    recipe = kind.of(dict(request.recipe))
    if recipe.rule is not None:
        refuse_several(kind.MODEL, "its adversary looks at every stay of a batch")
    if recipe.joint:
        raise DataError(
            "joint = true makes no version: the program has a part for each",
            do='Compare by "medview ablate icu", or train without it.',
            code="MV-DAT-020",
        )
    variables = map_called(request.variables or recipe.variables)
    subsets = find_stays(request.data, kind.MODEL, request.variables)
    ranks = Ranks.here()
    out = course.made_folder()
    runner = Runner(recipe, variables, out, request.seed, request.resume, ranks)
    works, skipped = works_in(job, recipe, variables, subsets)
    works = works if recipe.rule is None else with_units(works)
    begin(request, subsets, leads=ranks.leads)
    late = _run_tasks(job, course, runner, works)
    if not ranks.leads:
        return {FOLLOWS: True}
    write_splits(runner.out / "splits.csv", works, private=request.private)
    write_history(runner.out / "history.csv", runner.history)
    return course.answer(
        epochs=max((d.epochs for w in works for _, d in w.done.values()), default=0),
        best_epoch=max((d.best_epoch for w in works for _, d in w.done.values()), default=0),
        stopped="time" if late else "epochs",
        n={part: len(patients) for part, patients in patients_in(works).items()},
        weights_sha256=_finish(job, runner, works, subsets, request),
        health=health_of(runner.history),
        skipped=skipped,
    )


def works_of(
    job: Progress, recipe: IcuRecipe, data: Sequence[str]
) -> tuple[list[Work], list[LeftOut], VariableMap]:
    """Each part with its stays, what was left out, and the map of variables.

    Raises
    ------
    DataError
        Unusable data, or no labels.
    """
    variables = map_called(recipe.variables)
    works, skipped = works_in(job, recipe, variables, find_stays(data, "icu"))
    return works, skipped, variables


def works_in(
    job: Progress, recipe: IcuRecipe, variables: VariableMap, subsets: Sequence[Subset]
) -> tuple[list[Work], list[LeftOut]]:
    """Each part with the stays that know one of its labels."""
    wanted = {"mortality": recipe.mortality_sets, "phenotypes": recipe.phenotype_sets}
    parts = {JOINT: JOINTLY} if recipe.joint else OUTPUTS
    if recipe.rule is not None:
        refuse_films(recipe)
        parts = {name: outputs for name, outputs in parts.items() if len(outputs) == 1}
    skipped = [one for subset in subsets for one in subset.skipped]
    binned: dict[str, list[Stay]] = {}
    for subset in subsets:
        binned[subset.name], left_out = to_bins(job, subset.cases, variables)
        skipped += left_out
        if recipe.film != "none":
            features = film_features(job, subset.cases, equalise=recipe.clahe)
            binned[subset.name] = with_films(binned[subset.name], features)
    works = []
    for name, outputs in parts.items():
        sets = [one.strip() for one in wanted.get(name, "").split(",") if one.strip()]
        stays = [s for subset, some in binned.items() if subset in sets or not sets for s in some]
        labels = np.array([stay.labels(outputs) for stay in stays]).reshape(-1, len(outputs))
        known = np.isfinite(labels).any(1)
        if known.any():
            chosen = [stay for stay, one in zip(stays, known, strict=True) if one]
            works.append(Work(name, outputs, chosen, labels[known], {}))
    if not works:
        lost = f"; {len(skipped)} were left out, the first: {skipped[0].what}" if skipped else ""
        raise DataError(
            f"no stay knows whether the patient died or what he had{lost}",
            file=skipped[0].case if skipped else "",
            do="Give data with labels.",
            code="MV-DAT-170",
        )
    for work in works:
        if not len(to_train_on(work.stays)):
            raise DataError(
                f"all {len(work.stays)} stays with a label are marked val or test",
                do='Mark some as "train", or leave the column "split" out.',
                code="MV-DAT-170",
            )
    refuse_one_class([work.labels[to_train_on(work.stays)] for work in works])
    refuse_one_patient(stay.case.patient for work in works for stay in work.stays)
    return works, skipped


def _run_tasks(job: Progress, course: Course, runner: Runner, works: Sequence[Work]) -> bool:
    """Run what the recipe's phases ask for; True when the time was over first."""
    phases = [phase.strip() for phase in runner.recipe.phases.split(",")]
    todo = [
        (work, task)
        for work in works
        for task in plan(work.name, runner.recipe, work.stays, work.labels)
        if task.phase.removeprefix(PLAIN) in phases
    ]
    for n, (work, task) in enumerate(todo):
        if runner.ranks.mean({"late": float(course.is_over)})["late"]:  # all of them stop, or none
            return True
        done = runner.run(job, task, work.stays, work.outputs, (n, len(todo)))
        work.done[task.key] = (task, done)
    return False


def _finish(
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
    card = make_card(
        model, runner.recipe, subsets, patients_in(works)["train"], rows, command, effects
    )
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
    reasons = {}
    areas = {row.task: row for row in rows if row.name == "roc_auc" and row.group == "all"}
    for k, name in enumerate(work.outputs):
        positive = int(np.nansum(work.labels[:, k]))
        row = areas.get(name)
        if len(work.outputs) > 1 and positive < fewest:
            reasons[name] = f"only {positive} stays to learn it from"
        elif len(work.outputs) > 1 and row is not None and (row.low or 0) <= 0.5:
            reasons[name] = "on stays left out in training it was no better than chance"
    return reasons


def write_splits(path: Path, works: Sequence[Work], *, private: bool = False) -> None:
    """splits.csv, with the part as the data have it; a stay stands there once."""
    stays = [stay.case for work in works for stay in work.stays]
    once = {(case.subset, case.case): case for case in stays}
    told = ((case, case.split or "train") for case in once.values())
    splits_file.write_splits(path, told, private=private)


def patients_in(works: Sequence[Work]) -> dict[str, list[str]]:
    """Patients to train on and to select by."""
    parts: dict[str, dict[str, None]] = {"train": {}, "val": {}}
    for work in works:
        for stay in work.stays:
            part = stay.case.split or "train"
            if part in parts:
                parts[part][stay.case.patient] = None
    return {part: list(names) for part, names in parts.items()}


def health_of(history: Sequence[HistoryRow]) -> list[dict[str, object]]:
    """Does every loss fall, and do the learned weights of the labels stay within bounds?"""
    losses: dict[str, list[float]] = {}
    widest = 0.0
    for _, part, name, value in history:
        if name == "loss":
            losses.setdefault(part, []).append(value)
        if name == "s_widest":
            widest = max(widest, value)
    fell = [curve[-1] < curve[0] for curve in losses.values() if len(curve) > 1]
    return [
        {"name": "share_of_losses_that_fell", "value": float(np.mean(fell)) if fell else None,
         "ok": bool(fell) and all(fell), "text": "a network did not learn"},
        {"name": "widest_label_weight", "value": widest, "ok": widest < 5,
         "text": "a learned weight of a label ran to its bound"},
    ]  # fmt: skip


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
