"""Results as DICOM: read back by an independent reader, placed where they were, named for what
they are.
"""

import warnings
from dataclasses import replace

import highdicom as hd
import pydicom
import pytest
from result_phantom import card, prediction_on
from throwaway import save_dicom, small_head

from medview.domain.errors import InputRefused
from medview.domain.prediction import Score
from medview.domain.progress import Silent
from medview.io.dicom_out.export import export
from medview.io.readers import load, scan

WHO = {"PatientName": "Doe^Jane", "PatientID": "ID7", "FrameOfReferenceUID": "1.2.3.9"}
PDF = b"%PDF-1.7 a report"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A series of images, a result on its grid, and everything exported of it."""
    folder = tmp_path_factory.mktemp("dicom")
    save_dicom(small_head(), folder / "study", **WHO)
    (series,) = scan(Silent(), (folder / "study",)).all_series()
    volume = load(Silent(), series)
    prediction = prediction_on(volume)
    (folder / "report.pdf").write_bytes(PDF)
    out = folder / "out"
    out.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        written = export(Silent(), prediction, card(), series, out, folder / "report.pdf")
    return prediction, series, out, written


def read(made, name):
    return pydicom.dcmread(made[2] / f"{name}.dcm")


def test_every_object_belongs_to_the_study_and_says_what_it_is(made):
    _, series, out, written = made
    source = pydicom.dcmread(series.files[0])
    assert len(written) == len(list(out.iterdir())) == 9
    for one in written:
        found = pydicom.dcmread(out / one["file"])
        assert found.StudyInstanceUID == source.StudyInstanceUID
        assert (found.PatientName, found.PatientID) == (source.PatientName, source.PatientID)
        assert found.SeriesInstanceUID != source.SeriesInstanceUID
        assert found.SeriesDescription.startswith("RESEARCH USE ONLY")
        (made_by,) = [
            item
            for item in found.ContributingEquipmentSequence
            if card().title in item.get("ManufacturerModelName", "")
        ]
        assert made_by.SoftwareVersions[0] == card().version
        assert str(made_by.DeviceUID).startswith("2.25.")
        assert "not for diagnostic use" in made_by.ContributionDescription
        if "FrameOfReferenceUID" in found:
            assert found.FrameOfReferenceUID == "1.2.3.9"
    assert len({one["series"] for one in written}) == 9


def test_key_images_are_the_slices_of_the_visible_findings(made):
    prediction, series, *_ = made
    document = read(made, "key_images_ko")
    evidence = document.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    named = {item.ReferencedSOPInstanceUID for item in evidence.ReferencedSOPSequence}
    wanted = {
        pydicom.dcmread(series.files[finding.slice]).SOPInstanceUID
        for finding in prediction.findings
        if not finding.hidden_by_uncertainty
    }
    assert named == wanted


def test_the_report_is_inside_byte_by_byte(made):
    document = read(made, "report_pdf")
    length = document.EncapsulatedDocumentLength
    assert document.EncapsulatedDocument[:length] == PDF
    assert document.MIMETypeOfEncapsulatedDocument == "application/pdf"


def test_a_slice_that_is_missing_leaves_the_others_in_place(made, tmp_path):
    prediction, series, *_ = made
    slots = list(series.slots) or [(n, 0) for n in range(len(series.files))]
    slots[5] = None
    gap = replace(series, slots=tuple(slots))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        export(Silent(), prediction, card(), gap, tmp_path)
    found = hd.imread(tmp_path / "score_pm.dcm")
    assert found.number_of_frames == series.size[2] - 1
    positions = {
        float(item.PlanePositionSequence[0].ImagePositionPatient[2])
        for item in found.PerFrameFunctionalGroupsSequence
    }
    geometry = prediction.maps[0].geometry
    assert round(float(geometry.to_mm((5, 0, 0))[2]), 3) not in {round(z, 3) for z in positions}


def test_scores_without_a_value_are_left_out(made, tmp_path):
    prediction, series, *_ = made
    bare = replace(
        prediction, scores=(Score("age", None, status="not_available"),), findings=(), maps=()
    )
    assert export(Silent(), bare, card(), series, tmp_path) == []


@pytest.mark.parametrize(
    ("change", "says"), [({"format": "nifti"}, "no DICOM files"), ({"files": ()}, "")]
)
def test_images_that_cannot_be_referred_to_are_refused(made, tmp_path, change, says):
    prediction, series, *_ = made
    gone = {"files": tuple(path.with_name("gone.dcm") for path in series.files)}
    wanted = replace(series, **(change if says else gone))
    with pytest.raises(InputRefused, match=says or "cannot be read again"):
        export(Silent(), prediction, card(), wanted, tmp_path)
    assert not list(tmp_path.iterdir())
