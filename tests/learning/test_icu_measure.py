"""Figures of risks by hand: a working point, groups of stays, films beside what is no picture."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from medview.learning.icu_measure import (
    Said,
    best_threshold,
    film_rows,
    group_rows,
    label_rows,
    min_se_ppv,
    risk_rows,
)

TRUTH = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
SCORE = np.array([0.9, 0.8, 0.1, 0.7, 0.6, 0.2, 0.2, 0.2])


def told(truth=TRUTH, score=SCORE, **fields):
    patients = [f"p{n}" for n in range(len(truth))]
    return Said(truth, score, patients, "mortality", "mini", **fields)


def values(rows, **wanted):
    return {
        (row.predictor, row.group, row.name): row.value
        for row in rows
        if all(getattr(row, name) == one for name, one in wanted.items())
    }


def worth(truth, score, threshold):
    """The smaller of sensitivity and positive predictive value, counted one by one."""
    alarm = score >= threshold
    hits = sum(1 for t, a in zip(truth, alarm, strict=True) if t and a)
    return min(hits / truth.sum(), hits / alarm.sum()) if hits else 0.0


@pytest.mark.parametrize("steps", [2, 3, 5, 100])
def test_no_threshold_is_better_than_the_best_also_where_scores_are_equal(steps):
    dice = np.random.default_rng(steps)
    for _ in range(60):
        truth, score = dice.random(12) < 0.4, np.round(dice.random(12) * steps) / steps
        truth[0] = True
        best = worth(truth, score, best_threshold(truth, score))
        assert best == max(worth(truth, score, each) for each in score)


def test_sensitivity_and_precision_are_counted_by_weights():
    alarm = SCORE >= 0.65
    weights = np.array(
        [[1.0] * 8, [0, 0, 1, 0, 0, 0, 0, 0], [1, 0, 0, 3, 0, 0, 0, 0], [1, 1, 2, 0, 0, 0, 0, 0]]
    )
    # Two of three found and two of three alarms right; none found; one of four right; half found.
    assert min_se_ppv(TRUTH, alarm, weights) == pytest.approx([2 / 3, 0, 1 / 4, 1 / 2])


@pytest.mark.parametrize("threshold", [None, 0.65, 0.8, "each"])
def test_figures_of_risk_by_hand(threshold):
    each = np.array([0.5, 0.95, 0.05, 0.6, 0.7, 0.3, 0.3, 0.3])
    rows = values(risk_rows(told(threshold=each if threshold == "each" else threshold)))
    wanted = {None: None, 0.65: 2 / 3, 0.8: 2 / 3, "each": 2 / 3}[threshold]
    assert rows.get(("model", "all", "min_se_ppv")) == (wanted and pytest.approx(wanted))
    assert rows["model", "all", "roc_auc"] == pytest.approx(10 / 15)
    assert rows["model", "all", "brier"] == pytest.approx(
        (0.01 + 0.04 + 0.81 + 0.49 + 0.36 + 3 * 0.04) / 8
    )
    assert risk_rows(told(TRUTH[:0], SCORE[:0])) == []


def test_some_stays_keep_their_own_thresholds():
    here = np.array([0, 1, 0, 1, 0, 0, 0, 1], bool)
    some = told(threshold=SCORE / 2).only(here)
    assert (some.truth.tolist(), some.score.tolist()) == ([True, False, False], [0.8, 0.7, 0.2])
    assert (some.patients, some.threshold.tolist()) == (["p1", "p3", "p7"], [0.4, 0.35, 0.1])
    assert told(threshold=0.3).only(here).threshold == 0.3


def test_a_group_has_a_row_of_its_own_stays_where_these_are_enough():
    sizes = {"small": 19, "all alive": 20, "right": 20, "wrong": 21, "": 20}
    groups = [name for name, count in sizes.items() for _ in range(count)]
    truth = np.array([n % 2 == 1 and name != "all alive" for n, name in enumerate(groups)])
    score = np.where(np.array(groups) == "wrong", 1.0 - truth, truth).astype(float)
    rows = group_rows(told(truth, score), groups)
    assert values(rows) == {
        ("model", "site:right", "roc_auc"): 1.0,
        ("model", "site:wrong", "roc_auc"): 0.0,
    }
    assert [(row.n, row.n_patients, row.n_positive) for row in rows] == [(20, 20, 10), (21, 21, 11)]


def stay(film: Path | None, **cells: str):
    return SimpleNamespace(case=SimpleNamespace(cells=cells, images={"film": film} if film else {}))


def test_films_are_counted_by_group_beside_what_is_no_picture(tmp_path):
    stays = []
    for n in range(8):
        Image.new("L", (10 + n, 10)).save(tmp_path / f"{n}.png")
        first, day = ("1", "3") if n < 4 else ("0", "-1")
        view = "pa" if n % 2 else "AP"
        cells = {"first": first, "to_icu": day, "view": view, "films": str(n)}
        stays.append(stay(tmp_path / f"{n}.png", **cells))
    stays[7].case.cells["to_icu"] = ""  # not known: counted
    truth = np.array([1, 0, 1, 0, 0, 1, 0, 1], bool)
    made = told(truth, truth.astype(float))
    found = values(film_rows(made, stays, {"film_only": 1.0 - truth}), name="roc_auc")
    for group in ("film:first", "film:until_icu"):
        assert found["model", group, "roc_auc"] == 1.0
        assert found["film_only", group, "roc_auc"] == 0.0
    assert ("model", "all", "roc_auc") not in found  # it stands among the other rows
    assert found["film_only", "all", "roc_auc"] == 0.0
    assert found["film_count", "film:first", "roc_auc"] == pytest.approx(1 / 4)
    assert found["stored_pixels", "film:first", "roc_auc"] == pytest.approx(3 / 4)
    assert found["bedside_share", "film:first", "roc_auc"] == 1.0
    rows = film_rows(made, stays, {"film_only": 1.0 - truth})
    counts = {row.group: row.n for row in rows}
    assert counts == {"film:first": 4, "film:until_icu": 5, "all": 8}
    # Where the size of one is not known, or all lie, there is nothing to tell films apart by.
    stays[0].case.images.clear()
    for one in stays:
        one.case.cells["view"] = "AP"
    known = {row.predictor for row in film_rows(made, stays, {"film_only": 1.0 - truth})}
    assert known == {"model", "film_only", "film_count"}
    assert film_rows(made, stays, {}) == []


def test_a_label_is_told_as_one():
    assert [(row.name, row.level) for row in label_rows(told())] == [
        ("roc_auc", "label"), ("pr_auc", "label"),
    ]  # fmt: skip
