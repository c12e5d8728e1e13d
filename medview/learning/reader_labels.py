"""What readers answered and drew, as labels: which answers are one, and where lesions lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import GRADES, ZONE_GRADES, Finding, Opinion, Score
from medview.learning.chest_rows import ZONES

Inside = NDArray[np.bool_]
LESION, CLEAN, UNKNOWN = 1, 0, -1
"""Values of a mask: a lesion, none, and slices of which nobody has said anything."""
AGREED, REJECTED = "agree", "rejected"
_NO_ANSWER = "no answer yet"
_NOTHING_FOUND = {
    AGREED: "normal: nothing found, agreed",
    REJECTED: "rejected, but no lesion is marked",
    "unsure": "nothing found, unsure",
}
_ROOM = 1.5
"""Half the side of the box about a peak, as a share of the diameter of a ball of its volume."""
_ROOM_MM = 20.0
_HALVINGS = 24


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


def counted(n: int, noun: str) -> str:
    """A number with its noun."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


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


def region_of(finding: Finding, shown: ScalarMap) -> Inside:
    """Where a finding lies, (k, j, i): what is connected to its peak and has its volume.

    The level is sought at which that region is as large as the finding was told to be, so that
    neither the thresholds nor the mask of the run need to be known.
    """
    values = np.asarray(shown.array, dtype=np.float32)
    inside = np.zeros(values.shape, dtype=np.bool_)
    peak = _peak_of(finding, shown, values)
    box = _box_about(peak, finding.volume_ml, shown.geometry)
    part = values[box]
    at = tuple(n - side.start for n, side in zip(peak, box, strict=True))
    wanted = max(1, round(finding.volume_ml / shown.geometry.voxel_ml))
    low, high = 0.0, float(part[at])
    best = _connected(part, at, high)
    for _ in range(_HALVINGS):
        level = (low + high) / 2
        found = _connected(part, at, level)
        if abs(int(found.sum()) - wanted) < abs(int(best.sum()) - wanted):
            best = found
        low, high = (level, high) if found.sum() > wanted else (low, level)
    inside[box] = best
    return inside


def _peak_of(
    finding: Finding, shown: ScalarMap, values: NDArray[np.float32]
) -> tuple[int, int, int]:
    """The voxel of the finding's peak: on its slice, of its value, nearest to its middle."""
    k = min(max(finding.slice, 0), values.shape[0] - 1)
    rows, columns = np.nonzero(np.isclose(values[k], finding.peak, rtol=1e-5, atol=0))
    _, j, i = shown.geometry.to_index(np.array(finding.centroid_lps))
    if not rows.size:
        middle = (np.array(values.shape[1:]) - 1).clip(0)
        row, column = np.clip(np.round([j, i]), 0, middle).astype(int)
        return k, int(row), int(column)
    nearest = int(np.argmin((rows - j) ** 2 + (columns - i) ** 2))
    return k, int(rows[nearest]), int(columns[nearest])


def _box_about(
    peak: tuple[int, int, int], volume_ml: float, geometry: Geometry
) -> tuple[slice, slice, slice]:
    reach_mm = _ROOM * 2 * (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3) + _ROOM_MM
    sides = [
        slice(max(0, at - round(reach_mm / mm)), min(size, at + round(reach_mm / mm) + 1))
        for at, mm, size in zip(peak, geometry.spacing_mm, geometry.shape, strict=True)
    ]
    return sides[0], sides[1], sides[2]


def _connected(part: NDArray[np.float32], at: tuple[int, ...], level: float) -> Inside:
    labels, _ = ndimage.label(part >= level)
    return np.asarray(labels == labels[at]) if labels[at] else np.zeros(part.shape, np.bool_)


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
