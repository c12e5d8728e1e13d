"""Attention over positions: what a softmax must be, and the quick ways against the plain one."""

import pytest
import torch
from torch.nn import functional as F

from medview.models.blocks import SpatialAttention, attend


def qkv(width, positions=50, keys=20, batch=2, heads=3):
    torch.manual_seed(0)
    query = 2 * torch.randn(batch, heads, positions, width)
    return query, 2 * torch.randn(batch, heads, keys, width), torch.randn(batch, heads, keys, width)


def by_hand(query, key, value):
    return torch.softmax(query @ key.transpose(2, 3) / query.shape[-1] ** 0.5, -1) @ value


def block(width=16, heads=4, pool=1, gain=1.0):
    torch.manual_seed(1)
    made = SpatialAttention(width, heads, pool).eval()
    torch.nn.init.constant_(made.gain, gain)
    return made


def test_two_positions_attend_to_each_other_as_worked_out_by_hand():
    query = torch.tensor([[[[1.0], [0.0]]]])
    key = torch.tensor([[[[0.0], [2.0]]]])
    value = torch.tensor([[[[10.0], [20.0]]]])
    # Scores (0, 2) and (0, 0); e^2 = 7.389056.
    wanted = torch.tensor([[[[(10 + 7.389056 * 20) / 8.389056], [15.0]]]])
    with torch.no_grad():
        torch.testing.assert_close(attend(query, key, value), wanted)


@pytest.mark.parametrize("width", [1, 4, 7, 8, 12, 16, 32])
def test_every_head_width_gives_the_softmax_as_it_is_written(width):
    with torch.no_grad():
        found = attend(*qkv(width))
    torch.testing.assert_close(found, by_hand(*qkv(width)), atol=1e-5, rtol=0)


def test_narrow_heads_give_the_same_whether_scores_fit_the_cache_or_not(monkeypatch):
    monkeypatch.setattr("medview.models.blocks._SCORES_AT_ONCE", 3 * 20 * 7)  # 7 of 50 positions
    with torch.no_grad():
        found = attend(*qkv(4))
    torch.testing.assert_close(found, by_hand(*qkv(4)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("width", [4, 8])
def test_scores_beyond_what_a_float_can_raise_e_to_do_no_harm(width):
    query, key, value = qkv(width)
    with torch.no_grad():
        found = attend(100 * query, key, value)
    torch.testing.assert_close(found, by_hand(100 * query, key, value), atol=1e-4, rtol=0)


@pytest.mark.parametrize("width", [4, 8, 16])
def test_half_precision_comes_back_as_half_precision(width):
    half = [part.bfloat16() for part in qkv(width)]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = attend(*half)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(
        found.float(), by_hand(*[p.float() for p in half]), atol=0.02, rtol=0
    )


@pytest.mark.parametrize("width", [4, 8])
def test_training_takes_a_way_that_has_a_gradient(width):
    query, key, value = (part.requires_grad_() for part in qkv(width))
    attend(query, key, value).square().sum().backward()
    given = query.grad, key.grad, value.grad
    plain = [part.detach().requires_grad_() for part in (query, key, value)]
    by_hand(*plain).square().sum().backward()
    for one, other in zip(given, plain, strict=True):
        torch.testing.assert_close(one, other.grad, atol=1e-3, rtol=1e-3)


def test_rows_of_each_head_sum_to_one():
    rows = block().weights(torch.randn(2, 16, 5, 6))
    assert rows.shape == (2, 4, 30, 30)
    torch.testing.assert_close(rows.sum(-1), torch.ones(2, 4, 30))


def test_each_head_has_its_share_of_the_width():
    query, key, value = block(width=16, heads=4)._projections(torch.randn(1, 16, 5, 6))
    assert query.shape == key.shape == value.shape == (1, 4, 30, 4)


def test_pooling_leaves_all_positions_but_fewer_keys():
    rows = block(pool=2).weights(torch.randn(1, 16, 4, 6))
    assert rows.shape == (1, 4, 24, 6)


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="not a multiple"):
        SpatialAttention(10, heads=4)


def test_a_fresh_block_passes_its_input_through():
    x = torch.randn(1, 16, 4, 4)
    assert torch.equal(block(gain=0.0)(x), x)


def test_a_block_that_is_off_passes_its_input_through():
    x, one = torch.randn(1, 16, 4, 4), block()
    one.on = False
    assert torch.equal(one(x), x)


def test_attention_does_not_know_where_things_are_and_moves_with_them():
    x, one = torch.randn(1, 16, 4, 4), block()
    with torch.no_grad():
        torch.testing.assert_close(one(x.flip(3)), one(x).flip(3), atol=1e-5, rtol=0)


def test_the_block_is_its_input_plus_gain_times_what_the_heads_bring_together():
    x, one = torch.randn(2, 16, 4, 6), block(gain=0.5)
    with torch.no_grad():
        heads = by_hand(*one._projections(x)).transpose(2, 3).reshape(x.shape)
        wanted = x + 0.5 * F.conv2d(heads, one.out.weight, one.out.bias)
        torch.testing.assert_close(one(x), wanted, atol=1e-5, rtol=0)
