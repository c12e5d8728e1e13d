"""Stored values become those of a volume: exactly, in as few bytes as hold them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medview.io.values import as_volume_values, notes_on

WHOLE = st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.int32, np.bool_])


@settings(max_examples=60)
@given(
    WHOLE.flatmap(lambda kind: hnp.arrays(kind, (2, 2, 2))),
    st.integers(-8, 8),
    st.integers(-3000, 3000),
)
def test_whole_numbers_are_exact_where_16_bits_hold_them_and_floats_elsewhere(
    stored, slope, intercept
):
    values = as_volume_values(stored, float(slope), float(intercept))
    exact = stored.astype(np.int64) * slope + intercept
    if exact.min() >= -32768 and exact.max() <= 32767:
        assert values.dtype == np.int16
        assert np.array_equal(values, exact)
    else:
        assert values.dtype == np.float32
        assert np.allclose(values, exact, rtol=1e-6, atol=0.5)


def test_values_that_mean_what_they_are_are_not_copied():
    stored = np.zeros((2, 2, 2), np.int16)
    assert as_volume_values(stored) is stored
    numbers = np.zeros((2, 2, 2), np.float32)
    assert as_volume_values(numbers) is numbers


def test_stored_values_are_never_changed():
    stored = np.ones((2, 2, 2), np.float32)
    values = as_volume_values(stored, 2.0, 1.0)
    assert (values == 3.0).all()
    assert (stored == 1.0).all()


def test_a_slope_between_whole_numbers_gives_floats():
    values = as_volume_values(np.array([[[1, 2]]], np.uint8), 0.5, 0.25)
    assert (values.dtype, values.ravel().tolist()) == (np.float32, [0.75, 1.25])


def test_an_empty_array_stays_one():
    assert as_volume_values(np.zeros((0, 2, 2), np.uint16)).shape == (0, 2, 2)


def test_what_float32_cannot_hold_is_told_of():
    values = as_volume_values(np.array([[[1e300, 1.0, np.nan]]]))
    (note,) = notes_on(values)
    assert (note.code, note.text) == (
        "NOT_FINITE",
        "2 of 3 values are not numbers or infinite",
    )


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_of_plain_numbers_nothing_is_told(kind):
    assert notes_on(np.ones((2, 2, 2), kind)) == ()
