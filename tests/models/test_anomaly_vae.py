"""The Bayesian VAE: shapes, limits, and what the draws mean."""

import pytest
import torch
from torch import nn
from vae_draws import draw, lively

from medview.models.anomaly_vae import LATENT, AnomalyVae, VaeOptions
from medview.models.blocks import SpatialAttention
from medview.models.losses import gaussian_nll, kl_standard_normal

PARAMETERS = 14_345_830
"""Of the network as it ships: 12.6 million of them between the last map and the latent code."""


@pytest.fixture(scope="module")
def model():
    return lively()


@pytest.fixture(scope="module")
def x():
    return torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(3))


def noise(samples, batch):
    return torch.randn(samples, batch, LATENT, generator=torch.Generator().manual_seed(5))


def test_the_encoder_halves_the_picture_four_times_while_channels_grow(model, x):
    seen, hidden = [], x
    for part in model.encoder:
        hidden = part(hidden)
        if isinstance(part, nn.Sequential):
            seen.append(tuple(hidden.shape[1:]))
    assert seen == [(32, 64, 64), (64, 32, 32), (128, 16, 16), (256, 8, 8)]


def test_the_decoder_goes_back_up_to_128(model):
    hidden, seen = model.from_latent(torch.zeros(1, LATENT)), []
    for part in model.decoder:
        hidden = part(hidden)
        if isinstance(part, nn.Sequential):
            seen.append(tuple(hidden.shape[1:]))
    assert seen == [(128, 16, 16), (64, 32, 32), (32, 64, 64), (32, 128, 128)]


def test_attention_has_eight_heads_after_layers_two_and_four_down_one_and_three_up(model):
    def order(parts):
        kinds = [type(p) for p in parts if isinstance(p, nn.Sequential | SpatialAttention)]
        return "".join("A" if kind is SpatialAttention else "c" for kind in kinds)

    assert (order(model.encoder), order(model.decoder)) == ("ccAccA", "cAccAc")
    blocks = [p for p in model.modules() if isinstance(p, SpatialAttention)]
    assert [b.query.out_channels // b.heads for b in blocks] == [8, 32, 16, 4]


def test_the_number_of_parameters_is_known(model):
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS


def test_without_attention_all_four_blocks_are_gone():
    bare = AnomalyVae(VaeOptions(attention=False))
    assert not [p for p in bare.modules() if isinstance(p, SpatialAttention)]
    assert bare.costly_attention() == ()


def test_the_costly_attention_is_that_of_1024_and_4096_positions(model, x):
    positions = []
    hooks = [
        part.register_forward_hook(lambda part, given, out: positions.append(out.shape[2:].numel()))
        for part in model.costly_attention()
    ]
    with torch.no_grad():
        model.decode(model.encode(x)[0])
    for hook in hooks:
        hook.remove()
    assert positions == [1024, 4096]


def test_pictures_are_in_0_to_1_and_of_the_size_of_the_input(model, x):
    with torch.no_grad():
        picture, s, mean, log_variance = model(x, noise(1, 2)[0])
    assert picture.shape == s.shape == x.shape
    assert mean.shape == log_variance.shape == (2, LATENT)
    assert picture.min() >= 0
    assert picture.max() <= 1


@pytest.mark.parametrize(("bias", "limit"), [(1e6, 20.0), (-1e6, -7.0)])
def test_the_predicted_log_variance_stays_within_its_limits(bias, limit):
    model = lively(VaeOptions(attention=False))
    nn.init.constant_(model.log_variance_head.bias, bias)
    _, s = model.decode(torch.zeros(1, LATENT))
    assert s.unique().tolist() == [limit]


@pytest.mark.parametrize(("bias", "limit"), [(1e6, 20.0), (-1e6, -20.0)])
def test_the_latent_log_variance_stays_within_its_limits(bias, limit, x):
    model = lively(VaeOptions(attention=False))
    nn.init.constant_(model.to_log_variance.bias, bias)
    assert model.encode(x)[1].unique().tolist() == [limit]


def test_without_the_aleatoric_half_the_variance_is_the_same_everywhere():
    model = lively(VaeOptions(attention=False, aleatoric=False))
    _, s = model.decode(noise(1, 2)[0])
    assert s.unique().tolist() == [-7.0]


def test_one_draw_has_no_epistemic_variance(model, x):
    with torch.no_grad():
        assert draw(model, x, noise(1, 2)).epistemic.max() == 0


def test_draws_without_spread_have_no_epistemic_variance(x):
    model = lively(VaeOptions(attention=False))
    nn.init.constant_(model.to_log_variance.bias, -1e6)  # sigma = e^-10
    with torch.no_grad():
        assert draw(model, x, noise(5, 2)).epistemic.max() < 1e-12
        nn.init.constant_(model.to_log_variance.bias, 0)
        assert draw(model, x, noise(5, 2)).epistemic.mean() > 1e-8


def test_draws_are_the_mean_and_variances_of_single_passes(model, x):
    eps = noise(3, 2)
    with torch.no_grad():
        found = draw(model, x, eps)
        passes = [model(x, one)[:2] for one in eps]
    pictures = torch.stack([picture for picture, _ in passes])
    torch.testing.assert_close(found.mean, pictures.mean(0), atol=1e-5, rtol=0)
    spread = ((pictures - pictures.mean(0)) ** 2).sum(0) / 3
    torch.testing.assert_close(found.epistemic, spread, atol=1e-5, rtol=0)
    aleatoric = torch.stack([s.exp() for _, s in passes]).mean(0)
    torch.testing.assert_close(found.aleatoric, aleatoric, atol=1e-4, rtol=1e-4)


def test_the_loss_is_finite_and_its_gradient_reaches_every_parameter(x):
    model = lively().train()
    picture, s, mean, log_variance = model(x, noise(1, 2)[0])
    weight = torch.ones_like(x)
    loss = gaussian_nll(x, picture, s, weight) + kl_standard_normal(mean, log_variance).mean()
    loss.backward()
    assert torch.isfinite(loss)
    # A constant added to all keys changes no softmax, so their bias cannot matter.
    asleep = {n for n, p in model.named_parameters() if p.grad is None or p.grad.abs().max() == 0}
    assert {name for name in asleep if not name.endswith("key.bias")} == set()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_four_slices_can_be_learnt_by_heart():
    torch.manual_seed(0)
    rows = torch.linspace(0, 1, 128).reshape(1, 128, 1).expand(1, 128, 128)
    slices = torch.stack([rows, rows.flip(1), rows.transpose(1, 2), 0.5 * rows])
    model = AnomalyVae(VaeOptions(attention=False))
    nn.init.constant_(model.to_log_variance.bias, -6.0)
    optimiser = torch.optim.Adam(model.parameters(), 2e-4)
    for _ in range(14):
        picture, *_ = model(slices, torch.randn(4, LATENT))
        loss = nn.functional.mse_loss(picture, slices)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    apart = ((picture[:, None] - slices[None]) ** 2).mean((2, 3, 4))  # (learnt, shown)
    assert apart.argmin(1).tolist() == [0, 1, 2, 3]
    assert apart.diagonal().max().sqrt() < 0.2  # from 0.32
