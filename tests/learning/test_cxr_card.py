"""What the card of the chest model says of sources left out, made of its own figures."""

from pathlib import Path

import pytest

from medview.domain.card import Figure
from medview.learning.cxr_card import CROSSED, _labels, _limits
from medview.learning.subset import Subset, TrainCase


def left_out(source, off=0.1, right=0.8):
    values = {"roc_auc": 0.9, "ece": off, "accuracy": right}
    return [
        Figure(name, value, "films", n=50, group=f"source-left-out:{source}")
        for name, value in values.items()
    ]


def over_seeds(source, value, predictor="model"):
    more = {"predictor": predictor, "group": f"folds-x-seeds:{source}", "extra": {"runs": 5}}
    return Figure("roc_auc", value, CROSSED, value - 0.05, value + 0.05, 50, **more)


def about(figures, word):
    return [line for line in _limits(figures) if word in line]


def test_a_source_on_which_probabilities_do_not_hold_is_named():
    figures = [*left_out("a"), *left_out("b", off=0.4, right=0.65)]
    (line,) = about(figures, "ECE")
    assert line.startswith("On b left out its probabilities are off by 0.40 (ECE): with the limit")
    assert "at one half 65 % of the patients" in line
    assert not about(left_out("a"), "ECE")


@pytest.mark.parametrize(
    ("predictor", "end"),
    [("model", "(one seed; over 5 seeds 0.85 [0.80, 0.90])."), ("mdmt", "a 0.90.")],
)
def test_several_seeds_are_said_of_the_network_that_ships(predictor, end):
    figures = [*left_out("a"), over_seeds("a", 0.85, predictor)]
    (line,) = about(figures, "AUROC on a source it was not trained on")
    assert line.endswith(end)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (({"prognosis": "MILD"}, {"prognosis": "MILD", "brixia": "000000"}),
         "2 films with outcome, 1 film with Brixia scores"),
        (({"prognosis": "MILD"},), "1 film with outcome"),
        (({"brixia": "000000"},) * 11, "11 films with Brixia scores"),
        (({},), "films without labels"),
    ],
)  # fmt: skip
def test_a_set_tells_the_labels_that_it_has(known, told):
    cases = tuple(TrainCase("c", "p", {}, "film", cells=cells) for cells in known)
    assert _labels(Subset("a", "hannover", Path("a"), cases)) == told


@pytest.mark.parametrize(("bare", "told"), [(0.93, ", of the number of films 0.93"), (0.7, "")])
def test_a_bare_count_of_films_that_ranks_better_is_told_beside_the_network(bare, told):
    figures = [
        Figure("roc_auc", value, "films", n=57, group="to-icu-admission", predictor=who)
        for who, value in (("model", 0.86), ("film_count", bare))
    ]
    (line,) = about(figures, "up to the day")
    assert line == f"AUROC on films up to the day of ICU admission: 0.86{told} (n 57)."
