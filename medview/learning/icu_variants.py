"""The same network without film, without series, and with the films of other patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.learning.icu_fit import StaySet
from medview.learning.icu_stays import Stay
from medview.models.fusion import FILM, SERIES

Scores = NDArray[np.float64]
VARIANTS = ("series_only", "film_only", "shuffled_films")


def variant_scores(
    ask: Callable[[StaySet], Scores], given: StaySet, stays: Sequence[Stay]
) -> dict[str, Scores]:
    """What `ask` says of each variant of the stays; nothing where none has a film."""
    if given.film is None:
        return {}
    return {
        "series_only": ask(without(given, FILM)),
        "film_only": ask(without(given, SERIES)),
        "shuffled_films": ask(shuffled(given, stays)),
    }


def without(given: StaySet, place: int) -> StaySet:
    """The stays as if none had a series (0) or a film (1)."""
    present = given.present.clone()
    present[:, place] = False
    return replace(given, present=present)


def shuffled(given: StaySet, stays: Sequence[Stay]) -> StaySet:
    """The films exchanged between patients: each stay gets one of the next patient in a ring."""
    if given.film is None:
        return given
    patients = list(dict.fromkeys(stay.case.patient for stay in stays))
    order = np.random.default_rng(0).permutation(len(patients)).tolist()
    ring = zip(order, order[1:] + order[:1], strict=True)
    following = {patients[one]: patients[after] for one, after in ring}
    rows: dict[str, list[int]] = {}
    for n, stay in enumerate(stays):
        rows.setdefault(stay.case.patient, []).append(n)
    taken = dict.fromkeys(patients, 0)
    chosen = []
    for stay in stays:
        patient = stay.case.patient
        others = rows[following[patient]]
        chosen.append(others[taken[patient] % len(others)])
        taken[patient] += 1
    present = given.present.clone()
    present[:, FILM] = given.present[chosen, FILM]
    return replace(given, film=given.film[chosen], present=present)
