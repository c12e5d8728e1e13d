"""Train the ICU model: folds, sites, the networks that ship, figures and card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import FOLLOWS, TrainRequest
from medview.learning.begun_with import begin
from medview.learning.checkpoint import HistoryRow, write_history
from medview.learning.course import Course
from medview.learning.icu_finish import finish
from medview.learning.icu_parts import patients_in, works_in, write_splits
from medview.learning.icu_recipe import ArmedRecipe, IcuRecipe
from medview.learning.icu_stays import (
    find_stays,
    map_called,
)
from medview.learning.icu_tasks import PLAIN, Runner, plan
from medview.learning.icu_units import (
    with_units,
)
from medview.learning.icu_work import Work
from medview.learning.ranks import Ranks, refuse_several


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
    course = Course.start(job, request, threads=2)
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
        weights_sha256=finish(job, runner, works, subsets, request),
        health=health_of(runner.history),
        skipped=skipped,
    )


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
