"""Missing slices are made of their neighbours before a model runs, and nothing else changes."""

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.volume import Volume
from medview.imaging.gaps import without_gaps


def volume_of(values, missing, dtype=np.int16):
    array = np.asarray(values, dtype).reshape(-1, 1, 1)
    return Volume(array, geometry_of("LPS", array.shape, (1, 1, 1)), missing_slices=missing)


@pytest.mark.parametrize(
    ("values", "missing", "found"),
    [
        ([10, 0, 20], (1,), [10, 15, 20]),
        ([10, 0, 0, 40], (1, 2), [10, 20, 30, 40]),
        ([5, 10, 0, 0, 40], (2, 3), [5, 10, 20, 30, 40]),
        ([0, 7, 9, 0], (0, 3), [7, 7, 9, 9]),
        ([0, 0, 5], (0, 1), [5, 5, 5]),
        ([3, 0, 4], (1,), [3, 4, 4]),
    ],
)
def test_missing_slices_go_over_from_one_neighbour_to_the_other(values, missing, found):
    given = volume_of(values, missing)
    bridged = without_gaps(given)
    assert bridged.array.ravel().tolist() == found
    assert (bridged.array.dtype, bridged.missing_slices) == (np.int16, missing)
    assert given.array.ravel().tolist() == values


def test_fractions_are_kept_in_real_values_and_large_ones_do_not_run_over():
    assert without_gaps(volume_of([1, 0, 2], (1,), np.float32)).array[1].item() == 1.5
    assert without_gaps(volume_of([65535, 0, 65535], (1,), np.uint16)).array[1].item() == 65535


@pytest.mark.parametrize("missing", [(), (0, 1, 2), (7,)])
def test_a_volume_without_gaps_or_without_any_slice_is_left_as_it_is(missing):
    given = volume_of([1, 2, 3], missing)
    assert without_gaps(given) is given
