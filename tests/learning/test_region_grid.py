"""The box round the brain: through patient space, whatever way the volume lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from oblique import oblique
from phantoms import MARK_LPS, ORIENTATIONS, geometry_of, phantom_on

from medview.domain.errors import ModelInputError
from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.learning.region_grid import (
    SHAPE,
    STEP_MM,
    Boxed,
    box_round,
    boxed,
    evened,
    labels_in,
    look_up,
    taken_to,
)
from medview.learning.upright import mean_head


def test_a_mask_smaller_than_a_voxel_of_the_box_is_no_brain() -> None:
    geometry = geometry_of("LPS", (24, 32, 28), (0.5, 0.5, 0.5))
    mask = np.zeros(geometry.shape, dtype=bool)
    mask[13, 15:17, 13] = True
    with pytest.raises(ModelInputError, match="no brain was found"):
        boxed(Volume(np.arange(mask.size).reshape(mask.shape), geometry), mask)


def test_the_box_grows_to_head_posterior_and_left() -> None:
    box = box_round(np.zeros(3), geometry_of())
    assert box.shape == SHAPE
    step = box.to_mm((1, 1, 1)) - box.to_mm((0, 0, 0))
    assert step.tolist() == [STEP_MM, STEP_MM, STEP_MM]
    assert np.abs(box.centre_mm).max() <= max(geometry_of().spacing_mm)


def test_two_millimetre_volumes_are_not_interpolated() -> None:
    source = geometry_of("RAS", (90, 110, 84), (2.0, 2.0, 2.0))
    values = np.random.default_rng(0).random(source.shape).astype(np.float32)
    box = box_round(source.centre_mm, source)
    found = taken_to(values, source, box)
    known = np.sort(values.ravel())
    some = found[found > 0.01][::97]
    nearest = known[np.clip(np.searchsorted(known, some), 1, len(known) - 1)]
    assert np.abs(nearest - some).max() < 1e-3
    assert found[found > 0].std() == pytest.approx(values.std(), rel=0.02)


@pytest.mark.parametrize("off_mm", [0.0, 0.6, 0.999999, 1.000001])
def test_the_box_lies_the_same_in_the_patient_however_the_volume_is_stored(off_mm: float) -> None:
    """With 80 voxels of 2 mm round a voxel, a box edge lies half way between two: a tie."""
    boxes = {
        tuple(np.round(box_round(np.full(3, off_mm), _cube(code)).affine[:3, 3], 6))
        for code in ORIENTATIONS
    }
    assert len(boxes) == 1
    (corner,) = boxes
    nearest = np.abs(np.array(corner) + (np.array(SHAPE[::-1]) - 1) - off_mm)
    assert nearest.max() <= 1 + 0.02 * STEP_MM


def _cube(code: str) -> Geometry:
    return geometry_of(code, (90, 90, 90), (2.0, 2.0, 2.0), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("code", ORIENTATIONS[::7])
def test_a_mark_lies_where_it_was_in_any_orientation(code: str) -> None:
    source = geometry_of(code)
    volume = phantom_on(source)
    box = box_round(np.zeros(3), source)
    found = taken_to(volume.array.astype(np.float32), source, box)
    middle = box.to_mm(np.argwhere(found > 700)).mean(axis=0)
    assert np.abs(middle - MARK_LPS).max() < 3.0


def test_a_mark_lies_where_it_was_on_an_oblique_grid() -> None:
    source = oblique(shape=(32, 40, 48), spacing_mm=(2.5, 3.0, 2.0))
    volume = phantom_on(source)
    box = box_round(np.zeros(3), source)
    found = taken_to(volume.array.astype(np.float32), source, box)
    middle = box.to_mm(np.argwhere(found > 700)).mean(axis=0)
    assert np.abs(middle - MARK_LPS).max() < 1.5


def test_fine_volumes_are_averaged_not_picked() -> None:
    source = Geometry((80, 80, 80), np.diag([0.5, 0.5, 0.5, 1.0])[[2, 1, 0, 3]])
    noise = np.random.default_rng(0).normal(0, 1, source.shape).astype(np.float32)
    found = taken_to(noise, source, box_round(source.centre_mm, source))
    assert found[found != 0].std() < 0.4


def test_labels_keep_their_numbers_and_nothing_lies_outside() -> None:
    source = geometry_of("LPS", (20, 20, 20), (2.0, 2.0, 2.0))
    labels = np.full(source.shape, 7, dtype=np.uint8)
    found = labels_in(labels, source, box_round(source.centre_mm, source))
    assert set(np.unique(found)) == {0, 7}
    assert (found == 7).sum() == labels.size


def test_the_way_back_gives_every_voxel_its_own_place() -> None:
    source = geometry_of("SAR")
    box = box_round(np.zeros(3), source)
    height = torch.from_numpy(box.to_mm(np.indices(SHAPE).reshape(3, -1).T)[:, 2].astype("f4"))
    found = look_up(height.reshape(1, *SHAPE), box, source)[0].numpy()
    place = source.to_mm(np.moveaxis(np.indices(source.shape), 0, -1))
    inside = (np.abs(place) < 60).all(axis=-1)
    assert np.abs(found[inside] - place[inside][:, 2]).max() < 1e-3


def test_brightness_is_evened_out() -> None:
    rng = np.random.default_rng(0)
    tissue = rng.choice([0.3, 0.7, 1.0], SHAPE).astype(np.float32)
    z = np.linspace(0.5, 1.5, SHAPE[0], dtype=np.float32)[:, None, None]
    found = evened(tissue * z, np.ones(SHAPE, np.bool_))
    white = [found[k][tissue[k] == 1.0].mean() for k in (15, 40, 65)]
    assert z[65, 0, 0] / z[15, 0, 0] > 1.8
    assert max(white) / min(white) < 1.1
    assert found.max() <= 1.5


@pytest.mark.parametrize("degrees", [0.0, 20.0])
def test_a_head_whose_header_is_turned_is_boxed_as_the_same_head_upright(degrees: float) -> None:
    """The voxels stay; a box that knew the header alone would show another head."""
    found = _boxed_head(degrees)
    upright = _boxed_head(0.0)
    assert found.pose is not None
    assert found.pose.degrees == pytest.approx(degrees, abs=1)
    assert found.pose.is_turned == (degrees > 0)
    alike = np.corrcoef(found.shown.ravel(), upright.shown.ravel())[0, 1]
    assert alike > 0.97
    turn = found.geometry.affine[:3, :3] / STEP_MM
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.degrees(np.arccos(turn[2, 0])) == pytest.approx(degrees, abs=1)


def _boxed_head(degrees: float) -> Boxed:
    """The mean head at 4 mm with a header that is turned about the axis to left, in the box."""
    values = np.pad(mean_head(), 4)
    volume = Volume(values, geometry_of("LPS", values.shape, (4.0, 4.0, 4.0)))
    turn, angle = np.eye(4), np.deg2rad(degrees)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    geometry = replace(volume.geometry, affine=turn @ volume.geometry.affine)
    return boxed(replace(volume, geometry=geometry), values > 0.4)
