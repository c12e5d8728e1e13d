"""Key images and the report: Key Object Selection (PS3.3 A.35.4) and Encapsulated PDF (A.45.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian, generate_uid

from medview import __version__
from medview.io.dicom_out.origin import MAKER, Origin, Source

_PATIENT_AND_STUDY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID"),
    *("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName"),
    *("SpecificCharacterSet", "StudyDescription"),
)


def images_of(source: Source, slices: Sequence[int]) -> list[Dataset]:
    """The images of the slices `slices` (k of the volume), those that there are, each once."""
    if len(source.images) == 1:
        return list(source.images) if slices else []
    wanted = [k for k in dict.fromkeys(slices) if k in source.places]
    return [source.images[source.places.index(k)] for k in wanted]


def key_objects(origin: Origin, slices: Sequence[int]) -> KeyObjectSelectionDocument | None:
    """The images of the slices `slices` (k of the volume); None where there are none."""
    chosen = images_of(origin.source, slices)
    if not chosen:
        return None
    why = "Slices with findings of a model. Research use only."
    made = of_interest(chosen, why, origin.common("key objects", 2))
    made.SeriesDescription = origin.description("key images")
    return made


def of_interest(
    chosen: Sequence[Dataset], why: str, series: Mapping[str, Any]
) -> KeyObjectSelectionDocument:
    """Images that are worth a look, and `why`; `series` are arguments for the series it makes."""
    return KeyObjectSelectionDocument(
        evidence=chosen,
        content=KeyObjectSelection(
            document_title=codes.DCM.OfInterest, referenced_objects=chosen, description=why
        ),
        **series,
    )


def report_of_model(origin: Origin, pdf: bytes) -> Dataset:
    """A report about one result as it was made, in the study of its images."""
    made = encapsulated_pdf(origin.source, pdf, "Report with computed analysis")
    made.SeriesInstanceUID = origin.series_uid("document")
    made.SeriesNumber = origin.first_series_number + 3
    made.SeriesDescription = origin.description("report")
    made.ContributingEquipmentSequence = origin.equipment()
    return made


def encapsulated_pdf(source: Source, pdf: bytes, title: str) -> Dataset:
    """A document of the study of its images; series and equipment are left to the caller."""
    now = datetime.now()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(prefix=None)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    first = source.images[0]
    for name in _PATIENT_AND_STUDY:
        if name in first:
            made[name] = first[name]
    made.SOPClassUID = EncapsulatedPDFStorage
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.Modality = "DOC"
    made.InstanceNumber = 1
    made.ConversionType = "WSD"
    made.Manufacturer = MAKER
    made.ManufacturerModelName = "medview"
    made.SoftwareVersions = __version__
    made.ContentDate, made.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    made.SeriesDate, made.SeriesTime = made.ContentDate, made.ContentTime
    made.AcquisitionDateTime = ""
    made.BurnedInAnnotation = "YES"
    made.DocumentTitle = title
    made.ConceptNameCodeSequence = []
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    made.EncapsulatedDocumentLength = len(pdf)
    return made
