"""Patients, studies and series as headers tell them: no pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from medview.domain.geometry import Geometry
from medview.domain.presentation import Presentation
from medview.domain.volume import Note

# What tells volumes apart that were taken one after the other.
_TEMPORAL = {
    "time",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "TriggerTime",
    "AcquisitionTime",
    "ContentTime",
}
FILM_MODALITIES = ("CR", "DX", "RG")
# What tells the volumes of a file apart whose every voxel has several values.
COMPONENT = "component"


def follow_in_time(split_by: str | None) -> bool:
    """Whether volumes that this tells apart (None: not known) follow each other in time."""
    return split_by is None or split_by in _TEMPORAL


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One stack of images that belong together (a series may split into several).

    `files` are in slice order. `slots` tells which image lies where: for each time and then each
    slice, (index into `files`, number of the frame in it), or None where it is missing; empty
    when one file holds the whole grid. `size` is (column, row, slice). `geometry` is of one time
    point; None when the files hold no image. `uid` of files without DICOM is
    "2.25.<from their hash>". `laterality` is the side the file names, "L", "R", "B" or empty.
    `form` places a NIfTI file, "sform" or "qform"; `forms` are those it has; `chosen` says that
    the reader chose it. `split_keys` are what could tell its volumes apart. `time_step_s` lies
    between two volumes, None when it is not known. `presentations` are about its images.
    `lies_over` says that it is a segmentation or parametric map, which can lie over other images.
    `sidecars` is how many files beside it added to what its header says. `institution` and
    `referring` (who asked for it) are identity.
    """

    uid: str
    stack: int = 0
    number: int | None = None
    modality: str = ""
    description: str = ""
    format: str = "dicom"
    files: tuple[Path, ...] = ()
    transfer_syntax: str | None = None
    size: tuple[int, int, int] = (0, 0, 0)
    times: int = 1
    split_by: str | None = None
    geometry: Geometry | None = None
    quantity: str = "a.u."
    lossy: bool = False
    missing_slices: tuple[int, ...] = ()
    warnings: tuple[Note, ...] = ()
    study_uid: str = ""
    patient_key: str = ""
    acquired: str = ""
    scanner: str = ""
    field_strength_t: float | None = None
    slots: tuple[tuple[int, int] | None, ...] = ()
    laterality: str = ""
    form: str = ""
    forms: tuple[str, ...] = ()
    chosen: bool = False
    split_keys: tuple[str, ...] = ()
    time_step_s: float | None = None
    presentations: tuple[Presentation, ...] = ()
    sidecars: int = 0
    lies_over: bool = False
    institution: str = ""
    referring: str = ""
    body_part: str = ""
    contrast: str = ""

    @property
    def key(self) -> str:
        """The name under which the command line finds it: "UID" or "UID#STACK"."""
        return f"{self.uid}#{self.stack}"

    @property
    def study_key(self) -> str:
        """The study it is of; files that name none are a study each."""
        return self.study_uid or self.uid


def first_few(series: Sequence[Series], most: int = 4) -> str:
    """The keys of some series to choose from; in quotes what the file or its name says of each."""
    named = ((s.key, s.description or s.modality or "image") for s in series[:most])
    more = f" and {len(series) - most} more" if len(series) > most else ""
    return ", ".join(f'{key} ("{words}")' for key, words in named) + more


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader decided where files leave it open; what is empty follows the rules.

    `series` is the UID it is about, empty for all. `form` places NIfTI files, "sform" or "qform"
    (R34); `split_by` is the key that tells volumes in the same place apart (R15).
    """

    series: str = ""
    form: str = ""
    split_by: str = ""


def choice_for(choices: Iterable[Choice], uid: str) -> Choice:
    """The choice that was made for a series, else the one for all."""
    by_series = {choice.series: choice for choice in choices}
    return by_series.get(uid) or by_series.get("") or Choice()


@dataclass(frozen=True, slots=True)
class Summary:
    """What the pixels of a series say: the range of their values after rescale, and warnings.

    `value_range` is None when nothing could be read; `warnings` hold those of the series, too.
    """

    value_range: tuple[float, float] | None
    missing_slices: tuple[int, ...]
    warnings: tuple[Note, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One examination. `date` is ISO "2026-11-21" or empty."""

    uid: str
    date: str = ""
    description: str = ""
    accession: str = ""
    series: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """Who it is. `key` is 8 hex digits from a hash, safe to log; the rest is identity."""

    key: str
    id: str = ""
    name: str = ""
    sex: str | None = None
    birth_date: str | None = None
    studies: tuple[Study, ...] = ()

    def earlier(self, study: Study) -> tuple[Study, ...]:
        """Studies before that one, the newest first; none where a date is missing."""
        before = [each for each in self.studies if each.date and each.date < study.date]
        return tuple(sorted(before, key=lambda each: each.date, reverse=True))

    def age_at(self, study: Study) -> float | None:
        """Age in years on the day of the study; None where a date is unknown or before birth."""
        try:
            born, seen = date.fromisoformat(self.birth_date or ""), date.fromisoformat(study.date)
        except ValueError:
            return None
        return (seen - born).days / 365.25 if seen >= born else None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why. `file` is relative to the folder the user chose."""

    file: str
    code: str
    what: str


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """What was found under the paths the user opened."""

    patients: tuple[Patient, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    files: int = 0
    read: int = 0

    def all_series(self) -> tuple[Series, ...]:
        """Every series of every patient, in the order of the list."""
        return tuple(s for p in self.patients for t in p.studies for s in t.series)

    def find(self, key: str) -> Series | None:
        """Find a series by "UID" or "UID#STACK"."""
        for series in self.all_series():
            if key in (series.key, series.uid):
                return series
        return None

    def owner(self, series: Series) -> tuple[Patient, Study] | None:
        """The patient and study a series hangs under."""
        for patient in self.patients:
            for study in patient.studies:
                if any(s.key == series.key for s in study.series):
                    return patient, study
        return None
