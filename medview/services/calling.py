"""What series and files are called in a sentence."""

from __future__ import annotations

from pathlib import Path

from medview.domain.discretion import series_words
from medview.domain.study import Patient, Series, Skipped
from medview.services.session import Session

# Files that are no images at all are nothing to trouble a reader with.
_NOT_AN_IMAGE = "MV-IO-001"


def called(session: Session, series: Series) -> str:
    """What a series is called in a sentence; in private mode nothing that may tell who it is."""
    words = series.description
    if session.private:
        owner = session.catalogue.owner(series)
        words = series_words(series, owner[0] if owner else Patient(series.patient_key))
    return words or f"{series.modality} series {series.number or ''}".strip()


def skipped_note(skipped: tuple[Skipped, ...], *, private: bool) -> str:
    """One sentence on the files that were left out, naming the first unless private."""
    told = [file for file in skipped if file.code != _NOT_AN_IMAGE]
    if not told:
        return ""
    first = told[0].what if private else f"{Path(told[0].file).name}: {told[0].what}"
    said = f"1 file could not be read: {first}"
    if len(told) > 1:
        said = f"{len(told)} files could not be read, the first is {first}"
    others = len(skipped) - len(told)
    if not others:
        return said
    more = "1 other holds no image" if others == 1 else f"{others} others hold no image"
    return f"{said.removesuffix('.')}; {more}"
