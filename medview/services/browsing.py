"""Which series comes next where one goes by study or by patient, in the order of the list."""

from __future__ import annotations

from typing import Literal

from medview.domain.study import Catalogue, Series

Unit = Literal["series", "study", "patient"]


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
    patients = catalogue.patients
    if unit == "patient":
        made = [[s for study in patient.studies for s in study.series] for patient in patients]
    elif unit == "study":
        made = [list(study.series) for patient in patients for study in patient.studies]
    else:
        made = [[s] for s in catalogue.all_series()]
    shown = [[s for s in group if s.geometry is not None] for group in made]
    return [group for group in shown if group]
