"""Which series comes next, by series, study or patient, in the order of the list.

The list has the newest study of a patient first: it is the one that is to be read.
"""

from __future__ import annotations

from typing import Literal

from medview.domain.study import Catalogue, Patient, Series, Study

Unit = Literal["series", "study", "patient"]


def newest_first(patient: Patient) -> tuple[Study, ...]:
    """The studies of a patient as they are listed; those without a date last."""
    return tuple(sorted(patient.studies, key=lambda study: study.date, reverse=True))


def listed(catalogue: Catalogue) -> tuple[Series, ...]:
    """Every series that can be shown, in the order of the list."""
    return tuple(series for group in _groups(catalogue, "series") for series in group)


def neighbour(catalogue: Catalogue, here: Series | None, unit: Unit, steps: int) -> Series | None:
    """The series to show after going so many units on (or back); the ends hold.

    Of another study or patient that is the first series that can be shown. None where one is
    there already, or nothing can be shown.
    """
    groups = _groups(catalogue, unit)
    place = next((n for n, group in enumerate(groups) if here in group), None)
    if place is None:
        return groups[0][0] if groups else None
    wanted = min(max(place + steps, 0), len(groups) - 1)
    return None if wanted == place else groups[wanted][0]


def end_of_study(catalogue: Catalogue, here: Series | None, *, last: bool) -> Series | None:
    """The first or last series of the study on screen that can be shown; None without a study."""
    group = next((g for g in _groups(catalogue, "study") if here in g), None)
    return None if group is None else group[-1 if last else 0]


def _groups(catalogue: Catalogue, unit: Unit) -> list[list[Series]]:
    """Series that can be shown, together as the unit says; what has none is left out."""
    by_patient = [newest_first(patient) for patient in catalogue.patients]
    if unit == "patient":
        made = [[s for study in studies for s in study.series] for studies in by_patient]
    else:
        made = [list(study.series) for studies in by_patient for study in studies]
    if unit == "series":
        made = [[series] for group in made for series in group]
    shown = [[s for s in group if s.geometry is not None] for group in made]
    return [group for group in shown if group]
