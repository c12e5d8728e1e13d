"""Weights and their card: what is loaded is what was saved, and nothing else is."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from throwaway import throwaway_weights

from medview.domain.errors import WeightsError
from medview.io.cards import WEIGHTS, write_card
from medview.io.hashing import file_sha256
from medview.learning.patients import patient_hash
from medview.learning.weights import card_beside, fill, load_anomaly, load_state, save
from medview.models.anomaly_vae import AnomalyVae, VaeOptions

pytestmark = pytest.mark.usefixtures("narrow")


@pytest.fixture
def weights(tmp_path):
    return throwaway_weights(tmp_path)


def put(weights, state):
    """Write another state and let the card know its hash."""
    save_file(state, weights)
    card = replace(card_beside(weights), weights_sha256=file_sha256(weights))
    write_card(card, weights.with_name("card.json"))


def test_what_is_saved_comes_back_rounded_to_half_precision(tmp_path):
    throwaway_weights(tmp_path)
    card = card_beside(tmp_path / WEIGHTS)
    torch.manual_seed(4)
    model = AnomalyVae(VaeOptions(attention=False))
    kept = save(model, card, tmp_path / "new")
    found, read, settings = load_anomaly(tmp_path / "new" / WEIGHTS)
    assert read == kept
    assert kept.weights_sha256 == file_sha256(tmp_path / "new" / WEIGHTS)
    assert settings.samples == 3
    assert not found.training
    for name, value in model.state_dict().items():
        wanted = value.half().float() if value.is_floating_point() else value
        assert torch.equal(found.state_dict()[name].float(), wanted.float())


def test_the_day_of_a_training_stays_with_its_weights(tmp_path, monkeypatch):
    model, card, _ = load_anomaly(throwaway_weights(tmp_path))
    began = datetime.now(UTC).date()
    made = save(model, replace(card, trained_at=""), tmp_path / "new")
    assert began <= date.fromisoformat(made.trained_at) <= datetime.now(UTC).date()
    write_card(replace(made, trained_at="2025-01-02"), tmp_path / "new" / "card.json")
    assert save(model, card, tmp_path / "new").trained_at == "2025-01-02"
    with torch.no_grad():
        next(model.parameters()).add_(1.0)
    assert save(model, card, tmp_path / "new").trained_at == made.trained_at


def test_a_hash_is_that_of_the_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "abc") == wanted


@pytest.mark.parametrize("place", [0, 100, -1])
def test_one_byte_that_differs_is_noticed(weights, place):
    whole = bytearray(weights.read_bytes())
    whole[place] ^= 1
    weights.write_bytes(whole)
    with pytest.raises(WeightsError, match=r"weights\.safetensors: .*SHA-256 differs") as caught:
        load_anomaly(weights)
    assert caught.value.code == "MV-WGT-003"


@pytest.mark.parametrize("text", [b"", b"no tensors", b"\xff" * 200])
def test_a_file_of_something_else_is_refused_even_if_the_card_knows_it(weights, text):
    weights.write_bytes(text)
    card = replace(card_beside(weights), weights_sha256=file_sha256(weights))
    write_card(card, weights.with_name("card.json"))
    with pytest.raises(WeightsError, match="damaged"):
        load_anomaly(weights)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(weights, value):
    state = load_file(weights)
    state["mean_head.bias"][0] = value
    put(weights, state)
    with pytest.raises(WeightsError, match="not finite"):
        load_anomaly(weights)


def test_weights_of_another_network_are_refused_with_what_differs(weights):
    state = load_file(weights)
    state["mean_head.weight"] = state["mean_head.weight"][:, :3].contiguous()
    state["extra"] = torch.zeros(2)
    put(weights, state)
    with pytest.raises(WeightsError, match=r"another network.*extra, mean_head\.weight"):
        load_anomaly(weights)


def test_weights_with_attention_do_not_fit_a_card_without(weights):
    put(weights, AnomalyVae().state_dict())
    with pytest.raises(WeightsError, match="another network"):
        load_anomaly(weights)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".bin", ".pkl", ".npz"])
def test_kinds_of_files_that_can_hold_code_are_not_opened(weights, suffix):
    other = weights.with_suffix(suffix)
    other.write_bytes(weights.read_bytes())
    with pytest.raises(WeightsError, match="program code"):
        load_anomaly(other)


def test_missing_weights_are_told(weights):
    weights.unlink()
    with pytest.raises(WeightsError, match="missing"):
        load_anomaly(weights)


def test_weights_without_a_card_are_refused(weights):
    weights.with_name("card.json").unlink()
    with pytest.raises(WeightsError, match=r"card\.json"):
        load_anomaly(weights)


def test_weights_of_another_model_are_refused(weights):
    card = replace(card_beside(weights), id="cxr", title="Chest film")
    write_card(card, weights.with_name("card.json"))
    with pytest.raises(WeightsError, match="Chest film, not of the anomaly model"):
        load_anomaly(weights)


def test_a_state_that_fits_is_put_in_whole():
    one, other = AnomalyVae(VaeOptions(attention=False)), AnomalyVae(VaeOptions(attention=False))
    fill(one, other.state_dict(), "file")
    assert torch.equal(one.mean_head.weight, other.mean_head.weight)


def test_values_are_read_as_float32(weights):
    state = load_state(weights, card_beside(weights))
    assert {value.dtype for value in state.values()} == {torch.float32}


def test_a_patient_is_named_by_a_hash_only():
    assert patient_hash("IXI012") == patient_hash("IXI012")
    assert patient_hash("IXI012") != patient_hash("IXI013")
    assert len(patient_hash("IXI012")) == 16
    assert "IXI012" not in patient_hash("IXI012")


def test_nothing_half_written_is_left_when_the_card_is_incomplete(weights, tmp_path):
    card = replace(card_beside(weights), limits=())
    with pytest.raises(WeightsError):
        save(AnomalyVae(VaeOptions(attention=False)), card, tmp_path / "new")
    assert not list((tmp_path / "new").glob("*.json"))
