"""The two files that every measurement of weights leaves: metrics.json and predictions.csv."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.domain.card import ModelCard
from medview.domain.evaluation import EvaluateRequest
from medview.io.atomic import whole_file
from medview.io.plain import plain

SCHEMA = "medview.metrics/1"


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """The body of ``medview.metrics/1`` and the lines of predictions.csv."""

    body: dict[str, Any]
    lines: list[dict[str, object]]


def head_of(
    card: ModelCard,
    request: EvaluateRequest,
    began: float,
    parameters: Mapping[str, object],
    device: str = "cpu",
) -> dict[str, object]:
    """Which weights were measured and how; `began` is of ``time.perf_counter``, in s."""
    return {
        "model": card.id,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "device": device,
        "dtype": "float32",
        "seed": request.seed,
        "parameters": dict(parameters),
        "seconds": round(time.perf_counter() - began, 1),
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
    write_lines(out / "predictions.csv", lines)
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
