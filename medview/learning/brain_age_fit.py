"""Fit an age model to a table: members, their calibration, and the linear baseline beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning.brain_age_model import (
    AgeEnsemble,
    AgeModel,
    AgeSettings,
    Scaling,
    conformal_half_width,
    divided,
    fit_scaling,
)
from medview.learning.brain_age_table import (
    AgeTable,
    Matrix,
    aligned,
    fold_numbers,
    kinds_of,
    known_rows,
)
from medview.learning.checkpoint import CHECKPOINT
from medview.learning.feature_rows import refuse_few
from medview.learning.mavae_train import MavaeTrainer, Member, TrainOptions
from medview.learning.preview import Previews
from medview.learning.table_baselines import ridge_to_card
from medview.learning.vectors import Vector
from medview.models.mavae import ROLES, LossWeights, Mavae, MavaeOptions

ABSENT = np.nan


@dataclass(frozen=True, slots=True)
class AgeRecipe:
    """How an age model is made; ``resources/recipes/brain-age.toml`` holds the shipped one.

    `members` networks are trained, each without another part of the rows. `features` is the most
    that a modality may have before a forest chooses. `rows` says which rows are measured by
    folds: "all", "pairs" (only rows with both modalities are used at all) or "pairs+" (only those
    are measured, the others are always trained on). `strata` age groups are kept even over the
    `folds`, which are drawn with `fold_seed`; with `sites` each site is left out once, too.
    `modalities` may leave one out.
    """

    members: int = 5
    features: int = 800
    divide_by: str = "MUSE_702"
    target: str = "years"
    modalities: str = "smri+fmri"
    rows: str = "all"
    folds: int = 0
    strata: int = 5
    fold_seed: int = 0
    sites: bool = False
    predictor: str = "all"
    dropout: float = 0.4
    skip: bool = True
    train: TrainOptions = field(default_factory=TrainOptions)
    loss: LossWeights = field(default_factory=LossWeights)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AgeRecipe:
        """Make a recipe from plain values, refusing names it does not know.

        Raises
        ------
        DataError
            A key that no recipe has, or a word that means nothing.
        """
        parts: dict[str, Any] = {"train": TrainOptions, "loss": LossWeights}
        known = {one.name for one in fields(cls)}
        made: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise _odd(f"the recipe has no setting called {name}", ", ".join(sorted(known)))
            try:
                made[name] = parts[name](**value) if name in parts else value
            except TypeError as error:
                names = ", ".join(one.name for one in fields(parts[name]))
                raise _odd(f"the recipe has a table {name} that cannot be used", names) from error
        recipe = cls(**made)
        for name, words in _WORDS.items():
            if getattr(recipe, name) not in words:
                raise _odd(f"{name} is {getattr(recipe, name)!r}", ", ".join(words))
        if recipe.members < 2:
            raise _odd("an ensemble needs at least 2 members", "members=5")
        return recipe

    def plain(self) -> dict[str, Any]:
        """The recipe as plain values."""
        return asdict(self)


_WORDS = {
    "target": ("years", "log"),
    "modalities": ("smri+fmri", "smri", "fmri"),
    "rows": ("all", "pairs", "pairs+"),
    "predictor": ("all", "shared"),
}


def _odd(what: str, known: str) -> DataError:
    return DataError(what, do=f"Known are: {known}.", code="MV-DAT-020")


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
            previews.leave(epoch, ensemble_of(trainer.networks(best=False)), half=False)

    _train_to_end(job, trainer, max_minutes, name, after)
    model = AgeModel(ensemble_of(trainer.networks()).eval(), ready.settings)
    fitted = _calibrated(model, ready.table, ready.values, ready.numbers, trainer)
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
    began = time.perf_counter()
    for report in trainer.fit():
        job.check()
        job.report(report.epoch, report.epochs, f"{name}: epoch {report.epoch} / {report.epochs}")
        job.partial(report)
        if ("val", "mae") in report.figures:
            after(report.epoch)
        late = max_minutes and time.perf_counter() - began > 60 * max_minutes
        if late and trainer.epoch < trainer.options.epochs:
            trainer.stopped = "time"
            trainer.keep()
            break


def _calibrated(
    model: AgeModel,
    table: AgeTable,
    ready: Mapping[str, Matrix],
    numbers: NDArray[np.intp],
    trainer: MavaeTrainer,
) -> Fitted:
    """Bias, intervals and reference from what each row's own stranger says of it."""
    ages, kinds = table.age, np.array(kinds_of(table))
    said = _by_strangers(model, ready, numbers)
    errors = said - ages
    widths = {}
    for kind in dict.fromkeys([*kinds.tolist(), *_alone(kinds.tolist())]):
        roles = kind.split("+")
        able = np.array([set(roles) <= set(each.split("+")) for each in kinds])
        given = {role: ready[role] if role in roles else ready[role] * ABSENT for role in ready}
        alone = _by_strangers(model, given, numbers) - ages
        widths[kind] = conformal_half_width(alone[able])
    both = widths.get("+".join(ROLES))
    if both is not None:  # less is never known better
        widths = {kind: max(width, both) for kind, width in widths.items()}
    intercept, slope = _line(ages, errors)
    controls = np.array([case.label != 1 for case in table.cases])
    sexes = table.female[np.isfinite(table.female)]
    settings = replace(
        model.settings,
        bias=(intercept, slope),
        half_width=widths,
        ages=(float(ages.min()), float(ages.max())),
        knows_sex=bool(sexes.size and (sexes == 0).any() and (sexes == 1).any()),
        mean_age=float(ages.mean()),
        ridge=ridge_to_card(ready, table),
        reference=tuple(
            (round(float(a), 2), round(float(p), 2))
            for a, p in zip(ages[controls], said[controls], strict=True)
        ),
    )
    return Fitted(AgeModel(model.ensemble, settings), said, trainer)


def _alone(kinds: list[str]) -> list[str]:
    """Each modality of rows that have both, given alone."""
    return list(ROLES) if "+".join(ROLES) in kinds else []


def _by_strangers(
    model: AgeModel, ready: Mapping[str, Matrix], numbers: NDArray[np.intp]
) -> Vector:
    """Ages (N,) in years, each by the member that had not been trained on the row."""
    present = {role: known_rows(matrix) for role, matrix in ready.items()}
    said = np.full(len(numbers), np.nan)
    for number in range(len(model.ensemble.members)):
        held = np.asarray(numbers == number)
        values = {role: matrix[held] for role, matrix in ready.items()}
        here = {role: known[held] for role, known in present.items()}
        said[held] = model.settings.to_years(model.ensemble.member_says(number, values, here)[0])
    return said


def _line(ages: Vector, gaps: Vector) -> tuple[float, float]:
    """Intercept and slope of gaps over ages; a flat line where all are of one age."""
    if np.ptp(ages) == 0:
        return float(gaps.mean()), 0.0
    slope, intercept = np.polyfit(ages, gaps, 1)
    return float(intercept), float(slope)
