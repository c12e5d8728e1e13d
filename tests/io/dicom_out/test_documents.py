"""Key images and the report: which images are named, and the report byte by byte."""

import pydicom
import pytest

from medview.io.dicom_out.documents import images_of, key_objects, report_of_model

PDF = b"%PDF-1.7 a report"


def named(document):
    evidence = document.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    return {item.ReferencedSOPInstanceUID for item in evidence.ReferencedSOPSequence}


def test_key_images_are_the_images_of_the_slices_each_once(origin):
    images = origin.source.images
    document = key_objects(origin, [7, 3, 7])
    assert named(document) == {images[7].SOPInstanceUID, images[3].SOPInstanceUID}
    assert [image.InstanceNumber for image in images_of(origin.source, [7, 3, 7])] == [8, 4]


@pytest.mark.parametrize("slices", [[], [99], [-1]])
def test_slices_that_have_no_image_make_no_document(origin, slices):
    assert key_objects(origin, slices) is None


@pytest.mark.parametrize("length", [len(PDF), len(PDF) - 1])
def test_the_report_is_inside_byte_by_byte(origin, tmp_path, length):
    pdf = PDF[:length]
    report_of_model(origin, pdf).save_as(tmp_path / "r.dcm", enforce_file_format=True)
    document = pydicom.dcmread(tmp_path / "r.dcm")
    # DICOM stores whole words; the length says where the report ends.
    assert len(document.EncapsulatedDocument) % 2 == 0
    assert document.EncapsulatedDocument[: document.EncapsulatedDocumentLength] == pdf
    assert document.MIMETypeOfEncapsulatedDocument == "application/pdf"


def test_the_report_is_of_the_patient_and_the_study_of_its_images(origin):
    made = report_of_model(origin, PDF)
    image = origin.source.images[0]
    assert (made.PatientName, made.PatientID) == ("Doe^Jane", "ID7")
    assert made.StudyInstanceUID == image.StudyInstanceUID
    assert made.SeriesInstanceUID != image.SeriesInstanceUID
    assert (made.Modality, made.SOPClassUID) == ("DOC", "1.2.840.10008.5.1.4.1.1.104.1")
    assert made.file_meta.MediaStorageSOPClassUID == made.SOPClassUID
    assert made.SeriesNumber != key_objects(origin, [3]).SeriesNumber
    assert made.SeriesDescription == "RESEARCH USE ONLY anomaly report"
    assert made.BurnedInAnnotation == "YES"  # a report names its patient
    assert made.DocumentTitle == "Report with computed analysis"
