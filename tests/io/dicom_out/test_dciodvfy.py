"""Every kind of object that leaves, asked of an independent checker of DICOM files."""

import warnings
from dataclasses import replace

import pydicom
import pytest
from dicom_checker import WHERE_CHECKED, errors
from result_phantom import card, prediction_on
from throwaway import save_dicom, small_head

from medview.domain.measurement import Measured, Measurement, Quantity
from medview.domain.progress import Silent
from medview.io.deidentify import deidentify_into
from medview.io.dicom_out.export import export
from medview.io.dicom_out.handover import hand_over
from medview.io.dicom_out.parts import Handover
from medview.io.readers import load, scan

pytestmark = WHERE_CHECKED

# An MR image to which the checker has nothing to say.
WHOLE = {
    **dict.fromkeys(("PatientBirthDate", "PatientSex", "StudyTime", "AccessionNumber"), ""),
    **dict.fromkeys(("ReferringPhysicianName", "StudyID", "PositionReferenceIndicator"), ""),
    **{"Manufacturer": "Nobody", "SeriesNumber": 1, "PatientPosition": "HFS", "SliceThickness": 4},
    **{"ScanningSequence": "SE", "SequenceVariant": "NONE", "ScanOptions": "", "EchoTime": 10},
    **{"MRAcquisitionType": "3D", "RepetitionTime": 900, "EchoTrainLength": 1},
    **{"PatientName": "Doe^Jane", "PatientID": "ID7", "FrameOfReferenceUID": "1.2.3.9"},
}
LENGTH = Measured(
    Measurement(1, "length", ((0, 0, 2), (30, 0, 2)), (1, 0, 0), (0, 1, 0)),
    (Quantity("length", 30.0, "mm"),),
    ((0, 0, 2), (30, 0, 2)),
)
OBJECTS = {
    *("score_pm", "residual_pm", "epistemic_pm", "aleatoric_pm", "total_pm"),
    *("findings_seg", "scores_sr", "key_images_ko", "report_pdf"),
    *("reader_measurements_sr", "reader_key_images_ko", "reader_drawings_pr"),
    "reader_report_pdf",
}


@pytest.fixture(scope="module", params=["BRAIN", None], ids=["brain", "nothing said of the body"])
def left(request, tmp_path_factory):
    """All that leaves of one study: objects, and copies without identity with theirs."""
    folder = tmp_path_factory.mktemp("left")
    save_dicom(small_head(), folder / "study", **WHOLE, **said_of_the_body(request.param))
    (series,) = scan(Silent(), (folder / "study",)).all_series()
    volume = load(Silent(), series)
    parts = Handover(series, ((prediction_on(volume), card()),), (LENGTH,), (4, 6))
    (folder / "report.pdf").write_bytes(b"%PDF-1.7 a report")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        report = folder / "report.pdf"
        whole = replace(parts, report=report, written_at=report.stat().st_mtime_ns)
        hand_over(Silent(), whole, folder / "objects")
        (folder / "one").mkdir()
        export(Silent(), *parts.results[0], series, folder / "one", folder / "report.pdf")
        deidentify_into(Silent(), (folder / "study",), folder / "copies", results=(whole,))
    return folder


def said_of_the_body(part):
    return {"BodyPartExamined": part} if part else {"Laterality": ""}


def test_every_object_of_a_study_is_one_the_standard_knows(left):
    files = [*(left / "objects").rglob("*.dcm"), left / "one" / "report_pdf.dcm"]
    assert {file.stem for file in files} == OBJECTS
    assert [line for file in files for line in errors(file)] == []


def test_copies_without_identity_and_their_results_are_as_whole_as_the_study_was(left):
    study = sorted((left / "study").iterdir())[:1]
    images = sorted((left / "copies").glob("ANON-*/*.dcm"))[:2]
    results = sorted((left / "copies" / "results").rglob("*.dcm"))
    assert len(results) == len(OBJECTS) - 2
    assert [line for file in (*study, *images, *results) for line in errors(file)] == []


def test_an_object_that_is_spoilt_is_found(left, tmp_path):
    found = pydicom.dcmread(left / "one" / "report_pdf.dcm")
    del found.MIMETypeOfEncapsulatedDocument
    found.save_as(tmp_path / "spoilt.dcm")
    assert any("MIMEType" in line for line in errors(tmp_path / "spoilt.dcm"))
