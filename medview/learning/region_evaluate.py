"""Measure region weights, and the age model beside them, on heads. Never trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from medview.domain.errors import InputRefused
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.domain.volume import Volume
from medview.learning.brain_age_t1 import refuse_part, scores_of
from medview.learning.brain_age_t1_evaluate import age_figures, data_line, line_of
from medview.learning.cases import find_subsets
from medview.learning.images import read_image
from medview.learning.metrics import MetricRow
from medview.learning.metrics_file import Measurement
from medview.learning.region_cases import load_head
from medview.learning.region_grid import Boxed, boxed
from medview.learning.region_measure import Measured, compared, region_rows
from medview.learning.region_sets import MODEL
from medview.learning.regions import RegionModel, find_regions, load_region_model
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.unseen import nothing_left, unseen


@dataclass(slots=True, eq=False)
class _Part:
    """What was found of a subset: lines of predictions.csv, heads with labels, cases left out."""

    lines: list[dict[str, object]] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    skipped: list[LeftOut] = field(default_factory=list)


def measure_regions(job: Progress, request: EvaluateRequest) -> Measurement:
    """Find regions and age of every head; heads without labels or age are told all the same.

    Raises
    ------
    DataError, WeightsError
        As ``evaluate.evaluate``.
    """
    model = load_region_model(Path(request.weights) if request.weights else None)
    data, rows = list[dict[str, object]](), list[MetricRow]()
    lines: list[dict[str, object]] = []
    heads = [_heads(subset) for subset in find_subsets(request.data, MODEL)]
    parts = [unseen(subset, model.card, request) for subset in heads if subset.cases]
    gone = list[LeftOut]()
    for part in parts:
        found = _asked(job, model, part.cases, request)
        rows += region_rows(found.measured) if found.measured else []
        rows += age_figures(part, found.lines, model)
        skipped = [*part.subset.skipped, *found.skipped]
        data.append(data_line(part, found.lines, skipped))
        lines += found.lines
        gone += skipped
    if not lines:
        raise nothing_left(parts, gone, "head")
    return Measurement(model.card, data, rows, lines)


def _heads(subset: Subset) -> Subset:
    """The cases with an image."""
    return replace(subset, cases=tuple(case for case in subset.cases if case.images))


def _asked(
    job: Progress, model: RegionModel, cases: Sequence[TrainCase], request: EvaluateRequest
) -> _Part:
    """Regions and age of each case; what cannot be read is left out by name."""
    part = _Part()
    for number, case in enumerate(cases):
        job.check()
        job.report(number, len(cases), f"case {number + 1} / {len(cases)}")
        try:
            head = load_head(case) if case.brain_rule == "labels" else None
            volume, box = (head.volume, head.box) if head is not None else _boxed(case)
        except InputRefused as error:
            part.skipped.append(LeftOut(case.case, error.code, error.what))
            continue
        found = find_regions(volume, model.network, box)
        line = line_of(case, scores_of(model, found, case.age_years), private=request.private)
        if head is not None:
            part.measured.append(compared(head, found))
            line["dice"] = float(np.nanmean(part.measured[-1].dice))
        part.lines.append(line)
    return part


def _boxed(case: TrainCase) -> tuple[Volume, Boxed]:
    volume = read_image(case.image)
    refuse_part(volume)
    return volume, boxed(volume)
