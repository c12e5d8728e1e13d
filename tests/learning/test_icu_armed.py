"""ARMED round the ICU network: effects of units are found, and unknown units have none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medview.learning.armed_rules import RULES, UNKNOWN, one_hot
from medview.learning.icu_armed import ArmedFit, average_layer, unit_columns
from medview.learning.icu_fit import Fit, StaySet
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_variables import shipped_map
from medview.learning.metrics import roc_auc

RECIPE = IcuRecipe(
    hidden=8, width=8, heads=2, feed_forward=8, epochs=12, batch=32, rate=2e-2, loss="bce",
    column_dropout=0.0,
)  # fmt: skip
COLUMNS = 6


def stays(seed=0, count=160):
    """A measurement says something of the risk, the unit as much; it is in no column."""
    dice = torch.Generator().manual_seed(seed)
    series = torch.randn(count, 5, COLUMNS, generator=dice)
    unit = torch.arange(count) % 2
    risk = 1.5 * series[:, -1, 0] + 2.0 * (2 * unit - 1)
    labels = (torch.rand(count, generator=dice) < torch.sigmoid(risk)).float()[:, None]
    present = torch.tensor([[True, False]]).repeat(count, 1)
    return StaySet(series, torch.full((count,), 5), present, labels, cluster=unit)


def trained(rule="armed", **changes):
    fit = ArmedFit(replace(RECIPE, **changes), stays(), None, 1, weights=RULES[rule])
    while not fit.finished:
        fit.epoch(lambda: None)
    return fit


def area(risks, given):
    return roc_auc(given.labels[:, 0].numpy() == 1, risks)


def test_the_effect_of_a_unit_is_found_and_told_apart():
    fit, given = trained(encoder="hourly"), stays(9)
    risks = fit.risks(given)
    said = fit.ask(given, one_hot(given.cluster, 2))
    assert area(risks["own"], given) > area(said.fixed.numpy(), given) + 0.05
    found = fit.read_out(given, ["calm", "sick"])
    assert found["calm", "random_intercept"] < found["sick", "random_intercept"]
    assert found["calm", "added_log_odds"] < -0.2
    assert found["sick", "added_log_odds"] > 0.2
    assert 0 < found["units", "effect_share"] < 1
    assert found["units", "commonest_unit"] == pytest.approx(0.5)


def test_an_unknown_unit_has_no_effect_and_no_share_in_what_is_read_out():
    fit, given = trained(epochs=2), replace(stays(9), cluster=torch.full((160,), UNKNOWN))
    fixed = fit.ask(given, torch.zeros(160, 2)).fixed
    risks = fit.risks(given)
    assert np.allclose(risks["own"], torch.sigmoid(fixed))
    assert not np.allclose(risks["average"], risks["own"], atol=1e-4)
    assert ("units", "effect_share") not in fit.read_out(given, ["calm", "sick"])


def test_without_effects_the_adversary_alone_changes_the_network():
    fit = trained("adversary-only", epochs=2)
    given = stays(9)
    fixed = fit.ask(given, torch.zeros(160, 2)).fixed
    assert np.allclose(fit.risks(given)["own"], torch.sigmoid(fixed))


def test_it_starts_as_the_network_without_effects():
    plain, armed = (
        kind(RECIPE, stays(), None, 3) for kind in (Fit, lambda *given: ArmedFit(*given))
    )
    ours, theirs = armed.net.state_dict(), plain.net.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_main_step_leaves_the_adversary_as_it_is():
    fit = ArmedFit(RECIPE, stays(), None, 1, weights=RULES["armed"])
    own = {id(p) for group in fit._optimiser.param_groups for p in group["params"]}
    against = {id(p) for p in fit.armed.adversary.parameters()}
    effects = {id(fit.armed.slopes.mu), id(fit.armed.intercept.rho)}
    assert not own & against
    assert effects <= own
    assert {id(p) for p in fit.net.parameters()} <= own


def test_the_columns_of_the_type_are_hidden_from_the_network_and_no_others():
    variables = shipped_map("physionet2012")
    # Values come in the order of the map; the type is its last variable, one column a level.
    place = sum(variable.width for variable in variables.variables) - 4
    assert variables.variables[-1].name == "ICUType"
    blank = unit_columns(variables)
    assert blank == tuple(range(place, place + 4))
    fit = ArmedFit(RECIPE, stays(), None, 1, blank=(0, 2))
    given = stays(9)
    for column in range(COLUMNS):
        other = given.series.clone()
        other[:, :, column] += 3.0
        same = torch.equal(fit.net.states(other), fit.net.states(given.series))
        assert same == (column in (0, 2))


def test_a_training_that_goes_on_is_the_one_that_was_not_broken_off():
    whole, recipe = trained(epochs=4), replace(RECIPE, epochs=4)
    first = ArmedFit(recipe, stays(), None, 1, weights=RULES["armed"])
    first.epoch(lambda: None)
    first.epoch(lambda: None)
    kept = first.state()
    second = ArmedFit(recipe, stays(), None, 1, weights=RULES["armed"])
    second.restore(kept)
    while not second.finished:
        second.epoch(lambda: None)
    ours, theirs = second.whole.state_dict(), whole.whole.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize(
    ("method", "learns"),
    [("full", ("base.", "slopes.", "intercept.", "adversary.")),
     ("head", ("base.net.head.", "slopes.", "intercept.")),
     ("site-effects", ("slopes.", "intercept."))],
)  # fmt: skip
def test_by_method_only_its_part_learns_from_given_weights(method, learns):
    start = trained(epochs=2)
    fit = ArmedFit(replace(RECIPE, epochs=1), stays(3), None, 5, weights=RULES["armed"])
    before = start.network_state()
    fit.go_on_from(before, method, ())
    fit.epoch(lambda: None)
    after = fit.network_state()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith(learns) for name in moved)
    assert any(name.startswith("slopes.") for name in moved)


def test_units_without_stays_keep_their_effects_when_others_learn():
    given, recipe = stays(), replace(RECIPE, epochs=1)
    given = replace(given, cluster=torch.zeros(len(given), dtype=torch.long))
    start = ArmedFit(recipe, stays(), None, 1, weights=RULES["armed"]).network_state()
    fit = ArmedFit(recipe, given, None, 1, count=2, weights=RULES["armed"])
    fit.go_on_from(start, "site-effects", ())
    fit.epoch(lambda: None)
    after = fit.network_state()
    for name in (n for n in start if n.startswith(("slopes.", "intercept."))):
        assert torch.equal(start[name][1], after[name][1])
        assert not torch.equal(start[name][0], after[name][0])


def test_stays_of_unknown_units_teach_the_network_but_not_the_effects():
    given = replace(stays(), cluster=torch.full((160,), UNKNOWN))
    fit = ArmedFit(RECIPE, given, None, 1, count=2, weights=RULES["armed"])
    before = fit.network_state()
    fit.epoch(lambda: None)
    after = fit.network_state()
    assert all(value.isfinite().all() for value in after.values())
    assert not torch.equal(before["base.net.head.weight"], after["base.net.head.weight"])
    same = [n for n in before if n.startswith("adversary.")]
    assert all(torch.allclose(before[n], after[n]) for n in same)


def test_it_has_the_parameters_of_the_network_of_the_adversary_and_of_each_unit():
    fit = ArmedFit(RECIPE, stays(), None, 1, count=5)
    net = sum(value.numel() for value in fit.net.parameters())
    # The adversary reads the state and both tokens, by 32 units; slopes are of the tokens.
    read, slopes = 3 * RECIPE.width, 2 * RECIPE.width
    adversary = 32 * read + 32 + 5 * 32 + 5
    effects = 5 * 2 * (slopes + 1)
    assert sum(value.numel() for value in fit.whole.parameters()) == net + adversary + effects


def test_the_average_stay_has_the_mean_of_what_the_slopes_multiply():
    fit, given = trained(epochs=1), stays(9, 300)
    mean = average_layer(fit.armed, given)
    one = torch.stack([average_layer(fit.armed, given.only([n])) for n in range(300)])
    assert mean.shape == (2 * RECIPE.width,)
    assert torch.allclose(mean, one.mean(0), atol=1e-5)
