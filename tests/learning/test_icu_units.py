"""What a training with effects of units asks of its stays, and what it keeps."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from armed_stays import SITES

from medview.domain.errors import DataError
from medview.io.cards import read_card
from medview.learning.icu_model import Cut, load_armed_icu
from medview.learning.icu_recipe import ArmedRecipe, IcuRecipe
from medview.learning.icu_tasks import PLAIN, Done, Task, plan
from medview.learning.icu_units import (
    cut_elsewhere,
    cut_of,
    grown,
    refuse_films,
    refuse_no_unit,
    rivals,
    with_units,
)
from medview.learning.icu_work import Work
from medview.learning.site_effects import FIXED, NETWORK

NOBODY = np.empty(0, np.intp)


def stays(*sites, split=""):
    cases = [
        SimpleNamespace(site=site, split=split, patient=str(n)) for n, site in enumerate(sites)
    ]
    return [SimpleNamespace(case=case) for case in cases]


def work(*phases):
    """40 stays; the networks of each phase (with their variants) said how ill they are, or not."""
    truth = np.arange(40) % 2
    here = np.arange(40)
    done = {}
    for n, (phase, scores, variants) in enumerate(phases):
        task = Task("mortality", phase, "1", 0, NOBODY, here, NOBODY)
        done[str(n)] = task, Done(scores[:, None], variants, {}, [], 1, 1)
    found = stays(*["A", "B"] * 20)
    return Work("mortality", ("mortality",), found, truth[:, None].astype(float), done)


SURE = np.where(np.arange(40) % 2, 0.9, 0.1)
HALF = np.full(40, 0.5)


def test_threshold_and_temperature_come_from_what_was_said_of_stays_left_out():
    one = work(("folds", SURE, {FIXED: HALF[:, None]}))
    cut = cut_of(one, one.scores("folds"))
    assert 0.5 < cut.threshold <= 1
    # Who is always right could be surer.
    assert cut.temperature < 1
    assert cut_of(one, None) == Cut()
    assert cut_of(replace(one, outputs=("a", "b")), one.scores("folds")) == Cut()


def test_for_units_that_are_not_known_the_ones_left_out_count_first():
    folds = ("folds", SURE, {FIXED: HALF[:, None]})
    assert cut_elsewhere(work(folds)).threshold == pytest.approx(0.5)
    both = cut_elsewhere(work(folds, ("sites", SURE, {})))
    assert both.temperature < 1


def test_twins_and_fixed_effects_are_measured_beside_the_whole():
    one = work(("folds", SURE, {FIXED: HALF[:, None]}), (f"{PLAIN}folds", 1 - SURE, {}),
               ("sites", SURE, {FIXED: SURE[:, None]}))  # fmt: skip
    found = rivals(one, "folds")
    assert found.keys() == {NETWORK, FIXED}
    assert np.allclose(found[NETWORK], 1 - SURE)
    assert np.allclose(found[FIXED], HALF)
    # Of a site left out the whole says what its fixed effects do.
    assert rivals(one, "sites") == {}


def test_every_measured_network_has_a_twin_where_the_recipe_says_so():
    given, labels = stays(*["A", "B"] * 10), (np.arange(20) // 2 % 2)[:, None].astype(float)
    recipe = ArmedRecipe(folds=2, leave_sites=True, members=1, hourly_members=1)
    alone = plan("mortality", recipe, given, labels)
    both = plan("mortality", replace(recipe, compare=True), given, labels)
    assert {task.phase for task in alone} == {"folds", "sites", "final"}
    twins = [task for task in both if task.phase.startswith(PLAIN)]
    assert len(twins) == len(alone) - 2 == 8
    assert {task.phase for task in twins} == {"plain-folds", "plain-sites"}
    assert IcuRecipe().rule is None
    assert not IcuRecipe().compares


def test_a_training_needs_two_sites_and_no_films():
    two, one = work(), replace(work(), stays=stays(*["A", ""] * 20))
    assert with_units([two, one]) == [two]
    with pytest.raises(DataError, match="fewer than two sites") as caught:
        with_units([one])
    assert 'column "site"' in caught.value.do
    refuse_films(ArmedRecipe())
    with pytest.raises(DataError, match="takes no films"):
        refuse_films(ArmedRecipe(film="features"))


def test_effects_alone_are_not_learnt_without_any_site():
    refuse_no_unit("site-effects", {"mortality": ["A"]})
    refuse_no_unit("full", {"mortality": []})
    with pytest.raises(DataError, match="no stay says its site"):
        refuse_no_unit("site-effects", {"mortality": []})


def test_new_units_come_behind_the_known_ones_and_change_nothing_for_these(armed_icu):
    model, _ = load_armed_icu(armed_icu)
    more = grown(model, {"mortality": ["Ward X", SITES[1]]})
    assert more.parts["mortality"].sites == (*SITES, "Ward X")
    before, after = model.state_dict(), more.state_dict()
    assert before.keys() == after.keys()
    for name, value in before.items():
        effects = "slopes." in name or "intercept." in name
        if "adversary" not in name:
            assert torch.equal(after[name][: len(value)] if effects else after[name], value), name
    (name,) = [name for name in before if name.endswith("0.intercept.mu")]
    assert len(after[name]) == len(before[name]) + 1 == 5


def test_the_card_keeps_what_each_site_adds_with_an_interval(armed_icu):
    settings = read_card(armed_icu.with_name("card.json")).settings
    assert tuple(settings["sites"]) == SITES
    effects = settings["site_effects"]
    assert [one["site"] for one in effects] == list(SITES)
    assert sum(one["rows"] for one in effects) == 24
    for one in effects:
        assert one["low"] < one["effect_log_odds"] < one["high"]
