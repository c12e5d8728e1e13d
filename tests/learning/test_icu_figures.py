"""Figures of a part: its own labels, calibrated only where that counts, baselines on the same."""

from types import SimpleNamespace

import numpy as np
import pytest

from medview.domain.progress import Silent
from medview.learning import icu_figures
from medview.learning.icu_figures import RAW, beside_baselines, measured, rival_rows, thresholds
from medview.learning.icu_measure import Said, best_threshold
from medview.learning.temperature import calmed_by_others

N = 40
TRUTH = np.arange(N) % 4 == 0
PARTS = [np.arange(0, N, 2), np.arange(1, N, 2)]


def work(labels, scores, outputs, phase="folds"):
    """A part of which one phase is done."""
    stays = [
        SimpleNamespace(case=SimpleNamespace(patient=f"p{n}", site="ab"[n % 2], cells={}))
        for n in range(len(labels))
    ]
    return SimpleNamespace(
        labels=labels, outputs=outputs, stays=stays, subset="mini", done={},
        scores=lambda asked: scores if asked == phase else None, parts=lambda asked: PARTS,
    )  # fmt: skip


def risks(seed=0):
    """Risks that are too sure of themselves, so that a temperature changes them."""
    dice = np.random.default_rng(seed)
    return 1 / (1 + np.exp(-6 * (dice.normal(size=N) + 0.7 * TRUTH)))


@pytest.mark.parametrize(("phase", "subset"), [("folds", "mini"), ("sites", "mini, left-out site")])
def test_each_label_is_measured_against_its_own_truth(phase, subset):
    labels = np.stack([TRUTH, np.arange(N) < 15, TRUTH], axis=1).astype(float)
    labels[3:9, 1] = np.nan
    scores = np.stack([TRUTH * 0.5, np.arange(N) / N, 1 - TRUTH * 0.5], axis=1)
    rows = measured(Silent(), work(labels, scores, ("one", "two", "three"), phase), None)
    area = {row.task: row for row in rows if row.name == "roc_auc"}
    assert {name: row.value for name, row in area.items()} == {"one": 1, "two": 0, "three": 0}
    assert {row.subset for row in rows} == {subset}
    assert (area["two"].n, area["two"].n_positive, area["one"].n) == (34, 9, N)


def test_only_what_a_temperature_changes_is_told_under_one(monkeypatch):
    monkeypatch.setattr(icu_figures.Tables, "of", lambda *given: None)
    monkeypatch.setattr(icu_figures, "left_out_answers", lambda *given: {"logistic": risks(1)})
    monkeypatch.setattr(icu_figures, "rivals", lambda *given: {"film_only": risks(2)})
    raw = risks()
    made = work(TRUTH[:, None].astype(float), raw[:, None], ("mortality",))
    rows = measured(Silent(), made, None)
    found = {(row.predictor, row.group, row.name): row.value for row in rows}
    calm, theirs = (calmed_by_others(one, TRUTH, PARTS) for one in (raw, risks(2)))
    assert not np.allclose(calm, raw)
    assert found["model", "all", "brier"] == pytest.approx(np.mean((calm - TRUTH) ** 2))
    assert found[RAW, "all", "brier"] == pytest.approx(np.mean((raw - TRUTH) ** 2))
    assert {name for predictor, _, name in found if predictor == RAW} == {"brier", "ece"}
    alarm = raw >= thresholds(TRUTH, raw, PARTS)
    hits = (alarm & TRUTH).sum()
    assert found["model", "all", "min_se_ppv"] == pytest.approx(
        min(hits / TRUTH.sum(), hits / alarm.sum())
    )
    assert found["film_only", "all", "brier"] == pytest.approx(np.mean((theirs - TRUTH) ** 2))
    assert found["logistic", "all", "brier"] == pytest.approx(np.mean((risks(1) - TRUTH) ** 2))
    # In the other site nobody has the outcome.
    assert {group for _, group, _ in found if group.startswith("site:")} == {"site:a"}


def test_the_threshold_of_each_stay_is_that_of_the_other_folds():
    raw = risks()
    found = thresholds(TRUTH, raw, PARTS)
    for held, others in (PARTS, PARTS[::-1]):
        assert set(found[held]) == {best_threshold(TRUTH[others], raw[others])}


def said(scores):
    return Said(TRUTH, scores, [f"p{n}" for n in range(N)], "mortality", "mini")


def test_another_network_is_compared_calibrated_where_that_counts():
    ours, theirs = said(risks()), risks(2)
    calm, theirs_calm = risks() ** 2, theirs**0.5
    rows = rival_rows(ours, "film_only", theirs, calm, theirs_calm)
    found = {(row.predictor, row.name): row.value for row in rows}
    brier = [np.mean((one - TRUTH) ** 2) for one in (calm, theirs_calm)]
    assert found["film_only", "brier"] == pytest.approx(brier[1])
    (apart,) = [row.value for row in rows if row.name == "brier_difference"]
    assert apart == pytest.approx(brier[0] - brier[1])


def test_classical_models_have_rows_of_first_films_where_there_are_others():
    stays = work(TRUTH[:, None], None, ()).stays
    answers = {"logistic": np.where(np.arange(N) < 20, TRUTH, ~TRUTH).astype(float)}
    alone = beside_baselines(said(risks()), stays, answers)
    assert {row.group.partition(",")[0] for row in alone} == {"all"}
    for n, stay in enumerate(stays):
        stay.case.cells["first"] = "01"[n < 20]
    rows = beside_baselines(said(risks()), stays, answers)
    area = {row.group: row for row in rows if (row.predictor, row.name) == ("logistic", "roc_auc")}
    assert (area["film:first"].value, area["film:first"].n) == (1.0, 20)
    assert area["all"].n == N
