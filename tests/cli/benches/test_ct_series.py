import numpy as np
import pydicom
import pytest

from medview.cli.benches.ct_series import SYNTAXES, run_length, slice_pixels, write_series


@pytest.mark.parametrize("syntax", ["raw", "JPEG 2000", "JPEG-LS", "RLE", "JPEG lossless"])
def test_an_independent_reader_gets_the_same_pixels_back(tmp_path, syntax):
    write_series(tmp_path / "series", 2, size=40, syntax=syntax)
    for path in (tmp_path / "series").iterdir():
        dataset = pydicom.dcmread(path)
        assert dataset.file_meta.TransferSyntaxUID == SYNTAXES[syntax][0]
        wanted = slice_pixels(dataset.InstanceNumber - 1, 40)
        assert np.array_equal(dataset.pixel_array, wanted)


def test_names_do_not_give_the_order_away_but_positions_do(tmp_path):
    write_series(tmp_path / "series", 20, size=8)
    in_order = [pydicom.dcmread(path) for path in sorted((tmp_path / "series").iterdir())]
    heights = [float(dataset.ImagePositionPatient[2]) for dataset in in_order]
    assert sorted(heights) == [1.25 * n for n in range(20)]
    assert heights != sorted(heights)


def test_run_length_puts_the_high_bytes_first():
    frame = run_length(np.array([[0x0102, 0x0102]], dtype=np.uint16))
    assert frame[:12] == bytes([2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0])
    # A run of two: 257 - 2 = 255, then the byte.
    assert frame[64:] == bytes([255, 1, 255, 2])


def test_noise_makes_every_slice_another_one_and_the_same_again():
    assert not np.array_equal(slice_pixels(1, 32), slice_pixels(2, 32))
    assert np.array_equal(slice_pixels(1, 32), slice_pixels(1, 32))
