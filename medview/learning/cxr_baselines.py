"""Classical models of a chest film: what the network has to beat, on the same films and folds.

A linear model on the features that the frozen encoder gives of the whole film, squeezed to a
square: no lung box, no fine-tuning, no augmentation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from medview.domain.progress import Progress
from medview.learning.chest_rows import HIGHEST, SEVERE, zone_scores
from medview.learning.cxr_folds import Index
from medview.learning.cxr_metrics import Said
from medview.learning.icu_films import features_of
from medview.learning.images import read_image
from medview.learning.plain_fits import fit_logistic, fit_ridge
from medview.learning.plain_models import Matrix, Model, Vector
from medview.learning.subset import TrainCase

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
PENALTIES = (30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4)
LOGISTIC, RIDGE = "logistic", "ridge"
LUNGS = "logistic_lungs"
"""The same on the features of the square about the lungs, all that the network sees."""
FOLDS = 4
"""Inner folds of patients in which strength and penalty are chosen."""


def whole_features(job: Progress, cases: Sequence[TrainCase]) -> Matrix:
    """Features of whole films, (n, 1280)."""
    rows = []
    for n, case in enumerate(cases):
        job.check()
        job.report(n, len(cases), f"features of whole films: {n + 1} / {len(cases)}")
        rows.append(features_of(read_image(case.image)))
    return np.stack(rows).astype(np.float64)


def fit_models(table: Matrix, cases: Sequence[TrainCase]) -> dict[str, Model]:
    """Outcome by logistic regression, Brixia total by ridge regression, where there are labels."""
    found: dict[str, Model] = {}
    rows, own = _with(cases, "prognosis")
    severe = np.array([case.cells["prognosis"] == SEVERE for case in own], np.bool_)
    if severe.any() and not severe.all():
        patients = [case.patient for case in own]
        weight = classes_alike(patients_alike(patients), severe)
        found[LOGISTIC] = fit_logistic(
            table[rows], severe, patients, STRENGTHS, folds=FOLDS, weight=weight
        )
    rows, own = _with(cases, "brixia")
    if len({case.patient for case in own}) >= FOLDS:
        patients = [case.patient for case in own]
        total = np.array([float(sum(zone_scores(case.cells["brixia"]))) for case in own])
        found[RIDGE] = fit_ridge(
            table[rows], total, patients, PENALTIES, folds=FOLDS, weight=patients_alike(patients)
        )
    return found


def _with(cases: Sequence[TrainCase], cell: str) -> tuple[Index, list[TrainCase]]:
    rows = np.flatnonzero([bool(case.cells.get(cell)) for case in cases])
    return rows, [cases[n] for n in rows.tolist()]


def patients_alike(patients: Sequence[str]) -> Vector:
    """Weights of films so that each patient counts the same; their mean is 1."""
    counts = Counter(patients)
    weight = np.array([1 / counts[name] for name in patients])
    return np.asarray(weight * len(weight) / weight.sum(), dtype=np.float64)


def classes_alike(weight: Vector, severe: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Vector:
    """Weights so that both outcomes count the same, too."""
    found = weight.copy()
    for here in (severe, ~severe):
        found[here] *= len(found) / 2 / found[here].sum()
    return found


def with_baselines(said: Said, models: Mapping[str, Model], table: Matrix) -> Said:
    """What was said of films, with what the classical models say of them; `table` of these films.

    Totals stay within 0 to 18.
    """
    answers = {name: model(table) for name, model in models.items()}
    if RIDGE in answers:
        answers[RIDGE] = np.clip(answers[RIDGE], 0, HIGHEST)
    return replace(said, baselines={**said.baselines, **answers})
