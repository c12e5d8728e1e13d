"""Two ways to a brain age: feature files to the M-AVAE, T1 volumes to regions and a ridge."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import Prediction, RunRequest
from medview.domain.progress import Progress
from medview.learning.brain_age_evaluate import measure_ages, refuse_other_columns
from medview.learning.brain_age_run import run_brain_age
from medview.learning.brain_age_t1 import MODEL, ROLE, run_t1
from medview.learning.brain_age_t1_evaluate import measure_t1, t1_subsets
from medview.learning.cases import find_subsets, heads_under, holds, named_apart
from medview.learning.metrics_file import Measurement
from medview.learning.subset import LeftOut, Subset
from medview.learning.unseen import nothing_left, unseen

_TELLING = ("cases", "seen_in_training", "skipped")
"""What a line on data must tell something of, to be told."""


def run(job: Progress, request: RunRequest) -> Prediction:
    """Run on feature files where there are any, else on the T1 volume.

    Raises
    ------
    ModelInputError
        The input does not fit.
    WeightsError
        Weights missing, damaged or foreign.
    """
    if ROLE in request.volumes and not request.tables:
        return run_t1(job, request)
    return run_brain_age(job, request)


def measure(job: Progress, request: EvaluateRequest) -> Measurement:
    """Measure both routes on what each can use.

    Sets of T1 volumes go the image route, and cases of a list with a T1 and no features.

    Raises
    ------
    DataError
        Unusable data, or nothing left that the weights have not seen.
    WeightsError
        Unusable weights.
    """
    heads = {spec: heads_under(spec) for spec in request.data}
    images = [*t1_subsets(request.data), *named_apart(list(chain(*heads.values())))]
    if not images:
        return measure_ages(job, request)
    tables = tuple(spec for spec, found in heads.items() if not found or _has_features(spec))
    known = find_subsets(tables, MODEL) if tables else []
    if not any(subset.cases for subset in known):
        return measure_t1(job, request, images)
    found = measure_t1(job, request, images, may_be_none=True)
    ages = measure_ages(job, replace(request, data=tables), may_be_none=True)
    if not (found.lines or ages.lines):
        raise _neither(request, (ages, known), (found, images))
    return _together(ages, found)


def _has_features(spec: str) -> bool:
    """Whether there are tables of features, too, at a path where T1 volumes were found."""
    path = Path(spec)
    return path.exists() and holds(path, MODEL)


def _neither(request: EvaluateRequest, *routes: tuple[Measurement, list[Subset]]) -> DataError:
    """Why there is nothing to measure on either way, with the cases of both counted."""
    parts = [unseen(each, of.card, request) for of, subsets in routes for each in subsets]
    data: list[Mapping[str, Any]] = [line for of, _ in routes for line in of.data]
    skipped = [LeftOut(**one) for line in data for one in line["skipped"]]
    refuse_other_columns(skipped, sum(len(part.seen) for part in parts))
    # Of a case of a list the way of tables only says that it has no features.
    last_told = {one.case: one for one in skipped}
    return nothing_left(parts, list(last_told.values()), "case")


def _together(tables: Measurement, images: Measurement) -> Measurement:
    """Both answers in one, under the card of the feature route."""
    taken = {line["case"] for line in images.lines}
    data = [_without(part, taken) for part in tables.data]
    return replace(
        tables,
        data=[*(part for part in data if any(part[name] for name in _TELLING)), *images.data],
        rows=[*tables.rows, *images.rows],
        lines=[*tables.lines, *images.lines],
        more={"image_weights_sha256": images.card.weights_sha256},
    )


def _without(part: Mapping[str, Any], taken: Collection[object]) -> dict[str, Any]:
    """A data line whose left-out cases are those that the other route could not use either."""
    return {**part, "skipped": [one for one in part["skipped"] if one["case"] not in taken]}
