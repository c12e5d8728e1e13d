"""Which films train and which are left out: by patient, stratified; or by site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning.chest_rows import SEVERE, severity_class, zone_scores
from medview.learning.cxr_fit import fit_method
from medview.learning.cxr_given import Given, predict
from medview.learning.cxr_metrics import Said
from medview.learning.cxr_phase import Fitted, Run
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.site_effects import FIXED
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


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Films to train on and films left out, with recipe and seed.

    `known` holds networks of single phases that were trained on the same films with the same
    seed, and takes in those that are trained for this one.
    """

    recipe: CxrRecipe
    given: Given
    train: Index
    test: Index
    seed: int
    known: dict[str, Fitted] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[Index, Index]:
        """Films to train on, parted into those that are learnt from and those to select by."""
        return split_val(self.given.films.cases, self.train, self.recipe.val_share, self.seed)

    @property
    def median(self) -> float:
        """Median Brixia total of the films to train on."""
        return median_total([self.given.films.cases[n] for n in self.train])


def train_and_predict(job: Progress, fold: Fold, last: Callable[..., Run] | None = None) -> Said:
    """Train without the films left out and say what the network makes of them.

    `last` makes another last phase (``fit_method``).
    """
    fitted = fit_method(
        job, fold.recipe, fold.given, fold.parts, fold.seed, known=fold.known, last=last
    )
    return said_of(fitted, fold)


def said_of(fitted: Fitted, fold: Fold) -> Said:
    """What a trained network says of the films left out."""
    return as_said(predict(fitted.model, fold.given, fold.test), fold)


def as_said(found: Mapping[str, NDArray[np.float64]], fold: Fold) -> Said:
    """Scores of the films left out by name (``cxr_given.predict``), with the films."""
    n = len(fold.test)
    return Said(
        tuple(fold.given.films.cases[k] for k in fold.test),
        found.get("severe", np.full(n, np.nan)),
        found.get("zones", np.full((n, 6), np.nan)),
        found.get("severity", np.full(n, np.nan)),
        np.full(n, fold.median),
        {FIXED: found[FIXED]} if FIXED in found else {},
    )


def median_total(cases: Sequence[TrainCase]) -> float:
    """Median Brixia total of films; NaN without any."""
    totals = [sum(zone_scores(c.cells["brixia"])) for c in cases if c.cells.get("brixia")]
    return float(np.median(totals)) if totals else float("nan")
