"""Sections of a report that say what a model found: its line, and the table of findings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.exam import Exam
from medview.domain.geometry import Geometry
from medview.domain.prediction import SMALLEST_ML, Finding, Prediction
from medview.domain.report import (
    Section,
    Table,
)
from medview.domain.wording import number, place_words
from medview.services.report_lines import Told, score_words, told
from medview.services.report_text import ReaderText
from medview.services.result_maps import (
    brain_box,
    threshold_of,
    uncertainty_map,
)

_MIDLINE_MM = 5.0
_LOWER = re.compile(r"share of (.+) that score lower")
_MOST_FINDINGS = 6
_SYNTHETIC = "The lesion in this study is synthetic: it was put into the images for demonstration."


def result(
    exam: Exam,
    prediction: Prediction,
    card: ModelCard | None = None,
    doubts: Sequence[str] = (),
) -> Section:
    """The one bold line of a model and what stands behind it; `doubts` are of its input."""
    said = told(prediction, card) or Told(
        _LINES.get(prediction.model, _scores_line)(prediction),
        (_scores_text(prediction), _certainty_text(prediction), _hidden_text(prediction)),
    )
    details = list(said.details)
    if exam.has_synthetic_lesion:
        details.append(_SYNTHETIC)
    if doubts:
        count = len(doubts)
        noun = "warning" if count == 1 else "warnings"
        details.append(f"{count} {noun} about the input: see input quality.")
    return Section("Result", " ".join(text for text in details if text), result=said.line)


def findings(
    prediction: Prediction, reader: ReaderText, answers: Mapping[int, str] | None = None
) -> Section:
    """The regions of a model, the first ones and those the reader answered to.

    `answers` are the reader's verdicts by number with name and time; by default the written ones.
    """
    answers = reader.verdicts if answers is None else answers
    every = prediction.findings
    shown = [each for n, each in enumerate(every) if n < _MOST_FINDINGS or each.id in answers]
    compared = any(each.normals_as_high is not None for each in shown)
    rows = tuple(
        (
            str(each.id),
            where_words(each, prediction),
            place_words(each.centroid_lps),
            f"{number(each.volume_ml, 2)} ml",
            _peak_words(each),
            *((_normals_words(each),) if compared else ()),
            answers.get(each.id, "not reviewed"),
        )
        for each in shown
    )
    left_out = len(every) - len(shown)
    more = f"{left_out} more of the {len(every)} regions are listed in the attached manifest."
    normals = ("As high in normal brains",) if compared else ()
    headings = ("No.", "Where", "Centre", "Volume", "Peak", *normals, "Reader")
    return Section("Findings of the model", more if left_out else "", table=Table(rows, headings))


def rejected_words(prediction: Prediction, answers: Mapping[int, str]) -> str:
    """What the reader rejected of the regions that the bold line is about; empty for nothing."""
    every = _seen(prediction)
    rejected = [each for each in every if answers.get(each.id, "").startswith("rejected")]
    if not rejected:
        return ""
    if len(every) == 1:
        return "The reader rejected it."
    among = ", the most unusual one among them" if _most_unusual(every) in rejected else ""
    return f"The reader rejected {len(rejected)} of the {len(every)} regions{among}."


def where_words(finding: Finding, prediction: Prediction) -> str:
    """Side, front to back and height within the brain, such as "left posterior, high".

    By the thirds of the brain's extent in the patient; the slice where that is not known.
    """
    extent = _brain_extent(prediction)
    return f"slice {finding.slice + 1}" if extent is None else _place(finding, *extent)


def places_of(prediction: Prediction) -> dict[int, str]:
    """The same of all findings by their numbers; empty where it is not known."""
    extent = _brain_extent(prediction) if prediction.findings else None
    return {} if extent is None else {f.id: _place(f, *extent) for f in prediction.findings}


def _brain_extent(
    prediction: Prediction,
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Lowest and highest LPS mm of the brain; None where sides are not known."""
    source, box = prediction.map("brain"), brain_box(prediction)
    if source is None or not box or not source.geometry.orientation_known:
        return None
    ends = [box[0:2], box[2:4], box[4:6]]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    places = source.geometry.to_mm(corners)
    return places.min(axis=0), places.max(axis=0)


def _place(finding: Finding, low: NDArray[np.float64], high: NDArray[np.float64]) -> str:
    part = (np.array(finding.centroid_lps) - low) / np.maximum(high - low, 1e-6)
    off = finding.centroid_lps[0] - (low[0] + high[0]) / 2
    side = "midline" if abs(off) < _MIDLINE_MM else "left" if off > 0 else "right"
    depth = ("anterior", "central", "posterior")[_third(part[1])]
    height = ("low", "mid-height", "high")[_third(part[2])]
    return f"{side} {depth}, {height}"


def _third(part: float) -> int:
    return min(2, max(0, math.floor(3 * part)))


def _anomaly_line(prediction: Prediction) -> str:
    seen, score = _seen(prediction), prediction.score("anomaly")
    if not seen and score is not None and score.value is None:
        return "Not judged: the model did not recognise these images."
    if not seen:
        return f"No region of {SMALLEST_ML:g} ml or more above the threshold."
    first = _most_unusual(seen)
    where = f"{where_words(first, prediction)}, {number(first.volume_ml, 2)} ml"
    if len(seen) == 1:
        return f"Unusual region: {where}."
    return f"{len(seen)} unusual regions; the most unusual: {where}."


def _seen(prediction: Prediction) -> list[Finding]:
    return [each for each in prediction.findings if not each.hidden_by_uncertainty]


def _most_unusual(seen: list[Finding]) -> Finding:
    """The region with the highest peak; a large one may be faint."""
    return max(seen, key=lambda each: each.peak)


def _hidden_text(prediction: Prediction) -> str:
    count = len(prediction.findings) - len(_seen(prediction))
    if not count:
        return ""
    noun = "region is" if count == 1 else "regions are"
    return f"{count} more {noun} hidden by uncertainty: unusual, but the model is not sure there."


def _scores_line(prediction: Prediction) -> str:
    if not prediction.scores:
        return "No score."
    text = score_words(prediction.scores[0])
    return f"{text[:1].upper()}{text[1:]}."


_LINES: dict[str, Callable[[Prediction], str]] = {"anomaly": _anomaly_line}


def _scores_text(prediction: Prediction) -> str:
    score, percentile = prediction.score("anomaly"), prediction.score("anomaly_percentile")
    if score is None:
        rest = prediction.scores[1:]
        return "; ".join(score_words(each) for each in rest) + ("." if rest else "")
    if score.value is None:
        return f"No score: {score.meaning}." if score.meaning else "No score."
    text = "A" + score_words(score).replace("anomaly", "nomaly score", 1)
    if percentile is not None and percentile.value is not None:
        share = f"{number(percentile.value, 2)} {percentile.unit}".replace(" 1", "")
        text += f"; {_rank_words(share, percentile.meaning)}"
    return f"{text}."


def _rank_words(share: str, meaning: str) -> str:
    """Of "share of 14 normal brains that score lower" and 98 %: higher than in 98 % of them."""
    found = _LOWER.fullmatch(meaning)
    if found is None:
        return f"{share} ({meaning or 'percentile among training normals'})"
    return f"higher than in {share} of {found[1]}"


def _certainty_text(prediction: Prediction) -> str:
    """How the uncertainty in the most unusual region compares with the rest of the brain."""
    seen = _seen(prediction)
    if not seen:
        return ""
    share = certainty_rank(_most_unusual(seen), prediction)
    if share is None:
        return ""
    level = "low" if share < 0.5 else "ordinary" if share < 0.9 else "high: read it with care"
    return f"Uncertainty there is {level} (above that of {share:.0%} of the brain).".replace(
        "%", " %"
    )


def certainty_rank(finding: Finding, prediction: Prediction) -> float | None:
    """Share of the brain that has less uncertainty than the middle value of a finding's region."""
    source, total = prediction.map(finding.map), uncertainty_map(prediction)
    brain, threshold = prediction.map("brain"), threshold_of(prediction, finding.map)
    if source is None or total is None or brain is None or threshold is None:
        return None
    box = _around(finding, source.geometry)
    region = np.asarray(source.array[box]) >= threshold
    inside = np.asarray(total.array)
    everywhere = inside[np.asarray(brain.array) > 0]
    if not region.any() or not everywhere.size:
        return None
    return float(np.mean(everywhere < np.median(inside[box][region])))


def _around(finding: Finding, geometry: Geometry) -> tuple[slice, slice, slice]:
    """A box of voxels round a finding, twice as wide as a ball of its volume."""
    reach_mm = 2 * (3 * finding.volume_ml * 1000 / (4 * math.pi)) ** (1 / 3) + 2
    centre = geometry.to_index(finding.centroid_lps)
    reach = reach_mm / np.array(geometry.spacing_mm)
    k, j, i = (
        slice(max(0, math.floor(c - r)), math.ceil(c + r) + 1)
        for c, r in zip(centre, reach, strict=True)
    )
    return k, j, i


def _peak_words(finding: Finding) -> str:
    if not finding.hidden_by_uncertainty:
        return number(finding.peak)
    return f"{finding.map} {number(finding.peak, 2)}, hidden"


def _normals_words(finding: Finding) -> str:
    if finding.normals_as_high is None:
        return "not known"
    return f"{finding.normals_as_high} of {finding.normals}"
