"""Real lesions that are marked, as networks of folds are compared on them; none learns from them.

They are measured so that a variant can be seen to hold elsewhere, and are no means to choose one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from medview.domain.ablation import Scored
from medview.domain.errors import InputRefused
from medview.domain.progress import Progress
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.anomaly_shown import joined
from medview.learning.cases import PreparedCase, prepare_case
from medview.learning.real_rows import result_of
from medview.learning.scoring import JUDGED, MODEL, ask_model, model_scores, slices_of
from medview.learning.subset import Subset

TASK = "real lesions"


def load_marked(job: Progress, subsets: Iterable[Subset]) -> tuple[PreparedCase, ...]:
    """The cases whose lesion is marked, ready to be asked; those that cannot be used are not."""
    marked = [
        case
        for subset in subsets
        for case in subset.cases
        if case.mask is not None or case.box is not None
    ]
    ready = []
    for number, case in enumerate(marked):
        job.check()
        job.report(number, len(marked), "reading marked lesions")
        try:
            ready.append(prepare_case(case, upright=True))
        except InputRefused:  # measuring a version names them
            continue
    return tuple(ready)


def scored_marked(
    job: Progress,
    engine: Engine,
    marked: Iterable[PreparedCase],
    settings: AnomalySettings,
    seed: int,
) -> tuple[Scored, ...]:
    """By set: which slices are judged, and the average precision of each case's lesion pixels.

    What is not judged counts as an empty map. The slices of a volume are taken on their own.
    """
    return joined([found for one in marked for found in _scored(job, engine, one, settings, seed)])


def _scored(
    job: Progress, engine: Engine, one: PreparedCase, settings: AnomalySettings, seed: int
) -> Iterator[Scored]:
    job.check()
    whole = slices_of(one.prepared)
    said = ask_model(engine, whole, settings.samples, seed)
    found = model_scores(whole, said, settings, other_rules=())
    case, patient, subset = one.case.case, one.case.patient, one.case.subset
    own = found[MODEL].per_slice
    if own is not None:
        judged = np.isfinite(own)
        names = tuple(f"{case}:{k}" for k in whole.index)
        zeros, values = (0.0,) * len(names), tuple(judged.astype(float))
        patients = (patient,) * len(names)
        yield Scored(TASK, (JUDGED,), names, patients, zeros, values, subset, "slice")
    figures = result_of(one, whole, found).figures
    if figures is not None:
        value = (figures[MODEL].pr_auc,)
        yield Scored(
            TASK, ("pixel_precision",), (case,), (patient,), (0.0,), value, subset, "pixel"
        )
