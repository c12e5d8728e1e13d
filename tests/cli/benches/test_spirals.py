from __future__ import annotations

from typing import Any

import pytest

from medview.cli.benches.rows import Row
from medview.cli.benches.spirals import measure, measure_probes
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine

Asked = list[tuple[Any, ...]]
SEEN, SHARE = "balanced accuracy, clusters seen", "share of the importance that the probes have"


def line(name: str, figure: str, values: list[float], published: float | None) -> dict[str, Any]:
    return {"name": name, "figure": figure, "values": values, "published": published}


def measured(
    work: Any, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, *, quick: bool = True
) -> tuple[list[Row], Asked]:
    """The rows of a bench whose work gives `rows`, and what the work was asked for."""
    asked: Asked = []

    def call(self: Context, lane: str, work: str, *given: Any) -> Any:
        asked.append((lane, work, *given))
        return {"rows": rows, "seconds": 12.0}

    monkeypatch.setattr(Context, "call", call)
    context = Context(Options(seed=5, quiet=True), ProgressLine(None, on_terminal=False))
    return work(context, quick=quick), asked


RIVALS = [
    line("conventional", "accuracy", [0.70, 0.60], 0.7636),
    line("ARMED (ME)", "accuracy", [0.74, 0.62], 0.7878),
    line("logit link", "accuracy", [0.74, 0.62], None),
]


def test_rows_stand_beside_what_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, asked = measured(measure, RIVALS, monkeypatch)
    assert asked == [("compute", "medview.learning.spirals:bench", (5, 6), 1)]
    assert [row.value for row in rows] == pytest.approx([0.65, 0.68, 0.68, 12.0])
    assert [row.peer_value for row in rows] == [0.7636, 0.7878, None, None]
    assert all(row.aim is None for row in rows[:3])
    # differences 0.04 and 0.02: mean 0.03, standard error 0.01, Student's t of one degree 12.7
    assert "minus conventional, same seeds +0.030 [-0.097, +0.157]" in rows[1].what
    assert "sd over seeds 0.071" in rows[0].what
    assert "minus" not in rows[0].what
    assert rows[3].met is True


def test_at_leisure_there_are_ten_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    _, asked = measured(measure, RIVALS, monkeypatch, quick=False)
    assert asked[0][2:] == (tuple(range(5, 15)), 10)


def test_each_figure_is_held_against_the_same_one_of_the_conventional_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = [
        line("conventional", SEEN, [0.8, 0.7], 0.807),
        line("conventional", SHARE, [0.5, 0.4], None),
        line("ARMED (ME)", SEEN, [0.8, 0.7], 0.821),
        line("ARMED (ME)", SHARE, [0.3, 0.4], None),
    ]
    rows, asked = measured(measure_probes, given, monkeypatch)
    assert asked == [("compute", "medview.learning.spirals_probes:bench", (5, 6), 1)]
    assert [row.value for row in rows] == pytest.approx([0.75, 0.45, 0.75, 0.35, 12.0])
    assert [row.peer_value for row in rows] == [0.807, None, 0.821, None, None]
    assert "minus" not in rows[1].what
    assert "minus conventional, same seeds +0.000 [+0.000, +0.000]" in rows[2].what
    assert "minus conventional, same seeds -0.100 [-1.371, +1.171]" in rows[3].what
    assert rows[4].met is True
