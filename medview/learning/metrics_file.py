"""The two files that every measurement of weights leaves: metrics.json and predictions.csv."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medview.domain.card import ModelCard
from medview.domain.evaluation import EvaluateRequest
from medview.io.atomic import whole_file
from medview.io.plain import plain
from medview.learning.metrics import MetricRow

SCHEMA = "medview.metrics/1"
PREDICTIONS = "predictions.csv"
PIXELS = "pixels.csv"
"""Beside the two, of maps: how well each finds the marked lesion of its case."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What was found of weights: all that metrics.json and predictions.csv tell of it.

    Parameters
    ----------
    card : ModelCard
        Of the weights.
    data : Sequence[Mapping[str, object]]
        One line a subset (``Unseen.data_line``).
    rows : Sequence[MetricRow]
        The figures.
    lines : Sequence[Mapping[str, object]]
        predictions.csv, one a case.
    parameters : Mapping[str, object]
        How the model was asked.
    device : str
        What it ran on, "cpu" or "cuda[:N]".
    more : Mapping[str, object]
        Parts of metrics.json that only some models have: "differences", "reliability", "notes".
    """

    card: ModelCard
    data: Sequence[Mapping[str, object]]
    rows: Sequence[MetricRow]
    lines: Sequence[Mapping[str, object]]
    parameters: Mapping[str, object] = field(default_factory=dict)
    device: str = "cpu"
    more: Mapping[str, object] = field(default_factory=dict)

    def body(self, request: EvaluateRequest, seconds: float) -> dict[str, object]:
        """The body of ``medview.metrics/1``; `seconds` is how long it took."""
        return {
            "model": request.model,
            "version": self.card.version,
            "weights_sha256": self.card.weights_sha256,
            "device": self.device,
            "dtype": "float32",
            "seed": request.seed,
            "parameters": dict(self.parameters),
            "seconds": round(seconds, 1),
            "data": list(self.data),
            "metrics": [row.as_dict() for row in self.rows],
            **self.more,
        }


def write_metrics(
    out: Path, body: Mapping[str, object], lines: Sequence[Mapping[str, object]]
) -> dict[str, Any]:
    """metrics.json with `body`, predictions.csv with a line a case.

    Returns
    -------
    dict
        The body as it was written, of plain values, less its schema.

    Raises
    ------
    WriteError
        The folder cannot be written or the disk is full.
    """
    written: dict[str, Any] = plain(body)
    text = json.dumps({"schema": SCHEMA, **written}, indent=1, ensure_ascii=False)
    with whole_file(out / "metrics.json") as draft:
        draft.write_text(text + "\n", encoding="utf-8")
    write_lines(out / PREDICTIONS, lines)
    return written


def write_lines(path: Path, lines: Sequence[Mapping[str, object]]) -> None:
    """A CSV with the columns of all lines, in the order they first come; None and NaN are empty.

    Raises
    ------
    WriteError
        As for ``write_metrics``.
    """
    columns = list(dict.fromkeys(name for line in lines for name in line))
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(plain(line) for line in lines)
