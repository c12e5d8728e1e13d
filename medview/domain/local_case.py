"""Cases for a fine-tuning that come from studies read here, and what readers said of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from medview.domain.measurement import Measurement
from medview.domain.study import Catalogue

ANSWERS_AS_LABELS: dict[str, str] = {
    "anomaly": (
        "A finding that a reader agreed with is a lesion. A brain is normal where all findings "
        "were rejected, or none was found and that was agreed with. Unsure is no label."
    ),
    "cxr": (
        "Your grades of all six zones are a label. What becomes of a patient is not seen on the "
        "film: an answer to the outcome is a label only where the reader knew it."
    ),
}
"""For which models answers are labels, in the reader's words."""

NO_LABELS: dict[str, str] = {
    "brain-age": (
        "Age stands in the header, no answer changes it; and this model learns from tables of "
        "measures. Choose a case list."
    ),
    "icu": (
        "Death and diagnoses stand in the record; agreeing with a risk is no outcome. Choose a "
        "case list with the series."
    ),
}
"""Why answers are no labels for the others."""

STATED: dict[str, str] = {
    "anomaly": "Drawn regions are lesions",
    "cxr": "Answers to the outcome say what became of the patient",
}
"""What only the reader can say; nothing is taken for it without being told so."""


def case_name(patient: str, series: str) -> str:
    """What a case is called, by the keys of patient and series: nothing says who it is."""
    return f"{patient}-{hashlib.sha256(series.encode()).hexdigest()[:6]}"


IMAGE_ROLES = ("t1", "t1ce", "t2", "flair", "film")
"""Columns of a line that name the image."""


@dataclass(frozen=True, slots=True)
class LocalCase:
    """A series that was read here, as a line of a case list.

    `patient` is a pseudonym, the same for all studies of a patient; `shown` is what a reader
    knows the case by, pseudonym and date in private mode. `cells` are the columns of its line.
    `label` says in words what readers said; `is_labelled` whether a training can use it. `wrong`
    says why the case cannot be used at all, empty if it can. `doubt` of one without a label is how
    unsure the model is of it (higher first), `why` says so in words; None where it was not run.
    """

    case: str
    patient: str
    shown: str
    cells: tuple[tuple[str, str], ...]
    label: str
    is_labelled: bool
    wrong: str = ""
    doubt: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class LocalCases:
    """All cases that were found, and folders that could not be looked through, with the reason."""

    cases: tuple[LocalCase, ...]
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LocalWish:
    """Where to look for cases, and what the reader states about them.

    Parameters
    ----------
    model : str
        Id of the model that is to learn.
    paths : tuple[Path, ...]
        Folders and files that were opened before.
    results : Path
        Where results and answers to them are kept.
    out : Path
        Folder for masks, and for images that cannot be named by a path of their own.
    open_now : Catalogue
        What is open, looked at before `paths`.
    drawings : tuple[tuple[str, tuple[Measurement, ...]], ...]
        Regions drawn on what is open, by series; for other studies the kept ones are read.
    workspaces : Path | None
        Where drawings are kept.
    states : bool
        The reader states what ``STATED`` says of the model.
    private : bool
        Show pseudonyms.
    """

    model: str
    paths: tuple[Path, ...]
    results: Path
    out: Path
    open_now: Catalogue = field(default_factory=Catalogue)
    drawings: tuple[tuple[str, tuple[Measurement, ...]], ...] = ()
    workspaces: Path | None = None
    states: bool = False
    private: bool = False
