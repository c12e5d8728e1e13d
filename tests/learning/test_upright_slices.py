"""A head that lies turned is cut upright, and every voxel comes back to its place."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nearness import assert_near
from phantoms import ORIENTATIONS, geometry_of, positions
from scipy.ndimage import affine_transform, zoom
from scipy.spatial.transform import Rotation

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.learning import normal_cases, upright_slices
from medview.learning.brain import prepare
from medview.learning.subset import TrainCase
from medview.learning.upright import Pose, mean_head, pose_of
from medview.learning.upright_slices import Upright, WayBack, cut_upright, upright_notes

STEP_MM = 3.0


def head(code="LPS", **turned):
    """The mean head in voxels of 3 mm, its voxels turned, and its brain."""
    values = np.pad(zoom(mean_head(), 4 / STEP_MM, order=1), 8)
    degrees = [turned.get(name, 0) for name in ("yaw", "roll", "pitch")]
    turn = Rotation.from_euler("zyx", degrees, degrees=True).as_matrix()[::-1, ::-1]
    middle = (np.array(values.shape) - 1) / 2
    values = affine_transform(values, turn.T, middle - turn.T @ middle, order=1)
    grown = geometry_of(code, values.shape, (STEP_MM,) * 3)
    world = Volume(values.astype(np.float32), geometry_of("LPS", values.shape, (STEP_MM,) * 3))
    places = world.geometry.to_index(positions(grown) - grown.centre_mm + world.geometry.centre_mm)
    index = np.rint(places).astype(int)
    ok = ((index >= 0) & (index < values.shape)).all(axis=-1)
    array = np.where(ok, world.array[tuple(np.where(ok[..., None], index, 0).T)].T, 0)
    volume = Volume(array.astype(np.float32), grown)
    return volume, prepare(volume, array > 0.4)


@pytest.fixture(scope="module")
def turned():
    return head(pitch=14, yaw=6)


@pytest.fixture(scope="module")
def upright(turned):
    return cut_upright(*turned)


def alike(one, other):
    inside = (one > 0) | (other > 0)
    return np.corrcoef(one[inside], other[inside])[0, 1]


def middle_slice(prepared):
    return prepared.slices[prepared.scored[len(prepared.scored) // 2]]


def test_a_turned_head_is_cut_as_one_that_lies_straight(turned, upright):
    wanted = middle_slice(head()[1])
    assert upright.degrees == pytest.approx(15.2, abs=1)
    assert alike(middle_slice(upright.prepared), wanted) > 0.97
    assert alike(middle_slice(turned[1]), wanted) < 0.9
    assert f"by {upright.degrees:.0f} degrees" in upright.steps[0]


def test_what_lies_straight_is_left_as_it_is():
    assert cut_upright(*head(pitch=2)) is None


def test_a_head_in_slices_of_6_mm_is_cut_upright_by_the_same_turn(turned, upright):
    volume, prepared = turned
    count = len(volume.array) // 2
    geometry = volume.geometry
    affine = geometry.affine.copy()
    affine[:3, 3] += affine[:3, 0] / 2
    affine[:3, 0] *= 2
    pairs = volume.array[: 2 * count].reshape(count, 2, *volume.array.shape[1:])
    thick = Volume(
        pairs.mean(axis=1), replace(geometry, shape=(count, *geometry.shape[1:]), affine=affine)
    )
    lying = prepare(thick, prepared.mask[: 2 * count : 2])
    found = cut_upright(thick, lying)
    assert found.degrees == pytest.approx(upright.degrees, abs=1.5)
    wanted = middle_slice(head()[1])
    assert alike(middle_slice(found.prepared), wanted) > 0.85 > alike(middle_slice(lying), wanted)


def test_thick_slices_and_parts_of_a_brain_are_left_as_they_are(turned):
    volume, prepared = turned
    affine = volume.geometry.affine.copy()
    affine[:, 0] *= 2.4
    thick = replace(volume, geometry=replace(volume.geometry, affine=affine))
    assert cut_upright(thick, prepared) is None
    half = prepared.mask.copy()
    middle = half.shape[0] // 2
    part = Volume(volume.array[:middle], replace(volume.geometry, shape=(middle, *half.shape[1:])))
    assert cut_upright(part, replace(prepared, mask=half[:middle])) is None


@pytest.mark.parametrize(
    ("degrees", "alike", "is_cut"), [(20, 0.4, False), (45, 0.9, False), (20, 0.9, True)]
)
def test_a_head_of_which_nothing_is_known_is_left(monkeypatch, turned, degrees, alike, is_cut):
    pose = Pose(np.eye(3), degrees, alike)
    monkeypatch.setattr(upright_slices, "pose_in_slices", lambda *_: pose)
    assert (cut_upright(*turned) is not None) is is_cut


def test_only_a_head_further_off_than_any_measured_is_in_doubt(upright):
    assert upright_notes(upright) == ()
    (note,) = upright_notes(replace(upright, degrees=31.0))
    assert note.code == "OUTSIDE_TRAINING"
    assert "turned by 31 degrees" in note.text


def places(stack: Geometry):
    """LPS mm of every voxel of a stack, as three channels."""
    return np.moveaxis(stack.to_mm(np.moveaxis(np.indices(stack.shape), 0, -1)), -1, 0)


def lies(monkeypatch, **turned):
    """Heads are said to lie so, without a look at them."""
    degrees = [turned.get(name, 0) for name in ("yaw", "roll", "pitch")]
    turn = Rotation.from_euler("zyx", degrees, degrees=True)
    pose = Pose(turn.as_matrix(), np.degrees(turn.magnitude()), 0.9)
    monkeypatch.setattr(upright_slices, "pose_in_slices", lambda *_: pose)


@pytest.mark.parametrize("code", ORIENTATIONS[::12])
def test_every_voxel_comes_back_to_its_place(code, monkeypatch):
    lies(monkeypatch, pitch=12, roll=6, yaw=-8)
    volume, prepared = head(code)
    found = cut_upright(volume, prepared)
    heights = np.arange(len(found.prepared.slices))
    back = WayBack(found, prepared, heights)
    rows = back.add(slice(0, len(heights)), places(found.stack).astype(np.float32))
    assert rows.tolist() == list(range(len(prepared.scored)))
    told = back.slices(rows)
    wanted = places(prepared.grid.stack(found.source))[:, prepared.scored]
    brain = prepared.brain[prepared.scored]
    assert_near(told[:, brain], wanted[:, brain], within=0.05)


def told_in_blocks(upright: Upright, prepared, size):
    heights = upright.prepared.scored
    back, values = WayBack(upright, prepared, heights), upright.prepared.slices[heights][None]
    found = {}
    for first in range(0, len(heights), size):
        here = slice(first, first + size)
        rows = back.add(here, values[:, here])
        if rows.size:
            found |= dict(zip(rows.tolist(), back.slices(rows)[0], strict=True))
    return found


def test_slices_come_back_as_soon_as_they_are_whole_and_once(turned, upright):
    _, prepared = turned
    at_once, bit_by_bit = (told_in_blocks(upright, prepared, size) for size in (1000, 4))
    assert list(at_once) == list(range(len(prepared.scored)))
    assert sorted(bit_by_bit) == list(at_once)
    for row, picture in at_once.items():
        inside = prepared.brain[prepared.scored[row]]
        assert_near(bit_by_bit[row][inside], picture[inside], within=1e-4)
    middle = len(prepared.scored) // 2
    assert alike(at_once[middle], middle_slice(prepared)) > 0.97


def test_nothing_is_told_before_anything_has_come(turned, upright):
    back = WayBack(upright, turned[1], upright.prepared.scored)
    with pytest.raises(ValueError, match="nothing has come"):
        back.slices(np.array([0]))


def test_one_slice_needs_only_those_that_cross_it(turned, upright):
    _, prepared = turned
    height = prepared.scored[len(prepared.scored) // 2]
    brain = np.zeros_like(prepared.brain)
    brain[height] = prepared.brain[height]
    few = upright.asked_for(replace(prepared, brain=brain))
    assert 3 < len(few) < len(upright.prepared.scored) / 2
    assert np.isin(few, upright.prepared.scored).all()


def test_values_that_are_missing_are_no_brain(turned, monkeypatch):
    lies(monkeypatch, pitch=14)
    volume, prepared = turned
    array = np.array(volume.array)
    middle = tuple(np.argwhere(prepared.mask).mean(axis=0).astype(int))
    here = tuple(slice(n - 3, n + 4) for n in middle)
    array[here] = np.nan
    holed = cut_upright(replace(volume, array=array), prepared)
    whole = cut_upright(volume, prepared)
    assert whole.prepared.mask.sum() - holed.prepared.mask.sum() == pytest.approx(343, rel=0.2)
    assert np.isfinite(holed.prepared.slices).all()


@pytest.fixture
def learnt_from(monkeypatch):
    """The brains that are learnt from, of a head that lies as told."""

    def brains(*, both, **lies):
        volume, prepared = head(**lies)
        monkeypatch.setattr(normal_cases, "read_image", lambda *_: volume)
        monkeypatch.setattr(normal_cases, "brain_of", lambda *_: prepared.mask)
        monkeypatch.setattr(normal_cases, "prepare_case", lambda *_, **__: None)
        case = TrainCase("one", "one", {"t1": Path("t1.nii")}, "t1", label=0)
        return normal_cases.load_normal(case, turned=both).brains

    return brains


def degrees(brain):
    """By how much a brain that is learnt from lies turned."""
    return pose_of(brain.values[0, 0].numpy(), brain.step_mm[0]).degrees


def test_a_turned_head_is_learnt_from_as_it_lies_and_upright(learnt_from):
    lying = learnt_from(both=False, pitch=14, yaw=6)
    both = learnt_from(both=True, pitch=14, yaw=6)
    assert len(both) == 2 * len(lying)
    assert all((one.values == other.values).all() for one, other in zip(both, lying, strict=False))
    assert min(degrees(brain) for brain in lying) > 13
    assert max(degrees(brain) for brain in both[len(lying) :]) < 2


def test_what_lies_straight_is_learnt_from_as_it_lies_alone(learnt_from):
    assert len(learnt_from(both=True)) == len(learnt_from(both=False))
