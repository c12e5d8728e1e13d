"""Which films train and which are left out: by patient, stratified; or by site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning.chest_rows import SEVERE, severity_class, zone_scores
from medview.learning.cxr_fit import Fitted, fit_method
from medview.learning.cxr_given import Given, predict
from medview.learning.cxr_metrics import Said
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.subset import TrainCase

Index = NDArray[np.intp]


def fold_of_patients(cases: Sequence[TrainCase], folds: int) -> dict[str, int]:
    """Fold of every patient, the same for all films and labels of that patient.

    Films with an outcome are parted as the classical baselines part them; patients with a
    Brixia score only are parted by their class.

    Raises
    ------
    DataError
        Fewer patients than folds.
    """
    outcome = [c for c in cases if c.cells.get("prognosis")]
    scored = [c for c in cases if c.cells.get("brixia")]
    found: dict[str, int] = {}
    found |= _stratified(scored, [_class(c) for c in scored], folds)
    found |= _stratified(outcome, [int(c.cells["prognosis"] == SEVERE) for c in outcome], folds)
    return found


def _class(case: TrainCase) -> int:
    return severity_class(sum(zone_scores(case.cells["brixia"])))


def _stratified(cases: Sequence[TrainCase], labels: Sequence[int], folds: int) -> dict[str, int]:
    if not cases:
        return {}
    groups = [case.patient for case in cases]
    if len(set(groups)) < folds:
        raise DataError(
            f"{len(set(groups))} patients cannot be parted into {folds} folds",
            code="MV-DAT-155",
            do="Give more films, or fewer folds.",
        )
    made = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    rows = np.zeros((len(cases), 1))
    fold: dict[str, int] = {}
    classes = _common(labels, folds)
    for number, (_, test) in enumerate(made.split(rows, classes, groups)):
        fold |= {groups[n]: number for n in test}
    return fold


def _common(labels: Sequence[int], fewest: int) -> list[int]:
    """Classes of fewer films than there are folds count as the commonest: they cannot be parted."""
    counts = Counter(labels)
    commonest = max(counts, key=lambda label: counts[label])
    return [label if counts[label] >= fewest else commonest for label in labels]


def split_val(
    cases: Sequence[TrainCase], index: Index, share: float, seed: int
) -> tuple[Index, Index]:
    """Training and validation films of `index`, parted by patient.

    Cases that say so themselves ("train", "val") keep their part.
    """
    named = [n for n in index if cases[n].split == "val"]
    if named or share <= 0:
        return _where(index, [n for n in index if n not in set(named)]), _where(index, named)
    patients = sorted({cases[n].patient for n in index})
    rng = np.random.default_rng((seed, 77))
    taken = set(rng.choice(patients, round(share * len(patients)), replace=False))
    val = [n for n in index if cases[n].patient in taken]
    return _where(index, [n for n in index if cases[n].patient not in taken]), _where(index, val)


def _where(like: Index, numbers: Sequence[int]) -> Index:
    return np.asarray(numbers, dtype=like.dtype)


def train_and_predict(
    job: Progress,
    recipe: CxrRecipe,
    given: Given,
    train: Index,
    test: Index,
    seed: int,
    known: dict[str, Fitted] | None = None,
) -> Said:
    """Train without the films `test` and say what the network makes of them."""
    cases = given.films.cases
    fitted = fit_method(
        job, recipe, given, split_val(cases, train, recipe.val_share, seed), seed, known=known
    )
    return said_of(fitted, given, test, median_total([cases[n] for n in train]))


def said_of(fitted: Fitted, given: Given, test: Index, median: float) -> Said:
    """What a trained network says of films."""
    return as_said(predict(fitted.model, given, test), given, test, median)


def as_said(
    found: Mapping[str, NDArray[np.float64]], given: Given, test: Index, median: float
) -> Said:
    """Scores of films by name (``cxr_given.predict``), with the films they are of."""
    n = len(test)
    return Said(
        tuple(given.films.cases[k] for k in test),
        found.get("severe", np.full(n, np.nan)),
        found.get("zones", np.full((n, 6), np.nan)),
        found.get("severity", np.full(n, np.nan)),
        np.full(n, median),
    )


def median_total(cases: Sequence[TrainCase]) -> float:
    """Median Brixia total of films; NaN without any."""
    totals = [sum(zone_scores(c.cells["brixia"])) for c in cases if c.cells.get("brixia")]
    return float(np.median(totals)) if totals else float("nan")
