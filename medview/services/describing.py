"""What was found under a path, as the object that ``medview info`` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from medview.domain.discretion import without_file_names
from medview.domain.errors import WorkerDied
from medview.domain.geometry import Geometry
from medview.domain.study import Catalogue, Patient, Series, Skipped, Study, Summary
from medview.domain.volume import Note
from medview.services.job import Listener
from medview.services.jobs import Jobs

SUMMARISE = "medview.io.summary:summarise"


def summary_of(jobs: Jobs, series: Series, *, progress: Listener | None = None) -> Summary:
    """Read the pixels of a series for what they say; a decoder that dies is a warning."""
    try:
        return cast(Summary, jobs.call("files", SUMMARISE, series, progress=progress))
    except WorkerDied as error:
        note = Note("PARTIAL", f"the pixels cannot be read: {error.what}")
        return Summary(None, series.missing_slices, (*series.warnings, note))


def describe(
    catalogue: Catalogue, summarise: Callable[[Series], Summary], *, private: bool = False
) -> Mapping[str, Any]:
    """The body of ``medview.info/1``; with `private` without name, id, birth date and paths.

    Neither has it then what somebody has typed, such as descriptions: a name may stand in it.
    """
    return {
        "counts": {
            "files": catalogue.files,
            "read": catalogue.read,
            "skipped": len(catalogue.skipped),
        },
        "patients": [_patient(patient, summarise, private) for patient in catalogue.patients],
        "skipped": [_skipped(skipped, private) for skipped in catalogue.skipped],
    }


def _patient(
    patient: Patient, summarise: Callable[[Series], Summary], private: bool
) -> dict[str, Any]:
    return {
        "key": patient.key,
        "id": None if private else patient.id or None,
        "name": None if private else patient.name or None,
        "sex": patient.sex,
        "birth_date": None if private else patient.birth_date,
        "studies": [_study(study, summarise, private) for study in patient.studies],
    }


def _study(study: Study, summarise: Callable[[Series], Summary], private: bool) -> dict[str, Any]:
    return {
        "uid": study.uid,
        "date": study.date or None,
        "description": None if private else study.description or None,
        "series": [_series(series, summarise(series), private) for series in study.series],
    }


def _series(series: Series, summary: Summary, private: bool) -> dict[str, Any]:
    files = series.files if private else ()
    return {
        "uid": series.uid,
        "stack": series.stack,
        "number": series.number,
        "modality": series.modality or None,
        "description": None if private else series.description or None,
        "format": series.format,
        "files": len(series.files),
        "sidecars": series.sidecars,
        "transfer_syntax": series.transfer_syntax,
        "size": list(series.size),
        "times": series.times,
        "split_by": series.split_by,
        "split_keys": list(series.split_keys),
        "time_step_s": series.time_step_s,
        "form": series.form or None,
        "forms": list(series.forms),
        **_place(series.geometry),
        "quantity": series.quantity,
        "value_range": list(summary.value_range) if summary.value_range else None,
        "lossy": series.lossy,
        "missing_slices": list(summary.missing_slices),
        "warnings": [
            {"code": note.told_code, "text": without_file_names(note.text, files)}
            for note in summary.warnings
        ],
    }


def _place(geometry: Geometry | None) -> dict[str, Any]:
    """Where the voxels are, as far as the file says it; what it does not say is None."""
    if geometry is None:
        keys = ("spacing_mm", "spacing_kind", "affine_lps", "orientation")
        return dict.fromkeys(keys)
    k, j, i = geometry.spacing_mm
    known = geometry.orientation_known
    # The distance to a next slice that is not there is not known.
    steps = [i, j, k if geometry.shape[0] > 1 else None]
    return {
        "spacing_mm": steps if geometry.spacing_kind else None,
        "spacing_kind": geometry.spacing_kind,
        "affine_lps": np.round(geometry.affine_ijk, 9).tolist() if known else None,
        "orientation": geometry.orientation_code if known else None,
    }


def _skipped(skipped: Skipped, private: bool) -> dict[str, Any]:
    return {
        "file": None if private else skipped.file,
        "code": skipped.code,
        "what": skipped.what,
    }
