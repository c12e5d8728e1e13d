"""Finding the brain and bringing it to the model's slices."""

import numpy as np
import pytest
from phantoms import geometry_of, positions

from medview.domain.errors import ModelInputError, WeightsError
from medview.domain.volume import Volume
from medview.learning import brain
from medview.learning.brain import (
    SMALLEST_SLICE_PX,
    clean,
    find_brain,
    largest_region,
    middle_of,
    network_mask,
    normalise,
    otsu_threshold,
    prepare,
    slice_brain,
)


def head(dice):
    """A slice (160, 160): a bright ring for the scalp, a dark gap for the skull, a brain."""
    y, x = np.mgrid[-80:80, -80:80]
    radius = np.hypot(x, y)
    picture = np.select([radius < 45, radius < 55, radius < 62], [180.0, 15.0, 150.0], 5.0)
    return (picture + dice.normal(0, 5, picture.shape)).astype(np.float32), radius


def test_the_threshold_lies_between_two_heaps_of_values():
    dice = np.random.default_rng(0)
    dark, bright = dice.normal(20, 5, 5000), dice.normal(200, 20, 3000)
    threshold = otsu_threshold(np.concatenate([dark, bright]).astype(np.float32))
    assert (dark < threshold).mean() > 0.99
    assert (bright > threshold).all()


def test_of_two_values_the_threshold_tells_one_from_the_other():
    picture = np.array([[0, 0, 10], [10, 0, 10]], dtype=np.float32)
    assert 0 < otsu_threshold(picture) < 10


@pytest.mark.filterwarnings("error")
def test_one_value_alone_gives_a_threshold_without_a_warning():
    assert np.isfinite(otsu_threshold(np.full((4, 4), 7.0, np.float32)))


def test_the_brain_of_a_slice_is_found_inside_its_skull():
    picture, radius = head(np.random.default_rng(1))
    found = slice_brain(picture)
    assert found[radius < 40].mean() > 0.98
    assert not found[radius > 56].any()


def canonical_ball(centre=(14, 20, 16), shape=(32, 40, 36), radius=10):
    """A ball in canonical order, off the middle in every direction."""
    place = np.indices(shape) - np.reshape(centre, (3, 1, 1, 1))
    return (np.sqrt((place**2).sum(axis=0)) <= radius).astype(np.float32)


def mri(code="LPS", radius=10, **fields):
    """A ball of brain in a thin skull, in any orientation, 4 mm; brain about 270 ml."""
    grid = geometry_of(code, shape=(32, 32, 32), spacing_mm=(4.0, 4.0, 4.0))
    away = np.linalg.norm(positions(grid), axis=-1) / 4
    texture = np.random.default_rng(0).normal(0, 3, away.shape)
    array = np.select(
        [away < radius, away < radius + 3, away < radius + 4], [120 + texture, 10, 90]
    )
    return Volume(array.astype(np.int16), grid, **fields)


@pytest.fixture
def sees_bright(monkeypatch):
    """A network that takes the bright half of what it is shown for the brain."""
    shown = []

    def network():
        def answer(x):
            shown.append(x[0, 0].numpy())
            return (x > 0.7).float()

        return answer

    monkeypatch.setattr(brain, "_mask_network", network)
    return shown


def test_only_the_largest_region_is_kept():
    mask = np.array([[1, 1, 0, 1], [1, 0, 0, 1]], bool)
    assert largest_region(mask).tolist() == [
        [True, True, False, False],
        [True, False, False, False],
    ]
    assert not largest_region(np.zeros((2, 2), bool)).any()


def test_intensity_runs_from_the_2nd_to_the_98th_percentile_by_hand():
    head = np.arange(0, 10_001, dtype=np.float32).reshape(1, 73, 137)
    mask = np.ones(head.shape, bool)
    mask[0, 0, :5] = False
    scaled = normalise(head, mask)
    assert scaled.min() == 0
    assert scaled.max() == pytest.approx((10_000 - 200) / 9_600 / 1.5, abs=0.002)
    assert scaled.ravel()[5_000] == pytest.approx(4_800 / 9_600 / 1.5, abs=0.002)
    assert scaled[~mask].tolist() == [0] * 5


def test_intensity_does_not_care_for_gain_and_offset():
    head = np.random.default_rng(0).normal(100, 20, (4, 30, 30)).astype(np.float32)
    mask = np.ones(head.shape, bool)
    assert normalise(3 * head + 70, mask) == pytest.approx(normalise(head, mask), abs=1e-4)


def test_the_middle_is_that_of_the_bounding_box():
    mask = np.zeros((3, 10, 12), bool)
    mask[1, 2:7, 3:5] = True
    assert middle_of(mask) == (4.0, 3.5)


def test_the_network_is_shown_right_anterior_head_and_answers_where_it_saw(sees_bright):
    head = canonical_ball()
    found = network_mask(head)
    (seen,) = sees_bright
    # (head, posterior, left) of 32 x 40 x 36 becomes (right, anterior, head) of 128 cubed.
    centre = np.array(np.nonzero(seen > 0.5)).mean(axis=1)
    wanted = np.array([(35 - 16 + 0.5) / 36, (39 - 20 + 0.5) / 40, (14 + 0.5) / 32]) * 128
    assert centre == pytest.approx(wanted, abs=1)
    assert found.shape == head.shape
    overlap = 2 * (found & (head > 0)).sum() / (found.sum() + head.sum())
    assert overlap > 0.95


def test_holes_in_the_brain_are_brain(sees_bright):
    head = canonical_ball()
    head[14, 20, 16] = head[12, 18, 14] = 0
    found = network_mask(head)
    assert found[14, 20, 16]
    assert found[12, 18, 14]


def test_a_volume_without_skull_is_told_from_one_with(sees_bright):
    with_skull, _ = find_brain(np.maximum(canonical_ball(), 0.3 * canonical_ball(radius=14)), 0.064)
    bare, stripped = find_brain(canonical_ball(), 0.064)
    assert stripped
    assert np.array_equal(bare, canonical_ball() > 0)
    assert not find_brain(np.maximum(canonical_ball(), 0.3 * canonical_ball(radius=14)), 0.064)[1]
    assert with_skull.sum() < 1.2 * bare.sum()


def test_a_bare_brain_at_the_edge_of_its_grid_keeps_its_edge(sees_bright):
    head = canonical_ball(centre=(4, 20, 16))
    found, stripped = find_brain(head, 0.1)
    assert stripped
    assert np.array_equal(found, head > 0)


@pytest.mark.parametrize(
    ("litres", "rim", "bare"), [(1.5, 11.5, True), (2.5, 11.5, False), (1.5, 12.5, False)]
)
def test_a_bare_brain_is_told_where_the_network_misses_a_part_of_it(sees_bright, litres, rim, bare):
    """Whether it is one is told by its size and by how much of it was found."""
    head = np.maximum(canonical_ball(), 0.3 * canonical_ball(radius=rim))
    found, stripped = find_brain(head, 1000 * litres / (head > 0).sum())
    assert stripped == bare
    assert np.array_equal(found, head > 0) == bare


@pytest.mark.parametrize("skull", [True, False])
def test_zeros_added_round_a_volume_change_nothing_of_its_brain(sees_bright, skull):
    texture = np.random.default_rng(2).uniform(0.6, 1, (32, 40, 36)).astype(np.float32)
    head = canonical_ball() * texture
    head = np.maximum(head, 0.3 * canonical_ball(radius=14)) if skull else head
    plain, stripped = find_brain(head, 0.064)
    assert stripped != skull
    wider = ((9, 2), (0, 31), (5, 0))
    added, same = find_brain(np.pad(head, wider), 0.064)
    assert same == stripped
    assert np.array_equal(added, np.pad(plain, wider))
    # What the network is shown is the same to the last bit, so a real one answers the same.
    assert np.array_equal(sees_bright[0], sees_bright[1])


def test_something_smaller_than_a_brain_is_none(sees_bright):
    with pytest.raises(ModelInputError, match="no brain was found"):
        find_brain(canonical_ball(radius=6), 0.064)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((8, 9, 10, 3), np.uint8), "colour"),
        (np.full((8, 9, 10), np.nan, np.float32), "NaN"),
        (np.full((8, 9, 10), np.inf, np.float32), "NaN"),
        (np.full((8, 9, 10), 7, np.int16), "the same"),
    ],
)
def test_what_holds_no_image_is_refused_in_a_sentence(array, says):
    with pytest.raises(ModelInputError, match=says) as caught:
        clean(Volume(array, geometry_of(shape=(8, 9, 10))))
    assert caught.value.do


def test_an_empty_mask_that_came_with_the_data_is_refused():
    volume = mri()
    with pytest.raises(ModelInputError, match="no brain"):
        clean(volume, np.zeros(volume.array.shape, bool))


@pytest.mark.parametrize("code", ["LPS", "RAI", "PIR", "LIA"])
def test_a_given_mask_is_taken_as_it_is_on_any_grid(code):
    volume = mri(code)
    inside = volume.array > 100
    found = prepare(volume, inside)
    assert np.array_equal(found.mask, inside)
    assert "given with the data" in found.steps[1]
    assert not found.skull_stripped


@pytest.mark.parametrize("code", ["LPS", "RAI", "PIR", "LIA"])
def test_prepared_slices_are_the_same_however_the_volume_is_stored(code):
    plain, other = (prepare(v, v.array > 100) for v in (mri(), mri(code)))
    # Texture is drawn in array order; shape and place are what is compared.
    assert np.array_equal(plain.brain, other.brain)
    assert abs(plain.slices - other.slices).mean() < 0.06


def test_prepared_slices_lie_in_0_to_1_and_are_0_outside_the_brain():
    found = prepare(mri(), mri().array > 100)
    assert found.slices.shape == found.brain.shape == (32, 128, 128)
    assert found.slices.dtype == np.float32
    assert (found.slices.min(), found.slices.max() <= 1) == (0, True)
    assert not found.slices[~found.brain].any()
    assert len(found.steps) == 4


def test_slices_with_little_brain_are_not_scored_unless_there_are_no_others():
    found = prepare(mri(), mri().array > 100)
    area = found.brain.sum(axis=(1, 2))
    assert found.scored.tolist() == np.flatnonzero(area > SMALLEST_SLICE_PX).tolist()
    assert 0 < len(found.scored) < np.count_nonzero(area)
    small = mri(radius=2)
    few = prepare(small, small.array > 100)
    assert few.scored.tolist() == np.flatnonzero(few.brain.sum(axis=(1, 2))).tolist()


def test_model_slices_come_back_to_the_grid_of_the_volume():
    found = prepare(mri("PIR"), mri("PIR").array > 100)
    back = found.on_grid(found.brain[found.scored].astype(np.float32)) > 0.5
    assert back.shape == found.mask.shape
    overlap = 2 * (back & found.mask).sum() / (back.sum() + found.mask.sum())
    assert overlap > 0.85  # the lowest and highest slices are not scored


def test_lost_values_count_as_nothing_when_the_brain_is_sought(sees_bright):
    volume = mri()
    array = volume.array.astype(np.float32)
    array[0, 0, 0], array[0, 0, 1] = np.nan, np.inf
    found = clean(Volume(array, volume.geometry))
    assert np.isfinite(found.values).all()
    assert found.mask.any()


def test_damaged_weights_of_the_mask_are_told(monkeypatch, tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"nothing")
    monkeypatch.setattr(brain, "resource", lambda *parts: tmp_path / parts[-1])
    with pytest.raises(WeightsError, match="brain mask"):
        brain._mask_network.__wrapped__()


def test_the_shipped_network_finds_the_head_phantom_without_its_skull():
    volume = mri(radius=12)
    found = prepare(volume)
    ball = volume.array > 100
    assert 2 * (found.mask & ball).sum() / (found.mask.sum() + ball.sum()) > 0.8
    assert not found.skull_stripped
    assert "built-in network" in found.steps[1]
