"""Evidence on the film of a stay: where it lies, and when it is given out."""

import numpy as np
import pytest
import torch
from icu_minis import film

from medview.domain.progress import Silent
from medview.learning import icu_evidence
from medview.learning.icu_evidence import film_map, likeness_of_maps, shown, with_shuffled_heads
from medview.learning.icu_grid import Normaliser
from medview.learning.icu_model import IcuModel, Part
from medview.learning.icu_one_stay import OneStay
from medview.learning.icu_variables import shipped_map
from medview.learning.images import read_image
from medview.models.fusion import FusionOptions

PART = "icu_admission"


@pytest.fixture
def model(monkeypatch):
    """A network that sees how bright the film's lower left is, and a film bright there."""
    torch.manual_seed(0)
    variables = shipped_map("hannover")
    n = len(variables.variables)
    options = FusionOptions(
        columns=variables.columns, hidden=8, width=8, heads=2, feed_forward=8, blocks=1,
        film="features", film_features=4, fusing="concat",
    )  # fmt: skip
    normaliser = Normaliser(np.zeros(n, np.float32), np.ones(n, np.float32))
    made = IcuModel(variables, [Part(PART, (PART,), (options,), normaliser)]).eval()
    (net,) = made.members(PART)
    with torch.no_grad():
        net.project.weight.zero_()
        net.project.bias.zero_()
        net.project.weight[:, 0] = 0.2
        net.head.weight.copy_(torch.linspace(-0.5, 1.5, 16)[None])

    def encode(grey):
        corner = grey[:, grey.shape[1] * 3 // 4 :, : grey.shape[2] // 4].mean((1, 2))
        return torch.stack([corner, *[torch.zeros_like(corner)] * 3], 1)

    monkeypatch.setattr(icu_evidence, "encoded", encode)
    return made, encode


def a_stay(model):
    return OneStay(torch.zeros(1, 2, model.variables.columns), torch.zeros(1, 4))


def test_evidence_lies_where_the_network_looks_on_the_films_own_grid(model, tmp_path, monkeypatch):
    made, encode = model
    volume = read_image(film(tmp_path / "film.png", side=80))
    ask = icu_evidence.risk_of_film
    monkeypatch.setattr(
        icu_evidence, "risk_of_film", lambda m, p, s, e=encode: ask(m, p, s, encode)
    )
    found = film_map(Silent(), made, PART, a_stay(made), volume)
    assert (found.name, found.kind, found.array.shape) == ("evidence", "evidence", (1, 80, 80))
    row, column = np.unravel_index(found.array[0].argmax(), (80, 80))
    assert row > 50 > 30 > column
    assert found.array[0, :40, 40:].max() == 0
    assert found.array.max() == pytest.approx(found.range[1])


def test_shuffled_heads_leave_the_rest_as_it_is(model):
    made, _ = model
    before = made.state_dict()
    after = with_shuffled_heads(made, PART, 1).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(".head." in name for name in changed)
    assert torch.equal(before[name := min(changed)].flatten().sort().values,
                       after[name].flatten().sort().values)  # fmt: skip


def test_likeness_is_between_minus_one_and_one(model, tmp_path):
    made, _ = model
    volume = read_image(film(tmp_path / "film.png", side=80))
    value = likeness_of_maps(Silent(), made, PART, [(a_stay(made), volume)])
    assert -1 <= value <= 1


@pytest.mark.parametrize(
    ("settings", "given"),
    [({}, False), ({"map_likeness": {"evidence": 0.1}}, True),
     ({"map_likeness": {"evidence": -0.4}}, False), ({"map_likeness": {}}, False)],
)  # fmt: skip
def test_a_map_that_was_not_measured_or_failed_is_not_given_out(settings, given):
    assert shown(settings) == given
