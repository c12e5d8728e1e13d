"""Slices on their way into one volume: what fails stays blank, what fits stays whole."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from dicom_files import (
    catalogue,
    compressed,
    image,
    marked_slice,
    only,
    save,
    stack,
    write,
)

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io.dicom_filling import Filling


def opened(tmp_path, ds):
    return only(write(ds, tmp_path / "x.dcm"))


def test_sixteen_unsigned_bits_are_whole_numbers_while_they_fit(tmp_path):
    fits = np.array([[0, 33000]], np.uint16)
    over = np.array([[0, 65535]], np.uint16)
    offset = {"RescaleSlope": 1, "RescaleIntercept": -1000}
    _, small = opened(tmp_path, image(fits, **offset))
    assert small.array.dtype == np.int16
    assert small.array.ravel().tolist() == [-1000, 32000]
    _, large = opened(tmp_path, image(over, **offset))
    assert large.array.dtype == np.float32
    assert large.array.ravel().tolist() == [-1000, 64535]


def test_thirty_two_bits_are_whole_numbers_while_they_fit(tmp_path):
    _, small = opened(tmp_path, image(np.array([[7, 30000]], np.uint32)))
    assert small.array.dtype == np.int16
    _, large = opened(tmp_path, image(np.array([[7, 3_000_000]], np.uint32)))
    assert large.array.dtype == np.float32
    assert large.array.ravel().tolist() == [7, 3_000_000]


def test_the_volume_is_read_only(tmp_path):
    _, volume = only(save(stack(), tmp_path))
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 1
    assert volume.array[0, 1, 2] == marked_slice(0)[1, 2]


def test_a_cut_slice_is_left_blank_and_the_others_load(tmp_path):
    save(stack(), tmp_path)
    path = next(tmp_path.glob("*_3"))
    path.write_bytes(path.read_bytes()[:-60])
    _, volume = only(tmp_path)
    assert volume.missing_slices == (3,)
    assert volume.array[4, 1, 2] == 1004
    assert not volume.array[3].any()
    (note,) = [n for n in volume.warnings if n.code == "PARTIAL"]
    assert "44 %" in note.text


def test_the_other_slices_load_when_one_does_not_decode(tmp_path):
    datasets = stack()
    for k, ds in enumerate(datasets):
        frame = imagecodecs.jpegls_encode(marked_slice(k).view(np.uint16))
        compressed(ds, "1.2.840.10008.1.2.4.80", [frame if k != 5 else frame[:20]])
    series, volume = only(save(datasets, tmp_path))
    assert volume.missing_slices == (5,)
    assert [n.code for n in volume.warnings] == ["PARTIAL"]
    assert volume.array[4, 1, 2] == 1004
    assert series.lossy is False


def begun(tmp_path, pixels, **elements):
    """Three slices on their way: pixels, the same plus 1, and the same plus 2."""
    made = [
        image(pixels + pixels.dtype.type(k), ImagePositionPatient=[0, 0, 3.0 * k], **elements)
        for k in range(3)
    ]
    (series,) = catalogue(save(made, tmp_path)).all_series()
    return Filling.begun(Silent(), series, 0)


def arrive(filling, *slices):
    for k in slices:
        filling.decode(k)
        filling.arrived(k, None)


@pytest.mark.parametrize(
    ("pixels", "elements", "shown"),
    [
        (np.array([[0, 900]], np.int16), {"RescaleSlope": 2, "RescaleIntercept": -1000}, None),
        (np.array([[0, 900]], np.uint16), {}, True),
        (np.array([[0, 40_000]], np.uint16), {}, False),
        (np.array([[0, 900]], np.uint16), {"RescaleSlope": 2, "RescaleIntercept": 5}, None),
        (np.array([[0, 900]], np.uint32), {}, None),
        (np.array([[0, 200]], np.uint8), {"RescaleSlope": 0.5, "RescaleIntercept": 0}, True),
    ],
)
def test_what_is_shown_before_the_end_are_values_and_never_raw_words(
    pixels, elements, shown, tmp_path
):
    filling = begun(tmp_path, pixels, **elements)
    assert filling.so_far() is None
    arrive(filling, 2, 0)
    part = filling.so_far()
    if shown is not None:
        assert (part is not None) is shown
    if part is not None:
        assert (part.slices_to_come, part.missing_slices) == ((1,), ())
        early = part.array[[0, 2]].copy()
    arrive(filling, 1)
    slope, shift = elements.get("RescaleSlope", 1), elements.get("RescaleIntercept", 0)
    meant = np.stack([(pixels.astype(float) + k) * slope + shift for k in range(3)])
    np.testing.assert_array_equal(filling.finished().array, meant)
    if part is not None:
        np.testing.assert_array_equal(early, meant[[0, 2]])


def test_a_slice_whose_decoder_ended_is_blank_and_told(tmp_path):
    filling = begun(tmp_path, np.array([[30, 900]], np.int16))
    arrive(filling, 0, 2)
    filling.arrived(1, "was ended by the system")
    part = filling.so_far()
    assert (part.slices_to_come, part.missing_slices) == ((), (1,))
    volume = filling.finished()
    assert volume.missing_slices == (1,)
    assert volume.array[1].tolist() == [[30, 30]]  # as dark as the darkest value there is
    (note,) = volume.warnings
    assert note.text.startswith("1 of 3 slices could not be read and is blank (IM")
    assert note.text.endswith("its decoder was ended by the system)")


def test_where_no_slice_can_be_decoded_the_first_reason_is_said(tmp_path):
    filling = begun(tmp_path, np.array([[30, 900]], np.int16))
    for k in range(3):
        filling.arrived(k, f"ended at slice {k}")
    with pytest.raises(ReadError, match="ended at slice 0"):
        filling.finished()
