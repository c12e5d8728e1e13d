"""One value out of a block of pixels."""

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from medview.imaging import coarse
from medview.imaging.coarse import coarser

SHAPES = st.tuples(st.just(1), st.integers(1, 23), st.integers(1, 23))


def blocks(plane, step):
    """Every block of a plane with its place, as far as it lies on the plane."""
    for row in range(0, plane.shape[0], step):
        for column in range(0, plane.shape[1], step):
            yield (
                (row // step, column // step),
                plane[row : row + step, column : column + step],
            )


@given(arrays.arrays(np.int16, SHAPES), st.sampled_from([1, 2, 4, 8]))
def test_whole_numbers_are_averaged_within_a_unit(array, step):
    found = coarser(array, 0, step)
    assert found.dtype == array.dtype
    assert found.shape == (-(-array.shape[1] // step), -(-array.shape[2] // step))
    for place, block in blocks(array[0], step):
        if block.shape == (step, step):
            assert found[place] == pytest.approx(
                block.mean(dtype=float), abs=0.5 * step.bit_length()
            )
        assert block.min() <= found[place] <= block.max()


@given(
    arrays.arrays(np.float32, SHAPES, elements=st.floats(-1000, 1000, width=32)),
    st.sampled_from([2, 4, 8]),
)
def test_values_that_are_all_known_are_averaged(array, step):
    found = coarser(array, 0, step)
    assert found.dtype == np.float32
    for place, block in blocks(array[0], step):
        if block.shape == (step, step):
            assert found[place] == pytest.approx(block.mean(dtype=float), abs=1e-2)
        assert block.min() - 1e-2 <= found[place] <= block.max() + 1e-2


def test_coarser_planes_are_no_brighter():
    array = np.random.default_rng(0).integers(0, 200, (1, 512, 512)).astype(np.int16)
    assert coarser(array, 0, 8).mean() == pytest.approx(array.mean(), abs=0.1)


@given(arrays.arrays(np.uint8, SHAPES, elements=st.integers(0, 5)), st.sampled_from([2, 4, 8]))
def test_nothing_of_a_mask_is_lost(array, step):
    found = coarser(array, 0, step, highest=True)
    for place, block in blocks(array[0], step):
        assert found[place] == block.max()


def test_a_mask_of_truth_values_stays_one():
    array = np.zeros((1, 9, 9), bool)
    array[0, 8, 8] = True
    found = coarser(array, 0, 4, highest=True)
    assert found.dtype == bool
    assert found.tolist() == [[False] * 3, [False] * 3, [False, False, True]]


def test_what_is_not_known_does_not_count():
    array = np.array([[[1, np.nan, 7, 9], [3, 5, 1, 3]], [[np.nan] * 4] * 2], np.float32)[:1]
    array = np.concatenate([array, np.full_like(array, np.nan)], axis=1)
    found = coarser(array, 0, 2)
    assert found[0].tolist() == [3, 5]
    assert np.isnan(found[1]).all()


def test_colours_are_averaged_each_for_itself():
    array = np.zeros((1, 4, 4, 3), np.uint8)
    array[0, :2, :2] = (200, 100, 0)
    array[0, 0, 0] = (0, 100, 255)
    assert coarser(array, 0, 2)[0, 0].tolist() == [150, 100, 64]


def test_a_plane_done_in_pieces_is_as_if_done_at_once(monkeypatch):
    array = np.random.default_rng(2).integers(0, 4096, (1, 37, 41), dtype=np.uint16)
    whole = coarser(array, 0, 4)
    monkeypatch.setattr(coarse, "_AT_ONCE", 3 * 41)
    assert np.array_equal(coarser(array.copy(), 0, 4), whole)


def test_it_is_made_once_and_kept_as_long_as_the_array():
    array = np.ones((1, 16, 16), np.int16)
    gc.collect()  # what other tests have left
    before = len(coarse._kept)
    assert coarser(array, 0, 4) is coarser(array, 0, 4)
    assert coarser(array, 0, 4, highest=True) is not coarser(array, 0, 4)
    assert np.array_equal(coarser(array, 0, 1), array[0])
    assert len(coarse._kept) == before + 2
    del array
    gc.collect()
    assert len(coarse._kept) == before


def test_of_a_stack_the_slice_asked_for_last_is_kept():
    array = np.arange(3 * 8 * 8, dtype=np.int16).reshape(3, 8, 8)
    first = coarser(array, 0, 2)
    other = coarser(array, 2, 4)
    assert other[0, 0] == pytest.approx(array[2, :4, :4].mean(), abs=1)
    assert np.array_equal(coarser(array, 0, 2), first)
    assert coarser(array, 0, 2) is coarser(array, 0, 2)
    assert len(coarse._kept[id(array), False][1]) == 1
