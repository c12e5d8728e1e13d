"""What a card of the ICU model says of classical models beside it."""

from pathlib import Path

import pytest

from medview.domain.card import Figure
from medview.learning.icu_card import _against_words, _note
from medview.learning.subset import Subset, TrainCase


def figures(value: float, low: float | None, high: float | None) -> list[Figure]:
    """A logistic regression, and how far the networks are from it."""
    apart = {"low": low, "high": high, "group": "all, against:logistic"}
    return [
        Figure("roc_auc", 0.8, "stays", predictor="logistic"),
        Figure("roc_auc_difference", value, "stays", **apart),
    ]


@pytest.mark.parametrize(
    ("found", "clear", "end"),
    [
        ((0.02, 0.01, 0.03), True, "ahead by 0.020 (difference +0.010 to +0.030)."),
        ((-0.07, -0.12, -0.02), False, "behind by 0.070 (difference -0.120 to -0.020)."),
        (
            (-0.07, -0.12, 0.02),
            False,
            "behind by 0.070 (difference -0.120 to +0.020): not more than chance allows.",
        ),
        ((0.1, None, None), False, "ahead by 0.100: not more than chance allows."),
    ],
)
def test_networks_that_lose_are_said_to_be_behind(found, clear, end):
    start = "On stays logistic reaches AUROC 0.800; the networks are "
    assert _against_words(figures(*found)) == [(clear, start + end)]


def test_a_set_has_stays_and_where_films_are_learnt_from_films():
    cases = tuple(TrainCase(f"c{n}", "p", {}, "series", "a", site="HH") for n in range(1200))
    demo = Subset("a", "csv", Path("a"), cases)
    assert _note(demo, film=False) == "1,200 stays, 1 site"
    assert _note(demo, film=True) == "1,200 films, 1 site"
