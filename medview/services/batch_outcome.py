"""How the cases of a batch ended, in a table and a summary."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.io.atomic import whole_folder
from medview.services.batch_cases import Case

RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended: `scores` of result.json, or the error as code and words.

    `asked` is what the result was made from, as ``made_from.asked_of`` tells it.
    """

    case: Case
    scores: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    code: str = ""
    what: str = ""
    asked: Mapping[str, Any] | None = None

    @property
    def failed(self) -> bool:
        """True when there is no result."""
        return bool(self.code)


def outcome_of(case: Case, result: Path) -> Outcome | None:
    """The outcome that a result tells of; None if it cannot be read."""
    try:
        body = json.loads(result.read_text("utf-8"))
        return Outcome(case, tuple(body["scores"]), float(body["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def summary(done: Sequence[Outcome], ran: int, seconds: float) -> dict[str, Any]:
    """The body of ``medview.batch/1``; `ran` cases were run now, in so many seconds all told."""
    failed = [outcome for outcome in done if outcome.failed]
    return {
        "done": len(done) - len(failed),
        "failed": [
            {"case": o.case.label, "code": o.code, "what": o.what, "where": o.case.where}
            for o in failed
        ],
        "resumed": len(done) - ran,
        "seconds": round(seconds, 2),
        "seconds_per_study": round(seconds / ran, 3) if ran else None,
    }


def write_outcomes(out: Path, body: dict[str, Any], done: Sequence[Outcome]) -> None:
    """predictions.csv as ``evaluate`` writes it, and batch.json."""
    rows = [_row(outcome) for outcome in done if not outcome.failed]
    if any(outcome.case.label != outcome.case.name for outcome in done):
        folders = [outcome.case.name for outcome in done if not outcome.failed]
        rows = [{**row, "folder": name} for row, name in zip(rows, folders, strict=True)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with whole_folder(out) as draft:
        with (draft / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(
                file, columns or ["case", "patient", "site", "subset"], restval=""
            )
            table.writeheader()
            table.writerows(rows)
        text = json.dumps({"schema": "medview.batch/1", **body}, indent=1, ensure_ascii=False)
        (draft / "batch.json").write_text(text + "\n", "utf-8")


def _row(outcome: Outcome) -> dict[str, object]:
    case = outcome.case
    row: dict[str, object] = {
        "case": case.label,
        "patient": case.patient or case.label,
        "site": case.site,
        "subset": "",
    }
    for score in outcome.scores:
        name = score["name"]
        row |= {name: score["value"], f"{name}_low": score["low"], f"{name}_high": score["high"]}
    return {name: "" if value is None else value for name, value in row.items()}
