"""Is a weights file what its card says, and does it fit the network?"""

from dataclasses import replace

import pytest
from throwaway import throwaway_weights

from medview.domain.errors import WeightsError
from medview.domain.progress import Silent
from medview.io.cards import read_card, write_card
from medview.learning.check_weights import check


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return throwaway_weights(tmp_path_factory.mktemp("weights"))


def test_a_card_with_settings_of_another_kind_is_refused_by_name(weights, tmp_path):
    for name in ("weights.safetensors", "card.json"):
        (tmp_path / name).write_bytes((weights.parent / name).read_bytes())
    card = read_card(tmp_path / "card.json")
    write_card(replace(card, settings={"network": {"layers": 7}}), tmp_path / "card.json")
    with pytest.raises(WeightsError, match=r"card\.json: .*settings"):
        check(Silent(), "anomaly", str(tmp_path / "weights.safetensors"))


def test_a_check_counts_what_the_weights_hold(weights):
    told = check(Silent(), "anomaly", str(weights))
    assert (told["ok"], told["file"]) == (True, "weights.safetensors")
    assert told["values"] > 1_000_000
