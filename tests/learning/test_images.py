"""Files of a case are read by the program's own readers."""

import numpy as np
import pytest
from brains import head, write_nifti
from PIL import Image

from medview.domain.errors import DataError, ReadError
from medview.learning.images import read_image


def test_a_volume_comes_with_its_grid(tmp_path):
    volume = read_image(write_nifti(tmp_path / "a.nii.gz", head(), mm=2.0))
    assert volume.array.shape == (40, 48, 40)
    assert volume.geometry.spacing_mm == pytest.approx((2.0, 2.0, 2.0))


def test_a_picture_gets_the_pixel_size_that_its_file_does_not_say(tmp_path):
    Image.fromarray(np.full((60, 80), 7, np.uint8)).save(tmp_path / "a.png")
    volume = read_image(tmp_path / "a.png", pixel_mm=0.5)
    assert volume.array.shape == (1, 60, 80)
    assert volume.geometry.spacing_mm[1:] == pytest.approx((0.5, 0.5))
    assert volume.geometry.centre_mm[:2] == pytest.approx((0.0, 0.0))


def test_a_folder_with_several_series_is_refused_by_name(tmp_path):
    for name in "ab":
        write_nifti(tmp_path / "two" / f"{name}.nii.gz", head())
    with pytest.raises(DataError, match="two: 2 series lie there"):
        read_image(tmp_path / "two")


def test_a_file_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.nii.gz").write_text("not an image")
    with pytest.raises(ReadError):
        read_image(tmp_path / "a.nii.gz")
