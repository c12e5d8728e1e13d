"""Measure region weights, and the age model beside them, on heads. Never trains."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.errors import DataError, InputRefused
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.domain.volume import Volume
from medview.io.atomic import whole_file
from medview.io.plain import plain
from medview.learning.brain_age_t1 import refuse_part, scores_of
from medview.learning.brain_age_t1_evaluate import age_figures, data_line, kept_cases, line_of
from medview.learning.cases import find_subsets
from medview.learning.images import read_image
from medview.learning.region_cases import load_head
from medview.learning.region_grid import Boxed, boxed
from medview.learning.region_measure import Measured, compared, region_rows
from medview.learning.region_sets import MODEL
from medview.learning.regions import RegionModel, find_regions, load_region_model
from medview.learning.subset import LeftOut, Subset, TrainCase

SCHEMA = "medview.metrics/1"


@dataclass(slots=True, eq=False)
class _Part:
    """What was found of a subset: lines of predictions.csv, heads with labels, cases left out."""

    lines: list[dict[str, object]] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    skipped: list[LeftOut] = field(default_factory=list)


def evaluate_regions(job: Progress, request: EvaluateRequest) -> dict[str, Any]:
    """Find regions and ages of every head; write metrics.json and predictions.csv.

    Heads without labels or age are told all the same.

    Returns
    -------
    dict
        The body of ``medview.metrics/1``.

    Raises
    ------
    DataError
        Unusable data, or no head left that the weights have not seen.
    WeightsError
        Unusable weights.
    """
    began = time.perf_counter()
    model = load_region_model(Path(request.weights) if request.weights else None)
    data: list[dict[str, object]] = []
    rows: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    for subset in find_subsets(request.data, MODEL):
        heads = Subset(
            subset.name,
            subset.layout,
            subset.root,
            tuple(case for case in subset.cases if case.images),
            licence=subset.licence,
        )
        if not heads.cases:
            continue
        kept = kept_cases(heads, model, request)
        part = _asked(job, model, kept, request)
        made = region_rows(part.measured) if part.measured else []
        made += age_figures(subset.name, kept, part.lines, model)
        rows += [row.as_dict() for row in made]
        data.append(data_line(heads, kept, part.lines, [*subset.skipped, *part.skipped]))
        lines += part.lines
    if not lines:
        raise DataError(
            "no head is left to measure: all were trained on or cannot be used",
            code="MV-DAT-140",
            do="Give other data, or add --include-seen (the figures then say nothing of new "
            "patients).",
        )
    body = {
        "model": MODEL,
        "version": model.card.version,
        "weights_sha256": model.card.weights_sha256,
        "device": "cpu",
        "dtype": "float32",
        "seed": request.seed,
        "parameters": {},
        "seconds": round(time.perf_counter() - began, 1),
        "data": data,
        "metrics": rows,
    }
    _write(Path(request.out), body, lines)
    whole: dict[str, Any] = plain(body)
    return whole


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


def _write(out: Path, body: Mapping[str, object], lines: Sequence[Mapping[str, object]]) -> None:
    """metrics.json and predictions.csv."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain({"schema": SCHEMA, **body}), indent=1, ensure_ascii=False)
    with whole_file(out / "metrics.json") as draft:
        draft.write_text(text + "\n", encoding="utf-8")
    columns = list(dict.fromkeys(name for line in lines for name in line))
    with (
        whole_file(out / "predictions.csv") as draft,
        draft.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(plain(line) for line in lines)
