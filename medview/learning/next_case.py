"""Unlabelled cases of a case list in the order in which to label them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.choice import SCORES, doubt_of
from medview.domain.errors import DataError, UsageError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.io.tables import read_table
from medview.learning.case_list import list_rows, write_rows
from medview.learning.evaluate import evaluate
from medview.learning.metrics_file import PREDICTIONS

OPEN = "open.csv"
LABELS = ("label", "mask", "prognosis", "brixia", "mortality")


def rank(job: Progress, request: EvaluateRequest) -> list[dict[str, Any]]:
    """Run the version on the cases of `request`, and order those without a label.

    Returns
    -------
    list[dict]
        Of each unlabelled case ``case``, ``patient``, ``site``, ``subset``, ``doubt`` and ``why``;
        the one to label next first, those of which nothing is known last.

    Raises
    ------
    UsageError
        A model whose cases no reader labels.
    DataError
        Unusable data, no case list, or no case without a label.
    """
    if request.model not in SCORES:
        raise UsageError(
            f"what {request.model} learns from is not labelled by a reader",
            do=f"Choose one of: {', '.join(SCORES)}.",
        )
    out = Path(request.out)
    rows = open_rows(request.data)
    write_rows(out / OPEN, rows)
    evaluate(job, replace(request, data=(f"cases={out / OPEN}",), out=str(out / "said")))
    return ordered(request.model, read_table(out / "said" / PREDICTIONS).by_name())


def open_rows(data: Sequence[str]) -> list[dict[str, str]]:
    """The rows of case lists of which no label is known; only these are asked about.

    Raises
    ------
    DataError
        No case list, or no such row.
    """
    every = list_rows(data, "Give a case list whose labels are empty where they are to come.")
    rows = [row for row in every if not any(row[name] for name in row if is_label(name))]
    if not rows:
        raise DataError(
            "each case has a label: there is none to choose"
            if every
            else "the list has no case, only a first line",
            do="Give cases whose label is empty.",
        )
    return rows


def is_label(column: str) -> bool:
    """Whether a column of a case list tells what a reader or the course has told."""
    return column in LABELS or column.startswith("phenotype_")


def ordered(model: str, rows: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Lines of predictions.csv by doubt, the highest first."""
    name = SCORES[model]
    found = []
    for row in rows:
        value, low, high = (_number(row.get(name + end)) for end in ("", "_low", "_high"))
        doubt = doubt_of(model, value, low, high)
        told = {key: row.get(key) or "" for key in ("case", "patient", "site", "subset")}
        why = doubt.why if doubt is not None else "the model gives no answer"
        found.append({**told, "doubt": doubt.value if doubt else None, "why": why})
    return sorted(found, key=lambda one: -1.0 if one["doubt"] is None else one["doubt"],
                  reverse=True)  # fmt: skip


def _number(text: str | None) -> float | None:
    return float(text) if text else None
