"""Networks that say an age together, with and without the effect of a site."""

import numpy as np
import pytest
import torch

from medview.learning.armed_age_ensemble import Ensemble, fresh, together
from medview.learning.armed_age_recipe import AgeRecipe
from medview.learning.armed_age_table import Scale

SITES = 3
X = np.random.default_rng(0).normal(0, 1, (5, 4))
SCALE = Scale(np.zeros(4), np.ones(4), np.log(40.0), 0.3)


@pytest.fixture
def ensemble():
    """Two networks with effects of sites that can be told from nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = Ensemble([fresh(AgeRecipe(width=6, width_2=4), 4, SITES) for _ in range(2)])
        with torch.no_grad():
            for name, value in made.named_parameters():
                if name.endswith(".mu"):
                    value.normal_(0, 0.5)
    return made.eval()


def test_an_unknown_site_has_no_effect_and_a_known_one_its_own(ensemble):
    said = ensemble.ask(SCALE, X, np.array([-1, 0, 1, 2, -1]))
    assert ensemble.sites == SITES
    assert said.fixed.shape == said.mixed.shape == (2, 5)
    unknown = np.array([True, False, False, False, True])
    assert np.array_equal(said.fixed[:, unknown], said.mixed[:, unknown])
    assert (said.fixed[:, ~unknown] != said.mixed[:, ~unknown]).all()
    # One by one: rows of one batch may differ in their last digit, by the processor.
    same = [ensemble.ask(SCALE, X[:1], np.array([site])) for site in range(3)]
    assert len({one.mixed[0, 0] for one in same}) == 3
    assert len({one.fixed[0, 0] for one in same}) == 1


def test_a_site_is_the_weight_of_one_on_its_effect(ensemble):
    site = np.array([0, 1, 2, 0, 1])
    known = ensemble.ask(SCALE, X, site)
    weighed = ensemble.ask_z(SCALE, X, torch.eye(SITES)[torch.from_numpy(site)])
    assert np.array_equal(known.mixed, weighed.mixed)
    assert np.array_equal(ensemble.ask_z(SCALE, X, torch.zeros(5, SITES)).mixed, known.fixed)


def test_ages_are_said_in_years_whatever_the_rest_of_the_batch(ensemble):
    said = ensemble.ask(SCALE, X, np.zeros(5, np.intp))
    alone = ensemble.ask(SCALE, X[2:3], np.zeros(1, np.intp))
    assert said.mixed[:, 2] == pytest.approx(alone.mixed[:, 0], rel=1e-5)
    shifted = Scale(SCALE.mean, SCALE.sd, SCALE.age_mean + np.log(2), SCALE.age_sd)
    assert ensemble.ask(shifted, X, np.zeros(5, np.intp)).mixed == pytest.approx(2 * said.mixed)


def test_an_ensemble_says_the_geometric_mean_of_its_members():
    assert together(np.array([[10.0, 30.0], [40.0, 30.0]])) == pytest.approx([20, 30])
