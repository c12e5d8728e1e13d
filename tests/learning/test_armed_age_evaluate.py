"""Measured on people whom the weights have not seen."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from armed_ages import age_cases, table_lines

from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Silent
from medview.learning.evaluate import evaluate

pytestmark = pytest.mark.usefixtures("seeded")


def test_evaluation_leaves_out_whom_the_weights_saw(armed_weights: Path, tmp_path: Path) -> None:
    request = EvaluateRequest(
        "brain-age-armed",
        (str(age_cases(tmp_path / "new", 30, 1, first=60)),),
        str(tmp_path / "out"),
        weights=str(armed_weights / "weights.safetensors"),
    )
    body = evaluate(Silent(), request)
    assert body["data"][0]["cases"] == 18
    assert body["data"][0]["seen_in_training"] == 12
    mae = {
        row["predictor"]: row["value"]
        for row in body["metrics"]
        if (row["name"], row["group"]) == ("mae", "all")
    }
    assert mae["model"] < mae["fixed"]
    lines = table_lines(tmp_path / "out" / "predictions.csv")
    assert len(lines) == 18
    one = lines[0]
    assert float(one["age_low"]) < float(one["age"]) < float(one["age_high"])
    old = replace(request, data=(str(age_cases(tmp_path / "old", 9)),))
    with pytest.raises(DataError, match="9 are of patients that the weights were trained on"):
        evaluate(Silent(), old)


def test_labels_and_sites_may_be_missing(armed_weights: Path, tmp_path: Path) -> None:
    path = age_cases(tmp_path / "new", 9, 1, first=100)
    lines = list(csv.reader(path.read_text("utf-8").splitlines()))
    bare = [lines[0], *([case, who, "", "", file] for case, who, _, _, file in lines[1:])]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(bare)
    body = evaluate(
        Silent(),
        EvaluateRequest(
            "brain-age-armed", (str(path),), str(tmp_path / "out"),
            weights=str(armed_weights / "weights.safetensors"),
        ),
    )  # fmt: skip
    assert body["metrics"] == []
    rows = table_lines(tmp_path / "out" / "predictions.csv")
    assert len(rows) == 9
    assert all(row["age"] and not row["age_mixed"] and not row["gap_raw"] for row in rows)
