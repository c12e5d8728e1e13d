"""Figures of a card in words: the model's own beside the best simple rival, and of which way."""

from dataclasses import replace

import pytest
from result_phantom import card, head, prediction_on

from medview.domain.card import Figure
from medview.services.report_figures import (
    calibrated_here,
    figure_words,
    group_words,
    kept_figure_words,
    measured_words,
    of_route,
    published_of,
    published_words,
)


@pytest.mark.parametrize(
    ("name", "best"),
    [("mae", 5), ("rmse", 5), ("brier", 5), ("ece", 5), ("interval_width", 5),
     ("roc_auc", 8), ("dice", 8), ("coverage", 8)],
)  # fmt: skip
def test_of_an_error_the_lowest_is_the_best_to_compare_with(name, best):
    shared = {"on": "ixi", "n": 9, "level": "case"}
    figures = tuple(
        Figure(name, value, predictor=who, **shared)
        for who, value in (("model", 4), ("mean", 8), ("ridge", 5), ("plain", None))
    )
    who = {5: "a ridge regression 5.0", 8: "mean 8.0"}[best]
    assert measured_words(figures).endswith(f"; {who}.")


def test_figures_stand_beside_the_best_simple_baseline_on_the_same_data():
    same = {"on": "set a", "level": "slice", "n": 10}
    figures = (
        Figure("roc_auc", 0.8, low=0.7, high=0.9, **same),
        Figure("roc_auc", 0.66, predictor="intensity", **same),
        Figure("roc_auc", 0.71, predictor="brain_area", **same),
        Figure("roc_auc", 0.79, predictor="model:residual", **same),
        Figure("roc_auc", 0.99, predictor="slice_height", on="set b", level="slice"),
        Figure("roc_auc", 0.5, group="age:20-30", **same),
        Figure("roc_auc", 0.78, predictor="no-attention", extra={"runs": 5}, **same),
        Figure("roc_auc", 0.77, predictor="learnt from set b", **same),
        Figure("judged_rate", 1.0, on="set c", level="slice"),
    )
    assert measured_words(figures) == (
        "Slice ROC AUC 0.800 (0.700 – 0.900) on set a, n 10; the area of the brain 0.71."
    )
    assert measured_words(()) == "not available"


@pytest.mark.parametrize(("who", "group"), [("model", "folds-x-seeds:all"), ("armed", "all")])
def test_of_a_comparison_of_variants_no_figure_is_one_of_the_weights(who, group):
    variant = Figure("mae", 0.9, "set a", predictor=who, group=group, extra={"runs": 3})
    assert measured_words((variant,)) == "not available"
    told = measured_words((variant, Figure("mae", 2.0, "set a", n=4)))
    assert told == "Mean absolute error 2.00 on set a, n 4."


def test_only_figures_of_the_way_the_result_was_made_are_told():
    prediction = prediction_on(head())
    shared = {"on": "set a", "n": 9, "level": "case"}
    figures = (
        Figure("mae", 4.9, **shared),
        Figure("mae", 11.7, extra={"route": "t1"}, **shared),
    )
    by_image = replace(prediction, parameters={"route": "t1"})
    assert [each.value for each in of_route(figures, prediction)] == [4.9]
    assert [each.value for each in of_route(figures, by_image)] == [11.7]
    assert len(of_route(figures[:1], by_image)) == 1


def test_alike_figures_of_few_cases_have_no_interval_and_large_counts_are_parted():
    alike = Figure("coverage", 1.0, "heads", 1.0, 1.0, 7)
    assert figure_words(alike) == "coverage of the interval 1.00 on heads, n 7"
    apart = figure_words(replace(alike, low=0.9, n=3396))
    assert apart == "coverage of the interval 1.00 (0.900 – 1.00) on heads, n 3\u202f396"


def test_a_rival_is_named_so_that_a_reader_knows_what_it_is():
    own = Figure("roc_auc", 0.8, "stays", n=9)
    told = measured_words((own, replace(own, value=0.82, predictor="network")))
    assert told == "ROC AUC 0.800 on stays, n 9; the same network without site effects 0.82."


def test_groups_of_figures_are_told_in_words():
    assert group_words("within:1sd") == "within 1 SD"
    assert group_words("sites seen") == "sites seen"


def test_a_figure_of_an_earlier_training_has_its_name_in_words():
    assert kept_figure_words("age patient mae") == "age patient, mean absolute error"
    assert kept_figure_words("mortality left_out roc auc") == "mortality left out, ROC AUC"
    assert kept_figure_words("mae") == "mae"


def test_groups_are_told_where_there_is_no_figure_on_all():
    figures = (Figure("mae", 2.5, "abide", group="sites seen", n=771, level="case"),)
    assert measured_words(figures) == ("Mean absolute error 2.50 on abide (sites seen), n 771.")


def test_the_weak_sets_are_told_too_and_parts_of_a_whole_are_not():
    figures = tuple(
        Figure(name, value, on=on, level=level)
        for name, value, on, level in (
            ("roc_auc", 0.9, "a", "slice"),
            ("roc_auc", 0.8, "a+b", "slice"),
            ("pr_auc", 0.7, "a+b", "slice"),
            ("pr_auc", 0.1, "c", "pixel"),
        )
    )
    assert (
        measured_words(figures) == "Slice ROC AUC 0.800 on a+b. Pixel average precision 0.100 on c."
    )


def test_of_what_was_published_only_the_model_is_told():
    rival = Figure("roc_auc", 0.795, "BraTS2020", predictor="no-attention")
    own = Figure("roc_auc", 0.834, "BraTS2020")
    assert published_words((rival, own)) == published_words((own,))
    assert published_words((rival,)) == "not available"


def test_of_a_way_of_its_own_nothing_was_published():
    own = Figure("mae", 11.7, on="set a", extra={"route": "t1"})
    both = replace(card(), measured=(own,), published=(Figure("mae", 4.2, on="theirs"),))
    prediction = prediction_on(head())
    assert published_of(both, prediction) == both.published
    assert published_of(both, replace(prediction, parameters={"route": "t1"})) == ()


def test_published_figures_stand_by_their_data():
    figures = (
        Figure("roc_auc", 0.834, "BraTS2020"),
        Figure("mae", 4.2, "ixi", n=90),
        Figure("dice", 0.5, "BraTS2020", level="slice"),
    )
    assert published_words(figures) == (
        "With other weights and data: ROC AUC 0.834, slice Dice 0.500 on BraTS2020; "
        "mean absolute error 4.20 on ixi, n 90."
    )


def test_at_most_six_figures_are_told_and_one_without_a_value_says_so():
    figures = tuple(Figure("dice", n / 10, on=f"set {n}") for n in range(1, 9))
    assert measured_words(figures).count("Dice") == 6
    assert published_words(figures).count("Dice") == 6
    assert figure_words(Figure("own_name", None, on="a")) == "own name not available on a"


NEW = Figure("ece", 0.03, on="here", predictor="new", group="cross-fitted", n=40)


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ((), None),
        ((replace(NEW, group="all"),), None),
        ((replace(NEW, predictor="old"),), None),
        ((NEW,), "calibration error 0.0300 (n 40)"),
        (
            (replace(NEW, predictor="old", value=0.08), NEW),
            "calibration error 0.0300, 0.0800 before (n 40)",
        ),
        ((replace(NEW, predictor="old", value=None), NEW), "calibration error 0.0300 (n 40)"),
        ((NEW, replace(NEW, value=0.02, group="validation")), "calibration error 0.0200 (n 40)"),
        (
            (replace(NEW, name="coverage", value=0.95), NEW, replace(NEW, name="mae")),
            "calibration error 0.0300 (n 40), coverage of the interval 0.950 (n 40)",
        ),
    ],
)
def test_calibration_here_is_told_by_the_last_figures_on_local_cases(figures, said):
    expected = (
        f"on local cases that were left out of the fit {said}"
        if said
        else "at this site not established, no cases of it were labelled here"
    )
    assert calibrated_here(figures) == expected
