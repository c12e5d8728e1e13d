"""What readers answered and drew, as labels: which answers are one, and where lesions lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry
from medview.domain.prediction import GRADES, ZONE_GRADES, ZONES, Finding, Opinion, Score
from medview.domain.wording import counted
from medview.io.finding_region import Inside

LESION, CLEAN, UNKNOWN = 1, 0, -1
"""Values of a mask: a lesion, none, and slices of which nobody has said anything."""
AGREED, REJECTED = "agree", "rejected"
_NO_ANSWER = "no answer yet"
_NOTHING_FOUND = {
    AGREED: "normal: nothing found, agreed",
    REJECTED: "rejected, but no lesion is marked",
    "unsure": "nothing found, unsure",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What the answers to a result amount to.

    `label` is 1 with a lesion, 0 normal, None unknown; `lesions` are the findings that are
    lesions, `open` those that were not answered or left unsure.
    """

    label: int | None
    lesions: tuple[Finding, ...] = ()
    open: tuple[Finding, ...] = ()
    words: str = _NO_ANSWER


def answered(findings: Sequence[Finding], opinions: Iterable[Opinion]) -> Answered:
    """Sum up what a reader said to the findings of one brain.

    Where nothing was found, agreeing with the score is agreeing that there is nothing; rejecting
    it says that something is there, but not where. "Unsure" is an answer that settles nothing.
    """
    said = {each.about: each.verdict for each in opinions}
    if not findings:
        whole = said.get("score anomaly", "")
        return Answered(0 if whole == AGREED else None, words=_NOTHING_FOUND.get(whole, _NO_ANSWER))
    verdicts = {one.id: said.get(f"finding {one.id}", "") for one in findings}
    lesions = tuple(one for one in findings if verdicts[one.id] == AGREED)
    left = tuple(one for one in findings if verdicts[one.id] not in (AGREED, REJECTED))
    rejected = len(findings) - len(lesions) - len(left)
    if lesions:
        words = f"abnormal: {len(lesions)} of {counted(len(findings), 'finding')} agreed"
        words += f", {len(left)} open" if left else ""
        return Answered(1, lesions, left, words)
    if not left:
        return Answered(0, words=f"normal: {counted(rejected, 'finding')} rejected")
    if any(verdicts.values()):
        return Answered(None, (), left, f"{rejected} of {len(findings)} rejected, the others open")
    return Answered(None, (), left)


def outcome_of(score: Score | None, opinions: Iterable[Opinion]) -> str:
    """The outcome that a reader stated by agreeing with, or rejecting, a probability of severe.

    "SEVERE", "MILD", or empty without an answer that settles it.
    """
    if score is None or score.value is None:
        return ""
    verdict = next((o.verdict for o in opinions if o.about == f"score {score.name}"), "")
    if verdict not in (AGREED, REJECTED):
        return ""
    return "SEVERE" if (score.value >= 0.5) == (verdict == AGREED) else "MILD"


def grades_of(opinions: Iterable[Opinion]) -> str:
    """Brixia grades of all six zones, A to F, as a reader gave them; empty unless all are there."""
    given = next((one.verdict for one in opinions if one.about == ZONE_GRADES), "")
    whole = len(given) == len(ZONES) and all(grade in GRADES for grade in given)
    return given if whole else ""


def lesion_mask(
    geometry: Geometry, found: Sequence[Inside], drawn: Sequence[Inside], doubtful: Sequence[Inside]
) -> NDArray[np.int16]:
    """The mask of a case on its volume's own grid (k, j, i), with the values above.

    What the model found reaches through its slices, so where nothing is `doubtful` (findings
    without an answer) the rest is clean. A drawn region shows a lesion on its own slice only and
    says nothing of the others. Slices are those that a brain model goes through. The outline of a
    finding is that of the model's own map: pixel figures on it favour the version that drew it.
    """
    lesion, doubt = (_any(geometry, parts) for parts in ((*found, *drawn), doubtful))
    mask = np.where(lesion, LESION, CLEAN).astype(np.int16)
    axis = geometry.axis_of[2]
    across = tuple(n for n in range(3) if n != axis)
    unknown = doubt.any(axis=across)
    if drawn:
        unknown |= ~lesion.any(axis=across)
    np.moveaxis(mask, axis, 0)[unknown] = UNKNOWN
    return mask


def _any(geometry: Geometry, parts: Sequence[Inside]) -> Inside:
    return np.logical_or.reduce(parts) if parts else np.zeros(geometry.shape, dtype=np.bool_)
