"""What an age model may say of its errors: calibrated on the rows that each member has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.learning.brain_age_model import AgeModel
from medview.learning.brain_age_table import AgeTable, Matrix, kinds_of, known_rows
from medview.learning.conformal import half_width
from medview.learning.table_baselines import ridge_to_card
from medview.learning.vectors import Vector
from medview.models.mavae import ROLES

ABSENT = np.nan


def calibrated(
    model: AgeModel,
    table: AgeTable,
    ready: Mapping[str, Matrix],
    numbers: NDArray[np.intp],
) -> tuple[AgeModel, Vector]:
    """The model with bias, intervals and reference from what each row's own stranger says of it.

    `ready` by role are divided features of the rows of `table`, `numbers` (N,) the member that
    does not see a row. Also the ages in years by those strangers, (N,).
    """
    ages, kinds = table.age, np.array(kinds_of(table))
    said = _by_strangers(model, ready, numbers)
    errors = said - ages
    widths = {}
    for kind in dict.fromkeys([*kinds.tolist(), *_alone(kinds.tolist())]):
        roles = kind.split("+")
        able = np.array([set(roles) <= set(each.split("+")) for each in kinds])
        given = {role: ready[role] if role in roles else ready[role] * ABSENT for role in ready}
        alone = _by_strangers(model, given, numbers) - ages
        widths[kind] = half_width(alone[able])
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
    return AgeModel(model.ensemble, settings), said


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
