from __future__ import annotations

from pathlib import Path

import pytest

from medview.domain.card import Figure
from medview.learning.card_parts import figure_of, licence_of, measured_in
from medview.learning.subset import Subset


def test_a_metric_row_keeps_all_it_says_as_a_figure() -> None:
    row = {"predictor": "model", "level": "pixel", "name": "pr_auc", "subset": "t1", "value": 0.5}
    figure = figure_of({**row, "low": 0.4, "high": 0.6, "n": 7, "n_patients": 7}, "medview x")
    assert (figure.on, figure.value, figure.low, figure.n) == ("t1", 0.5, 0.4, 7)
    assert figure.extra == {"n_patients": 7}
    assert figure.command == "medview x"


def test_one_strict_licence_marks_the_whole(tmp_path: Path) -> None:
    free = Subset("a", "folder", tmp_path, (), licence="CC BY 4.0")
    strict = Subset("b", "folder", tmp_path, (), licence="some research licence")
    assert licence_of([free]) == "CC BY 4.0"
    assert licence_of([free, strict]).startswith("research, non-commercial")


@pytest.mark.parametrize(
    ("licence", "strict"),
    [("CC BY-NC 4.0", True), ("unstated", True), ("CC0", False), ("CC BY-SA 3.0", False)],
)
def test_a_licence_without_free_use_makes_the_weights_non_commercial(
    licence: str, strict: bool
) -> None:
    said = licence_of([Subset("a", "folder", Path("a"), (), licence=licence)])
    assert said.startswith("research, non-commercial") == strict
    assert licence in said


def test_sets_without_a_licence_are_told_and_one_of_several_sets_is_told_once() -> None:
    none, free = (Subset("a", "folder", Path("a"), (), licence=one) for one in ("", "CC0"))
    assert licence_of([none]) == "not stated"
    assert licence_of([free, none, free]) == "CC0"


def test_where_figures_come_from_is_told_of_figures_alone() -> None:
    [told] = measured_in(5, [Figure("mae", 4.0, "ixi")])
    assert told.startswith("Figures come from 5 folds by patient")
    assert measured_in(5, []) == ()
