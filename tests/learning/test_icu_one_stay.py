"""One stay as the ICU networks take it: effects of its site, drawn or as their means."""

import numpy as np
import pytest
import torch

from medview.learning.icu_model import load_armed_icu
from medview.learning.icu_one_stay import Effects, OneStay, drawn, hourly, stand_ins

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture
def asked(armed_icu):
    """The model with effects that can be seen, and a stay of six hours."""
    model, _ = load_armed_icu(armed_icu)
    with torch.no_grad():
        for net in model.whole("mortality"):
            net.intercept.mu[:] = torch.tensor([[-2.0], [0.0], [0.0], [2.0]])
    series = torch.randn(1, 6, model.variables.columns, generator=torch.Generator().manual_seed(2))
    return model, OneStay(series, None)


def test_every_hour_is_moved_by_the_effect_of_the_site(asked):
    model, stay = asked
    fixed = hourly(model, "mortality", stay)
    low, high = (hourly(model, "mortality", stay, Effects(site)) for site in (0, 3))
    assert fixed.shape == (2, 6, 1)
    assert (low < fixed).all()
    assert (fixed < high).all()
    assert np.array_equal(hourly(model, "mortality", stay, Effects(-1, drawn=True)), fixed)
    assert not np.array_equal(hourly(model, "mortality", stay, Effects(3, drawn=True)), high)


def test_without_a_site_each_known_one_is_drawn_so_the_interval_is_wider(asked):
    model, stay = asked
    known, unknown = (drawn(model, "mortality", stay, 4, 0, site) for site in (1, -1))
    assert known.shape == unknown.shape == (8, 6, 1)
    assert unknown.std(0).mean() > 2 * known.std(0).mean()
    # Fewer samples than sites would leave some of them out.
    assert len(drawn(model, "mortality", stay, 1, 0, -1)) == 2 * 4
    # The first site has the number 0, and is as known as the others.
    assert [len(drawn(model, "mortality", stay, 1, 0, site)) for site in (0, 2)] == [2, 2]


def test_of_many_sites_a_few_from_first_to_last_stand_for_an_unknown_one():
    assert stand_ins(3) == [0, 1, 2]
    many = stand_ins(186)
    assert (len(many), many[0], many[-1]) == (12, 0, 185)
