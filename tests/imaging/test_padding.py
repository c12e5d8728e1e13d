"""Padding becomes background before a model runs, and nothing else changes."""

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.volume import Volume
from medview.imaging.padding import without_padding


def volume_of(values, **fields):
    array = np.asarray(values).reshape(1, 1, -1)
    return Volume(array, geometry_of("LPS", array.shape, (1, 1, 1)), **fields)


@pytest.mark.parametrize("ends", [(-3024, -2000), (-2000, -3024)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_padding_of_a_ct_becomes_air(dtype, ends):
    given = volume_of(np.array([-3024, -2000, -20, 40], dtype), padding=ends)
    found = without_padding(Volume(given.array, given.geometry, "HU", padding=given.padding))
    assert found.array.ravel().tolist() == [-1000, -1000, -20, 40]
    assert found.array.dtype == dtype
    assert found.padding is None
    assert given.array.ravel().tolist() == [-3024, -2000, -20, 40]


@pytest.mark.parametrize(("inverted", "background"), [(False, 12), (True, 900)])
def test_elsewhere_padding_becomes_what_is_shown_darkest(inverted, background):
    given = volume_of(np.int16([4095, 12, 900]), padding=(4095, 4095), inverted=inverted)
    assert without_padding(given).array.ravel().tolist() == [background, 12, 900]


def test_values_that_are_no_numbers_do_not_become_background():
    given = volume_of(np.float32([-9, np.nan, 5, 7]), padding=(-9, -9))
    assert without_padding(given).array.ravel()[0] == 5


def test_a_volume_without_padding_is_left_as_it_is():
    given = volume_of(np.int16([1, 2]))
    assert without_padding(given) is given
    assert without_padding(volume_of(np.int16([0, 0]), padding=(0, 0))).array.max() == 0
