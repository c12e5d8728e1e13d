"""All that was found and marked on a series, as DICOM files in one folder that appears whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medview.domain.errors import InputRefused
from medview.domain.progress import Progress
from medview.io.atomic import whole_folder, written_at
from medview.io.dicom_out.export import export, saved
from medview.io.dicom_out.origin import read_source
from medview.io.dicom_out.parts import Handover
from medview.io.dicom_out.presentation_state import presentation_state
from medview.io.dicom_out.reader_report import reader_key_objects, reader_report, readers_document


def hand_over(job: Progress, parts: Handover, out: Path) -> list[dict[str, Any]]:
    """Write it all to `out`, a folder for each result beside the reader's own; a line for each.

    Raises
    ------
    InputRefused
        If the images cannot be referred to, or there is nothing to write.
    WriteError
        If the folder cannot be written; nothing is left then.
    """
    written: list[dict[str, Any]] = []
    with whole_folder(out) as draft:
        for prediction, card in parts.results:
            place = draft / prediction.key.replace("@", "-")
            place.mkdir()
            written += export(job, prediction, card, parts.series, place)
        if parts.drawn or parts.key_slices:
            source = read_source(parts.series, parts.time)
            report = reader_report(source, parts.drawn, parts.series.geometry)
            marked = reader_key_objects(source, parts.key_slices)
            written += saved(draft, "reader_measurements_sr", report)
            state = presentation_state(source, parts.drawn, parts.series.geometry)
            written += saved(draft, "reader_key_images_ko", marked)
            written += saved(draft, "reader_drawings_pr", state)
        if parts.report is not None and written_at(parts.report) == parts.written_at:
            document = readers_document(read_source(parts.series), parts.report.read_bytes())
            written += saved(draft, "reader_report_pdf", document)
        if not written:
            raise InputRefused(
                "there is nothing to export",
                file=parts.series.description or parts.series.key,
                do="Run a model, measure something or mark a key image first.",
                code="MV-DCM-015",
            )
    return written
