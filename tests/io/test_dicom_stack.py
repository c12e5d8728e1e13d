"""What belongs together becomes one stack; planes without a place say so."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import (
    catalogue,
    codes,
    image,
    marked_slice,
    only,
    save,
    spacing_of,
    stack,
)

from medview.domain.progress import Silent
from medview.io import readers


def test_a_localizer_within_the_series_is_split_off(tmp_path):
    scout = image(
        np.full((6, 9), 7, np.int16),
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )
    found = catalogue(save([*stack(), scout], tmp_path)).all_series()
    assert [series.size[2] for series in found] == [8, 1]


def test_magnitude_and_phase_images_are_stacks_of_their_own(tmp_path):
    phase = stack(ImageType=["ORIGINAL", "PRIMARY", "P"])
    found = catalogue(save([*stack(), *phase], tmp_path)).all_series()
    assert [(s.stack, s.times, s.size[2]) for s in found] == [(0, 1, 8), (1, 1, 8)]


def test_two_slices_are_a_stack_and_one_is_a_plane(tmp_path):
    two, _ = only(save(stack()[:2], tmp_path / "two"))
    one, volume = only(save(stack()[:1], tmp_path / "one"))
    assert two.size[2] == 2
    assert spacing_of(two) == pytest.approx(2.5)
    assert one.size[2] == 1
    assert volume.is_film
    assert volume.geometry.orientation_known


def test_a_capture_without_place_or_spacing_says_so(tmp_path):
    capture = image(
        marked_slice(0), ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None
    )
    series, volume = only(save([capture], tmp_path))
    assert codes(series) == ["UNKNOWN_ORIENTATION", "NO_SPACING"]
    assert not volume.geometry.orientation_known
    assert volume.geometry.spacing_kind is None


def test_two_films_of_a_series_are_two_stacks(tmp_path):
    films = [
        image(
            marked_slice(n), Modality="CR", SOPClassUID="1.2.840.10008.5.1.4.1.1.1",
            ImagePositionPatient=None, ImageOrientationPatient=None,
        )
        for n in range(2)
    ]  # fmt: skip
    assert [s.times for s in catalogue(save(films, tmp_path)).all_series()] == [1, 1]


def test_a_cine_loop_is_one_plane_at_several_times(tmp_path):
    loop = image(
        np.stack([marked_slice(n) for n in range(4)]).reshape(24, 9),
        Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1", Rows=6, NumberOfFrames=4,
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None,
    )  # fmt: skip
    series, _ = only(save([loop], tmp_path))
    assert (series.times, series.split_by, series.size) == (4, "frame", (9, 6, 1))
    assert readers.load(Silent(), series, 2).array[0, 1, 2] == 1002


def test_pixels_that_are_not_square_are_shown_so_without_a_measure(tmp_path):
    capture = image(
        marked_slice(0), ImagePositionPatient=None, ImageOrientationPatient=None,
        PixelSpacing=None, PixelAspectRatio=[3, 2],
    )  # fmt: skip
    _, volume = only(save([capture], tmp_path))
    assert volume.geometry.spacing_kind is None
    assert volume.geometry.spacing_mm[1:] == (1.5, 1.0)
