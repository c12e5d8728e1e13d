"""From a volume to a region map: left stays left, volumes add up, odd weights are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from phantoms import geometry_of
from region_heads import MM, labelled_head, people

from medview.domain.errors import WeightsError
from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.learning import regions
from medview.learning.region_age import VolumeError, fit_age
from medview.learning.region_augment import atlas_of
from medview.learning.region_card import Trained, make_card
from medview.learning.region_cases import LabelledHead
from medview.learning.region_grid import boxed
from medview.learning.region_groups import REGIONS
from medview.learning.region_measure import dice_of
from medview.learning.region_trainer import RegionRecipe
from medview.learning.regions import class_shares, find_regions, load_region_model
from medview.learning.weights import save
from medview.models.region_net import RegionNet, RegionOptions

SMALL = RegionOptions(widths=(8, 8))
NUMBERS = {region.title: region.number for region in REGIONS}


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> LabelledHead:
    return labelled_head(Path(tmp_path_factory.mktemp("head")))


@pytest.fixture(scope="module")
def network(head: LabelledHead) -> RegionNet:
    """A network that knows the atlas of the head and nothing else."""
    torch.manual_seed(0)
    made = RegionNet(SMALL)
    made.start_from(atlas_of([head.for_training()]))
    return made.eval()


@pytest.fixture
def one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head is shown at one place of the blocks only: half the time, the same geometry."""
    monkeypatch.setattr(regions, "_STEPS", (0,))


@pytest.fixture(scope="module")
def shares(head: LabelledHead, network: RegionNet) -> torch.Tensor:
    """Probabilities of the classes in the head, shown at one place of the blocks only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "_STEPS", (0,))
        return class_shares(network, head.box)


@pytest.fixture(scope="module")
def plain(head: LabelledHead, network: RegionNet, shares: torch.Tensor) -> regions.Regions:
    """The regions of the head by these probabilities."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "class_shares", lambda *asked: shares)
        return find_regions(head.volume, network, head.box)


def _seen_from(volume: Volume, code: str) -> Volume:
    """The same head stored toward other letters."""
    old = volume.geometry
    grid = geometry_of(code, old.shape, (MM, MM, MM))
    sizes = [old.shape[axis] for axis in old.axis_of]
    axes = grid.axis_of
    shape = [0, 0, 0]
    for world, axis in enumerate(axes):
        shape[axis] = sizes[world]
    grid = geometry_of(code, (shape[0], shape[1], shape[2]), (MM, MM, MM), tuple(old.centre_mm))
    index = np.rint(old.to_index(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))))
    k, j, i = np.moveaxis(index.astype(int), -1, 0)
    return Volume(volume.array[k, j, i], grid, modality="MR")


def _middle(found: np.ndarray, geometry: Geometry, title: str) -> np.ndarray:
    return geometry.to_mm(np.argwhere(found == NUMBERS[title])).mean(axis=0)


@pytest.mark.parametrize("code", ["PSR", "AIL"])
def test_left_stays_left_however_the_volume_is_stored(
    head: LabelledHead,
    network: RegionNet,
    plain: regions.Regions,
    code: str,
    one_step: None,
) -> None:
    volume = _seen_from(head.volume, code)
    found = find_regions(volume, network)
    for side, sign in (("left", 1), ("right", -1)):
        for name in ("white matter", "frontal grey", "occipital grey"):
            assert sign * _middle(found.map, volume.geometry, f"{name} {side}")[0] > 2
    assert _middle(found.map, volume.geometry, "frontal grey left")[1] < -5
    assert found.map.shape == volume.array.shape == found.seen.shape
    assert np.allclose(found.box.geometry.affine, plain.box.geometry.affine)
    assert np.allclose(found.ml, plain.ml, rtol=1e-3, atol=1e-3)


def test_zeros_added_round_a_head_change_nothing_that_the_network_sees(head: LabelledHead) -> None:
    wider = ((7, 0), (2, 20), (0, 9))
    array = np.pad(np.asarray(head.volume.array), wider)
    affine = head.volume.geometry.affine.copy()
    affine[:3, 3] = head.volume.geometry.to_mm((-7.0, -2.0, 0.0))
    added = boxed(Volume(array, Geometry(array.shape, affine), modality="MR"))
    assert np.allclose(added.geometry.affine, head.box.geometry.affine)
    assert np.allclose(added.shown, head.box.shown, atol=1e-5)


def test_shares_add_up_and_do_not_know_a_better_side(
    head: LabelledHead, network: RegionNet, shares: torch.Tensor, one_step: None
) -> None:
    assert (shares.sum(0) - 1).abs().max() < 1e-5
    mirror = replace(
        head.box,
        values=np.ascontiguousarray(head.box.values[:, :, ::-1]),
        outside_mm=np.ascontiguousarray(head.box.outside_mm[:, :, ::-1]),
    )
    turned = class_shares(network, mirror)
    left, right = NUMBERS["frontal grey left"], NUMBERS["frontal grey right"]
    assert torch.allclose(turned[right].flip(2), shares[left], atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_place_of_a_voxel_in_its_block_counts_for_nothing(
    head: LabelledHead, axis: int
) -> None:
    def by_place(x: torch.Tensor) -> torch.Tensor:
        """Says brain stem in one half of each block and nothing in the other."""
        sides = [-1 if n == axis else 1 for n in range(3)]
        first = (torch.arange(x.shape[2 + axis]) % 2 == 0).reshape(sides)
        logits = torch.full((1, len(REGIONS) + 1, *x.shape[2:]), -50.0)
        logits[0, NUMBERS["brain stem"]] = torch.where(first, 50.0, -50.0)
        logits[0, 0] = -logits[0, NUMBERS["brain stem"]]
        return logits

    shares = class_shares(cast(RegionNet, by_place), head.box)[NUMBERS["brain stem"]]
    assert torch.allclose(shares, torch.full_like(shares, 0.5), atol=1e-5)


def test_a_moved_head_is_answered_where_it_lies(head: LabelledHead) -> None:
    def by_value(x: torch.Tensor) -> torch.Tensor:
        brain_stem = NUMBERS["brain stem"]
        logits = torch.full((1, len(REGIONS) + 1, *x.shape[2:]), -50.0)
        logits[0, brain_stem] = torch.where(x[0, 0] > 0.5, 50.0, -50.0)
        logits[0, 0] = -logits[0, brain_stem]
        return logits

    shares = class_shares(cast(RegionNet, by_value), head.box)
    shown = torch.from_numpy(head.box.shown > 0.5).float()
    assert 0 < shown.mean() < 1
    assert torch.allclose(shares[NUMBERS["brain stem"]], shown, atol=1e-5)


def test_volumes_are_sums_of_probabilities_in_ml(
    head: LabelledHead, plain: regions.Regions, shares: torch.Tensor
) -> None:
    found = plain
    left = NUMBERS["white matter left"]
    assert found.ml[left - 1] == pytest.approx(float(shares[left].sum()) * 0.008, rel=1e-4)
    assert found.ml[left - 1] == pytest.approx(head.ml[left - 1], rel=0.1)
    assert found.icv_ml == pytest.approx(head.ml.sum(), rel=0.15)
    assert dice_of(found.map, head.regions)[left - 1] > 0.8


def test_dice_is_one_zero_or_unknown() -> None:
    true = np.array([1, 1, 2, 255], dtype=np.uint8)
    dice = dice_of(np.array([1, 1, 3, 9], dtype=np.uint8), true)
    assert dice[0] == 1.0
    assert dice[1] == 0.0
    assert np.isnan(dice[5])
    assert np.isnan(dice[8])


def test_weights_come_back_with_their_age_model(network: RegionNet, tmp_path: Path) -> None:
    ml, ages = people(40)
    age = fit_age(ml, ages, VolumeError.none())
    card = make_card(Trained([], [], None, RegionRecipe(), SMALL), age, [])
    save(network, replace(card, licence="none"), tmp_path)
    model = load_region_model(tmp_path / "weights.safetensors")
    assert model.age == age
    assert model.card.inputs == ()
    for name, value in model.network.state_dict().items():
        assert torch.allclose(value.float(), network.state_dict()[name].float(), atol=2e-2), name


def test_foreign_weights_are_refused(network: RegionNet, tmp_path: Path) -> None:
    card = make_card(Trained([], [], None, RegionRecipe(), SMALL), None, [])
    save(network, replace(card, id="anomaly", licence="none"), tmp_path)
    with pytest.raises(WeightsError, match="not of the region network"):
        load_region_model(tmp_path / "weights.safetensors")
    broken = replace(card, licence="none", settings={**card.settings, "network": {"widths": 3}})
    save(network, broken, tmp_path)
    with pytest.raises(WeightsError, match="settings that this program cannot use"):
        load_region_model(tmp_path / "weights.safetensors")
