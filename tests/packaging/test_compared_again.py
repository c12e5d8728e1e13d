"""A comparison of variants that was run again: its figures in the rows of a card."""

import json
import runpy
import sys
from dataclasses import replace

import pytest

from medview.domain.card import Figure
from medview.domain.resources import resource
from medview.io.cards import read_card, write_card

COMMAND = "medview ablate x"
SHARED = {"on": "set a, left-out site", "n": 9, "predictor": "told", "level": "case"}
EXTRA = {"task": "death", "runs": 5, "p": 0.5, "test": "old"}
FIGURES = (
    Figure("mae", 2.0, "set a, left-out site", n=9, command="medview train x"),
    Figure("mae", 2.0, low=1.0, high=3.0, command=COMMAND, extra=EXTRA, **SHARED),
    Figure("mae_difference", 0.1, low=0, high=1, command=COMMAND, extra=EXTRA, **SHARED),
    Figure(
        *("slope", 0.3, "set a"), n=5, predictor="told", group="runs:ward", command=COMMAND,
        extra={"task": "death", "runs": 5, "sd_over_runs": 0.1},
    ),
)  # fmt: skip
ROW = {
    **{"variant": "as-column", "subset": "set a", "task": "death", "level": "case", "name": "mae"},
    **{"mean": 2.6, "sd": 0.1, "runs": 10, "n": 12, "value_low": 2.4, "value_high": 2.8},
    **{"difference": 0.6, "low": 0.4, "high": 0.7, "p": 0.01, "test": "new"},
}
EFFECT = ROW | {"level": "effect", "task": "ward", "name": "slope", "mean": 0.2, "sd": 0.05}
ROWS = [ROW, EFFECT, ROW | {"name": "rmse"}, ROW | {"variant": "other"}]


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "card.json"
    shipped = read_card(resource("weights", "icu-armed", "card.json"))
    write_card(replace(shipped, measured=FIGURES), path)
    return path


def renewed(card, rows, monkeypatch, command=COMMAND):
    table = card.with_name("ablation.json")
    table.write_text(json.dumps({"rows": rows}))
    words = ["compared_again.py", str(card), str(table), "--command", command]
    monkeypatch.setattr(sys, "argv", [*words, "--called", "as-column=told"])
    runpy.run_path("packaging/compared_again.py", run_name="__main__")
    return read_card(card).measured


def test_rows_of_the_command_take_the_new_figures_and_no_other_is_added(card, monkeypatch):
    other, value, apart, effect = renewed(card, ROWS, monkeypatch)
    assert other == FIGURES[0]
    assert (value.value, value.low, value.high, value.n) == (2.6, 2.4, 2.8, 12)
    assert (apart.value, apart.low, apart.high) == (0.6, 0.4, 0.7)
    assert (apart.extra["p"], apart.extra["test"], apart.extra["runs"]) == (0.01, "new", 10)
    assert (effect.value, effect.n, effect.extra["sd_over_runs"]) == (0.2, 10, 0.05)
    assert [f.predictor for f in (value, apart, effect)] == ["told"] * 3


def test_a_row_that_the_comparison_lacks_changes_nothing(card, monkeypatch):
    before = card.read_bytes()
    with pytest.raises(SystemExit, match="has 0 rows of told slope runs:ward"):
        renewed(card, [ROW], monkeypatch)
    with pytest.raises(SystemExit, match="no row of this command"):
        renewed(card, ROWS, monkeypatch, "medview ablate y")
    assert card.read_bytes() == before
