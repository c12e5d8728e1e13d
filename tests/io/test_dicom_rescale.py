"""Stored values become what they mean, each slice by its own rule, as exactly as possible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dicom_files import as_written, ct, image, only, positions, save, write
from pydicom.dataset import Dataset

from medview.io.dicom_classes import PARAMETRIC_MAP, RT_DOSE
from medview.io.dicom_form import Form
from medview.io.dicom_frames import Frames
from medview.io.dicom_outline import read_outline
from medview.io.dicom_rescale import (
    Rescale,
    Table,
    padding_of,
    rescale_of,
    table_of,
    windows_in,
)
from medview.io.dicom_values import Header

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


@pytest.mark.parametrize(
    ("elements", "told"),
    [
        ({"RescaleSlope": "abc"}, "slope of the values is given as abc"),
        ({"RescaleSlope": "NaN", "RescaleIntercept": "-1024"}, "slope of the values is given as"),
        ({"RescaleSlope": "1e400"}, "given as 1e400"),
        ({"RescaleSlope": "-1e300"}, "given as -1e300"),
        ({"RescaleSlope": "2", "RescaleIntercept": "1O24"}, "intercept of the values is given as"),
    ],
)
def test_a_slope_that_cannot_be_is_told_and_values_are_as_stored(elements, told, tmp_path):
    series, volume = opened(tmp_path, as_written(ct(RAMP), **elements))
    assert np.array_equal(volume.array[0], RAMP)
    (note,) = [note for note in series.warnings if note.code == "VALUES_DOUBTFUL"]
    assert told in note.text
    assert series.quantity == "a.u."  # and no Hounsfield units


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


@pytest.mark.parametrize(
    ("value", "limit", "signed", "found"),
    [
        (-5, None, True, (-5, -5)),
        (65531, None, True, (-5, -5)),
        (-1, None, False, (65535, 65535)),
        (10, 4, False, (4, 10)),
        (0, 0, False, (0, 0)),
    ],
)
def test_padding_is_a_span_of_stored_values(value, limit, signed, found, tmp_path):
    form = replace(FORM, signed=signed, stored=16, high=15)
    more = {} if limit is None else {"PixelPaddingRangeLimit": limit}
    raw = {"PixelRepresentation": int(value < 0), "PixelPaddingValue": value} | more
    header = frames_of(tmp_path, **raw)
    assert padding_of(header.header, Rescale(), form) == found
    turned = padding_of(header.header, Rescale(-2.0, 1.0), form)
    assert turned == (1 - 2 * found[1], 1 - 2 * found[0])
    table = Table(found[0], np.array([7, 9], np.uint16))
    by_table = padding_of(header.header, Rescale(table=table), form)
    assert by_table == ((7, 7) if found[0] == found[1] else (7, 9))


def test_without_padding_all_is_image(tmp_path):
    assert padding_of(frames_of(tmp_path).header, Rescale(), FORM) is None


# ------------------------------------------------------------------------- the rule by itself

FORM = Form(
    rows=6, columns=9, frames=1, samples=1, planar=False, photometric="MONOCHROME2",
    allocated=16, stored=12, high=11, signed=False, floating=False,
)  # fmt: skip
TABLE = Table(0, np.array([5, 300, 40], np.uint16))


def frames_of(tmp_path, **elements):
    return Frames(Header(read_outline(write(image(RAMP, **elements), tmp_path / "f.dcm"))))


@pytest.mark.parametrize(
    ("rescale", "signed", "limits"),
    [
        (Rescale(1.0, -1024.0), False, (-1024, 3071)),
        (Rescale(-2.0, 10.0), False, (-8180, 10)),
        (Rescale(1.0, 0.0), True, (-2048, 2047)),
        (Rescale(table=TABLE), False, (5, 300)),
    ],
)
def test_limits_are_the_smallest_and_largest_value_that_can_come_out(rescale, signed, limits):
    assert rescale.limits(replace(FORM, signed=signed)) == limits


@pytest.mark.parametrize(
    ("rescale", "changes", "fits"),
    [
        (Rescale(1.0, -1024.0), {}, True),
        (Rescale(8.0, 7.0), {}, True),  # up to 4095 x 8 + 7 = 32767
        (Rescale(8.0, 8.0), {}, False),
        (Rescale(1.0, -32768.0), {}, True),
        (Rescale(1.0, -32769.0), {}, False),
        (Rescale(0.5, 0.0), {}, False),
        (Rescale(1.0, 0.5), {}, False),
        (Rescale(1.0, 0.0), {"stored": 16, "high": 15}, False),
        (Rescale(1.0, 0.0), {"stored": 16, "high": 15, "signed": True}, True),
        (Rescale(1.0, 0.0), {"floating": True}, False),
        (Rescale(table=TABLE), {}, True),
        (Rescale(table=Table(0, np.array([32768], np.uint16))), {}, False),
    ],
)
def test_sixteen_bits_are_used_where_every_value_fits_and_nowhere_else(rescale, changes, fits):
    assert rescale.fits_int16(replace(FORM, **changes)) is fits


@pytest.mark.parametrize(
    "rescale", [Rescale(1.0, -1024.0), Rescale(-2.0, 10.0), Rescale(table=TABLE)]
)
def test_in_place_and_into_are_the_same_values(rescale):
    stored = np.arange(6, dtype=np.uint16)
    expected = [5, 300, 40, 40, 40, 40]
    if rescale.table is None:
        expected = [int(rescale.slope * n + rescale.intercept) for n in range(6)]
    for kind in (np.int16, np.float32):
        out = np.empty(6, kind)
        rescale.into(stored, out)
        assert out.tolist() == expected
    words = stored.copy().view(np.int16)
    rescale.in_place(words, np.dtype(np.uint16))
    assert words.tolist() == expected


def test_a_table_looks_signed_values_up_in_place():
    words = np.array([-3, -2, -1, 0], np.int16)
    Rescale(table=Table(-2, TABLE.values)).in_place(words, np.dtype(np.int16))
    assert words.tolist() == [5, 5, 300, 40]


def test_only_a_slope_of_one_without_more_leaves_stored_values_as_they_are():
    assert Rescale().is_identity
    for other in (Rescale(2.0, 0.0), Rescale(1.0, 1.0), Rescale(table=TABLE)):
        assert not other.is_identity
        assert not other.same_as(Rescale())
        assert not Rescale().same_as(other)
        assert other.same_as(replace(other))
    assert Rescale(2.0, 3.0).same_as(Rescale(2.0, 3.0))
    assert not Rescale(table=TABLE).same_as(Rescale(table=Table(0, TABLE.values)))


@pytest.mark.parametrize(
    ("elements", "slope", "intercept"),
    [
        ({"SOPClassUID": RT_DOSE, "DoseGridScaling": 0.25}, 0.25, 0.0),
        ({"SOPClassUID": RT_DOSE, "DoseGridScaling": 0.25, "RescaleSlope": 9}, 0.25, 0.0),
        ({"SOPClassUID": RT_DOSE}, 1.0, 0.0),
        ({"SegmentationType": "FRACTIONAL", "MaximumFractionalValue": 200}, 0.005, 0.0),
        ({"SegmentationType": "FRACTIONAL"}, 1 / 255, 0.0),
        ({"SegmentationType": "BINARY", "MaximumFractionalValue": 200}, 1.0, 0.0),
        ({"RescaleSlope": 2, "RescaleIntercept": -3}, 2.0, -3.0),
    ],
)
def test_each_kind_of_file_has_its_own_rule(elements, slope, intercept, tmp_path):
    found = rescale_of(frames_of(tmp_path, **elements), 0)
    assert (found.slope, found.intercept, found.table) == (pytest.approx(slope), intercept, None)


def test_a_parametric_map_means_what_its_mapping_says(tmp_path):
    group, mapping = Dataset(), Dataset()
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 0.5, -2.0
    group.RealWorldValueMappingSequence = [mapping]
    plain = {"SOPClassUID": PARAMETRIC_MAP}
    found = rescale_of(frames_of(tmp_path, **plain, SharedFunctionalGroupsSequence=[group]), 0)
    assert (found.slope, found.intercept) == (0.5, -2.0)
    bare = rescale_of(frames_of(tmp_path, **plain), 0)
    assert (bare.slope, bare.intercept) == (1.0, 0.0)
    told = frames_of(tmp_path, **plain, RescaleSlope=3, SharedFunctionalGroupsSequence=[group])
    assert rescale_of(told, 0).slope == 3.0


def table_in(tmp_path, descriptor, data, *, signed=False):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.LUTData = data
    header = frames_of(tmp_path, VOILUTSequence=[item]).header
    return table_of(header.items("VOILUTSequence")[0], signed=signed)


@pytest.mark.parametrize(
    ("descriptor", "data", "signed", "first", "values"),
    [
        ([3, 10, 12], np.array([1, 2, 4095], "<u2").tobytes(), False, 10, [1, 2, 4095]),
        ([4, 10, 8], bytes([1, 2, 3, 255]), False, 10, [1, 2, 3, 255]),
        ([2, 65526, 16], np.array([1, 2], "<u2").tobytes(), True, -10, [1, 2]),
        ([2, 65526, 16], np.array([1, 2], "<u2").tobytes(), False, 65526, [1, 2]),
        ([2, 32767, 1], np.array([1, 0], "<u2").tobytes(), True, 32767, [1, 0]),
        ([0, 0, 16], np.arange(65536, dtype="<u2").tobytes(), False, 0, list(range(65536))),
    ],
)
def test_tables_of_every_form_are_read(descriptor, data, signed, first, values, tmp_path):
    found = table_in(tmp_path, descriptor, data, signed=signed)
    assert (found[0], found[1].tolist(), found[2]) == (first, values, descriptor[2])


@pytest.mark.parametrize(
    ("descriptor", "count"),
    [([3, 0, 16], 2), ([6, 0, 8], 2), ([2, 0, 0], 2), ([2, 0, 17], 2), ([2, 0], 2)],
)
def test_a_table_that_cannot_be_is_not_used(descriptor, count, tmp_path):
    assert table_in(tmp_path, descriptor, np.zeros(count, "<u2").tobytes()) is None


def test_an_unusable_modality_table_leaves_the_slope(tmp_path):
    bad = lut(0, [1, 2], 0)
    found = rescale_of(frames_of(tmp_path, ModalityLUTSequence=[bad], RescaleSlope=2), 0)
    assert (found.table, found.slope) == (None, 2.0)


def test_a_window_without_an_explanation_has_the_name_it_is_given(tmp_path):
    elements = {"WindowCenter": [40, 50], "WindowWidth": [80, 90]}
    source = frames_of(tmp_path, **elements, WindowCenterWidthExplanation=["BRAIN"]).header
    assert [w.label for w in windows_in(source, "Window of the state")] == [
        "BRAIN",
        "Window of the state",
    ]
