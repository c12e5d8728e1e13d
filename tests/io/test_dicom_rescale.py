"""Stored values become what they mean, each slice by its own rule, as exactly as possible."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import ct, image, only, positions, save, write
from pydicom.dataset import Dataset

RAMP = np.arange(54, dtype=np.int16).reshape(6, 9)


def opened(tmp_path, ds):
    return only(write(ds, tmp_path / "x.dcm"))


def lut(first: int, values: list[int], bits: int, **more: object) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(values), first, bits]
    item.LUTData = np.array(values, "<u2").tobytes()
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


# ------------------------------------------------------------------------------- modality


def test_hounsfield_units_stay_whole_numbers(tmp_path):
    series, volume = opened(tmp_path, ct(RAMP.astype(np.uint16), BitsStored=12, HighBit=11))
    assert volume.array.dtype == np.int16
    assert (volume.array[0, 0, 0], volume.array[0, 5, 8]) == (-1024, -971)
    assert (series.quantity, volume.modality) == ("HU", "CT")


def test_slopes_that_differ_are_applied_slice_by_slice(tmp_path):
    datasets = [
        image(RAMP, ImagePositionPatient=list(p), RescaleSlope=slope, RescaleIntercept=1)
        for p, slope in zip(positions(count=3), (0.5, 2.25, 1.0), strict=True)
    ]
    _, volume = only(save(datasets, tmp_path))
    assert volume.array.dtype == np.float32
    assert volume.array[:, 5, 8].tolist() == [27.5, 120.25, 54.0]


@pytest.mark.parametrize("slope", [0, None])
def test_a_slope_of_nothing_is_no_slope(slope, tmp_path):
    elements = {"RescaleIntercept": -5} | ({} if slope is None else {"RescaleSlope": slope})
    _, volume = opened(tmp_path, image(RAMP, **elements))
    assert volume.array[0, 5, 8] == 48


def test_a_modality_table_is_used_instead_of_a_slope(tmp_path):
    ds = image(RAMP, RescaleSlope=100, RescaleIntercept=0)
    ds.ModalityLUTSequence = [lut(10, [500, 600, 700], 16, ModalityLUTType="US")]
    _, volume = opened(tmp_path, ds)
    values = volume.array.ravel()
    assert values[[0, 10, 11, 12, 53]].tolist() == [500, 500, 600, 700, 700]


def test_floating_pixels_are_read(tmp_path):
    ds = image(np.zeros((2, 3), np.uint16), BitsAllocated=32)
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    ds.FloatPixelData = np.linspace(0, 1, 6, dtype=np.float32).tobytes()
    _, volume = opened(tmp_path, ds)
    np.testing.assert_allclose(volume.array.ravel(), np.linspace(0, 1, 6), rtol=1e-6)


def test_a_pet_says_what_its_values_are(tmp_path):
    ds = image(
        RAMP, Modality="PT", SOPClassUID="1.2.840.10008.5.1.4.1.1.128", Units="BQML",
        RescaleSlope=0.5, RescaleIntercept=0,
    )  # fmt: skip
    _, volume = opened(tmp_path, ds)
    assert volume.quantity == "Bq/ml"


# -------------------------------------------------------------------------------- display


def test_windows_come_with_their_names_and_function(tmp_path):
    ds = ct(
        RAMP, WindowCenter=[40, -600], WindowWidth=[80, 1500],
        WindowCenterWidthExplanation=["BRAIN", "LUNG"], VOILUTFunction="SIGMOID",
    )  # fmt: skip
    _, volume = opened(tmp_path, ds)
    first, second = volume.windows
    assert (first.level, first.width, first.label, first.function) == (40, 80, "BRAIN", "SIGMOID")
    assert (second.level, second.width, second.label) == (-600, 1500, "LUNG")


@pytest.mark.parametrize(
    ("width", "function", "kept"),
    [(0, "LINEAR", 0), (0.5, "LINEAR", 0), (1, "LINEAR", 1), (-4, "LINEAR", 0),
     (0.5, "LINEAR_EXACT", 1), (0.5, "SIGMOID", 1)],
)  # fmt: skip
def test_a_window_that_cannot_be_is_left_out(width, function, kept, tmp_path):
    ds = ct(RAMP, WindowCenter=40, WindowWidth=width, VOILUTFunction=function)
    _, volume = opened(tmp_path, ds)
    assert len(volume.windows) == kept


def test_a_table_for_display_is_scaled_to_one(tmp_path):
    ds = image(RAMP)
    ds.VOILUTSequence = [lut(10, [0, 2048, 4095], 12)]
    _, volume = opened(tmp_path, ds)
    assert volume.value_table.first == 10
    np.testing.assert_allclose(volume.value_table.values, [0, 0.5001221, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("elements", "inverted"),
    [
        ({"PhotometricInterpretation": "MONOCHROME1"}, True),
        ({"PresentationLUTShape": "INVERSE"}, True),
        ({"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}, True),
        ({"PresentationLUTShape": "IDENTITY"}, False),
        ({"RescaleSlope": -1, "RescaleIntercept": 0}, False),
    ],
)
def test_greys_are_turned_once_and_never_by_a_negative_slope(elements, inverted, tmp_path):
    _, volume = opened(tmp_path, image(RAMP, **elements))
    assert volume.inverted is inverted


def test_padding_is_told_in_the_units_of_the_values(tmp_path):
    ds = ct(RAMP, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1990)
    _, volume = opened(tmp_path, ds)
    assert volume.padding == (-3024, -3014)


def test_padding_written_without_sign_is_understood(tmp_path):
    raw = write(ct(RAMP), tmp_path / "x.dcm").read_bytes()
    padding = b"\x28\x00\x20\x01US\x02\x00\x30\xf8"  # (0028,0120) US 63536, that is -2000
    at = raw.index(b"\x28\x00\x52\x10")
    (tmp_path / "x.dcm").write_bytes(raw[:at] + padding + raw[at:])
    _, volume = only(tmp_path / "x.dcm")
    assert volume.padding == (-3024, -3024)


# ---------------------------------------------------------------------------------- doubts
