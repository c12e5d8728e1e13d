"""What a run of a comparison said of films, task by task, as its figures are made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medview.domain.ablation import Scored
from medview.learning.chest_rows import zone_scores
from medview.learning.cxr_metrics import (
    ADMISSION,
    FIRST,
    Said,
    first_films,
    people_of,
    up_to_admission,
)

DECISIONS = (
    "roc_auc",
    "accuracy",
    "balanced_accuracy",
    "f1_weighted",
    "g_mean",
    "g_mean_weighted",
)


def scored(said: Said, suffix: str = "") -> list[Scored]:
    """What a run said, task by task: the outcome by patient, severity by film and by zone.

    `suffix` goes behind the names of the groups.
    """
    found = []
    outcome = np.array([bool(case.cells.get("prognosis")) for case in said.cases], np.bool_)
    here = said.only(outcome & np.isfinite(said.severe))
    if here.cases:
        found += _outcome(here)
    has = np.array([bool(case.cells.get("brixia")) for case in said.cases], np.bool_)
    films = said.only(has & np.isfinite(said.severity))
    if films.cases:
        found += _severity(films)
    return [replace(one, subset=one.subset + suffix) for one in found]


def _outcome(said: Said) -> list[Scored]:
    parts = {"all": said, FIRST: said.only(first_films(said.cases))}
    parts[ADMISSION] = said.only(up_to_admission(said.cases))
    for site in sorted({case.site for case in said.cases}):
        parts[site] = said.only(np.array([case.site == site for case in said.cases]))
    found = []
    for subset, part in parts.items():
        if not part.cases:
            continue
        people = people_of(part.cases, part.severe)
        truth = tuple(people.severe.astype(float))
        score = tuple(people.scores["model"])
        names = people.names
        twice = {name for name, count in Counter(names).items() if count > 1}
        cases = tuple(
            f"{name}:{severe:d}" if name in twice else name
            for name, severe in zip(names, people.severe, strict=True)
        )
        found.append(Scored("prognosis", DECISIONS, cases, names, truth, score, subset))
    return found


def _severity(said: Said) -> list[Scored]:
    truth = np.array([zone_scores(case.cells["brixia"]) for case in said.cases], float)
    names = tuple(f"{case.subset}:{case.case}" for case in said.cases)
    patients = tuple(case.patient for case in said.cases)
    total = truth.sum(1)
    classes = np.digitize(total, (4.5, 9.5, 14.5))
    hit = (classes == said.severity).astype(float)
    found = [Scored("severity", ("class_accuracy",), names, patients, _t(classes), _t(hit), "all")]
    if np.isfinite(said.zones).all():
        score = said.zones.sum(1)
        figures = ("mae", "pearson_r")
        found.append(Scored("severity", figures, names, patients, _t(total), _t(score), "all"))
        cases = tuple(f"{name}:{zone}" for name in names for zone in "ABCDEF")
        people = tuple(patient for patient in patients for _ in range(6))
        flat = (_t(truth.ravel()), _t(said.zones.ravel()))
        found.append(Scored("severity", ("mae",), cases, people, *flat, "all", "zone"))
    if np.isfinite(said.median).all():
        found.append(Scored("median", ("mae",), names, patients, _t(total), _t(said.median), "all"))
    return found


def _t(values: Sequence[float] | np.ndarray[Any, Any]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
