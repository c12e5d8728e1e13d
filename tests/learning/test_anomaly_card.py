from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from medview.domain.card import Figure, ModelCard
from medview.learning.anomaly_card import (
    PUBLISHED,
    draws_words,
    findings_in_words,
    floor_words,
    judged_in_words,
    make_card,
    opposite_words,
    thresholds_in_words,
    upright_words,
    weak_spots,
)
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_settings import AnomalySettings, Normals
from medview.learning.card_parts import UNMEASURED
from medview.learning.subset import Subset, TrainCase


def _figure(on: str, predictor: str, value: float, group: str = "all") -> Figure:
    return Figure("pr_auc", value, on, predictor=predictor, level="pixel", group=group)


def test_a_set_where_a_simple_score_is_better_is_named_with_both_figures() -> None:
    said = weak_spots([_figure("films", "model", 0.04), _figure("films", "intensity", 0.35)])
    assert said == (
        "On films plain brightness finds lesions better "
        "(pixel average precision 0.35 against 0.04).",
    )


def test_a_set_where_the_model_is_better_is_no_weak_spot() -> None:
    assert weak_spots([_figure("t1", "model", 0.5), _figure("t1", "pca", 0.3)]) == ()


def test_the_models_own_residual_is_not_a_rival() -> None:
    assert weak_spots([_figure("t1", "model", 0.3), _figure("t1", "model:residual", 0.4)]) == ()


def test_a_variant_of_the_model_is_not_a_rival() -> None:
    variant = replace(_figure("t1", "no-attention", 0.4), extra={"runs": 5})
    assert weak_spots([_figure("t1", "model", 0.3), variant]) == ()


def test_groups_do_not_stand_for_the_whole_set() -> None:
    rows = [_figure("t1", "model", 0.3), _figure("t1", "pca", 0.9, "radius:4-8")]
    assert weak_spots(rows) == ()


def _of_case(name: str, value: float | None, group: str = "solid") -> Figure:
    return Figure(name, value, "a+b", predictor="model", level="case", group=group)


def test_what_findings_are_worth_is_one_sentence() -> None:
    figures = [
        _of_case("found_rate", 0.714),
        _of_case("volume_ratio_median", 0.87),
        _of_case("false_regions", 2.06, "clean"),
    ]
    assert findings_in_words(figures) == (
        "Of solid synthetic lesions in whole brains 71 % give a finding, of 0.9 times their "
        "true volume in the median; a normal brain gives 2.1 findings on average.",
    )
    assert "times" not in findings_in_words([figures[0], figures[2]])[0]


def test_findings_that_were_not_measured_are_not_spoken_of() -> None:
    assert findings_in_words([]) == ()
    assert findings_in_words([_of_case("found_rate", 0.7)]) == ()
    assert findings_in_words([_of_case("found_rate", None), _of_case("false_regions", 1.0)]) == ()


def test_other_thresholds_are_one_sentence_without_those_that_were_not_measured() -> None:
    figures = [
        _of_case("found_rate", 0.7),
        _of_case("false_regions", 0.6, "clean"),
        _of_case("found_rate", 0.912, "threshold x 0.6"),
        _of_case("false_regions", 4.36, "threshold x 0.6"),
        _of_case("found_rate", 0.5, "threshold x 1.6"),
        _of_case("false_regions", 0.0, "threshold x 1.6"),
        _of_case("found_rate", 0.3, "threshold x 2"),
    ]
    [said] = thresholds_in_words(figures)
    assert said.endswith("so many times as high: 0.6 times 91 % with 4.4; 1.6 times 50 % with 0.0.")
    assert thresholds_in_words(figures[:2]) == ()


def test_draws_that_are_not_plain_are_told() -> None:
    assert draws_words(AnomalySettings()) == ()
    [balanced] = draws_words(AnomalySettings(balanced=True))
    assert "a mean of 0 (not in the paper)" in balanced
    assert "mirror" not in balanced
    both = draws_words(AnomalySettings(balanced=True, mirrored=True))
    assert both == (balanced, "Every other draw is of the mirror image (not in the paper).")


def test_what_counts_less_on_both_sides_is_told_where_it_does() -> None:
    assert opposite_words(AnomalySettings()) == ()
    assert "a lesion in the middle" in opposite_words(AnomalySettings(opposite=0.3))[0]


def test_sets_that_are_mostly_not_recognised_are_named() -> None:
    rates = (("films", 0.327), ("t1", 0.98), ("slabs", 0.1), ("odd", None))
    figures = [Figure("judged_rate", value, on, level="slice") for on, value in rates]
    [said] = judged_in_words([*figures, _figure("films", "model", 0.1)])
    parts = "33 % of the slices of films and 10 % of the slices of slabs"
    assert said.startswith(f"It recognises {parts}; the others are not judged")


def test_what_variants_judge_is_no_limit_of_these_weights() -> None:
    assert judged_in_words([Figure("judged_rate", 0.3, "films", predictor="heads-4")]) == ()


@pytest.mark.parametrize(
    ("patients", "told"), [(1, "films (1 patient)"), (3, "films (3 patients)"), (6, "films")]
)
def test_of_a_set_of_few_patients_their_number_is_told(patients: int, told: str) -> None:
    few = {"n_patients": patients}
    rivals = (("model", 0.1), ("pca", 0.3))
    figures = [replace(_figure("films", who, value), extra=few) for who, value in rivals]
    [weak] = weak_spots(figures)
    assert weak.startswith(f"On {told} principal components")
    [judged] = judged_in_words([Figure("judged_rate", 0.3, "films", extra=few)])
    assert judged.startswith(f"It recognises 30 % of the slices of {told};")


def test_the_floor_is_told_in_words() -> None:
    [said] = floor_words(AnomalySettings(floor=0.17))
    assert said.startswith("A slice of whose structure the model explains less than 17 % is not")
    assert floor_words(AnomalySettings()) == ()


def _normals(*ages: float | None) -> Subset:
    cases = tuple(
        TrainCase(f"c{n}", f"p{n}", {}, "t1", label=0, age_years=age) for n, age in enumerate(ages)
    )
    return Subset("ixi", "ixi-t1", Path(), cases, licence="CC BY-SA 3.0")


def _card(figures: Sequence[Figure] = (), *sets: Subset) -> ModelCard:
    recipe, settings = Recipe(), AnomalySettings()
    return make_card(
        sets, ("IXI1", "IXI2"), recipe, settings, Normals([0.1, 0.2], [0.0, 3.1]), figures
    )


def test_a_card_says_who_was_learnt_from_and_names_no_set_without_cases() -> None:
    card = _card((), _normals(61.4, None, 20.2), _normals(None), _normals())
    assert [(one.n_patients, one.note) for one in card.trained_on] == [
        (3, "ages 20-61 y"),
        (1, "ages not stated"),
    ]
    assert card.limits[0].startswith("Trained on 2 brains only")
    assert len(card.seen_patients) == 2


def test_a_card_without_figures_says_so_and_one_with_figures_does_not() -> None:
    assert UNMEASURED in _card().limits
    assert UNMEASURED not in _card([_figure("t1", "model", 0.5)]).limits


def test_a_card_keeps_recipe_and_network_apart() -> None:
    settings = _card().settings
    every = asdict(Recipe())
    assert every.pop("network") == settings["network"]
    assert settings["recipe"] == every
    assert settings["normal_scores"] == [0.1, 0.2]
    assert settings["normal_peaks"] == [0.0, 3.1]


def test_a_volume_without_contrast_is_needed_or_one_with_it_in_its_place() -> None:
    assert [(one.role, one.required) for one in _card().inputs] == [("t1", True), ("t1ce", False)]


def test_published_figures_are_those_of_the_paper() -> None:
    assert {(one.predictor, one.name): one.value for one in PUBLISHED} == {
        ("model", "roc_auc"): 0.834,
        ("model", "pr_auc"): 0.833,
        ("no-attention", "roc_auc"): 0.795,
        ("no-aleatoric", "roc_auc"): 0.801,
        ("no-epistemic", "roc_auc"): 0.790,
    }


NONE = Normals([], [])


def test_it_is_told_that_turned_heads_are_shown_upright_where_they_are():
    told = upright_words(AnomalySettings(upright=True), Recipe())
    assert told
    assert "more than 5 degrees" in told[0]
    assert "both as they lie and upright" in told[0]
    lying = upright_words(AnomalySettings(upright=True), Recipe(turned=False))
    assert "learnt from were brains as they lie." in lying[0]
    assert upright_words(AnomalySettings(), Recipe()) == ()
    args = ([], ("p",), Recipe())
    assert told[0] in make_card(*args, AnomalySettings(upright=True), NONE, ()).method
    assert told[0] not in make_card(*args, AnomalySettings(), NONE, ()).method
