"""Cross-validation of the age model: each row told by models that never saw its patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning.brain_age_fit import Fitted, fit_age_model
from medview.learning.brain_age_model import divided
from medview.learning.brain_age_recipe import AgeRecipe
from medview.learning.brain_age_rows import Told, groups_of
from medview.learning.brain_age_table import AgeTable, fold_numbers, kinds_of
from medview.learning.table_baselines import BASELINES, design
from medview.learning.vectors import Vector

COMPARED = ("mean", "ridge")
"""Baselines fitted in every fold beside the network."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One fold: its name, and masks (N,) of the rows trained on and of those held out."""

    name: str
    train: NDArray[np.bool_]
    held: NDArray[np.bool_]


def splits_of(table: AgeTable, recipe: AgeRecipe, folds: int, seed: int = 0) -> list[Split]:
    """Folds even in age; with the rows "pairs+" only rows with both modalities are held out."""
    asked = _asked(table, recipe)
    numbers = np.full(len(table), -1)
    some = table.take(asked)
    numbers[asked] = fold_numbers(some, folds, strata=recipe.strata, seed=recipe.fold_seed + seed)
    return [_split(str(n + 1), np.asarray(numbers == n), table) for n in range(folds)]


def splits_by_site(table: AgeTable, recipe: AgeRecipe) -> list[Split]:
    """One fold for each site.

    Raises
    ------
    DataError
        If there are not two: nothing can be left out.
    """
    asked, sites = _asked(table, recipe), np.array(table.sites)
    names = sorted({site for site in table.sites if site})
    if len(names) < 2:
        what = f"all rows are of one site, {names[0]}" if names else "no row says its site"
        raise DataError(
            f"{what}: no site can be left out",
            do="Give rows of several sites, or make folds of patients.",
            code="MV-DAT-106",
        )
    return [_split(site, np.asarray((sites == site) & asked), table) for site in names]


def _asked(table: AgeTable, recipe: AgeRecipe) -> NDArray[np.bool_]:
    if recipe.rows != "pairs+":
        return np.ones(len(table), dtype=np.bool_)
    return np.array([kind == "smri+fmri" for kind in kinds_of(table)])


def _split(name: str, held: NDArray[np.bool_], table: AgeTable) -> Split:
    patients = {p for p, here in zip(table.patients, held, strict=True) if here}
    train = np.array([patient not in patients for patient in table.patients])
    return Split(name, train, held)


@dataclass(frozen=True, slots=True, eq=False)
class FoldAnswer:
    """What was said of the rows that a fold left out: (n,) each, ages by predictor."""

    held: NDArray[np.bool_]
    ages: Mapping[str, Vector]
    low: Vector
    high: Vector
    corrected: Vector
    female: Vector | None


def fit_fold(
    job: Progress,
    table: AgeTable,
    split: Split,
    recipe: AgeRecipe,
    *,
    seed: int = 0,
    folder: Path | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
) -> Fitted:
    """Train on the rows that a fold does not hold out."""
    return fit_age_model(
        *(job, table.take(split.train), recipe),
        seed=seed,
        folder=folder,
        resume=resume,
        max_minutes=max_minutes,
        name=f"fold {split.name}",
    )


def answer_fold(fitted: Fitted, table: AgeTable, split: Split, recipe: AgeRecipe) -> FoldAnswer:
    """What a model says of the fold that it was fitted without.

    Bias, interval and baselines come from the rest.
    """
    train, held = table.take(split.train), table.take(split.held)
    answer = fitted.model.answer(held.values)
    gap = answer.age - held.age
    ages = {"model": answer.age}
    for baseline in COMPARED:
        ages[baseline] = baseline_answer(baseline, train, held, recipe)
    return FoldAnswer(
        split.held,
        ages,
        answer.low,
        answer.high,
        fitted.model.settings.corrected(gap, held.age),
        answer.female if fitted.model.settings.knows_sex else None,
    )


def baseline_answer(name: str, train: AgeTable, held: AgeTable, recipe: AgeRecipe) -> Vector:
    """Ages of the held-out rows by a classical model of the structural features."""
    role = "smri" if "smri" in train.columns else "fmri"

    def x(table: AgeTable) -> NDArray[np.float64]:
        ready = divided(table.values[role], table.columns[role], recipe.divide_by)
        return design({role: ready}, table)

    both, own = x(train), x(held)
    width = min(both.shape[1], own.shape[1])  # sex is known of both or used in none
    known = train.present(role)
    told = BASELINES[name](both[known][:, :width], train.age[known])(own[:, :width])
    return np.where(held.present(role), told, float(train.age.mean()))


def told_of(table: AgeTable, answers: Sequence[FoldAnswer], subset: str) -> Told:
    """All folds together, in the order of the table; rows that no fold left out are not told."""
    asked = np.any([one.held for one in answers], axis=0)
    some = table.take(asked)

    def joined(parts: Iterator[Vector]) -> Vector:
        whole = np.full(len(table), np.nan)
        for one, part in zip(answers, parts, strict=True):
            whole[one.held] = part
        return whole[asked]

    females = [one.female for one in answers if one.female is not None]
    female = joined(iter(females)) if len(females) == len(answers) else None
    names = list(answers[0].ages)
    return Told(
        subset,
        some.patients,
        some.age,
        {name: joined(one.ages[name] for one in answers) for name in names},
        joined(one.low for one in answers),
        joined(one.high for one in answers),
        joined(one.corrected for one in answers),
        female,
        some.female,
        groups_of(some.age, some.female, some.sites, [c.label for c in some.cases], kinds_of(some)),
    )
