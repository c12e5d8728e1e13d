"""Which patients, studies and series have the words of the find box."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QStandardItem
from PySide6.QtWidgets import QTreeView

from medview.domain.study import Patient, Series, Study
from medview.services.browsing import newest_first
from medview.ui.identity import patient_name, series_name, study_name
from medview.ui.panels.study_rows import FIND
from medview.ui.words import date

# So many series are looked through in one go: some 20 ms.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A series with the rows it hangs below; `order` counts patients, studies and series."""

    patient: Patient
    study: Study
    series: Series
    order: tuple[int, int, int]
    is_prior: bool


def fitting(
    patients: Iterable[Patient], words: Sequence[str], *, private: bool, first: int = 0
) -> Iterator[Place | None]:
    """Series in the order of the list that have all the words; None after every so many without.

    `first` is the number of the first patient in the list.
    """
    looked = 0
    for number, patient in enumerate(patients, first):
        studies = newest_first(patient)
        newest = studies[0].date if studies else ""
        for row, study in enumerate(studies):
            above = _above(patient, study, private=private) if words else ""
            is_prior = bool(study.date) and study.date < newest
            for place, series in enumerate(study.series):
                if not words or _has(words, above, patient, series, private=private):
                    yield Place(patient, study, series, (number, row, place), is_prior)
                    continue
                looked += 1
                if looked % _AT_ONCE == 0:
                    yield None


def place_of(patients: Sequence[Patient], owner: Patient, series: Series) -> Place | None:
    """Where a series of one of the patients stands in the list."""
    number = next((n for n, each in enumerate(patients) if each is owner), 0)
    for place in fitting((owner,), (), private=True, first=number):
        if place is not None and place.series.key == series.key:
            return place
    return None


def _above(patient: Patient, study: Study, *, private: bool) -> str:
    """What stands in the rows above those of series."""
    who = patient_name(patient, private=private)
    when = "" if private else date(study.date)
    title = study_name(study, patient, private=private)
    return f"{who} {'' if private else patient.id} {title} {when}"


def _has(
    words: Sequence[str], above: str, patient: Patient, series: Series, *, private: bool
) -> bool:
    called = series_name(series, patient, private=private)
    text = f"{above} {called} {series.modality}".lower()
    return all(word in text for word in words)


def keep(tree: QTreeView, item: QStandardItem, words: list[str], above: str) -> bool:
    """Show or hide a row and all below it; say whether it is shown."""
    text = f"{above} {item.data(FIND)}".lower()
    below = [keep(tree, item.child(row), words, text) for row in range(item.rowCount())]
    shown = any(below) if below else all(word in text for word in words)
    parent = item.parent()
    above_index = parent.index() if parent is not None else QModelIndex()
    if tree.isRowHidden(item.row(), above_index) is shown:
        tree.setRowHidden(item.row(), above_index, not shown)
    return shown
