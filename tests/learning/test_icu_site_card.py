"""What a card of the ICU model says of effects of sites."""

from types import SimpleNamespace

import pytest
from armed_stays import SITES

from medview.domain.card import Figure
from medview.domain.resources import resource
from medview.io.cards import read_card
from medview.learning.icu_site_card import outputs_of, site_limits, site_method, sites_of
from medview.learning.site_effects import FIXED, NETWORK

MODEL = SimpleNamespace(
    parts={"a": SimpleNamespace(sites=("B", "A")), "b": SimpleNamespace(sites=())}
)


def figures(low, high, on="a set"):
    ahead = f"all, against:{NETWORK}"
    return [
        Figure("roc_auc", 0.81, on, n=50),
        Figure("roc_auc", 0.8, on, predictor=NETWORK, n=50),
        Figure("roc_auc_difference", 0.01, on, low, high, 50, group=ahead),
        Figure("roc_auc_difference", 0.02, on, -0.01, 0.05, 50, group=f"all, against:{FIXED}"),
    ]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.01, 0.02, "gain nothing that could be shown"), (0.005, 0.02, "gain"),
     (-0.03, -0.01, "make it worse")],
)  # fmt: skip
def test_first_it_says_what_the_effects_are_worth(low, high, verdict):
    first, where, *_ = site_limits(MODEL, figures(low, high))
    assert first.startswith(f"On a set the effects of sites {verdict}: AUROC 0.810 against 0.800")
    assert f"[{low:+.3f}, {high:+.3f}], n 50" in first
    assert where.startswith("It knows 2 sites (A, B).")


def test_without_a_twin_nothing_is_said_of_their_worth():
    assert site_limits(MODEL, figures(0, 1)[:1])[0].startswith("It knows 2 sites")


def test_where_the_site_comes_from_is_told_of_types_of_units_only():
    line = "Where no site is named, the column ICUType of a table says it."
    for name in (*SITES, "Bern"):
        told = site_method(figures(0, 1), [{"site": name, "effect_log_odds": 0.1}])
        assert (line in told) == (name in SITES)
    assert line in read_card(resource("weights") / "icu-armed" / "card.json").method


def test_the_method_tells_what_a_site_adds():
    effects = [{"site": "A", "effect_log_odds": -0.25}, {"site": "B", "effect_log_odds": 0.5}]
    said = " ".join(site_method(figures(0, 1), effects))
    assert "A -0.25, B +0.50" in said
    assert "changes the AUROC of the fixed effects by +0.020 [-0.010, +0.050]" in said


def test_each_risk_has_three_outputs_and_each_site_is_named_once():
    names = [one.name for one in outputs_of(["mortality"])]
    assert names == ["mortality", "mortality_fixed", "mortality_mixed"]
    assert sites_of(MODEL) == ["A", "B"]


def test_a_trained_card_is_of_the_whole_model(armed_icu):
    card = read_card(armed_icu.with_name("card.json"))
    assert (card.id, card.title) == ("icu-armed", "ICU series with site effects")
    assert "ARMED" in card.source
    assert [one.name for one in card.outputs] == [one.name for one in outputs_of(["mortality"])]
    command = card.measured[0].command
    assert command.startswith("medview train icu-armed --data")
    assert "--set compare=true" in command
    predictors = {one.predictor for one in card.measured}
    assert predictors >= {"model", FIXED, NETWORK, "logistic", "uncalibrated"}
    assert any("left-out site" in one.on for one in card.measured)
    assert f"({', '.join(SITES)})" in " ".join(card.limits)
    # What is told of the effects is not told once more as if they were another method.
    assert not any(f"{NETWORK} reaches" in line for line in (*card.limits, *card.method))
