"""The network: what goes where, what it costs, and that nothing but place tells the side."""

from __future__ import annotations

import torch

from medview.learning.region_groups import CLASSES
from medview.models.region_net import RegionNet, RegionOptions, fold, places_of

SMALL = RegionOptions(widths=(8, 8), classes=3, atlas=(4, 4, 4))


def test_the_shipped_network_is_small() -> None:
    network = RegionNet()
    assert network.classes == CLASSES
    assert sum(p.numel() for p in network.parameters()) < 1_500_000


def test_blocks_are_folded_with_the_place_in_the_block_fastest() -> None:
    x = torch.arange(2 * 4 * 4 * 4, dtype=torch.float32).reshape(1, 2, 4, 4, 4)
    folded = fold(x)
    assert folded.shape == (1, 16, 2, 2, 2)
    assert folded[0, :8, 0, 0, 0].tolist() == x[0, 0, :2, :2, :2].flatten().tolist()
    assert folded[0, 8:, 1, 1, 0].tolist() == x[0, 1, 2:, 2:, :2].flatten().tolist()


def test_cells_and_voxels_hold_the_same_logits() -> None:
    network = RegionNet(SMALL).eval()
    x = torch.rand(1, 1, 8, 8, 8)
    cells, voxels = network.cells(x), network(x)
    assert voxels.shape == (1, 3, 8, 8, 8)
    assert torch.equal(cells[0, 1, 2, 3, 5], voxels[0, :, 3, 4, 7])


def test_the_atlas_alone_speaks_before_training() -> None:
    network = RegionNet(SMALL).eval()
    atlas = torch.zeros(3, 4, 4, 4)
    atlas[1, :, :, :2], atlas[2, :, :, 2:] = 50.0, 50.0
    network.start_from(atlas)
    found = network(torch.rand(1, 1, 8, 8, 8)).argmax(1)[0]
    assert (found[:, :, :2] == 1).all()
    assert (found[:, :, 6:] == 2).all()


def test_a_part_with_its_places_meets_the_right_part_of_the_atlas() -> None:
    network = RegionNet(SMALL).eval()
    atlas = torch.randn(3, 4, 4, 4) * 20
    network.start_from(atlas)
    whole = places_of(torch.empty(1, 1, 16, 16, 16))
    part = (slice(None), slice(None), slice(8, 16), slice(0, 8), slice(4, 12))
    found = network.cells(torch.zeros(1, 1, 8, 8, 8), whole[part]).argmax(-1)
    there = network.cells(torch.zeros(1, 1, 16, 16, 16)).argmax(-1)[:, 4:, :4, 2:6]
    assert (found == there).float().mean() > 0.97


def test_chosen_cells_are_answered_as_among_all() -> None:
    network = RegionNet(SMALL).eval()
    network.start_from(torch.randn(3, 4, 4, 4))
    torch.nn.init.normal_(network.head.weight)
    x = torch.rand(2, 1, 8, 8, 8)
    chosen = torch.rand(2, 4, 4, 4) < 0.3
    found = network.cells(x, None, chosen)
    assert found.shape == (int(chosen.sum()), 8, 3)
    assert torch.allclose(found, network.cells(x)[chosen], atol=1e-5)


def test_the_head_tells_the_voxels_of_a_block_apart_by_what_they_show() -> None:
    """Nothing of the levels reaches the answer here; what the block shows still does."""
    network = RegionNet(SMALL).eval()
    torch.nn.init.normal_(network.head.weight)
    with torch.no_grad():
        network.mixed.weight[:, : SMALL.widths[0]] = 0
    x = torch.zeros(1, 1, 8, 8, 8)
    x[0, 0, 2, 2, 2] = 1
    moved = (network(x) - network(torch.zeros_like(x))).abs().amax(1)[0] > 1e-6
    assert moved[2:4, 2:4, 2:4].all()
    assert moved.sum() == 8


def test_a_gradient_reaches_every_weight() -> None:
    network = RegionNet(SMALL)
    network(torch.rand(1, 1, 8, 8, 8)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
