"""What readers said of one series as columns of a case list, in words, and as a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry
from medview.domain.measurement import Measurement
from medview.domain.prediction import ZONE_GRADES, Finding, Opinion, Prediction
from medview.domain.wording import counted, time_words
from medview.imaging.measuring import voxels_inside
from medview.io.finding_region import region_of
from medview.learning.reader_labels import (
    answered,
    grades_of,
    lesion_mask,
    outcome_of,
)


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A label in `words` and as `cells` of a case list; without cells it is none.

    A lesion lies where the findings `lesions` do and in the regions `drawn`; where those of
    `doubtful` lie nobody has said anything.
    """

    words: str
    cells: Mapping[str, str] = field(default_factory=dict)
    lesions: tuple[Finding, ...] = ()
    doubtful: tuple[Finding, ...] = ()
    drawn: tuple[Measurement, ...] = ()


def label_of_film(
    prediction: Prediction | None, said: Sequence[Opinion], *, states: bool
) -> Labelled:
    """Grades of the six zones; the outcome, where the reader `states` that answers say what
    became of the patient.
    """
    cells, words = {}, []
    grades = grades_of(said)
    if grades:
        cells["brixia"] = grades
        words.append(f"zones {grades}")
    outcome = outcome_of(prediction.score("severe"), said) if prediction is not None else ""
    if outcome and states:
        cells["prognosis"] = outcome
        words.append(f"outcome {outcome}")
    if cells:
        return Labelled(_with_reader(", ".join(words), said), cells)
    if outcome:
        return Labelled("an answer, but not known as the outcome")
    some = any(one.about == ZONE_GRADES for one in said)
    return Labelled("not all six zones are graded" if some else "no answer to outcome or zones")


def label_of_brain(
    prediction: Prediction | None,
    said: Sequence[Opinion],
    drawn: tuple[Measurement, ...],
    *,
    states: bool,
) -> Labelled:
    """Lesion or normal by the answers to findings; drawn regions are lesions if one `states` so."""
    told = answered(prediction.findings if prediction is not None else (), said)
    words = _with_reader(told.words, said) if told.label is not None else told.words
    if drawn:
        regions = counted(len(drawn), "drawn region")
        words = f"{words}; {regions}" + ("" if states else ", not known as lesions")
    if told.lesions or (drawn and states):
        used = drawn if states else ()
        return Labelled(words, {"label": "1"}, told.lesions, told.open, used)
    return Labelled(words, {"label": "0"} if told.label == 0 else {})


def _with_reader(words: str, said: Sequence[Opinion]) -> str:
    """Who answered last, and when."""
    newest = max(said, key=lambda each: each.at)
    by = ", ".join(part for part in (newest.by, time_words(newest.at)) if part)
    return f"{words} ({by})" if by else words


def mask_of(
    labelled: Labelled, prediction: Prediction | None, geometry: Geometry
) -> NDArray[np.int16] | None:
    """Where the lesions lie, on the volume's own grid; None where none were marked."""
    if not labelled.lesions and not labelled.drawn:
        return None
    found, doubtful = (
        [
            region_of(one, shown)
            for one in findings
            if prediction is not None and (shown := prediction.map(one.map)) is not None
        ]
        for findings in (labelled.lesions, labelled.doubtful)
    )
    outlined = [voxels_inside(each, geometry) for each in labelled.drawn]
    return lesion_mask(geometry, found, outlined, doubtful)
