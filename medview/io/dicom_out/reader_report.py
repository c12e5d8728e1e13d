"""What a reader measured and marked: a structured report (TID 1500 of PS3.16) and key objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from highdicom.base_content import ContributingEquipment
from highdicom.ko import KeyObjectSelectionDocument
from highdicom.sr import (
    CodedConcept,
    Comprehensive3DSR,
    CoordinatesForMeasurement,
    CoordinatesForMeasurement3D,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    SourceImageForRegion,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from medview import RESEARCH_USE, __version__
from medview.domain.geometry import Geometry
from medview.domain.measurement import Measured, Quantity
from medview.io.dicom_out.documents import encapsulated_pdf, images_of, of_interest
from medview.io.dicom_out.origin import CAUTION, MAKER, SCHEME, Source

Coordinates: TypeAlias = CoordinatesForMeasurement | CoordinatesForMeasurement3D

_FIRST_SERIES_NUMBER = 9100
_PROCEDURE = CodedConcept("measured", SCHEME, "Measured on images by a reader")
_NAMES = {
    "length": codes.SCT.Length,
    "angle": CodedConcept("angle", SCHEME, "Angle"),
    "area": codes.SCT.Area,
    "mean": codes.SCT.Mean,
    "SD": codes.SCT.StandardDeviation,
    "minimum": codes.SCT.Minimum,
    "maximum": codes.SCT.Maximum,
}
_UNITS = {
    "mm": CodedConcept("mm", "UCUM", "millimeter"),
    "mm2": CodedConcept("mm2", "UCUM", "square millimeter"),
    "deg": CodedConcept("deg", "UCUM", "degree"),
    "px": CodedConcept("{pixels}", "UCUM", "pixels"),
    "HU": CodedConcept("[hnsf'U]", "UCUM", "Hounsfield unit"),
}
_NO_UNIT = CodedConcept("1", "UCUM", "no units")
_AT_DETECTOR = CodedConcept("detector", SCHEME, "at the detector, not in the patient")


def reader_report(
    source: Source, drawn: Sequence[Measured], grid: Geometry | None = None
) -> Comprehensive3DSR | None:
    """Drawings that measure something, each with its line through the patient; None without any.

    Images without a frame of reference, such as films, get the line on their pixels, for which
    their `grid` is needed. Arrows and texts measure nothing and are left out.
    """
    groups = [_group(each, _place(source, each, grid)) for each in drawn if each.figures]
    if not groups:
        return None
    made = Comprehensive3DSR(
        evidence=list(source.images),
        content=MeasurementReport(
            observation_context=_observer(),
            procedure_reported=_PROCEDURE,
            imaging_measurements=groups,
        ),
        is_complete=True,
        is_final=False,
        is_verified=False,
        **series_of_reader(1),
    )
    made.SeriesDescription = f"{CAUTION} measurements of the reader"
    return made


def reader_key_objects(source: Source, slices: Sequence[int]) -> KeyObjectSelectionDocument | None:
    """The images of slices `slices` (k of the volume) that a reader marked; None without any."""
    chosen = images_of(source, slices)
    if not chosen:
        return None
    made = of_interest(
        chosen, "Images that a reader marked. Research use only.", series_of_reader(2)
    )
    made.SeriesDescription = f"{CAUTION} key images of the reader"
    return made


def readers_document(source: Source, pdf: bytes) -> Dataset:
    """The report that the reader wrote, as it was written."""
    made = encapsulated_pdf(source, pdf, "Report")
    made.SeriesInstanceUID = generate_uid(prefix=None)
    made.SeriesNumber = _FIRST_SERIES_NUMBER + 4
    made.SeriesDescription = f"{CAUTION} report of the reader"
    made.ContributingEquipmentSequence = [_workstation()]
    return made


def series_of_reader(number: int) -> dict[str, Any]:
    """Arguments that every constructor of highdicom takes, for a series of the reader's own."""
    return {
        "series_instance_uid": str(generate_uid(prefix=None)),
        "series_number": _FIRST_SERIES_NUMBER + number,
        "sop_instance_uid": str(generate_uid(prefix=None)),
        "instance_number": 1,
        "manufacturer": MAKER,
        "contributing_equipment": [_workstation()],
    }


def _place(source: Source, each: Measured, grid: Geometry | None) -> list[Coordinates]:
    """Where a drawing lies: in the patient, else on the image; nowhere if neither is known."""
    if source.is_placed:
        line = CoordinatesForMeasurement3D(
            graphic_type="POLYLINE",
            graphic_data=np.array(each.outline, dtype=np.float64),
            frame_of_reference_uid=str(source.images[0].FrameOfReferenceUID),
        )
        return [line]
    if grid is None:
        return []
    index = grid.to_index(np.array(each.outline))
    found = source.image_of(round(float(index[0, 0])))
    if found is None:
        return []
    image, frame = found
    # (column, row), counted from the corner of the first pixel (PS3.3 C.18.6.1.1).
    pixels = index[:, :0:-1] + 0.5
    return [
        CoordinatesForMeasurement(
            graphic_type="POLYLINE",
            graphic_data=pixels,
            source_image=SourceImageForRegion(
                image.SOPClassUID, image.SOPInstanceUID, [frame] if frame else None
            ),
        )
    ]


def _group(each: Measured, place: list[Coordinates]) -> MeasurementsAndQualitativeEvaluations:
    values = [_measurement(figure, place) for figure in each.figures]
    name = f"{each.drawing.kind} {each.drawing.id}"
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=generate_uid(prefix=None), identifier=name),
        measurements=values,
    )


def _measurement(figure: Quantity, place: list[Coordinates]) -> Measurement:
    return Measurement(
        name=_NAMES[figure.name],
        value=figure.value,
        unit=_UNITS.get(figure.unit, _NO_UNIT),
        method=_AT_DETECTOR if figure.at_detector else None,
        referenced_coordinates=place or None,
    )


def _observer() -> ObservationContext:
    """The workstation; who sat at it is in the report that is signed."""
    uid = str(generate_uid(prefix=None, entropy_srcs=[MAKER, __version__]))
    device = DeviceObserverIdentifyingAttributes(
        uid=uid, name="medview", manufacturer_name=MAKER, model_name="medview"
    )
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )


def _workstation() -> ContributingEquipment:
    return ContributingEquipment(
        MAKER,
        codes.DCM.ProcessingEquipment,
        manufacturer_model_name="medview",
        software_versions=(f"medview {__version__}"[:64],),
        contribution_description=RESEARCH_USE,
    )
