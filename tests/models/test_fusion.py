"""Fusion of series and film: published sizes, and what the mechanism promises."""

from dataclasses import replace

import pytest
import torch

from medview.models.fusion import FusionNet, FusionOptions, last_valid

SMALL = FusionOptions(
    columns=5, hidden=16, width=16, heads=2, feed_forward=32, outputs=3, film="features",
    film_features=7,
)  # fmt: skip
BOTH = torch.tensor([[True, True]] * 4)
NO_FILM = torch.tensor([[True, False]] * 4)


def count(part) -> int:
    return sum(p.numel() for p in part.parameters())


def network(**changes) -> FusionNet:
    torch.manual_seed(1)
    return FusionNet(replace(SMALL, **changes)).eval()


def inputs():
    generator = torch.Generator().manual_seed(2)
    return torch.randn(4, 6, 5, generator=generator), torch.randn(4, 7, generator=generator)


def test_golden_parameter_counts():
    net = FusionNet(FusionOptions(outputs=25))
    assert count(net.series.first) == 342_016
    assert count(net.series.second) == 526_336
    assert count(net.project) == 131_328
    assert count(net.transformer) == 1_579_520
    assert count(net.head) == 12_825
    assert count(FusionNet(FusionOptions(film="none")).head) == 513


@pytest.mark.parametrize("fusing", ["attention", "attention-cls", "concat", "lstm"])
@pytest.mark.parametrize("missing", ["zero", "learned", "mask"])
def test_every_way_gives_finite_logits_with_either_input_missing(fusing, missing):
    net = network(fusing=fusing, missing=missing)
    series, film = inputs()
    for present in (BOTH, NO_FILM, NO_FILM.flip(1), NO_FILM & False):
        assert net(series, film, present).isfinite().all()
    assert net(None, None, NO_FILM & False).shape == (4, 3)


def test_swapping_tokens_and_the_halves_of_the_head_changes_nothing():
    net = network()
    tokens = torch.randn(4, 2, 16)
    before = net.fuse(tokens, BOTH)
    weight = net.head.weight.data
    net.head.weight.data = torch.cat([weight[:, 16:], weight[:, :16]], 1)
    assert torch.allclose(net.fuse(tokens.flip(1), BOTH), before, atol=1e-6)


@pytest.mark.parametrize("missing", ["zero", "learned", "mask"])
def test_the_pixels_of_a_missing_film_do_not_matter(missing):
    net = network(missing=missing)
    series, film = inputs()
    without = net(series, film, NO_FILM)
    assert torch.equal(net(series, film * 1e6, NO_FILM), without)
    assert torch.equal(net(series, None, NO_FILM), without)
    assert not torch.allclose(net(series, film, BOTH), without)


def test_a_masked_token_gets_no_attention_and_a_zero_token_some():
    series, film = inputs()
    for missing, share in (("mask", 0.0), ("zero", None)):
        net = network(missing=missing)
        tokens = net.tokens(net.states(series)[:, -1], net.film_token(film), NO_FILM)
        found = net.attention(tokens, NO_FILM)
        assert torch.allclose(found.sum(1), torch.ones(4))
        if share is not None:
            assert torch.allclose(found[:, 1], torch.full((4,), share))
        else:
            assert (found[:, 1] > 0.05).all()


def test_the_state_after_an_hour_does_not_know_later_hours():
    net = network()
    series, _ = inputs()
    later = series.clone()
    later[:, 4:] += 100
    before, after = net.states(series), net.states(later)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_an_hourly_encoder_sees_one_hour_at_a_time():
    net = network(encoder="hourly")
    series, _ = inputs()
    other = series.clone()
    other[:, :3] += 50
    assert torch.equal(net.states(series)[:, 3:], net.states(other)[:, 3:])


def test_hours_after_the_last_valid_one_do_not_matter():
    net = network()
    series, film = inputs()
    lengths = torch.tensor([3, 6, 1, 5])
    padded = series.clone()
    for row, length in enumerate(lengths):
        padded[row, length:] = 7.0
    assert torch.equal(net(series, film, BOTH, lengths), net(padded, film, BOTH, lengths))
    assert torch.equal(last_valid(series, lengths)[2], series[2, 0])


def test_pictures_go_through_the_resnet():
    net = FusionNet(replace(SMALL, film="resnet34", film_features=512)).eval()
    with torch.no_grad():
        found = net(inputs()[0], torch.rand(4, 3, 64, 64), BOTH)
    assert found.isfinite().all()
