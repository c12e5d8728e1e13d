"""ARMED round the chest network: what learns, what an adversary takes away, what sites add."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch
from chest_given import RECIPE, given
from torch import nn

from medview.domain.errors import Cancelled, DataError
from medview.domain.progress import Silent
from medview.learning.armed_rules import one_hot, put_round
from medview.learning.cxr_armed import ArmedRun, Effects, begin_with, what_sites_add
from medview.learning.cxr_fit import begun, fit_method
from medview.learning.cxr_recipe import CxrRecipe
from medview.models.armed import LossWeights

TRAIN, VAL = np.arange(160), np.arange(160, 200)


def effects(adversary=0.1, **start):
    return Effects(LossWeights(1.0, 1.0, adversary, 1e-3), **start)


def learnt(recipe, learning, job=None, parts=(TRAIN, VAL), **how):
    last = partial(ArmedRun, effects=learning)
    return fit_method(job or Silent(), recipe, given(240), parts, 1, last=last, **how).model


def small(**changes):
    return CxrRecipe(**{**RECIPE, "epochs": 3, **changes})


def test_a_training_ends_with_a_network_that_says_what_its_run_says():
    recipe, films = small(), given(240)
    model = begun(recipe, films, TRAIN, "mdmt", {}, 1)
    run = ArmedRun(recipe, films, (TRAIN, VAL), model, "mdmt", 1, effects=effects())
    net = run.to_end(Silent()).model
    assert net.sites == ("a", "b")
    with torch.no_grad():
        run.armed.eval()
        _, armed = run.ask(VAL, np.zeros(40, np.intp), one_hot(run.clusters[TRAIN.size : 200], 2))
        pooled, _ = films.batch(VAL, np.zeros(40, np.intp))
        said = net.outcome_at(pooled, run.clusters[160:200])
    assert (armed.mixed - armed.fixed).abs().max() > 1e-3
    assert said[:, 1] - said[:, 0] == pytest.approx(armed.mixed, abs=1e-5)


def test_a_training_that_was_broken_off_ends_as_one_that_was_not(tmp_path, every_epoch):
    whole = learnt(small(), effects())
    with pytest.raises(Cancelled):
        learnt(small(), effects(), AfterTwo(), folder=tmp_path)
    again = learnt(small(), effects(), folder=tmp_path, resume=True)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@dataclass
class AfterTwo(Silent):
    """Stops in the third epoch of the last phase, once a checkpoint is written."""

    def report(self, done, total, text=""):
        if text.startswith("epoch 3 /"):
            raise Cancelled("here")


def test_the_adversary_takes_from_the_layers_what_tells_the_site():
    told = {}
    for adversary in (0.0, 3.0):
        net = learnt(small(epochs=12), effects(adversary))
        with torch.no_grad():
            hidden = net.hidden(given(240).batch(TRAIN, np.zeros(160, np.intp))[0])
        site = np.array([case.site == "b" for case in given(240).films.cases[:160]])
        apart = hidden[site].mean(0) - hidden[~site].mean(0)
        told[adversary] = float(apart.norm() / hidden.std(0).norm())
    assert told[3.0] < 0.8 * told[0.0]


def test_only_the_effects_learn_by_their_method_and_a_new_site_gets_one():
    first = learnt(small(), effects())
    state = first.state_dict()
    alone = partial(learnt, small(), init=state, learns="site-effects")
    later = alone(effects(known=("z", "a"), start=state)).state_dict()
    changed = {n for n in state if n in later and not torch.equal(state[n], later[n])}
    assert {name.partition(".")[0] for name in changed} == {"slopes", "intercept", "adversary"}
    assert later["slopes.mu"].shape == (3, 32)  # z, a, b: those known stay in their places
    armed = put_round(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), 3, ("1",),
                      (torch.zeros(1, 2),), lambda out: out[:, 0], 0)  # fmt: skip
    before = armed.slopes.mu.clone()
    begin_with(armed, {"slopes.mu": torch.ones(2, 3), "adversary.0.weight": torch.ones(1, 1)})
    assert torch.equal(armed.slopes.mu[:2], torch.ones(2, 3))
    assert torch.equal(armed.slopes.mu[2], before[2])


def test_what_sites_add_is_told_with_its_interval_and_films():
    net = learnt(small(epochs=12), effects())
    a, b = what_sites_add(net, given(240), 0)
    assert (a["site"], b["site"]) == ("a", "b")
    assert a["rows"] + b["rows"] == 120  # of half of the films an outcome is known
    assert a["low"] < a["effect_log_odds"] < a["high"] < b["effect_log_odds"]


def test_films_without_an_outcome_teach_no_effects():
    with pytest.raises(DataError, match="has an outcome and a site"):
        learnt(small(), effects(cluster_of=lambda case: ""))


def test_where_effects_alone_learn_films_need_a_site_though_the_weights_know_some():
    state = learnt(small(epochs=1), effects()).state_dict()
    nowhere = effects(known=("a", "b"), start=state, cluster_of=lambda case: "")
    with pytest.raises(DataError, match="has an outcome and a site"):
        learnt(small(), nowhere, init=state, learns="site-effects")
    assert learnt(small(epochs=1), nowhere, init=state).sites == ("a", "b")  # zones learn
    every_other = (TRAIN[::2], VAL[::2])  # films with an outcome
    with pytest.raises(DataError, match="has an outcome and a site"):
        learnt(small(), nowhere, init=state, parts=every_other)


def test_a_batch_of_which_no_site_is_known_leaves_effects_that_learn_alone():
    state = learnt(small(epochs=1), effects()).state_dict()
    one = effects(known=("a", "b"), start=state,
                  cluster_of=lambda case: case.site if case.case == "c0" else "")  # fmt: skip
    assert learnt(small(), one, init=state, learns="site-effects").sites == ("a", "b")


def test_nothing_is_told_of_sites_where_no_film_has_an_outcome():
    net, films = learnt(small(epochs=1), effects()), given(240)
    scored = tuple(replace(case, cells={"brixia": "000000"}) for case in films.films.cases)
    assert what_sites_add(net, replace(films, films=replace(films.films, cases=scored)), 0) == []
