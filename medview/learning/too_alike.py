"""Data that teach nothing because all of them are alike: one outcome, one age, one patient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.learning.subset import TrainCase

OUTCOMES = {"cxr": "prognosis", "icu": "mortality"}
"""What an outcome is called in a case list, by model."""
_DO = "Add cases of the other outcome."


def refuse_one_outcome(model: str, cases: Sequence[TrainCase]) -> None:
    """Refuse cases that all have the same outcome, and no other label to learn from.

    Raises
    ------
    DataError
        Naming the outcome.
    """
    name = OUTCOMES.get(model.removesuffix("-armed"), "")
    seen = {case.cells[name] for case in cases if case.cells.get(name)}
    other = any(case.cells.get("brixia") or _phenotyped(case) for case in cases)
    if len(seen) == 1 and not other:
        raise DataError(
            f"all cases with an outcome have the same one ({name} {seen.pop()})",
            code="MV-DAT-146",
            do=_DO,
        )


def refuse_one_class(labels: Sequence[NDArray[np.float64]]) -> None:
    """Refuse labels (cases, outputs; NaN unknown) of which no output has both classes.

    Raises
    ------
    DataError
        If none has.
    """
    columns = [column[np.isfinite(column)] for table in labels for column in table.T]
    if not any(np.ptp(known) > 0 for known in columns if known.size):
        what = "all cases with an outcome have the same one"
        raise DataError(what, code="MV-DAT-146", do=_DO)


def refuse_one_age(ages: NDArray[np.float64]) -> None:
    """Refuse people who are all of the same age.

    Raises
    ------
    DataError
        Naming the age.
    """
    if len(ages) and np.ptp(ages) == 0:
        raise DataError(
            f"all {len(ages)} rows are of the same age ({ages[0]:g} years)",
            code="MV-DAT-146",
            do="Add people of other ages.",
        )


def refuse_one_patient(patients: Iterable[str]) -> None:
    """Refuse cases that are all of one patient.

    Raises
    ------
    DataError
        Saying so.
    """
    if len(set(patients)) == 1:
        raise DataError(
            "all cases are of one patient, from whom nothing can be learnt of others",
            code="MV-DAT-148",
            do="Add other patients.",
        )


def _phenotyped(case: TrainCase) -> bool:
    return any(name.startswith("phenotype_") for name in case.cells)
