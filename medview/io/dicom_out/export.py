"""Everything a result has, as DICOM files in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from medview.domain.card import ModelCard
from medview.domain.prediction import Prediction
from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.io.dicom_out.documents import key_objects, report_of_model
from medview.io.dicom_out.origin import Origin, read_source
from medview.io.dicom_out.parametric_map import parametric_map
from medview.io.dicom_out.segmentation import segmentation
from medview.io.dicom_out.structured_report import structured_report

_NUMBERS = ("anomaly", "uncertainty")
"""Kinds of maps that are parametric maps; masks and labels are segments."""


def export(
    job: Progress,
    prediction: Prediction,
    card: ModelCard,
    series: Series,
    out: Path,
    report: Path | None = None,
) -> list[dict[str, Any]]:
    """Write the objects into `out` (which exists); what was written, a line each.

    Segments and maps need a frame of reference to lie in; without one they are left out.

    Raises
    ------
    InputRefused
        If the images cannot be referred to.
    Cancelled
        If the user asked to stop.
    """
    job.report(0, 1, "reading the headers of the images")
    origin = Origin(read_source(series), prediction, card)
    written: list[dict[str, Any]] = []

    def put(name: str, made: Dataset | None) -> None:
        job.check()
        written.extend(saved(out, name, made))

    is_placed = origin.source.is_placed
    found = segmentation(origin) if is_placed else None
    put("findings_seg", found)
    put("scores_sr", structured_report(origin, found))
    visible = [one.slice for one in prediction.findings if not one.hidden_by_uncertainty]
    put("key_images_ko", key_objects(origin, visible))
    numbers = [item for item in prediction.maps if is_placed and item.kind in _NUMBERS]
    for n, item in enumerate(numbers):
        job.report(n, len(numbers), f"map {item.name}")
        put(f"{item.name}_pm", parametric_map(origin, item, 10 + n))
    if report is not None:
        put("report_pdf", report_of_model(origin, report.read_bytes()))
    return written


def saved(folder: Path, name: str, made: Dataset | None) -> list[dict[str, Any]]:
    """Write an object, if there is one; a line that says what was written."""
    if made is None:
        return []
    made.save_as(folder / f"{name}.dcm", enforce_file_format=True)
    line = {
        "file": f"{name}.dcm",
        "sop_class": str(made.SOPClassUID),
        "series": str(made.SeriesInstanceUID),
        "description": str(made.SeriesDescription),
    }
    return [line]
