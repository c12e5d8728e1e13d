"""Train the region network and the age model on its regions: folds, refit, figures, card.

One command makes everything that ships: networks without some patients each for the figures,
one on all for the program, and the regression from a table of the same regions. Labelled sets
that are not learnt from are measured with the last network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import NETWORK_MB, TrainRequest
from medview.io.limits import networks_at_once
from medview.learning.begun_with import begin
from medview.learning.cases import find_subsets
from medview.learning.course import Course
from medview.learning.metrics import MetricRow
from medview.learning.region_age import AgeModel, fit_age
from medview.learning.region_card import Trained, make_card
from medview.learning.region_cases import LabelledHead, load_head
from medview.learning.region_intervals import interval_rows
from medview.learning.region_measure import Measured, error_of, measure, region_rows
from medview.learning.region_people import Table, age_rows, effect_row, head_ages, table_ages
from medview.learning.region_sets import MODEL, ROLE
from medview.learning.region_trainer import RegionRecipe, RegionTrainer
from medview.learning.region_workers import Habits, Training, train_all
from medview.learning.splits_file import SPLITS, write_splits
from medview.learning.subset import Subset, TrainCase
from medview.learning.weights import save


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train, measure, fit the age model, write weights and card.

    Returns
    -------
    dict
        The body of ``medview.train/1``.

    Raises
    ------
    DataError
        Unusable data or recipe, or nothing to learn from.
    """
    course = Course.start(job, request, only_cpu=False)
    request = replace(request, device=course.device)
    recipe = RegionRecipe.of(dict(request.recipe))
    subsets = find_subsets(request.data, MODEL)
    heads = load_heads(job, subsets)
    recipe = with_sets_there(heads, recipe)
    learnt = learnt_from(heads, recipe)
    out = course.made_folder()
    begin(request, subsets)
    people = [c for subset in subsets for c in subset.cases if ROLE in c.rows]
    parts = [(one.case, "train" if one in learnt else "test") for one in heads]
    parts += [(case, "train") for case in people]  # the age model learns from them
    write_splits(out / SPLITS, parts, private=request.private)
    left_out, trainer = _networks(job, learnt, recipe, request)
    network = trainer.model.eval()
    others = [measure(network, head) for head in heads if head not in learnt]
    table = table_of(subsets, learnt)
    rows = figures(left_out, others, table)
    age = _age_model(table, left_out)
    card = make_card(Trained(subsets, learnt, table, recipe, trainer.options), age, rows)
    # Rounded to half precision a volume moves by up to 1 %, and the age by 0.4 years.
    kept = save(network, card, out, half=False)
    return course.answer(
        epochs=trainer.epoch,
        best_epoch=trainer.epoch,
        stopped=trainer.stopped,
        n={"train": len({head.case.patient for head in learnt}), "val": 0},
        weights_sha256=kept.weights_sha256,
        health=_health(rows),
    )


def with_sets_there(heads: Sequence[LabelledHead], recipe: RegionRecipe) -> RegionRecipe:
    """Of the usual sets those that are there, at least one; a recipe that names others stays."""
    there = [name for name in recipe.set_names if any(h.case.subset == name for h in heads)]
    is_usual = recipe.sets == RegionRecipe().sets
    return replace(recipe, sets=",".join(there)) if is_usual and there else recipe


def learnt_from(heads: Sequence[LabelledHead], recipe: RegionRecipe) -> list[LabelledHead]:
    """The heads of the sets that the recipe names.

    Raises
    ------
    DataError
        A set that is not there, or that has no region labels.
    """
    for name in recipe.set_names:
        if not any(head.case.subset == name for head in heads):
            raise DataError(
                f"there is no set called {name} with region labels",
                do='Name sets that are there in the setting "sets".',
                code="MV-DAT-030",
            )
    return [head for head in heads if head.case.subset in recipe.set_names]


def load_heads(job: Progress, subsets: Sequence[Subset]) -> list[LabelledHead]:
    """Read every case that has region labels."""
    cases = [c for subset in subsets for c in subset.cases if c.brain_rule == "labels"]
    heads = []
    for n, case in enumerate(cases):
        job.check()
        job.report(n, len(cases), f"reading case {n + 1} / {len(cases)}")
        heads.append(load_head(case))
    return heads


def table_of(subsets: Sequence[Subset], learnt: Sequence[LabelledHead]) -> Table | None:
    """People with region volumes and an age: of all tables, and of the heads learnt from.

    None without any table: heads alone are too few.
    """
    cases = [c for s in subsets for c in s.cases if ROLE in c.rows and c.age_years is not None]
    if not cases:
        return None
    ages = np.array([case.age_years for case in cases], dtype=np.float64)
    volumes, sets = np.stack([c.rows[ROLE] for c in cases]), tuple(c.subset for c in cases)
    return Table(tuple(c.patient for c in cases), volumes, ages, sets).and_heads(learnt)


def _networks(
    job: Progress, heads: Sequence[LabelledHead], recipe: RegionRecipe, request: TrainRequest
) -> tuple[list[Measured], RegionTrainer]:
    """Every head measured by a network that never saw its patient; and the network of all."""
    out = Path(request.out)
    folds = left_out_patients([head.case for head in heads], recipe.folds)
    cases = {head.case.case: head.for_training() for head in heads}

    def training(name: str, folder: Path, without: set[str]) -> Training:
        kept = [h.case.case for h in heads if h.case.patient not in without]
        return Training(name, folder, tuple(cases[case] for case in kept))

    *parts, trainer = train_all(
        job,
        [
            *(
                training(f"fold {n} of {len(folds)}", out / f"fold-{n}", without)
                for n, without in enumerate(folds, start=1)
            ),
            training("all heads", out, set()),
        ],
        _habits(recipe, request),
    )
    found = []
    for without, part in zip(folds, parts, strict=True):
        network = part.model.eval()
        found += [measure(network, head) for head in heads if head.case.patient in without]
    return found, trainer


def left_out_patients(cases: Sequence[TrainCase], folds: int) -> list[set[str]]:
    """The patients that each fold leaves out; those of a set are spread evenly over the folds.

    Cases come set by set. No folds are made of fewer than two.
    """
    patients = list(dict.fromkeys(case.patient for case in cases))
    parts = [set(patients[n::folds]) for n in range(folds)] if folds > 1 else []
    return [part for part in parts if 0 < len(part) < len(patients)]


def _habits(recipe: RegionRecipe, request: TrainRequest) -> Habits:
    """As many networks at once as there are threads to use; one on a graphics card."""
    at_once = networks_at_once(NETWORK_MB[MODEL], request.threads, request.device)
    return Habits(
        recipe, request.seed, request.device, request.resume, at_once, request.max_minutes
    )


def figures(
    left_out: Sequence[Measured], others: Sequence[Measured], table: Table | None
) -> list[MetricRow]:
    """All figures: regions and ages of heads that the measuring network had not seen."""
    rows: list[MetricRow] = []
    by_set: dict[str, list[Measured]] = {}
    for head in (*left_out, *others):
        by_set.setdefault(head.subset, []).append(head)
    for heads in by_set.values():
        rows += region_rows(heads)
        rows += interval_rows(heads, (*left_out, *others))
    if table is None:
        return rows
    kinds = {
        "model": table_ages(table, left_out),
        "plain ridge": table_ages(table, left_out, exact=True),
        "mean": table_ages(table, left_out, mean=True),
    }
    for subset in dict.fromkeys(table.sets):
        if subset not in by_set:  # heads are asked of their own volumes below
            here = [each == subset for each in table.sets]
            for predictor, told in kinds.items():
                rows += age_rows(told.only(here), subset, predictor)
    for subset, heads in by_set.items():
        if any(head.age_years is not None for head in heads):
            ages = head_ages(table, heads, left_out)
            rows += age_rows(ages["model"], subset, "model")
            rows += age_rows(ages["uncorrected"], subset, "uncorrected volumes")
            rows += age_rows(ages["table"], subset, "label volumes")
            rows.append(effect_row(ages["model"], ages["table"], subset))
    return rows


def _age_model(table: Table | None, left_out: Sequence[Measured]) -> AgeModel | None:
    if table is None:
        return None
    return fit_age(table.ml, table.age, error_of(left_out))


def _health(rows: Sequence[MetricRow]) -> list[dict[str, object]]:
    kept = [r for r in rows if r.predictor == "model" and r.group == "all" and r.name != "bias"]
    shown = [r for r in kept if r.name in ("dice", "volume_error", "mae")]
    return [
        {"name": f"{row.subset} {row.name}", "value": row.value, "ok": row.value is not None}
        for row in shown
    ]
