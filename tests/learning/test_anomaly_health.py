"""Collapse by name: of the code, of the uncertainty, of attention."""

import numpy as np
import pytest
import torch

from medview.learning.anomaly_health import attention_entropy, health, health_words
from medview.learning.anomaly_trainer import first_model
from medview.models.anomaly_vae import LATENT, VaeOptions

pytestmark = pytest.mark.usefixtures("narrow")


@pytest.fixture
def slices():
    """Three slices and their masks, (3, 1, 128, 128) each."""
    dice = torch.Generator().manual_seed(0)
    mask = torch.zeros(3, 1, 128, 128)
    mask[:, :, 20:100, 30:90] = 1
    return torch.rand(mask.shape, generator=dice) * mask, mask


def test_collapses_are_named():
    good = {"active_units": 30.0, "epistemic": 1e-4, "attention_entropy": 0.8}
    bad = {"active_units": 0.0, "epistemic": 0.0, "attention_entropy": 1.0}
    assert all(one["ok"] and not one["text"] for one in health_words(good))
    told = {one["name"]: one["text"] for one in health_words(bad)}
    assert "KL collapse" in told["active_units"]
    assert "uncertainty collapse" in told["epistemic"]
    assert "attention collapse" in told["attention_entropy"]
    assert health_words({}) == []


def test_a_network_without_attention_has_no_attention_collapse():
    told = health_words({"attention_entropy": float("nan")})
    assert [one["ok"] for one in told] == [True]


def test_health_of_a_code_that_ignores_the_picture(slices):
    model = first_model(VaeOptions(attention=False)).eval()
    torch.nn.init.zeros_(model.to_mean.weight)
    figures = health(model, *slices)
    assert figures["active_units"] == 0
    assert np.isnan(figures["attention_entropy"])
    with torch.no_grad():
        torch.nn.init.normal_(model.to_mean.weight, std=10.0)
    assert health(model, *slices)["active_units"] > LATENT / 2


def test_even_attention_has_entropy_one():
    model = first_model(VaeOptions()).eval()
    x = torch.rand(1, 1, 128, 128)
    assert attention_entropy(model, x) < 1
    for name, value in model.named_parameters():
        if ".query." in name:
            torch.nn.init.zeros_(value)
    assert attention_entropy(model, x) == pytest.approx(1, abs=1e-5)


def test_a_deterministic_code_has_no_spread_and_no_epistemic_variance(slices):
    model = first_model(VaeOptions(attention=False, deterministic=True)).eval()
    with torch.no_grad():
        assert model.encode(slices[0])[1].max() == -20
    usual = first_model(VaeOptions(attention=False)).eval()
    fixed, spread = (health(each, *slices)["epistemic"] for each in (model, usual))
    assert fixed < 1e-13
    # How far draws of untrained weights part depends on the weights; never as little as rounding.
    assert spread > 1e4 * fixed
