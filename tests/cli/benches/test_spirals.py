from __future__ import annotations

from typing import Any

import pytest

from medview.cli.benches.spirals import measure
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine

BODY = {
    "rows": [
        {"name": "conventional", "accuracies": [0.70, 0.60], "mean": 0.65, "published": 0.7636},
        {"name": "ARMED (ME)", "accuracies": [0.74, 0.62], "mean": 0.68, "published": 0.7878},
        {"name": "logit link", "accuracies": [0.74, 0.62], "mean": 0.68, "published": None},
    ],
    "accuracies": {"conventional": [0.70, 0.60]},
    "seconds": 12.0,
}


def test_rows_stand_beside_what_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def call(self: Context, lane: str, work: str, *given: Any) -> Any:
        asked.append((lane, work, *given))
        return BODY

    monkeypatch.setattr(Context, "call", call)
    context = Context(Options(seed=5, quiet=True), ProgressLine(None, on_terminal=False))
    rows = measure(context, quick=True)
    assert asked == [("compute", "medview.learning.spirals:bench", (5, 6), 1)]
    assert [row.peer_value for row in rows] == [0.7636, 0.7878, None, None]
    assert all(row.aim is None for row in rows[:3])
    # differences 0.04 and 0.02: mean 0.03, standard error 0.01, Student's t of one degree 12.7
    assert "minus conventional, same seeds +0.030 [-0.097, +0.157]" in rows[1].what
    assert "sd over seeds 0.071" in rows[0].what
    assert "minus" not in rows[0].what
    assert rows[3].met is True
    measure(context, quick=False)
    assert asked[1][2:] == (tuple(range(5, 15)), 10)
