from __future__ import annotations

from pathlib import Path

from medview.domain.card import Figure
from medview.learning.anomaly_card import figure_of, licence_of, weak_spots
from medview.learning.subset import Subset


def _figure(on: str, predictor: str, value: float, group: str = "all") -> Figure:
    return Figure("pr_auc", value, on, predictor=predictor, level="pixel", group=group)


def test_a_set_where_a_simple_score_is_better_is_named_with_both_figures() -> None:
    said = weak_spots([_figure("films", "model", 0.04), _figure("films", "intensity", 0.35)])
    assert said == (
        "On films it finds lesions worse than plain brightness "
        "(pixel average precision 0.04 against 0.35).",
    )


def test_a_set_where_the_model_is_better_is_no_weak_spot() -> None:
    assert weak_spots([_figure("t1", "model", 0.5), _figure("t1", "pca", 0.3)]) == ()


def test_the_models_own_residual_is_not_a_rival() -> None:
    assert weak_spots([_figure("t1", "model", 0.3), _figure("t1", "model:residual", 0.4)]) == ()


def test_groups_do_not_stand_for_the_whole_set() -> None:
    rows = [_figure("t1", "model", 0.3), _figure("t1", "pca", 0.9, "radius:4-8")]
    assert weak_spots(rows) == ()


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
