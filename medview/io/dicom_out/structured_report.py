"""Scores and findings as a structured report, TID 1500 of PS3.16."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from highdicom.seg import Segmentation
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    ReferencedSegment,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from medview.domain.prediction import Finding, Score
from medview.io.dicom_out.origin import MAKER, SCHEME, Origin, uid_of

KIND = "report"
_CODE = 11
_ML = CodedConcept("mL", "UCUM", "milliliter")
_UNITS = {
    "1": CodedConcept("1", "UCUM", "no units"),
    "%": CodedConcept("%", "UCUM", "percent"),
    "y": CodedConcept("a", "UCUM", "year"),
    "years": CodedConcept("a", "UCUM", "year"),
    "h": CodedConcept("h", "UCUM", "hour"),
    "ml": _ML,
}
_PROCEDURE = CodedConcept("computed", SCHEME, "Computed analysis of images")


def structured_report(
    origin: Origin, segmentation: Segmentation | None
) -> Comprehensive3DSR | None:
    """All scores that have a value, and each finding of the segmentation; None without any."""
    groups = [_score_group(origin, origin.prediction.scores)]
    if segmentation is not None:
        groups += _finding_groups(origin, segmentation)
    known = [group for group in groups if group is not None]
    if not known:
        return None
    evidence = [*origin.source.images, *([segmentation] if segmentation is not None else [])]
    made = Comprehensive3DSR(
        evidence=evidence,
        content=MeasurementReport(
            observation_context=_observer(origin),
            procedure_reported=_PROCEDURE,
            imaging_measurements=known,
        ),
        is_complete=True,
        is_final=False,
        is_verified=False,
        **origin.common(KIND, 1),
    )
    made.SeriesDescription = origin.description("scores")
    return made


def _observer(origin: Origin) -> ObservationContext:
    card = origin.card
    uid = str(card.settings.get("device_uid") or uid_of(origin.prediction.weights_sha256))
    device = DeviceObserverIdentifyingAttributes(
        uid=uid, name=card.title, manufacturer_name=MAKER, model_name=card.id
    )
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )


def _algorithm(origin: Origin) -> AlgorithmIdentification:
    return AlgorithmIdentification(name=origin.card.title, version=origin.card.version)


def _score_group(
    origin: Origin, scores: Sequence[Score]
) -> MeasurementsAndQualitativeEvaluations | None:
    values = [one for score in scores for one in _measurements(score)]
    if not values:
        return None
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=generate_uid(prefix=None), identifier=f"{origin.card.id} scores"
        ),
        algorithm_id=_algorithm(origin),
        measurements=values,
    )


def _measurements(score: Score) -> list[Measurement]:
    """The value and the ends of its interval; scores without a value are left out."""
    ends = (("", score.value), ("low", score.low), ("high", score.high))
    unit = _UNITS.get(score.unit, _UNITS["1"])
    found = []
    for end, value in ends:
        if value is None or score.value is None:
            continue
        words = score.name.replace("_", " ")
        meaning = f"{words}, {end} end of the interval" if end else words
        code = f"{_code_of(score.name)}{'-' + end if end else ''}"
        name = CodedConcept(code, SCHEME, meaning)
        found.append(Measurement(name=name, value=float(value), unit=unit))
    return found


def _code_of(name: str) -> str:
    """A code of at most 11 letters, of 16 with "-high"; names that begin alike differ in it."""
    if len(name) <= _CODE:
        return name
    return f"{name[: _CODE - 5]}{hashlib.sha256(name.encode()).hexdigest()[:5]}"


def _finding_groups(
    origin: Origin, segmentation: Segmentation
) -> list[VolumetricROIMeasurementsAndQualitativeEvaluations]:
    numbers = {
        str(item.SegmentLabel): int(item.SegmentNumber) for item in segmentation.SegmentSequence
    }
    return [
        _finding_group(origin, one, segmentation, numbers[f"Finding {one.id}"])
        for one in origin.prediction.findings
        if f"Finding {one.id}" in numbers
    ]


def _finding_group(
    origin: Origin, finding: Finding, segmentation: Segmentation, number: int
) -> VolumetricROIMeasurementsAndQualitativeEvaluations:
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=generate_uid(prefix=None), identifier=f"Finding {finding.id}"
        ),
        referenced_segment=ReferencedSegment.from_segmentation(segmentation, number),
        finding_type=codes.SCT.Lesion,
        algorithm_id=_algorithm(origin),
        measurements=[
            Measurement(name=codes.SCT.Volume, value=finding.volume_ml, unit=_ML),
            Measurement(
                name=CodedConcept("peak", SCHEME, f"peak of the map {finding.map}"),
                value=finding.peak,
                unit=_UNITS["1"],
            ),
        ],
    )
