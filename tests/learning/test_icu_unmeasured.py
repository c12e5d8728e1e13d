"""Variables of a stay hidden as if never measured."""

import numpy as np
import pytest
import torch

from medview.learning.icu_fit import Fit, StaySet
from medview.learning.icu_grid import Events, Normaliser, clean, discretise, encode
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_unmeasured import BEDSIDE, Unmeasured
from medview.learning.icu_variables import shipped_map

pytestmark = pytest.mark.usefixtures("seeded")
MAP = shipped_map("physionet2012")
COUNT = len(MAP.variables)
NORMAL = Normaliser(
    np.linspace(-1, 40, COUNT, dtype=np.float32), np.linspace(1, 9, COUNT, dtype=np.float32)
)
ROWS = [
    *((0.0, "Age", 60), (0.0, "ICUType", 2), (0.5, "HR", 80), (2.5, "HR", 120)),
    *((1.5, "BUN", 30), (2.0, "Urine", 50), (2.7, "MechVent", 1)),
]
STATIC = ("Age", "ICUType")


def series_of(rows):
    events = Events.of((hour, MAP.codes[name.lower()], value) for hour, name, value in rows)
    grid = discretise(clean(events, MAP)[0], MAP, 3)
    return torch.from_numpy(encode(grid, MAP, NORMAL))[None]


@pytest.fixture(scope="module")
def bare():
    return Unmeasured.of(MAP, NORMAL)


@pytest.mark.parametrize("names", [("HR",), BEDSIDE, ("BUN", "MechVent"), ()])
def test_without_a_variable_a_stay_is_as_if_the_table_did_not_have_it(bare, names):
    others = [row for row in ROWS if row[1] not in names]
    assert torch.equal(bare.without(series_of(ROWS), names), series_of(others))


def test_what_is_known_at_admission_is_never_hidden(bare):
    admission = [row for row in ROWS if row[1] in STATIC]
    assert torch.equal(bare.drawn(series_of(ROWS), 1.0), series_of(admission))
    assert torch.equal(bare.drawn(series_of(ROWS), 0.0), series_of(ROWS))


def test_each_stay_has_its_own_variables_hidden_and_each_of_them_as_a_whole(bare):
    many = torch.full((200, 2, MAP.columns), 7.0)
    found = bare.drawn(many, 0.25)
    kept = found == 7
    share = 0
    for place, name in enumerate(bare.names):
        here = kept[:, :, bare.owners == place]
        assert torch.equal(here.all(2).all(1), here.any(2).any(1)), name
        share += (~here.any(2).any(1)).float().mean() / len(bare.names)
    assert share == pytest.approx(0.25, abs=0.03)
    assert len({tuple(row.tolist()) for row in kept[:, 0]}) > 150
    assert kept[:, :, bare.owners == len(bare.names)].all()


@pytest.mark.parametrize(("chance", "changed"), [(0.0, False), (1.0, True)])
def test_a_training_hides_what_the_recipe_says(bare, chance, changed):
    series = series_of(ROWS).repeat(4, 1, 1)
    stays = StaySet(
        series, torch.full((4,), 3), torch.tensor([[True, False]] * 4),
        torch.tensor([[0.0], [1.0]] * 2), unmeasured=bare,
    )  # fmt: skip
    recipe = IcuRecipe(column_dropout=0.0, hidden_variables=chance)
    shown = Fit(recipe, stays.only(torch.arange(2)), None, 0)._disturbed(stays).series
    assert torch.equal(shown, bare.without(series, bare.names if changed else ()))


def test_hourly_networks_have_a_share_of_their_own():
    recipe = IcuRecipe(hourly_hidden_variables=0.3)
    last = recipe.members
    shares = [recipe.of_member("mortality", n).hidden_variables for n in (0, last)]
    assert shares == [0.0, 0.3]
    assert recipe.of_member("mortality", 0).run == IcuRecipe().run
    assert recipe.of_member("mortality", last).run != IcuRecipe().of_member("mortality", last).run
