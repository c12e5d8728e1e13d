"""Old against new, case by case, from what both versions said of what was held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.domain.errors import DataError
from medview.io.tables import read_table

TRUE = "true_"
LABEL = "label"


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case: what is true, what the old and the new version say, and its image (None: a row).

    `truth` is None where it is not known, or where it is no figure but a `label`, "0" or "1".
    """

    case: str
    score: str
    truth: float | None
    old: float
    new: float
    file: Path | None = None
    label: str = ""

    @property
    def closer(self) -> float | None:
        """How much nearer to the truth the new version is; None where it is not known."""
        if self.truth is None:
            return None
        return abs(self.old - self.truth) - abs(self.new - self.truth)


def case_lines(folder: Path, files: Mapping[str, str]) -> tuple[CaseLine, ...]:
    """The cases of ``comparison/validation`` below a training's folder, worst changed first.

    Of several scores the first with a truth is told.
    """
    both = [_rows(folder / "comparison" / "validation" / who) for who in ("old", "new")]
    score = _score(both[0])
    if not score:
        return ()
    lines = []
    for case in both[0].keys() & both[1].keys():
        old, new = (rows[case].get(score, "") for rows in both)
        truth = both[0][case].get(TRUE + score, "")
        if old and new:
            path = Path(files[case]) if case in files else None
            known = float(truth) if truth else None
            label = "" if truth else both[0][case].get(LABEL, "")
            lines.append(CaseLine(case, score, known, float(old), float(new), path, label))
    return tuple(sorted(lines, key=lambda line: (line.closer or 0.0, line.case)))


def _score(rows: Mapping[str, Mapping[str, str]]) -> str:
    for row in rows.values():
        for name, value in row.items():
            if name.startswith(TRUE) and value:
                return name.removeprefix(TRUE)
        if row.get("anomaly"):
            return "anomaly"
    return ""


def _rows(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        rows = read_table(folder / "predictions.csv").by_name()
        return {row["case"]: row for row in rows}
    except (DataError, KeyError):
        return {}
