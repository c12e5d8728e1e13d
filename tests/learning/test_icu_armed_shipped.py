"""The shipped ICU model with effects of sites: what its card says first, and what its parts do."""

import numpy as np
import pytest
import torch
from armed_stays import SITES, risk_at, stay

from medview.learning.icu_at_sites import at_sites
from medview.learning.icu_fit import StaySet
from medview.learning.icu_model import load_armed_icu, load_icu
from medview.learning.site_effects import FIXED, NETWORK
from medview.learning.weights import shipped

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture(scope="module")
def armed():
    return load_armed_icu(None)


def figure(card, name, group, on="physionet2012", predictor="model"):
    wanted = (predictor, name, group, on)
    (found,) = [f for f in card.measured if (f.predictor, f.name, f.group, f.on) == wanted]
    return found


@pytest.mark.parametrize("on", ["physionet2012", "physionet2012, left-out site"])
def test_the_first_limits_say_that_the_effects_gain_nothing(armed, on):
    card = armed[1]
    apart = figure(card, "roc_auc_difference", f"all, against:{NETWORK}", on)
    assert apart.low <= 0 <= apart.high
    assert any(
        line.startswith(f"On {on} the effects of sites gain nothing that could be shown")
        for line in card.limits[:2]
    )
    group = "folds-x-seeds:all, against:type_not_told"
    again = figure(card, "roc_auc_difference", group, on, predictor="armed")
    assert again.low <= 0 <= again.high
    assert "found no gain that could be shown either" in card.limits[2]


def test_it_is_measured_beside_everything_on_the_stays_of_icu(armed):
    card, plain = armed[1], load_icu(None)[1]
    for who in (FIXED, NETWORK, "logistic", "boosting", "model"):
        found = figure(card, "roc_auc", "all", predictor=who)
        assert found.n == 3396
        assert found.low < found.value < found.high
        assert found.command
    for who in ("logistic", "boosting"):  # the same folds, the type is a column of both
        ours, theirs = (figure(one, "roc_auc", "all", predictor=who) for one in (card, plain))
        assert ours.value == pytest.approx(theirs.value, abs=1e-6)


def test_its_effects_are_of_the_four_types_and_the_risk_moves_with_them(armed, tmp_path):
    card = armed[1]
    assert tuple(card.settings["sites"]) == SITES
    known = {one["site"]: one["effect_log_odds"] for one in card.settings["site_effects"]}
    table = stay(tmp_path)
    said = [risk_at(shipped("icu-armed"), table, site, samples=1) for site in SITES]
    values = [one.score("mortality").value for one in said]
    assert np.argmin(values) == np.argmin([known[site] for site in SITES])
    fixed = {one.score("mortality_fixed").value for one in said}
    assert len(fixed) == 1
    nowhere = risk_at(shipped("icu-armed"), table, None, samples=1)
    assert nowhere.score("mortality").value == fixed.pop()


def test_no_network_sees_the_column_of_the_type_but_every_one_the_site(armed):
    model, _ = armed
    dice = torch.Generator().manual_seed(0)
    series = torch.randn(3, 8, model.variables.columns, generator=dice)
    present = torch.tensor([[True, False]]).expand(3, -1)
    lengths, labels = torch.full((3,), 8), torch.zeros(3, 1)
    start = sum(variable.width for variable in model.variables.variables) - 4
    other = series.clone()
    other[:, :, start : start + 4] = torch.eye(4)[0]
    one, two = (
        at_sites(model, "mortality", StaySet(rows, lengths, present, labels), SITES[:3])
        for rows in (series, other)
    )
    assert np.array_equal(one.best, two.best)
    assert (np.abs(one.best - one.fixed) > 1e-6).all()
