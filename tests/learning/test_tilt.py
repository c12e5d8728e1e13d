"""A head that is turned in its slices is told; what the header says of them is not asked."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from phantoms import ORIENTATIONS, geometry_of
from scipy.ndimage import affine_transform

from medview.domain.volume import Volume
from medview.learning import tilt
from medview.learning.tilt import MOST_DEG, straight, tilt_notes
from medview.learning.upright import Pose, mean_head


def about_left(degrees: float) -> np.ndarray:
    """A turn (3, 3) of array directions (k, j, i) about the axis to left."""
    turn, angle = np.eye(3), np.deg2rad(degrees)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn


def head(tilted: float, header: float = 0.0) -> Volume:
    """The mean head at 4 mm, its voxels and its header turned."""
    values, turn = np.pad(mean_head(), 4), about_left(tilted)
    middle = (np.array(values.shape) - 1) / 2
    values = affine_transform(values, turn, middle - turn @ middle, order=1)
    geometry = geometry_of("LPS", values.shape, (4.0, 4.0, 4.0))
    affine = geometry.affine.copy()
    affine[1:3, :3] = about_left(header)[:2, :2] @ affine[1:3, :3]
    return Volume(values.astype(np.float32), replace(geometry, affine=affine))


@pytest.mark.parametrize(
    ("tilted", "header", "is_told"), [(MOST_DEG + 7, 0.0, True), (6.0, 0.0, False), (0, 30, False)]
)
def test_a_head_far_off_its_slices_is_in_doubt(tilted: float, header: float, is_told: bool) -> None:
    volume = head(tilted, header)
    notes = tilt_notes(volume, np.asarray(volume.array) > 0.4)
    assert [note.code for note in notes] == ["OUTSIDE_TRAINING"] * is_told
    if is_told:
        assert f"{tilted:.0f} degrees" in notes[0].text or f"{tilted - 1:.0f}" in notes[0].text


@pytest.mark.parametrize("tilted", [0.0, 25.0])
def test_inverted_grey_values_are_told_as_that_and_not_as_a_turn(tilted: float) -> None:
    upright = head(tilted)
    mask = np.asarray(upright.array) > 0.4
    inverted = np.where(mask, np.asarray(upright.array).max() + 0.1 - upright.array, 0)
    (note,) = tilt_notes(replace(upright, array=inverted.astype(np.float32)), mask)
    assert "the grey values are inverted, or it is no T1" in note.text


def test_how_the_last_heads_lie_is_asked_once_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(tilt, "_LAST", {})
    box = SimpleNamespace(shown=None, outside_mm=None)
    monkeypatch.setattr(tilt, "lying", lambda volume, mask: box)
    monkeypatch.setattr(tilt, "alike_within", lambda *given: 0.5)
    pose = Pose(np.eye(3), 0.0, 0.9)
    monkeypatch.setattr(
        tilt, "pose_of", lambda *given: asked.append(given) or replace(pose, degrees=len(asked))
    )
    geometry = geometry_of("LPS", (4, 5, 6), (4.0, 4.0, 4.0))
    one = Volume(np.arange(120.0).reshape(4, 5, 6), geometry)
    mask = one.array > 60
    others = (
        (replace(one, array=one.array + 1), mask),
        (one, one.array > 61),
        (replace(one, geometry=geometry_of("RPS", (4, 5, 6), (4.0, 4.0, 4.0))), mask),
        (replace(one, array=one.array.astype(np.float32)), mask),
    )
    assert [tilt.pose_in_slices(*given).degrees for given in ((one, mask), *others)] == [
        1,
        2,
        3,
        4,
        5,
    ]
    again = replace(one, array=one.array.copy()), mask.copy()
    assert [tilt.pose_in_slices(*given).degrees for given in (again, *others)] == [1, 2, 3, 4, 5]
    for n in range(tilt._MOST_KEPT):
        tilt.pose_in_slices(replace(one, array=one.array - 1 - n), mask)
    assert len(tilt._LAST) == tilt._MOST_KEPT
    assert tilt.pose_in_slices(one, mask).degrees == 6 + tilt._MOST_KEPT


def test_of_a_few_voxels_of_brain_nothing_is_told_and_nothing_breaks() -> None:
    geometry = geometry_of("LPS", (24, 32, 28), (0.5, 0.5, 0.5))
    mask = np.zeros(geometry.shape, dtype=bool)
    mask[13, 15:17, 13] = True
    assert tilt_notes(Volume(np.arange(mask.size).reshape(mask.shape), geometry), mask) == ()


@pytest.mark.parametrize("code", ORIENTATIONS[::5])
def test_a_straight_grid_keeps_its_axes_and_a_turned_one_gets_the_nearest(code: str) -> None:
    geometry = geometry_of(code)
    assert np.allclose(straight(geometry).affine, geometry.affine)
    turn = np.eye(4)
    turn[:3, :3] = about_left(25.0)
    tilted = replace(geometry, affine=turn @ geometry.affine)
    found = straight(tilted)
    assert np.allclose(found.affine[:3, :3], geometry.affine[:3, :3])
    assert found.axis_of == geometry.axis_of


def half(volume: Volume, axis: int) -> Volume:
    """What lies on one side of the middle along an axis of the array."""
    n = volume.array.shape[axis] // 2
    array = np.take(volume.array, range(n), axis=axis)
    return replace(volume, array=array, geometry=replace(volume.geometry, shape=array.shape))


@pytest.mark.parametrize("axis", [1, 2])
def test_how_half_a_head_lies_cannot_be_told(axis: int) -> None:
    volume = half(head(0.0), axis)
    (note,) = tilt_notes(volume, np.asarray(volume.array) > 0.4)
    assert note.text == (
        "the brain seems not to be whole in this volume, it ends at its edge; "
        "how the head lies in its slices cannot be told"
    )


def test_slices_of_the_lower_half_of_a_head_are_not_called_turned(monkeypatch) -> None:
    volume = half(head(0.0), 0)
    mask = np.asarray(volume.array) > 0.4
    for degrees, count in ((93.0, 1), (MOST_DEG - 1, 0)):
        pose = Pose(np.eye(3), degrees, 0.6)
        monkeypatch.setattr(tilt, "pose_in_slices", lambda *_, pose=pose: pose)
        notes = tilt_notes(volume, mask)
        assert len(notes) == count
        assert all("degrees" not in note.text for note in notes)
