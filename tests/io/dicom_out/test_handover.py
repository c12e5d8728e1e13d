"""What a reader measured and marked, read back from DICOM by an independent reader."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from result_phantom import card, prediction_on
from throwaway import save_dicom, small_head

from medview.domain.errors import InputRefused
from medview.domain.measurement import Measured, Measurement
from medview.domain.progress import Silent
from medview.imaging.measuring import measured
from medview.imaging.reslice import cut_of
from medview.io.dicom_out.handover import hand_over
from medview.io.dicom_out.parts import Handover
from medview.io.readers import load, scan
from medview.services.first_views import first_views

WHO = {"PatientName": "Doe^Jane", "PatientID": "ID7", "FrameOfReferenceUID": "1.2.3.9"}
RIGHT, DOWN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
# HU and pixels of no known size are units of their own in UCUM.
UNITS = {"length": "mm", "angle": "deg", "area": "mm2"}


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dicom")
    save_dicom(small_head(), folder / "study", **WHO)
    (series,) = scan(Silent(), (folder / "study",)).all_series()
    return series, load(Silent(), series)


def drawn_on(volume, kind, *points):
    made = Measurement(len(points), kind, points, RIGHT, DOWN)
    view = replace(first_views(volume)["main"], point_lps=points[0])
    return measured(made, volume, cut_of(volume.geometry, view))


@pytest.fixture(scope="module")
def drawings(head):
    _, volume = head
    x, y, z = (float(mm) for mm in volume.geometry.to_mm(np.array(volume.geometry.shape) // 2))
    return (
        drawn_on(volume, "length", (x, y, z), (x + 30.0, y + 40.0, z)),
        drawn_on(volume, "angle", (x + 10, y, z), (x, y, z), (x, y + 10, z)),
        drawn_on(volume, "rectangle", (x - 12, y - 12, z), (x + 12, y + 12, z)),
        drawn_on(volume, "arrow", (x, y, z), (x + 5, y, z)),
        drawn_on(volume, "length", (x, y, z), (x, y, z + 20.0)),
    )


@pytest.fixture(scope="module")
def out(head, drawings, tmp_path_factory):
    series, volume = head
    folder = tmp_path_factory.mktemp("out") / "dicom"
    parts = Handover(series, ((prediction_on(volume), card()),), drawings, (4, 6))
    hand_over(Silent(), parts, folder)
    return folder


def groups(out):
    report = hd.sr.srread(out / "reader_measurements_sr.dcm")
    return report.content.get_image_measurement_groups()


def test_a_result_and_the_readers_marks_lie_beside_each_other(out):
    names = {path.name for path in out.iterdir()}
    version = card().version
    assert names == {
        "reader_measurements_sr.dcm",
        "reader_key_images_ko.dcm",
        "reader_drawings_pr.dcm",
        f"{card().id}-{version}",
    }
    assert (out / f"{card().id}-{version}" / "scores_sr.dcm").is_file()


def test_numbers_units_and_places_are_those_of_the_drawings(out, drawings):
    assert len(groups(out)) == 4
    found = {each.tracking_identifier.split()[0]: each for each in groups(out)[:3]}
    assert set(found) == {"length", "angle", "rectangle"}
    for one in drawings[:3]:
        read = found[one.drawing.kind].get_measurements()
        assert [item.value for item in read] == [
            pytest.approx(each.value, rel=1e-6) for each in one.figures
        ]
        units = [item.unit.value for item in read]
        assert units == [UNITS.get(each.name, "1") for each in one.figures]
        (place,) = read[0].referenced_coordinates
        np.testing.assert_allclose(place.value, one.outline, atol=1e-3)
        assert place.frame_of_reference_uid == "1.2.3.9"
    assert found["length"].get_measurements()[0].value == pytest.approx(50.0, abs=1e-3)


def test_marked_images_are_named(out, head):
    series, _ = head
    document = pydicom.dcmread(out / "reader_key_images_ko.dcm")
    evidence = document.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    named = {item.ReferencedSOPInstanceUID for item in evidence.ReferencedSOPSequence}
    assert named == {pydicom.dcmread(series.files[k]).SOPInstanceUID for k in (4, 6)}


def test_drawings_come_back_on_the_slice_and_the_pixels_they_were_drawn_on(
    head, out, drawings, tmp_path
):
    """All but the line through the slices, which lies on no image."""
    series, volume = head
    for file in (*series.files, out / "reader_drawings_pr.dcm"):
        shutil.copy(file, tmp_path)
    (again,) = scan(Silent(), (tmp_path,)).all_series()
    (look,) = load(Silent(), again).looks
    k = volume.geometry.shape[0] // 2
    places = [n for n in range(volume.geometry.shape[0]) if look.drawings(n)]
    assert places == [k]
    lines = [each for each in look.drawings(k) if each.kind == "POLYLINE"]
    assert len(lines) == 4
    for line, one in zip(lines, drawings[:4], strict=True):
        index = volume.geometry.to_index(np.array(one.outline))
        np.testing.assert_allclose(line.points, index[:, :0:-1] + 0.5, atol=1e-3)
    texts = [each.text for each in look.drawings(k) if each.kind == "TEXT"]
    assert texts[0] == "length 50 mm"


def test_a_typed_text_is_written_where_it_points(head, tmp_path):
    series, volume = head
    place = tuple(float(mm) for mm in volume.geometry.to_mm((5, 16, 14)))
    made = Measurement(1, "text", (place,), RIGHT, DOWN, "look here")
    hand_over(Silent(), Handover(series, drawn=(Measured(made, (), (place,)),)), tmp_path / "out")
    state = pydicom.dcmread(tmp_path / "out" / "reader_drawings_pr.dcm")
    (annotation,) = state.GraphicAnnotationSequence
    (text,) = annotation.TextObjectSequence
    assert text.UnformattedTextValue == "look here"
    assert list(text.AnchorPoint) == pytest.approx([14.5, 16.5])
    (image,) = annotation.ReferencedImageSequence
    assert image.ReferencedSOPInstanceUID == pydicom.dcmread(series.files[5]).SOPInstanceUID


def test_the_report_of_the_study_is_inside_byte_by_byte(head, tmp_path):
    series, _ = head
    report = tmp_path / "Doe.pdf"
    report.write_bytes(b"%PDF-1.7 a report")
    parts = Handover(series, report=report, written_at=report.stat().st_mtime_ns)
    hand_over(Silent(), parts, tmp_path / "out")
    found = pydicom.dcmread(tmp_path / "out" / "reader_report_pdf.dcm")
    assert found.EncapsulatedDocument[: found.EncapsulatedDocumentLength] == b"%PDF-1.7 a report"
    assert (found.PatientName, found.DocumentTitle) == ("Doe^Jane", "Report")
    assert found.SeriesDescription == "RESEARCH USE ONLY report of the reader"


@pytest.mark.parametrize("change", [lambda file: os.utime(file, ns=(1, 1)), Path.unlink])
def test_a_report_that_was_written_over_or_is_gone_does_not_leave(head, tmp_path, change):
    series, _ = head
    report = tmp_path / "Doe.pdf"
    report.write_bytes(b"%PDF-1.7 a report")
    parts = Handover(series, report=report, written_at=report.stat().st_mtime_ns)
    change(report)
    with pytest.raises(InputRefused, match="nothing to export"):
        hand_over(Silent(), parts, tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["reader_measurements_sr", "reader_key_images_ko", "reader_drawings_pr"]
)
def test_all_belong_to_the_study_and_carry_the_caution(out, name):
    found = pydicom.dcmread(out / f"{name}.dcm")
    assert found.PatientName == "Doe^Jane"
    assert found.SeriesDescription.startswith("RESEARCH USE ONLY")
    words = [
        each.get("ContributionDescription", "") for each in found.ContributingEquipmentSequence
    ]
    assert any("not for diagnostic use" in each for each in words)


@pytest.mark.parametrize("drawn", [(), "through the slices"])
def test_nothing_to_write_is_refused_and_leaves_no_folder(head, drawings, drawn, tmp_path):
    series, _ = head
    nowhere = (replace(drawings[4], figures=()),)
    parts = Handover(series, drawn=nowhere if drawn else ())
    with pytest.raises(InputRefused, match="nothing to export"):
        hand_over(Silent(), parts, tmp_path / "out")
    assert not list(tmp_path.iterdir())
