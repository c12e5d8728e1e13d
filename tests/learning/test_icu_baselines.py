"""Classical models of stays: what they see, that they never see who they score, and pairing."""

import numpy as np
import pytest
from icu_minis import challenge, film

from medview.domain.progress import Silent
from medview.learning.icu_baselines import (
    Tables,
    answers_of,
    baseline_rows,
    fit_models,
    left_out_answers,
    summary,
)
from medview.learning.icu_measure import Said, film_rows
from medview.learning.icu_sets import load_physionet2012
from medview.learning.icu_stays import Stay, to_bins
from medview.learning.icu_variables import shipped_map
from medview.learning.subset import TrainCase

VARIABLES = shipped_map("physionet2012")


@pytest.fixture
def stays(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    subset = load_physionet2012(challenge(tmp_path / "set", 36))
    return to_bins(Silent(), subset.cases, VARIABLES)[0]


def test_a_stay_is_summed_up_by_what_was_measured(stays):
    found = summary(stays[0], VARIABLES)
    assert len(found) == 36 * 5 + 1 + 3 + 4  # variables, ventilation, age sex height, ICU type
    place = 5 * [v.name for v in VARIABLES.variables].index("GCS")
    assert found[place : place + 5] == pytest.approx([6, 6, 6, 6, 12])
    temperature = 5 * [v.name for v in VARIABLES.variables].index("Temp")
    assert np.isnan(found[temperature : temperature + 4]).all()  # -1 is no measurement
    assert found[temperature + 4] == 0


def test_left_out_stays_are_scored_by_models_that_never_saw_them(stays):
    tables = Tables.of(stays, VARIABLES)
    truth = np.array([stay.labels(["mortality"])[0] == 1 for stay in stays])
    parts = np.array_split(np.arange(36), 3)
    found = left_out_answers(Silent(), tables, truth, parts)
    assert list(found) == ["logistic"]  # too few stays for boosting, no film
    assert found["logistic"][truth].min() > found["logistic"][~truth].max()
    lied = truth.copy()
    lied[parts[0]] = ~lied[parts[0]]
    again = left_out_answers(Silent(), tables, lied, parts)
    assert again["logistic"][parts[0]] == pytest.approx(found["logistic"][parts[0]])


def test_rows_stand_beside_the_model_with_paired_differences():
    rng = np.random.default_rng(0)
    truth = rng.random(200) < 0.4
    good, bad = truth + rng.normal(0, 0.3, 200), rng.random(200)
    score = np.clip(good, 0, 1)
    said = Said(truth, score, [str(n) for n in range(200)], "mortality", "set")
    bad[:10] = np.nan
    rows = baseline_rows(said, {"logistic": bad})
    by = {(row.predictor, row.name, row.group): row for row in rows}
    assert by["logistic", "roc_auc", "all"].n == 190
    ahead = by["model", "roc_auc_difference", "all, against:logistic"]
    assert ahead.low > 0.2
    assert by["model", "brier_difference", "all, against:logistic"].high < 0
    same = baseline_rows(said, {"boosting": score})
    assert all(row.value == 0 for row in same if row.name.endswith("_difference"))


def test_models_of_films_are_asked_only_where_every_stay_has_one(stays):
    tables = Tables.of(stays, VARIABLES)
    rng = np.random.default_rng(0)
    truth = np.arange(36) % 3 == 0
    film = rng.normal(size=(36, 7)) + 2 * truth[:, None]
    whole = Tables(tables.series, film, tables.patients)
    models = fit_models(whole, truth)
    assert set(models) == {"logistic", "logistic_film"}
    assert set(answers_of(models, whole)) == {"logistic", "logistic_film"}
    assert set(answers_of(models, tables)) == {"logistic"}


def test_view_and_size_of_films_stand_beside_where_they_tell_films_apart(tmp_path):
    """What is no picture of a lung must not be able to pass for skill."""
    stays = []
    for n in range(8):
        path = film(tmp_path / f"{n}.png", side=64 if n % 2 else 96)
        cells = {"view": "AP" if n % 2 else "PA", "films": "1", "first": "1"}
        case = TrainCase(str(n), f"p{n}", {"film": path}, "film", cells=cells)
        stays.append(Stay(case, None))
    truth = np.arange(8) % 2 == 1
    said = Said(truth, np.full(8, 0.5), [str(n) for n in range(8)], "icu_admission", "set")
    rows = film_rows(said, stays, {"film_only": np.full(8, 0.5)})
    found = {r.predictor: r.value for r in rows if (r.name, r.group) == ("roc_auc", "film:first")}
    assert found["bedside_share"] == found["stored_pixels"] == 1.0
    assert found["film_count"] == 0.5
