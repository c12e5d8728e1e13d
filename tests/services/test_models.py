"""Models by name and version, shipped or in a weights file."""

from dataclasses import replace

import pytest
from services.stubs import CARD

from medview.domain.errors import UsageError, WeightsError
from medview.io.cards import write_card
from medview.services.models import find_card, find_cards


@pytest.fixture
def shipped(tmp_path):
    for model in ("anomaly", "cxr"):
        (tmp_path / model).mkdir()
        write_card(replace(CARD, id=model), tmp_path / model / "card.json")
    return tmp_path


def test_all_models_are_listed_and_one_is_found_by_name_or_version(shipped):
    assert [card.id for card in find_cards(folder=shipped)] == ["anomaly", "cxr"]
    assert find_card("cxr", folder=shipped).id == "cxr"
    assert find_card("cxr@1.0", folder=shipped).version == "1.0"


def test_an_unknown_model_or_version_is_wrong_use_and_the_known_ones_are_named(shipped, tmp_path):
    with pytest.raises(UsageError, match=r"called icu.* anomaly, cxr"):
        find_card("icu", folder=shipped)
    with pytest.raises(UsageError, match=r"no version 2\.0 of cxr.* 1\.0"):
        find_card("cxr@2.0", folder=shipped)
    with pytest.raises(UsageError, match="without models"):
        find_card("cxr", folder=tmp_path / "nothing")


def test_a_part_of_other_models_is_told_where_parts_are_wanted_and_else_refused(shipped):
    (shipped / "lung-net").mkdir()
    write_card(replace(CARD, id="lung-net", inputs=()), shipped / "lung-net" / "card.json")
    assert [card.id for card in find_cards(folder=shipped)] == ["anomaly", "cxr"]
    assert [card.id for card in find_cards(folder=shipped, parts=True)] == ["anomaly", "cxr"]
    for name in ("lung-net", "lung-net@1.0"):
        (card,) = find_cards(name, folder=shipped, parts=True)
        assert (card.id, card.inputs) == ("lung-net", ())
        with pytest.raises(UsageError, match=r'part of other models.*"medview models lung-net"'):
            find_card(name, folder=shipped)
    with pytest.raises(UsageError, match=r"no version 2\.0 of lung-net.* 1\.0"):
        find_cards("lung-net@2.0", folder=shipped, parts=True)


def test_a_damaged_card_is_told_as_such(shipped):
    (shipped / "cxr" / "card.json").write_text("{")
    with pytest.raises(WeightsError, match=r"cxr/card\.json"):
        find_card("cxr", folder=shipped)
    assert [card.id for card in find_cards(folder=shipped)] == ["anomaly"]


def test_weights_speak_with_the_card_beside_them(shipped, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    write_card(replace(CARD, version="7"), own / "card.json")
    with pytest.raises(WeightsError, match="missing"):
        find_card("anomaly", own / "w.safetensors", shipped)
    (own / "w.safetensors").write_bytes(b"")
    assert find_card("anomaly", own / "w.safetensors", shipped).version == "7"
    assert find_card("anomaly@7", own / "w.safetensors", shipped).version == "7"
    for name in ("cxr", "anomaly@1.0"):
        with pytest.raises(WeightsError, match=f"anomaly@7, not of {name}"):
            find_card(name, own / "w.safetensors", shipped)
