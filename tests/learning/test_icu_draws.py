"""Intervals of many stays at once are those that a run tells of each of them."""

import numpy as np
import pytest
import torch
from armed_stays import SITES
from nearness import assert_near

from medview.learning.icu_draws import ends_of
from medview.learning.icu_fit import StaySet
from medview.learning.icu_model import load_armed_icu
from medview.learning.icu_one_stay import OneStay, drawn
from medview.learning.site_effects import GivenSite

pytestmark = pytest.mark.usefixtures("seeded")
SAMPLES, SEED = 3, 5
LENGTHS = (6, 4, 6, 4, 6)


@pytest.mark.parametrize("names", [(SITES[0], SITES[3], "Atlantis", SITES[0], ""), ("",) * 5])
def test_ends_are_those_of_each_stay_on_its_own(armed_icu, names):
    model, _ = load_armed_icu(armed_icu)
    part = model.parts["mortality"]
    sites = [GivenSite(name, part.sites) for name in names]
    dice = torch.Generator().manual_seed(3)
    series = torch.randn(5, 6, model.variables.columns, generator=dice)
    present = torch.tensor([[True, False]]).expand(5, -1)
    stays = StaySet(series, torch.tensor(LENGTHS), present, torch.zeros(5, 1))
    found = ends_of(model, "mortality", stays, sites, SAMPLES, SEED)
    for n, site in enumerate(sites):
        alone = OneStay(series[n : n + 1, : LENGTHS[n]], None)
        said = drawn(model, "mortality", alone, SAMPLES, SEED, site.number)[:, -1]
        assert_near(found[:, n], np.percentile(part.at(site).calmed(said), (2.5, 97.5), axis=0),
                    within=1e-6)  # fmt: skip
    assert (found[1] > found[0]).all()
    assert not any(module.training for module in model.modules())
    assert not any("forward" in vars(module) for module in model.modules())
