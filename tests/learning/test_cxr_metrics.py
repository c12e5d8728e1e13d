from dataclasses import replace

import numpy as np
import pytest
from chest_said import case, row, said
from sklearn import metrics as library

from medview.learning.cxr_baselines import (
    classes_alike,
    fit_models,
    patients_alike,
    with_baselines,
)
from medview.learning.cxr_folds import fold_of_patients, median_total, split_val
from medview.learning.cxr_metrics import (
    DECISIONS,
    calmed_by_other_folds,
    decided,
    first_films,
    outcome_reliability,
    outcome_rows,
    people_of,
    temperature_of,
    together,
    up_to_admission,
)
from medview.learning.cxr_severity_rows import severity_rows
from medview.learning.temperature import calibration_error, calmed


def test_a_patient_has_the_mean_of_his_films_and_their_number():
    cases = [case(1, "p", prognosis="SEVERE", view="AP"), case(2, "q", prognosis="MILD", view="PA"),
             case(3, "p", prognosis="SEVERE", view="PA")]  # fmt: skip
    people = people_of(cases, np.array([0.2, 0.4, 0.8]))
    assert people.names == ("p", "q")
    assert people.scores["model"].tolist() == [0.5, 0.4]
    assert people.scores["film_count"].tolist() == [2, 1]
    assert people.scores["bedside_share"].tolist() == [0.5, 0.0]
    assert people.severe.tolist() == [True, False]


def test_a_patient_whose_films_have_both_outcomes_counts_once_with_each():
    cases = [case(n, "p", prognosis=("MILD", "SEVERE")[n // 2]) for n in range(4)]
    cases += [case(n, f"q{n}", prognosis=("MILD", "SEVERE")[n % 2]) for n in range(4, 8)]
    score = [0.1, 0.3, 0.6, 0.8, 0.1, 0.9, 0.1, 0.9]
    people = people_of(cases, np.array(score))
    assert people.names[:2] == ("p", "p")
    assert people.severe[:2].tolist() == [False, True]
    assert people.scores["model"][:2].tolist() == pytest.approx([0.2, 0.7])
    assert people.scores["film_count"][:2].tolist() == [4, 4]
    auc = row(outcome_rows(said(cases, score)), predictor="model", name="roc_auc", group="all")
    assert (auc.n, auc.n_patients, auc.n_positive) == (6, 5, 3)


def test_rows_of_films_of_one_set_bear_its_name_and_those_of_several_do_not():
    cases = [
        replace(case(n, prognosis=("MILD", "SEVERE")[n % 2]), subset="xy"[n // 4]) for n in range(8)
    ]
    told = said(cases, np.linspace(0, 1, 8))
    assert {one.subset for one in outcome_rows(told)} == {"chest-outcome"}
    assert {one.subset for one in outcome_rows(told.only(np.arange(8) < 4))} == {"x"}


def test_what_could_stand_in_for_the_picture_is_counted_by_patient():
    cases = [
        case(1, "p", "x", prognosis="SEVERE", pixels="900", view="AP"),
        case(2, "q", "x", prognosis="MILD", pixels="100", view="pa"),
        case(3, "p", "x", prognosis="SEVERE", pixels="300"),
        case(4, "r", "y", prognosis="SEVERE", pixels="50", view="PA"),
    ]
    plain = {"logistic": np.array([0.1, 0.2, 0.5, 0.9])}
    people = people_of(cases, np.zeros(4), plain, {"p": 7, "q": 1})
    assert people.sites == ("x", "x", "y")
    assert people.scores["stored_pixels"].tolist() == [-600, -100, -50]
    assert people.scores["logistic"].tolist() == pytest.approx([0.3, 0.2, 0.9])
    assert people.scores["source"].tolist() == [0.5, 0.5, 1.0]
    assert people.scores["film_count"].tolist() == [7, 1, 1]
    assert people.scores["bedside_share"].tolist() == [1, 0, 0]


def test_the_first_of_films_of_one_day_stays_and_the_latest_never_comes_first():
    cases = [case(1, "p", day="2"), case(2, "p", day="2"), case(3, "p", day="5")]
    assert first_films(cases).tolist() == [True, False, False]


def test_the_first_film_is_the_one_of_the_earliest_day():
    cases = [case(1, "p", day="4"), case(2, "p", day="-1"), case(3, "q"), case(4, "q", day="2")]
    assert first_films(cases).tolist() == [False, True, False, True]


def test_severe_films_count_up_to_the_day_of_admission():
    cases = [case(1, prognosis="SEVERE", to_icu="0.0"), case(2, prognosis="SEVERE", to_icu="-1"),
             case(3, prognosis="SEVERE"), case(4, prognosis="MILD")]  # fmt: skip
    assert up_to_admission(cases).tolist() == [True, False, False, True]
    # A source that tells nobody's admission has no such group: its mild people alone are none.
    elsewhere = [case(n, f"p{n}", "x", prognosis="MILD", to_icu="") for n in range(2)]
    assert up_to_admission([*cases, *elsewhere]).tolist() == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


def test_figures_at_one_half_by_hand():
    truth = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
    score = np.array([0.9, 0.8, 0.1, 0.7, 0.2, 0.2, 0.2, 0.2])
    names = [f"p{n}" for n in range(8)]
    assert decided("accuracy", truth, score, names).value == pytest.approx(6 / 8)
    assert decided("g_mean", truth, score, names).value == pytest.approx(np.sqrt(2 / 3 * 4 / 5))
    assert decided("f1_weighted", truth, score, names).value == pytest.approx(
        (3 * 2 / 3 + 5 * 4 / 5) / 8
    )
    # By class: recall 2/3 and 4/5, specificity 4/5 and 2/3; 3 of 8 are severe, 5 of 8 mild.
    recall, specificity = (3 * 2 / 3 + 5 * 4 / 5) / 8, (3 * 4 / 5 + 5 * 2 / 3) / 8
    assert decided("g_mean_weighted", truth, score, names).value == pytest.approx(
        np.sqrt(recall * specificity)
    )
    assert np.sqrt(recall * specificity) == pytest.approx(0.73314, abs=1e-5)
    found = decided("balanced_accuracy", truth, score, names)
    assert found.value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found.low < found.value < found.high
    few = decided("accuracy", truth[:4], score[:4], names[:4])
    assert (few.value, few.low, few.high) == (0.5, None, None)
    assert decided("g_mean", truth[:3], score[:3], names[:3]).value is None  # nobody is well
    assert decided("accuracy", np.array([True]), np.array([0.5]), ["p"]).value == 1.0


def test_the_brier_score_is_the_mean_square_of_what_was_wrong():
    cases = [case(n, prognosis="SEVERE" if n < 3 else "MILD") for n in range(6)]
    rows = outcome_rows(said(cases, [0.9, 0.8, 0.5, 0.4, 0.2, 0.1]))
    assert row(rows, predictor="model", group="all", name="brier").value == pytest.approx(
        (0.01 + 0.04 + 0.25 + 0.16 + 0.04 + 0.01) / 6
    )
    assert row(rows, predictor="model", group="all", name="roc_auc").value == 1.0
    # Each in a bin of its own, off by 0.1, 0.2, 0.5, 0.4, 0.2 and 0.1.
    assert row(rows, predictor="model", group="all", name="ece").value == pytest.approx(0.25)
    # One site alone has no row of its own: it would be that of all.
    assert not [r for r in rows if r.group.startswith("site:")]


def test_outcome_rows_stand_beside_shortcuts_and_fair_groups():
    rng = np.random.default_rng(0)
    cases, scores = [], []
    for n in range(40):
        severe = bool(n % 2)
        for k in range(3 if severe else 1):
            site = "hannover" if n < 20 else "covid-chestxray"
            cells = {"prognosis": "SEVERE" if severe else "MILD", "day": str(k), "view": "AP"}
            if severe and site == "hannover":
                cells["to_icu"] = str(1 - k)
            cases.append(case(len(cases), f"p{n}", site, **cells))
            scores.append(rng.random() * 0.5 + 0.3 * severe)
    rows = outcome_rows(said(cases, scores))
    assert row(rows, predictor="film_count", group="all", name="roc_auc").value == 1.0
    model = row(rows, predictor="model", group="all", name="roc_auc")
    assert (model.n, model.n_positive) == (40, 20)
    assert row(rows, predictor="model", group="first-film", name="accuracy").n == 40
    assert row(rows, predictor="model", group="to-icu-admission", name="roc_auc").n == 20
    assert row(rows, predictor="model", group="site:hannover", name="g_mean").n == 20
    for group in ("first-film", "to-icu-admission"):  # the number of all films, not of these
        assert row(rows, predictor="film_count", group=group, name="roc_auc").value == 1.0
        ahead = row(rows, name="roc_auc_difference", group=f"{group}, against:film_count")
        assert ahead.value < 0


def test_classical_models_stand_beside_the_network_patient_by_patient():
    rng = np.random.default_rng(1)
    cases = [case(n, f"p{n // 2}", prognosis="SEVERE" if n % 4 < 2 else "MILD") for n in range(80)]
    truth = np.array([c.cells["prognosis"] == "SEVERE" for c in cases])
    good, bad = truth * 0.4 + rng.random(80) * 0.5, rng.random(80)
    rows = outcome_rows(replace(said(cases, good), baselines={"logistic": bad}))
    assert row(rows, predictor="logistic", group="all", name="roc_auc").n == 40
    ahead = row(rows, name="roc_auc_difference", group="all, against:logistic")
    ours, theirs = (row(rows, predictor=p, group="all", name="roc_auc").value
                    for p in ("model", "logistic"))  # fmt: skip
    assert ahead.value == pytest.approx(ours - theirs)
    assert ahead.low > 0


def test_a_classical_model_that_has_no_answer_for_somebody_has_no_row():
    cases = [case(n, prognosis="SEVERE" if n % 2 else "MILD") for n in range(8)]
    scores = np.linspace(0.1, 0.9, 8)
    plain = {
        "logistic": np.r_[scores[:7], np.nan],
        "logistic of views": np.full(8, 0.5),
        "logistic of all": scores[::-1],
    }
    rows = outcome_rows(replace(said(cases, scores), baselines=plain))
    found = {one.predictor for one in rows if one.predictor.startswith("logistic")}
    assert found == {"logistic of all"}


def test_answers_of_folds_are_joined_with_what_classical_models_say():
    one = replace(said([case(1)], [0.5]), baselines={"logistic": np.array([0.1])})
    two = replace(said([case(2)], [0.6]), baselines={"logistic": np.array([0.2])})
    assert together([one, two]).baselines["logistic"].tolist() == [0.1, 0.2]
    assert together([one, said([case(3)], [0.1])]).baselines == {}
    kept = together([one, two]).only(np.array([False, True]))
    assert kept.baselines["logistic"].tolist() == [0.2]


def too_sure(seed, n=300):
    """A fold of films whose probabilities are far more certain than what happens."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.1, 0.9, n)
    happened = rng.uniform(size=n) < chance
    cases = [
        case(f"{seed}-{k}", prognosis="SEVERE" if one else "MILD") for k, one in enumerate(happened)
    ]
    return said(cases, severe=calmed(chance, 0.2))


def test_a_fold_has_no_say_in_its_own_temperature_and_the_error_falls():
    folds = [too_sure(seed) for seed in range(3)]
    found = calmed_by_other_folds(folds)
    others = temperature_of(together(folds[1:]))
    assert found.severe[:300] == pytest.approx(calmed(folds[0].severe, others))
    happened = np.array([one.cells["prognosis"] == "SEVERE" for one in found.cases])
    errors = [
        calibration_error(happened, one.severe, np.ones((1, len(happened))))[0]
        for one in (together(folds), found)
    ]
    assert errors[1] < 0.3 * errors[0]
    assert calmed_by_other_folds(folds[:1]).severe == pytest.approx(folds[0].severe)


def test_points_of_the_reliability_are_patients():
    cases = [case(1, "p", prognosis="SEVERE"), case(2, "p", prognosis="SEVERE"),
             case(3, "q", prognosis="MILD"), case(4, "r")]  # fmt: skip
    points = outcome_reliability(said(cases, severe=[0.9, 0.3, 0.65, 0.2]))
    assert points == [{"said": 0.625, "happened": 0.5, "n": 2}]
    assert outcome_reliability(said(cases[3:], severe=[0.2])) == []


def test_linear_models_of_films_learn_from_patients_alike():
    rng = np.random.default_rng(0)
    cases = [
        case(n, f"p{n // 2}", prognosis="SEVERE" if n % 4 < 2 else "MILD",
             brixia="333333" if n % 4 < 2 else "000000")
        for n in range(64)
    ]  # fmt: skip
    severe = np.array([c.cells["prognosis"] == "SEVERE" for c in cases])
    table = rng.normal(size=(64, 5)) + 3 * severe[:, None]
    models = fit_models(table, cases)
    found = with_baselines(said(cases, [0.5] * 64), models, table).baselines
    assert found["logistic"][severe].min() > found["logistic"][~severe].max()
    assert found["ridge"][severe].mean() > 12 > 6 > found["ridge"][~severe].mean()
    assert 0 <= found["ridge"].min() <= found["ridge"].max() <= 18
    assert fit_models(table, [case(n) for n in range(64)]) == {}
    weight = classes_alike(patients_alike(["a", "a", "b"]), np.array([True, True, False]))
    assert weight.tolist() == pytest.approx([0.75, 0.75, 1.5])


def test_no_labels_no_rows():
    cases = [case(n) for n in range(3)]
    assert outcome_rows(said(cases, [0.1, 0.2, 0.3])) == []
    assert severity_rows(said(cases, zones=np.zeros((3, 6)))) == []


def test_folds_keep_a_patient_together_over_both_kinds_of_labels():
    cases = [case(n, f"p{n % 20}", prognosis="SEVERE" if n % 2 else "MILD") for n in range(40)]
    cases += [case(50 + n, f"p{n}", brixia="123000") for n in range(10)]
    folds = fold_of_patients(cases, 4)
    assert set(folds.values()) == {0, 1, 2, 3}
    assert set(folds) == {c.patient for c in cases}


def test_validation_parts_patients():
    cases = [case(n, f"p{n // 3}") for n in range(30)]
    train, val = split_val(cases, np.arange(30), 0.2, 0)
    assert {cases[n].patient for n in train}.isdisjoint({cases[n].patient for n in val})
    assert len(val) == 6


def test_the_median_total():
    assert median_total([case(1, brixia="111000"), case(2, brixia="000001")]) == 2
    assert np.isnan(median_total([case(1)]))


@pytest.mark.parametrize("seed", range(4))
def test_figures_at_one_half_are_those_of_the_library_with_ties(seed):
    rng = np.random.default_rng(seed)
    truth, score = rng.random(50) < 0.4, rng.integers(0, 11, 50) / 10
    told, names = score >= 0.5, [f"p{n}" for n in range(50)]
    found = {name: decided(name, truth, score, names).value for name in DECISIONS}
    by_class = library.recall_score(truth, told, average=None)
    share = np.bincount(truth) / len(truth)  # the specificity of a class is the other's recall
    assert found == pytest.approx(
        {
            "accuracy": library.accuracy_score(truth, told),
            "balanced_accuracy": library.balanced_accuracy_score(truth, told),
            "f1_weighted": library.f1_score(truth, told, average="weighted"),
            "g_mean": np.sqrt(by_class.prod()),
            "g_mean_weighted": np.sqrt((by_class @ share) * (by_class[::-1] @ share)),
        }
    )
