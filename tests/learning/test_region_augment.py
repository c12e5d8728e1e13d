"""Varied training parts: image and labels stay together, and a mirrored left is a right."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from region_heads import training_case

from medview.learning.region_augment import (
    FLOOR,
    WHOLE,
    RegionAugmentation,
    RegionCase,
    atlas_of,
    random_part,
    varied,
)
from medview.learning.region_cases import _outward
from medview.learning.region_grid import SHAPE
from medview.learning.region_groups import REGIONS

PLAIN = RegionAugmentation(**{f.name: 0.0 for f in fields(RegionAugmentation)})
NUMBERS = {region.title: region.number for region in REGIONS}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> RegionCase:
    return training_case(Path(tmp_path_factory.mktemp("head")))


def test_without_strength_the_box_comes_back(case: RegionCase) -> None:
    values, regions = varied(case, PLAIN, np.random.default_rng(0))
    assert torch.equal(regions, case.regions.long())
    near = case.soft[1] <= 4
    assert torch.allclose(values[0][near], case.soft[0][near], atol=1e-4)


def test_a_part_is_cut_out_of_the_whole(case: RegionCase) -> None:
    rng = np.random.default_rng(3)
    part = random_part((40, 56, 40), rng)
    assert all(s.start % 2 == 0 and s.stop <= n for s, n in zip(part, SHAPE, strict=True))
    _, whole = varied(case, PLAIN, np.random.default_rng(0), WHOLE)
    _, cut = varied(case, PLAIN, np.random.default_rng(0), part)
    assert torch.equal(cut, whole[part])


def test_a_mirrored_head_keeps_its_sides(case: RegionCase) -> None:
    """The larger ventricle, left in the head, is the right one in its mirror image."""
    mirror = replace(PLAIN, mirror_share=1.0)
    _, plain = varied(case, PLAIN, np.random.default_rng(0))
    _, turned = varied(case, mirror, np.random.default_rng(0))
    left, right = NUMBERS["lateral ventricle left"], NUMBERS["lateral ventricle right"]
    assert (plain == left).sum() > 1.3 * (plain == right).sum()
    assert (turned == right).sum() == (plain == left).sum()
    # The patient's left is where columns grow to, in the mirror image as well.
    for regions in (plain, turned):
        columns = torch.arange(SHAPE[2])[None, None].expand(SHAPE)
        white = NUMBERS["white matter left"]
        assert (
            columns[regions == white].float().mean()
            > columns[regions == white - 1].float().mean() + 10
        )


def test_image_and_labels_move_together(case: RegionCase) -> None:
    how = RegionAugmentation(
        gamma=0, bias_field=0, noise=0, blur_share=0, thick_share=0, stripped_share=0
    )
    values, regions = varied(case, how, np.random.default_rng(5))
    white, fluid = NUMBERS["white matter left"], NUMBERS["fluid round the brain"]
    assert not torch.equal(regions, case.regions.long())
    assert values[0][regions == white].mean() > values[0][regions == fluid].mean() + 0.3


def test_ventricles_grow_and_shrink_with_their_surroundings(case: RegionCase) -> None:
    wide = replace(PLAIN, ventricles_mm=6.0)
    numbers = torch.tensor([r.number for r in REGIONS if "ventricle" in r.name])
    sizes, grey = [], []
    for seed in range(6):
        values, regions = varied(case, wide, np.random.default_rng(seed))
        within = torch.isin(regions, numbers)
        sizes.append(int(within.sum()))
        grey.append(float(values[0][within].mean()))
    usual = int(torch.isin(case.regions.long(), numbers).sum())
    assert min(sizes) < usual < 1.4 * usual < max(sizes)
    # What is called ventricle still looks like one.
    assert max(grey) < 0.5
    far = case.regions == NUMBERS["fluid round the brain"]
    assert float(case.outward[:, far].norm(dim=0).max()) < 0.3


def test_a_head_without_ventricles_has_nothing_to_grow() -> None:
    assert not _outward(np.zeros((4, 4, 4), dtype=np.uint8)).any()


def test_each_kind_of_tissue_changes_its_brightness_as_one(case: RegionCase) -> None:
    tinted = replace(PLAIN, tissue=0.2)
    values, _ = varied(case, tinted, np.random.default_rng(1))
    plain, _ = varied(case, PLAIN, np.random.default_rng(1))
    moved = (values - plain)[0]

    def inner(name: str) -> torch.Tensor:
        """Where all neighbours are of the region, too."""
        here = (case.regions == NUMBERS[name]).float()[None, None]
        return moved[-torch.nn.functional.max_pool3d(-here, 3, 1, 1)[0, 0] > 0]

    frontal, occipital = inner("frontal grey left"), inner("occipital grey left")
    white = inner("white matter left")
    assert abs(frontal.median() - occipital.median()) < 0.01
    assert abs(frontal.median() - white.median()) > 0.05


def test_a_seed_gives_the_same_part(case: RegionCase) -> None:
    one, two = (varied(case, RegionAugmentation(), np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])


def test_the_atlas_is_even_and_says_what_is_where(case: RegionCase) -> None:
    shares = atlas_of([case]).exp()
    assert shares.shape == (len(REGIONS) + 1, *(n // 2 for n in SHAPE))
    assert (shares.sum(0) - 1).abs().max() < (len(REGIONS) + 1) * FLOOR
    assert shares[0, 0, 0, 0] > 0.99
    left, right = NUMBERS["white matter left"], NUMBERS["white matter right"]
    assert torch.allclose(shares[left], shares[right].flip(2), atol=1e-5)
