"""Is a weights file what its card says, and does it fit the network?"""

from dataclasses import replace

import pytest
from result_phantom import card
from throwaway import throwaway_weights

from medview.domain.errors import WeightsError
from medview.domain.progress import Silent
from medview.io.cards import write_card
from medview.learning.check_weights import LOADERS, check
from medview.learning.weights import shipped
from medview.services.training import TRAINERS


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return throwaway_weights(tmp_path_factory.mktemp("weights"))


def test_a_check_counts_what_the_weights_hold(weights):
    told = check(Silent(), "anomaly", str(weights))
    assert (told["ok"], told["file"]) == (True, "weights.safetensors")
    assert told["values"] > 1_000_000


ANOTHER = {"id": "another", "title": "Another model"}, "MV-WGT-006", "weights of Another model"
ODD = {"settings": {"network": {"odd": 1}}}, "MV-WGT-007", "settings that this program cannot"


@pytest.mark.parametrize(
    ("model", "change", "code", "says"),
    [(model, *odd) for model in LOADERS for odd in (ANOTHER, ODD)
     if (model, odd) != ("lung-net", ODD)],  # it has no settings
)  # fmt: skip
def test_every_loader_refuses_another_model_and_odd_settings(model, change, code, says, tmp_path):
    write_card(replace(card(), **{"id": model, **change}), tmp_path / "card.json")
    with pytest.raises(WeightsError, match=says) as caught:
        check(Silent(), model, str(tmp_path / "weights.safetensors"))
    assert (caught.value.code, bool(caught.value.do)) == (code, True)
    assert caught.value.file in ("weights.safetensors", "card.json")


def test_every_model_that_can_be_trained_can_be_checked():
    assert set(TRAINERS) == set(LOADERS)


@pytest.mark.parametrize("part", ["lung-net", "region-net"])
def test_the_parts_that_ship_are_what_their_cards_say(part):
    told = check(Silent(), part, str(shipped(part)))
    assert (told["ok"], told["version"]) == (True, "1.0")
