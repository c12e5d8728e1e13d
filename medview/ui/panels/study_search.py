"""Which patients, studies and series have the words of the find box."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QStandardItem
from PySide6.QtWidgets import QTreeView

from medview.domain.study import Patient
from medview.ui.identity import patient_name, series_name, study_name
from medview.ui.panels.study_rows import FIND
from medview.ui.words import date

# So many series are looked through in one go: some 20 ms.
_AT_ONCE = 1000


def fitting(
    patients: Iterable[Patient], words: Sequence[str], *, private: bool
) -> Iterator[Patient | None]:
    """Patients with a series that has all the words; None after every so many without."""
    looked = 0
    for patient in patients:
        texts = texts_of(patient, private=private) if words else ()
        if not words or any(all(word in text for word in words) for text in texts):
            yield patient
            continue
        looked += sum(len(study.series) for study in patient.studies)
        if looked >= _AT_ONCE:
            looked = 0
            yield None


def texts_of(patient: Patient, *, private: bool) -> Iterator[str]:
    """What stands in the rows of each series, from the patient's on, in lower case."""
    who = patient_name(patient, private=private)
    for study in patient.studies:
        when = "" if private else date(study.date)
        title = study_name(study, patient, private=private)
        above = f"{who} {'' if private else patient.id} {title} {when}"
        for series in study.series:
            called = series_name(series, patient, private=private)
            yield f"{above} {called} {series.modality}".lower()


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


def rows_below(item: QStandardItem) -> list[QStandardItem]:
    """All rows below one, each before its own."""
    children = [item.child(row) for row in range(item.rowCount())]
    return [each for child in children for each in (child, *rows_below(child))]
