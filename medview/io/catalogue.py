"""Series under their studies and patients, in the order of the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medview.domain.study import Catalogue, Patient, Series, Skipped, Study
from medview.domain.volume import Note
from medview.io.identity import Found

_MIXED = Note(
    "MIXED_PATIENTS", "files of more than one patient lie here together; check whose these are"
)


def catalogue_of(found: Sequence[Found], skipped: Sequence[Skipped], files: int) -> Catalogue:
    """Hang every series under its study and patient."""
    patients: dict[str, Patient] = {}
    studies: dict[tuple[str, str], Study] = {}
    series: dict[tuple[str, str], list[Series]] = defaultdict(list)
    mixed = _mixed(found)
    for item in found:
        key = item.patient.key, item.study.uid
        patients.setdefault(item.patient.key, item.patient)
        studies.setdefault(key, item.study)
        owned = replace(item.series, study_uid=item.study.uid, patient_key=item.patient.key)
        if key in mixed:
            owned = replace(owned, warnings=(*owned.warnings, _MIXED))
        series[key].append(owned)
    full: dict[str, list[Study]] = defaultdict(list)
    for key, study in studies.items():
        full[key[0]].append(replace(study, series=tuple(sorted(series[key], key=_series_order))))
    return Catalogue(
        patients=tuple(
            replace(patient, studies=tuple(sorted(full[patient.key], key=_study_order)))
            for patient in sorted(patients.values(), key=lambda p: (p.name, p.id, p.key))
        ),
        skipped=tuple(skipped),
        files=files,
        read=files - len(skipped),
    )


def _series_order(series: Series) -> tuple[bool, int, str, str, int]:
    """By number; files that carry none by their name."""
    name = "" if series.format == "dicom" else str(series.files[0])
    return series.number is None, series.number or 0, name, series.uid, series.stack


def _study_order(study: Study) -> tuple[str, str]:
    return study.date, study.uid


def _mixed(found: Sequence[Found]) -> set[tuple[str, str]]:
    """Studies whose UID or whose folder holds files of more than one patient (A21)."""
    owners: dict[object, set[str]] = defaultdict(set)
    places: dict[tuple[str, str], set[object]] = defaultdict(set)
    for item in found:
        if not (item.patient.id or item.patient.name):
            continue
        folders: set[Path] = {path.parent for path in item.series.files}
        for place in (item.study.uid, *folders):
            owners[place].add(item.patient.key)
            places[item.patient.key, item.study.uid].add(place)
    return {key for key, where in places.items() if any(len(owners[w]) > 1 for w in where)}
