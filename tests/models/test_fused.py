"""The network rearranged for running gives the answers of the network."""

import pytest
import torch
from torch import nn
from vae_draws import draw, lively

from medview.models.anomaly_vae import LATENT, AnomalyVae, VaeOptions
from medview.models.fused import FusedVae


def trained_looking(options):
    model = lively(options)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1, 0.2)
            nn.init.normal_(part.bias)
    return model


@pytest.mark.parametrize("options", [VaeOptions(), VaeOptions(attention=False, aleatoric=False)])
def test_pictures_variances_and_codes_are_the_same(options):
    model = trained_looking(options)
    x, z = torch.rand(2, 1, 128, 128), torch.randn(3, LATENT)
    fused = FusedVae(model)
    with torch.inference_mode():
        for plain, quick in (
            *zip(model.encode(x), fused.encode(x), strict=True),
            *zip(model.decode(z), fused.decode(z), strict=True),
        ):
            torch.testing.assert_close(quick, plain, atol=2e-5, rtol=1e-5)


def test_no_batch_norm_is_left_and_the_model_keeps_its_own():
    model = trained_looking(VaeOptions())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fused = FusedVae(model)
    assert not [part for part in fused.modules() if isinstance(part, nn.BatchNorm2d)]
    assert len([part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]) == 8
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_it_draws_like_the_model_it_was_made_of():
    model = trained_looking(VaeOptions(attention=False))
    x, noise = torch.rand(2, 1, 128, 128), torch.randn(3, 2, LATENT)
    with torch.inference_mode():
        plain, quick = draw(model, x, noise), draw(FusedVae(model), x, noise)
    torch.testing.assert_close(quick.mean, plain.mean, atol=1e-5, rtol=0)
    torch.testing.assert_close(quick.epistemic, plain.epistemic, atol=1e-5, rtol=0)


def test_a_network_in_training_cannot_be_rearranged():
    with pytest.raises(AssertionError):
        FusedVae(AnomalyVae(VaeOptions(attention=False)).train())
