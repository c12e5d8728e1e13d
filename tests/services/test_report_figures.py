"""Figures of a card in words: the model's own beside the best simple rival, and of which way."""

from dataclasses import replace

from result_phantom import head, prediction_on

from medview.domain.card import Figure
from medview.services.report_figures import group_words, measured_words, of_route, published_words


def test_of_an_error_the_lowest_is_the_best_to_compare_with():
    shared = {"on": "ixi", "n": 9, "level": "case"}
    figures = tuple(
        Figure("mae", value, predictor=name, **shared)
        for name, value in (("model", 4.9), ("mean", 8.6), ("ridge", 5.0))
    )
    assert measured_words(figures).endswith("; a ridge regression 5.0.")


def test_figures_stand_beside_the_best_simple_baseline_on_the_same_data():
    same = {"on": "set a", "level": "slice", "n": 10}
    figures = (
        Figure("roc_auc", 0.8, low=0.7, high=0.9, **same),
        Figure("roc_auc", 0.66, predictor="intensity", **same),
        Figure("roc_auc", 0.71, predictor="brain_area", **same),
        Figure("roc_auc", 0.79, predictor="model:residual", **same),
        Figure("roc_auc", 0.99, predictor="slice_height", on="set b", level="slice"),
        Figure("roc_auc", 0.5, group="age:20-30", **same),
    )
    assert measured_words(figures) == (
        "Slice ROC AUC 0.800 (0.700 – 0.900) on set a, n 10; brain area 0.71."
    )
    assert measured_words(()) == "not available"


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


def test_groups_of_figures_are_told_in_words():
    assert group_words("within:1sd") == "within 1 SD"
    assert group_words("sites seen") == "sites seen"


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
