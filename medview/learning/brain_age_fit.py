"""Fit an age model to a table: members before their first step, and trained to the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning.brain_age_calibration import calibrated
from medview.learning.brain_age_model import (
    AgeEnsemble,
    AgeModel,
    AgeSettings,
    Scaling,
    divided,
    fit_scaling,
)
from medview.learning.brain_age_recipe import AgeRecipe
from medview.learning.brain_age_table import (
    AgeTable,
    Matrix,
    aligned,
    fold_numbers,
)
from medview.learning.checkpoint import CHECKPOINT
from medview.learning.course import end_after, epochs_of
from medview.learning.feature_rows import refuse_few
from medview.learning.mavae_batches import Member
from medview.learning.mavae_trainer import MavaeTrainer
from medview.learning.preview import Previews
from medview.learning.ranks import Ranks
from medview.learning.vectors import Vector
from medview.models.mavae import Mavae, MavaeOptions

HEADS = ("age_head", "sex_head", "skips")
"""Parts of a member that make the answer of what the rest has found."""


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """A model to go on from, and which parts of it go on learning (all where none is named)."""

    model: AgeModel
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted model and how its training went.

    `left_out` (N,) are ages in years by the member that had not seen the row.
    """

    model: AgeModel
    left_out: Vector
    trainer: MavaeTrainer


def usable(table: AgeTable, recipe: AgeRecipe) -> AgeTable:
    """The rows with an age and a modality that the recipe uses, without the other modalities."""
    roles = tuple(role for role in recipe.modalities.split("+") if role in table.columns)
    values = {role: table.values[role] for role in roles}
    kept = AgeTable(table.cases, {role: table.columns[role] for role in roles}, values)
    given = np.stack([kept.present(role) for role in roles] or [np.zeros(len(table), bool)])
    wanted = given.all(0) if recipe.rows == "pairs" and len(roles) > 1 else given.any(0)
    return kept.take(wanted & np.isfinite(table.age))


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Members before their first step, and what their answers are made with.

    `values` by role are divided features of the rows of `table`, `numbers` (N,) the member that
    does not see a row.
    """

    trainer: MavaeTrainer
    settings: AgeSettings
    table: AgeTable
    values: dict[str, Matrix]
    numbers: NDArray[np.intp]
    scalings: dict[str, list[Scaling]]
    targets: list[tuple[float, float]]


def prepared(
    table: AgeTable,
    recipe: AgeRecipe,
    *,
    seed: int = 0,
    folder: Path | None = None,
    start: Start | None = None,
) -> Prepared:
    """Members as they are before the first step.

    Raises
    ------
    DataError
        Too few rows.
    """
    refuse_few(len(table))
    settings = AgeSettings(table.columns, recipe.divide_by, recipe.target)
    if start is not None:
        recipe, settings, table = _as_before(start.model, recipe, table)
    values = {
        role: divided(matrix, table.columns[role], recipe.divide_by)
        for role, matrix in table.values.items()
    }
    numbers = fold_numbers(table, recipe.members, strata=recipe.strata, seed=seed)
    members, scalings, targets = _members(table, values, numbers, recipe, settings, seed, start)
    network = MavaeOptions(
        smri=_width(scalings, "smri"),
        fmri=_width(scalings, "fmri"),
        predictor=recipe.predictor,  # type: ignore[arg-type]  # its words are checked
        dropout=recipe.dropout,
        skip=recipe.skip,
        prior=recipe.prior,  # type: ignore[arg-type]  # as those of the predictor
    )
    trainer = MavaeTrainer(
        network,
        recipe.loss,
        recipe.train,
        members,
        {role: table.present(role) for role in network.roles},
        table.female.astype(np.float32),
        seed,
        folder,
        Ranks.here(),
    )
    if start is not None:
        trainer.begin_from(_networks(start.model), only=start.only)
    return Prepared(trainer, settings, table, values, numbers, scalings, targets)


def fit_age_model(
    job: Progress,
    table: AgeTable,
    recipe: AgeRecipe,
    *,
    seed: int = 0,
    folder: Path | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    name: str = "training",
    start: Start | None = None,
    previews: Previews | None = None,
) -> Fitted:
    """Train the members, calibrate on the rows that each had not seen, fit the baseline.

    `table` are usable rows only (see `usable`); all figures of calibration come from them. From a
    `start` its columns, scalings and number of members are kept.

    Raises
    ------
    DataError
        Too few rows, or a checkpoint of another recipe.
    """
    ready = prepared(table, recipe, seed=seed, folder=folder, start=start)
    trainer = ready.trainer
    if resume and folder is not None and (folder / CHECKPOINT).is_file():
        trainer.resume(folder)

    def ensemble_of(networks: list[Mavae]) -> AgeEnsemble:
        made = AgeEnsemble(networks, ready.scalings)
        made.target.copy_(made.target.new_tensor(ready.targets))  # type: ignore[operator]  # a buffer
        return made

    def after(epoch: int) -> None:
        if previews is not None:
            now = ensemble_of(trainer.networks(best=False))
            if trainer.ranks.leads:
                previews.leave(epoch, now, half=False)

    _train_to_end(job, trainer, max_minutes, name, after)
    model = AgeModel(ensemble_of(trainer.networks()).eval(), ready.settings)
    fitted = Fitted(*calibrated(model, ready.table, ready.values, ready.numbers), trainer)
    return fitted if start is None else _with_range_of(fitted, start.model)


def _as_before(
    model: AgeModel, recipe: AgeRecipe, table: AgeTable
) -> tuple[AgeRecipe, AgeSettings, AgeTable]:
    """Recipe, settings and table in the form of a model that is gone on from.

    Raises
    ------
    DataError
        A column that the model needs is missing.
    """
    options, settings = model.ensemble.options, model.settings
    values, columns = {}, {}
    for role in options.roles:
        columns[role] = settings.columns[role]
        values[role] = _in_order(table, role, columns[role])
    recipe = replace(
        recipe,
        members=len(model.ensemble.members),
        divide_by=settings.divide_by,
        target=settings.target,
        predictor=options.predictor,
        dropout=options.dropout,
        skip=options.skip,
        prior=options.prior,
    )
    form = AgeSettings(columns, settings.divide_by, settings.target)
    return recipe, form, AgeTable(table.cases, columns, values)


def _in_order(table: AgeTable, role: str, wanted: tuple[str, ...]) -> Matrix:
    """A modality (N, columns) in the order of a model; all NaN where the table has none."""
    if role not in table.columns:
        return np.full((len(table), len(wanted)), np.nan)
    row = aligned(np.arange(len(table.columns[role]), dtype=float), table.columns[role], wanted)
    if isinstance(row, str):
        raise DataError(row, do="Give the features that the card names.", code="MV-DAT-105")
    return np.asarray(table.values[role][:, row.astype(np.intp)])


def _networks(model: AgeModel) -> list[Mavae]:
    return [member for member in model.ensemble.members if isinstance(member, Mavae)]


def _with_range_of(fitted: Fitted, older: AgeModel) -> Fitted:
    """The ages that both trainings together have seen."""
    low, high = fitted.model.settings.ages
    before = older.settings.ages
    ages = (min(low, before[0]), max(high, before[1]))
    settings = replace(fitted.model.settings, ages=ages)
    return replace(fitted, model=AgeModel(fitted.model.ensemble, settings))


def _width(scalings: Mapping[str, list[Scaling]], role: str) -> int:
    return int(scalings[role][0].keep.size) if role in scalings else 0


def _members(
    table: AgeTable,
    ready: Mapping[str, Matrix],
    numbers: NDArray[np.intp],
    recipe: AgeRecipe,
    settings: AgeSettings,
    seed: int,
    start: Start | None,
) -> tuple[tuple[Member, ...], dict[str, list[Scaling]], list[tuple[float, float]]]:
    target = settings.from_years(table.age)
    members, targets = [], []
    scalings: dict[str, list[Scaling]] = {role: [] for role in ready}
    for number in range(recipe.members):
        own = numbers != number
        mean, scale = float(target[own].mean()), float(target[own].std()) or 1.0
        if start is not None:
            mean, scale = start.model.ensemble.scale_of_target(number)
        inputs = {}
        for role, matrix in ready.items():
            if start is not None:
                scaling = start.model.ensemble.scaling(role, number)
            else:
                scaling = fit_scaling(matrix[own], table.age[own], recipe.features, seed)
            scalings[role].append(scaling)
            inputs[role] = scaling.standardised(matrix)
        targets.append((mean, scale))
        members.append(
            Member(
                inputs,
                ((target - mean) / scale).astype(np.float32),
                np.flatnonzero(own),
                np.flatnonzero(~own),
                scale,
            )
        )
    return tuple(members), scalings, targets


def _train_to_end(
    job: Progress,
    trainer: MavaeTrainer,
    max_minutes: float | None,
    name: str,
    after: Callable[[int], None],
) -> None:
    until = end_after(max_minutes)

    def is_over() -> bool:
        return trainer.ranks.agreed(time.perf_counter() > until)

    for report in epochs_of(job, trainer, is_over, name):
        if ("val", "mae") in report.figures:
            after(report.epoch)
    if trainer.stopped == "time":
        trainer.keep()
