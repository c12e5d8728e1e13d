"""Windows and tables, held against pydicom's own application of the same elements."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from medview.domain.volume import ValueTable, Window
from medview.domain.windowing import share_of

VALUES = np.arange(-2000, 2001, 7, dtype=np.float64)


def by_pydicom(window):
    """The same window as 16-bit output, scaled to 0..1."""
    data = Dataset()
    data.WindowWidth, data.WindowCenter = window.width, window.level
    data.VOILUTFunction = window.function
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsStored, data.PixelRepresentation = 16, 1
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    with np.errstate(over="ignore"):  # its sigmoid lets exp run over, rightly to 0
        out = apply_windowing(VALUES, data)
    return (out - -32768) / 65535


@given(
    st.floats(1.5, 5000),
    st.floats(-1500, 1500),
    st.sampled_from(("LINEAR", "LINEAR_EXACT", "SIGMOID")),
)
def test_a_window_is_that_of_the_standard(width, level, function):
    window = Window(width, level, function)
    assert np.allclose(share_of(VALUES, window), by_pydicom(window), atol=1e-6)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_what_is_no_number_is_black(function):
    shares = share_of(np.array([np.nan, 100.0]), Window(50, 20, function))
    assert shares[0] == 0
    assert shares[1] > 0.5


def test_a_window_of_one_value_parts_black_from_white():
    shares = share_of(np.array([9.0, 9.6, 10.0, 11.0]), Window(1, 10))
    assert shares.tolist() == [0, 1, 1, 1]


def test_a_window_narrower_than_one_is_taken_as_exact():
    shares = share_of(np.array([-0.1, 0.0, 0.1]), Window(0.2, 0.0))
    assert shares == pytest.approx([0, 0.5, 1])


def test_single_precision_stays_single():
    assert share_of(np.zeros(3, np.float32), Window(10, 0)).dtype == np.float32


def test_a_table_ends_flat_and_takes_its_own_step():
    table = ValueTable(100, np.array([0, 0.2, 1], np.float32), step=10)
    values = np.array([0, 100, 104, 110, 120, 500, np.nan])
    assert share_of(values, table) == pytest.approx([0, 0, 0, 0.2, 1, 1, 0])
