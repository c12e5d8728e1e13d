from dataclasses import replace

import pytest
from result_phantom import card as anomaly_card
from result_phantom import head, prediction_on

from medview.domain.card import Figure
from medview.domain.prediction import Prediction, Score
from medview.services.report_lines import measures, not_available_words, told


def said(model: str, *scores: Score, **given: object) -> Prediction:
    return replace(
        prediction_on(head()), model=model, scores=scores, maps=(), findings=(), parameters=given
    )


def measured(*figures: Figure):
    return replace(anomaly_card(), measured=figures)


def test_a_brain_age_has_both_gaps_in_the_line_and_their_intervals_below():
    prediction = said(
        "brain-age",
        Score("age", 54.12, 41.0, 67.3, unit="years"),
        Score("gap_raw", 7.41, -5.7, 20.6, unit="years"),
        Score("gap_corrected", 3.24, -9.9, 16.4, unit="years"),
        age_years=46.71,
        sex="M",
    )
    made = told(prediction, None)
    assert made.line == (
        "Brain age 54.1 years (95 % interval 41.0 – 67.3); gap raw +7.4, corrected +3.2 years."
    )
    assert made.details[0] == "Given with it: age 46.7 years, sex M."
    assert "raw 95 % interval \u22125.7 to +20.6" in made.details[1]
    assert "no difference from the age given is shown" in made.details[1]


@pytest.mark.parametrize(
    ("low", "high", "within"),
    [(5.0, 29.0, False), (-29.0, -5.0, False), (0.0, 12.0, True), (-12.0, 0.0, True)],
)
def test_a_gap_whose_interval_leaves_zero_out_is_not_played_down(low, high, within):
    gap = Score("gap_raw", (low + high) / 2, low, high, unit="years")
    made = told(said("brain-age-armed", Score("age", 57.0), gap, age_years=40.0), None)
    assert ("no difference" in " ".join(made.details)) is within


def test_without_an_age_there_is_no_gap():
    made = told(said("brain-age", Score("age", 54.12, unit="years")), None)
    assert made.line == "Brain age 54.1 years."
    assert made.details[0] == "No age was given, so there is no gap."


def test_gaps_that_are_not_there_are_told_of_once():
    gap = Score("gap_raw", None, meaning="no age of the patient is known", status="not_available")
    made = told(said("brain-age", Score("age", 54.1), gap), None)
    assert "ot available" not in " ".join(made.details)
    # With something else given the reason is said where the gap is missing.
    made = told(said("brain-age", Score("age", 54.1), gap, sex="M"), None)
    assert made.details[-1] == "Not available: gap raw (no age of the patient is known)."


@pytest.mark.parametrize(
    ("far", "words"),
    [
        (("age", "thalamus_ml", "brain_stem_ml"), "age, all volumes"),
        (("age", "brain_stem_ml"), "age, brain stem"),
        (("age",), "age"),
    ],
)
def test_what_extrapolates_is_named_without_units_and_all_volumes_in_two_words(far, words):
    names = ("age", "thalamus_ml", "brain_stem_ml")
    scores = [Score(each, 2.0, status="extrapolating" if each in far else "ok") for each in names]
    made = told(said("brain-age", *scores), None)
    assert made.details[1] == f"Outside the range of the training data: {words}."


def test_accuracy_stands_beside_the_result_for_every_set():
    figures = (
        Figure("mae", 4.92, "ixi-roi", 4.47, 5.42, 251, level="case"),
        Figure("mae", 8.5, "ixi-roi", predictor="mean", level="case"),
        Figure("mae", 6.1, "ixi-roi", level="case", group="age:75-120"),
        Figure("mae", 37.5, "elderly", 30.6, 45.4, 3396, level="case"),
    )
    made = told(said("brain-age", Score("age", 54.1)), measured(*figures))
    assert made.details[-1] == (
        "Measured on people the weights had not seen: mean absolute error 4.92 years "
        "(4.47 – 5.42, ixi-roi, n 251); mean absolute error 37.5 years (30.6 – 45.4, elderly, "
        "n 3\u202f396)."
    )


def test_a_chest_film_says_what_it_detects_rather_than_forecasts():
    limit = "It mostly detects that a patient already is in intensive care."
    known = replace(measured(Figure("roc_auc", 0.89, "films", level="case")), limits=("x", limit))
    scores = (Score("severe", 0.31, method="not calibrated"), Score("brixia_total", 4.66, 0, 12.1))
    made = told(said("cxr", *scores), known)
    assert made.line == (
        "Probability of a severe course 0.31; Brixia total 4.7 of 18 (95 % interval 0.0 – 12.1)."
    )
    assert made.details[:2] == ("Calibration of the probability: not calibrated.", limit)
    assert "ROC AUC 0.890 (films)" in made.details[2]


@pytest.mark.parametrize(
    ("model", "first", "fixed", "words"),
    [
        ("brain-age-armed", "age", Score("age_fixed", 56.2, unit="years"), "56.2 years"),
        ("cxr-armed", "severe", Score("severe_fixed", 0.41), "0.41"),
        ("icu-armed", "mortality", Score("mortality_fixed", 0.33), "0.33"),
    ],
)
def test_an_answer_with_the_effect_of_a_site_is_told_without_it_too(model, first, fixed, words):
    made = told(said(model, Score(first, 0.6), fixed), None)
    assert f"Without the effect of a site {words}." in made.details


@pytest.mark.parametrize(
    ("model", "first", "words"),
    [
        ("brain-age-armed", "age", "age"),
        ("cxr-armed", "severe", "severe course"),
        ("icu-armed", "mortality", "risk of death"),
    ],
)
def test_an_answer_that_lacks_the_effect_of_the_site_says_why(model, first, words):
    lost = Score(f"{first}_mixed", None, status="not_available", meaning="no site was given")
    made = told(said(model, Score(first, 0.6), lost), None)
    told_so = f"Not available: {words} with the effect of the site (no site was given)."
    assert told_so in made.details


def test_a_stay_with_a_film_says_so_too_and_one_without_does_not():
    limit = "Most severe films show a patient who is already in intensive care: no forecast."
    known = replace(measured(), limits=("x", limit))
    assert told(said("icu", Score("icu_admission", 0.13, 0.1, 0.2)), known).details[0] == limit
    assert limit not in told(said("icu", Score("mortality", 0.1, 0.0, 0.2)), known).details


@pytest.mark.parametrize("takes_film", [True, False])
def test_weights_that_take_no_film_say_nothing_of_its_share(takes_film):
    lost = Score("shapley_film", None, status="not_available", meaning="no film")
    roles = ("series", "film") if takes_film else ("series",)
    known = measured()
    known = replace(known, inputs=tuple(replace(known.inputs[0], role=role) for role in roles))
    details = told(said("icu", Score("mortality", 0.1), lost), known).details
    assert (details[-1:] == ("Not available: contribution of the film (no film).",)) == takes_film


def test_an_icu_stay_says_its_risk_and_what_was_imputed():
    prediction = said("icu", Score("mortality", 0.114, 0.04, 0.53), Score("imputed_share", 0.778))
    made = told(prediction, None)
    assert made.line == "Risk of death in hospital 0.11 (95 % interval 0.04 – 0.53)."
    assert made.details[0] == "78 % of the values were not measured but imputed."


def test_weights_for_another_outcome_say_it():
    lost = Score("mortality", None, status="not_available", meaning="not trained for it")
    prediction = said("icu", lost, Score("icu_admission", 0.02, 0.01, 0.03))
    made = told(prediction, None)
    assert made.line.startswith("Probability of ICU admission 0.02")
    assert made.details[-1] == "Not available: mortality (not trained for it)."


def test_a_result_without_any_value_says_why():
    lost = Score("mortality", None, status="not_available", meaning="no data")
    assert told(said("icu", lost), None).line == (
        "Risk of death in hospital not available (no data)."
    )


def test_phenotypes_are_sorted_and_those_without_a_value_told_by_reason():
    meanings = ("Renal failure: x", "Shock: x", "Pneumonia: too few", "Sepsis: too few")
    values = (0.06, 0.28, None, None)
    scores = tuple(
        Score(f"phenotype_{n:02}", value, meaning=meaning)
        for n, (value, meaning) in enumerate(zip(values, meanings, strict=True), start=1)
    )
    # The risk of death is no phenotype.
    (section,) = measures(said("icu", Score("mortality", 0.4, meaning="Death: x"), *scores))
    assert [(row[0], row[-1]) for row in section.table.rows] == [
        ("02", "Shock"),
        ("01", "Renal failure"),
    ]
    assert section.text == "Not available: Pneumonia, Sepsis (too few)."
    many = tuple(Score(f"phenotype_{n:02}", None, meaning=f"P{n}: too few") for n in range(4))
    (section,) = measures(said("icu", *scores[:2], *many))
    assert section.text == "Not available: 4 others (too few)."


def test_volumes_and_zones_are_tables_and_an_empty_one_is_left_out():
    (volumes,) = measures(said("brain-age", Score("brain_stem_ml", 37.3, 33.5, 41.4, unit="ml")))
    assert volumes.table.rows == (("Brain stem", "37.3 ml", "33.5 – 41.4"),)
    stem = Score("brain_stem_ml", 37.3, 33.5, 41.4, unit="ml", method="left-out heads")
    whole = Score("intracranial_volume_ml", 1492.0, unit="ml")
    (volumes,) = measures(said("brain-age", stem, whole))
    assert [row[3] for row in volumes.table.rows] == ["2.50 %", "100 %"]
    assert volumes.text == "Shares are of the intracranial volume. Intervals: left-out heads."
    (zones,) = measures(said("cxr", Score("brixia_A", 0.7, 0, 2.6, meaning="upper right, 0 to 3")))
    assert zones.table.rows == (("A", "0.7", "0.0 – 2.6", "upper right"),)
    assert measures(said("brain-age", Score("age", 50.0))) == ()
    assert measures(said("unheard-of", Score("x", 1.0))) == ()


@pytest.mark.parametrize(
    ("model", "scores", "headings"),
    [
        ("cxr", (Score("brixia_A", 0.7, meaning="upper right, 0 to 3"),), "Zone, Of 3, Where"),
        ("icu", (Score("phenotype_01", 0.3),), "No., Probability, Phenotype"),
        ("brain-age", (Score("brain_stem_ml", 37.3, unit="ml"),), "Region, Volume"),
        (
            "icu",
            (Score("phenotype_01", 0.3), Score("phenotype_02", 0.2, 0.1, 0.4)),
            "No., Probability, 95 % interval, Phenotype",
        ),
    ],
)
def test_a_column_in_which_no_row_has_anything_is_left_out(model, scores, headings):
    (made,) = measures(said(model, *scores))
    assert ", ".join(made.table.headings) == headings
    assert all(len(row) == len(made.table.headings) for row in made.table.rows)


def test_reasons_are_told_once():
    scores = tuple(Score(name, None, meaning="not trained") for name in ("a_b", "c"))
    assert not_available_words(scores) == "Not available: a b, c (not trained)."
    assert not_available_words((Score("a", 1.0),)) == ""


def test_other_models_have_no_words_of_their_own():
    assert told(said("anomaly", Score("anomaly", 1.0)), None) is None
