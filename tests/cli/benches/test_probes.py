from __future__ import annotations

from typing import Any

import pytest

from medview.cli.benches.probes import measure
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine

SEEN, SHARE = "balanced accuracy, clusters seen", "share of the importance that the probes have"
BODY = {
    "rows": [
        {"name": "conventional", "figure": SEEN, "values": [0.8, 0.7], "published": 0.807},
        {"name": "conventional", "figure": SHARE, "values": [0.5, 0.4], "published": None},
        {"name": "ARMED (ME)", "figure": SEEN, "values": [0.8, 0.7], "published": 0.821},
        {"name": "ARMED (ME)", "figure": SHARE, "values": [0.3, 0.4], "published": None},
    ],
    "seconds": 12.0,
}


def test_each_figure_is_held_against_the_same_one_of_the_conventional_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[Any, ...]] = []

    def call(self: Context, lane: str, work: str, *given: Any) -> Any:
        asked.append((lane, work, *given))
        return BODY

    monkeypatch.setattr(Context, "call", call)
    context = Context(Options(seed=5, quiet=True), ProgressLine(None, on_terminal=False))
    rows = measure(context, quick=True)
    assert asked == [("compute", "medview.learning.spirals_probes:bench", (5, 6), 1)]
    assert [row.value for row in rows] == pytest.approx([0.75, 0.45, 0.75, 0.35, 12.0])
    assert [row.peer_value for row in rows] == [0.807, None, 0.821, None, None]
    assert "minus" not in rows[1].what
    assert "minus conventional, same seeds +0.000 [+0.000, +0.000]" in rows[2].what
    assert "minus conventional, same seeds -0.100 [-1.371, +1.171]" in rows[3].what
    assert rows[4].met is True
