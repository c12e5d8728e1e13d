"""What is said and measured of a film that names no frame of reference."""

from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest
from dicom_checker import CHECKER, errors
from dicom_files import image, write
from phantoms import map_of
from result_phantom import card, head, prediction_on

from medview.domain.measurement import Measured, Measurement, Quantity
from medview.domain.progress import Silent
from medview.io.dicom_out.handover import hand_over
from medview.io.dicom_out.parts import Handover
from medview.io.readers import load, scan

PLACE = dict.fromkeys(("FrameOfReferenceUID", "ImageOrientationPatient", "ImagePositionPatient"))
ROW_MM, COLUMN_MM = 0.2, 0.1
# (column, row) of pixel centres
ENDS = ((3, 4), (23, 4))


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A film with scores, a map and a line on it, and all that leaves of it."""
    folder = tmp_path_factory.mktemp("film")
    (folder / "in").mkdir()
    pixels = np.arange(600, dtype=np.uint16).reshape(20, 30)
    film = image(
        pixels, SOPClassUID="1.2.840.10008.5.1.4.1.1.1", Modality="CR", PixelSpacing=None,
        ImagerPixelSpacing=[ROW_MM, COLUMN_MM], PatientOrientation=["L", "F"], **PLACE,
    )  # fmt: skip
    write(film, folder / "in" / "a.dcm")
    (series,) = scan(Silent(), (folder / "in",)).all_series()
    volume = load(Silent(), series)
    made = replace(prediction_on(head()), maps=(map_of(volume),), findings=())
    line = tuple(tuple(volume.geometry.to_mm((0, row, column))) for column, row in ENDS)
    length = Measured(
        Measurement(1, "length", line, (1, 0, 0), (0, 1, 0)),
        (Quantity("length", 2.0, "mm", at_detector=True),),
        line,
    )
    parts = Handover(series, ((made, card()),), (length,), (0,))
    written = hand_over(Silent(), parts, folder / "out")
    return parts, film, folder / "out", written


def test_scores_measurements_and_marks_leave_and_what_has_no_place_is_said(left):
    parts, film, out, written = left
    files = {path.stem: path for path in out.rglob("*.dcm")}
    assert set(files) == {
        *("scores_sr", "reader_measurements_sr", "reader_key_images_ko", "reader_drawings_pr")
    }
    assert len(written) == 4
    assert "no frame of reference" in parts.left_out
    for path in files.values():
        assert pydicom.dcmread(path).StudyInstanceUID == film.StudyInstanceUID


def test_a_line_lies_on_the_pixels_it_was_drawn_on(left):
    _, film, out, _ = left
    report = hd.sr.srread(out / "reader_measurements_sr.dcm")
    (group,) = report.content.get_image_measurement_groups()
    (length,) = group.get_measurements()
    (place,) = length.referenced_coordinates
    np.testing.assert_allclose(place.value, np.array(ENDS) + 0.5, atol=1e-4)
    named = place.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert named == film.SOPInstanceUID
    assert length.value == 2.0
    assert "not in the patient" in str(length)


@pytest.mark.skipif(CHECKER is None, reason="dciodvfy is not installed")
def test_the_checker_has_nothing_against_it(left):
    assert [line for file in left[2].rglob("*.dcm") for line in errors(file)] == []


def test_a_placed_series_leaves_nothing_out(left):
    parts, *_ = left
    grid = replace(parts.series.geometry, frame_of_reference="1.2.3")
    placed = replace(parts, series=replace(parts.series, geometry=grid))
    assert placed.left_out == ""
    assert Handover(parts.series).left_out == ""
