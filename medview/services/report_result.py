"""Sections of a report that say and show what a model found."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.exam import Exam
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding, Prediction
from medview.domain.report import (
    FigureRow,
    Picture,
    Section,
    StripChart,
    Table,
)
from medview.domain.volume import Volume
from medview.domain.wording import number, place_words
from medview.imaging.frame import Layer
from medview.services.key_slices import (
    LEAST_APART_MM,
    PICTURE_SIZE,
    REGIONS_SIZE,
    SMALL_SIZE,
    KeySlice,
    best_plane,
    box_of,
    brain_box,
    cut_axis,
    is_film,
    key_slices,
    layer_style,
    main_map,
    picture,
    regions_map,
    threshold_of,
    uncertainty_map,
)
from medview.services.report_lines import Told, score_words, told
from medview.services.report_text import ReaderText
from medview.services.telling import result_marks

_MIDLINE_MM = 5.0
_LOWER = re.compile(r"share of (.+) that score lower")
_MOST_FINDINGS = 6
_KEY_SLICES = 3
_READ = "Colour in the middle picture and little in the right one: unusual, and certain."
_SYNTHETIC = "The lesion in this study is synthetic: it was put into the images for demonstration."


def result(exam: Exam, prediction: Prediction, card: ModelCard | None = None) -> Section:
    """The one bold line of a model and what stands behind it."""
    said = told(prediction, card) or Told(
        _LINES.get(prediction.model, _scores_line)(prediction),
        (_scores_text(prediction), _certainty_text(prediction), _hidden_text(prediction)),
    )
    details = list(said.details)
    if exam.has_synthetic_lesion:
        details.append(_SYNTHETIC)
    if prediction.warnings:
        count = len(prediction.warnings)
        noun = "warning" if count == 1 else "warnings"
        details.append(f"{count} {noun} about the input: see input quality.")
    return Section("Result", " ".join(text for text in details if text), result=said.line)


def has_marks(prediction: Prediction) -> bool:
    """Whether a result has something to show on the image."""
    shown = (main_map(prediction), uncertainty_map(prediction), regions_map(prediction))
    return any(each is not None for each in shown) or bool(result_marks((prediction,)))


def pictures(volume: Volume, prediction: Prediction | None) -> Section:
    """Three key slices, each as image, score and uncertainty; without a result the image alone.

    The first one is large; two more stand side by side below it.

    A film is one slice, shown larger with its zones. Of regions, which have neither score nor
    uncertainty, the images stand above the coloured ones.
    """
    if is_film(volume.geometry):
        return _film(volume, prediction)
    if prediction is not None and regions_map(prediction) and not main_map(prediction):
        return _regions(volume, prediction)
    keys = key_slices(prediction, volume.geometry)
    layers = _layers(prediction)
    box = box_of(prediction, volume)
    if not layers:
        made = [picture(volume, None, key, box)[0] for key in keys]
        return Section("Key slices", figures=(FigureRow(tuple(made), _plain_caption(keys)),))
    rows: list[FigureRow] = []
    for letter, key in zip("ABC", keys, strict=False):
        # Boxes on the plain image only: under a colour they would not be read.
        marks = result_marks((prediction,)) if prediction is not None else ()
        half = bool(rows) and len(keys) == _KEY_SLICES
        size = SMALL_SIZE if half else PICTURE_SIZE
        drawn = [
            picture(volume, layer, key, box, () if layer else marks, size)
            for layer in (None, *layers)
        ]
        bars = () if rows else tuple(bar for _, bar in drawn)
        shown = (_lettered(drawn[0][0], letter), *(each for each, _ in drawn[1:]))
        note = _READ if not rows and len(layers) > 1 else ""
        words = _caption(key, layers, first=not rows)
        row = FigureRow(shown, f"{letter}: {words}", bars, note, len(shown), half=half)
        rows.append(_calm(row) if half else row)
    assert prediction is not None  # there are layers
    charts = _strip(volume.geometry, prediction, keys)
    return Section("", _fewer(keys), figures=tuple(rows), charts=charts)


def _fewer(keys: Sequence[KeySlice]) -> str:
    """Why fewer slices are shown than there is room for."""
    if len(keys) >= _KEY_SLICES:
        return ""
    if not all(key.coloured for key in keys):
        return "The score stays below its threshold everywhere, or nearly."
    shown = "One slice is" if len(keys) == 1 else "Two slices are"
    return (
        f"{shown} shown: in no other, {LEAST_APART_MM:.0f} mm away or more, does the score "
        "reach its threshold."
    )


def _film(volume: Volume, prediction: Prediction | None) -> Section:
    """The film with its zones, and beside it the same with what speaks for the result."""
    key = key_slices(None, volume.geometry)[0]
    box = box_of(prediction, volume)
    layers = _layers(prediction)
    marks = result_marks((prediction,)) if prediction is not None else ()
    drawn = [picture(volume, None, key, box, marks)]
    drawn += [picture(volume, layer, key, box) for layer in layers]
    words = "The film with zones A to F and the Brixia score of each" if marks else "The film"
    names = "".join(f"; {layer.map.title or layer.map.name}" for layer in layers)
    side = "" if volume.geometry.orientation_known else " The file does not tell left from right."
    row = FigureRow(
        tuple(made for made, _ in drawn),
        f"{words}{names}.{side}",
        tuple(bar for _, bar in drawn) if layers else (),
        abreast=max(2, len(drawn)),
    )
    return Section("Film", figures=(row,))


def _regions(volume: Volume, prediction: Prediction) -> Section:
    """Slices as they are, and below them the same with the regions that were measured."""
    source = regions_map(prediction)
    assert source is not None  # the caller has looked
    keys, box = key_slices(prediction, volume.geometry), box_of(prediction, volume)
    layer = Layer(source, layer_style(prediction, source))
    plain = tuple(picture(volume, None, key, box, size=REGIONS_SIZE)[0] for key in keys)
    tinted = tuple(picture(volume, layer, key, box, size=REGIONS_SIZE)[0] for key in keys)
    words = f"The same with the {source.title or 'regions'}; colours only tell them apart."
    rows = (FigureRow(plain, _plain_caption(keys)), FigureRow(tinted, words))
    return Section("Key slices", figures=rows)


def findings(
    prediction: Prediction, reader: ReaderText, answers: Mapping[int, str] | None = None
) -> Section:
    """The regions of a model, the first ones and those the reader answered to.

    `answers` are the reader's verdicts by number with name and time; by default the written ones.
    """
    answers = reader.verdicts if answers is None else answers
    every = prediction.findings
    shown = [each for n, each in enumerate(every) if n < _MOST_FINDINGS or each.id in answers]
    rows = tuple(
        (
            str(each.id),
            where_words(each, prediction),
            place_words(each.centroid_lps),
            f"{number(each.volume_ml, 2)} ml",
            _peak_words(each),
            answers.get(each.id, "not reviewed"),
        )
        for each in shown
    )
    left_out = len(every) - len(shown)
    more = f"{left_out} more of the {len(every)} regions are listed in the attached manifest."
    headings = ("No.", "Where", "Centre", "Volume", "Peak", "Reader")
    return Section("Findings of the model", more if left_out else "", table=Table(rows, headings))


def where_words(finding: Finding, prediction: Prediction) -> str:
    """Side, front to back and height within the brain, such as "left posterior, high".

    By the thirds of the brain's extent in the patient; the slice where that is not known.
    """
    source, box = prediction.map("brain"), brain_box(prediction)
    if source is None or not box or not source.geometry.orientation_known:
        return f"slice {finding.slice + 1}"
    ends = [box[0:2], box[2:4], box[4:6]]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    places = source.geometry.to_mm(corners)
    low, high = places.min(axis=0), places.max(axis=0)
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
        return "No region above the threshold."
    largest = max(seen, key=lambda each: each.volume_ml)
    where = f"{where_words(largest, prediction)}, {number(largest.volume_ml, 2)} ml"
    if len(seen) == 1:
        return f"Unusual region: {where}."
    return f"{len(seen)} unusual regions; the largest {where}."


def _seen(prediction: Prediction) -> list[Finding]:
    return [each for each in prediction.findings if not each.hidden_by_uncertainty]


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
    """How the uncertainty in the largest region compares with the rest of the brain."""
    seen = _seen(prediction)
    if not seen:
        return ""
    share = certainty_rank(max(seen, key=lambda each: each.volume_ml), prediction)
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


def _layers(prediction: Prediction | None) -> tuple[Layer, ...]:
    if prediction is None:
        return ()
    maps: list[ScalarMap] = [
        each for each in (main_map(prediction), uncertainty_map(prediction)) if each
    ]
    return tuple(Layer(each, layer_style(prediction, each)) for each in maps)


def _calm(row: FigureRow) -> FigureRow:
    """A small row says its window and the names of its maps no second time."""
    first, *others = row.pictures
    letter, where, _, last = first.corners
    plain = replace(first, corners=(letter, where, "", last))
    return replace(row, pictures=(plain, *(replace(p, corners=("",) * 4) for p in others)))


def _lettered(made: Picture, letter: str) -> Picture:
    _, right, bottom, last = made.corners
    return Picture(made.rgb, made.alt, made.letters, (letter, right, bottom, last), made.scale)


def _caption(key: KeySlice, layers: tuple[Layer, ...], *, first: bool) -> str:
    place = place_words(key.point_lps)
    what = "High score, no finding" if key.coloured else "Nothing is marked here"
    if key.through:
        what = f"Another level of finding {key.through.id}"
    if key.finding:
        hidden = ", hidden by uncertainty," if key.finding.hidden_by_uncertainty else ""
        what = f"Finding {key.finding.id}{hidden} at its peak"
    if not first:
        return f"{what} ({place})."
    names = [layer.map.title or layer.map.name for layer in layers]
    shown = ", ".join(["image", *names])
    return f"{what} ({place}): {shown}."


def _plain_caption(keys: tuple[KeySlice, ...]) -> str:
    return f"Slices at {'; '.join(place_words(key.point_lps) for key in keys)}."


def _strip(
    geometry: Geometry, prediction: Prediction, keys: tuple[KeySlice, ...]
) -> tuple[StripChart, ...]:
    """The score along the axial slices, where the pictures are such slices, too."""
    axis = geometry.axis_of[2]
    count = geometry.shape[axis]
    last = max((each.slice for each in prediction.slices), default=count)
    if cut_axis(geometry, best_plane(geometry)) != axis or count < 3 or last >= count:
        return ()
    values = [math.nan] * count
    for each in prediction.slices:
        values[each.slice] = each.score
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return ()
    low, high = min(0.0, *known), max(known)
    peak = values.index(high)
    return (
        StripChart(
            values=tuple(values),
            marks=tuple((key.index, letter) for letter, key in zip("ABC", keys, strict=False)),
            low=low,
            high=high,
            ends=_ends(geometry, axis),
            caption=f"Anomaly score of each slice, highest {number(high)} in slice {peak + 1}.",
            alt=f"Bars of the score of {count} slices; the highest is in slice {peak + 1}.",
        ),
    )


def _ends(geometry: Geometry, axis: int) -> tuple[str, str]:
    """What lies at the first and the last slice."""
    first, last = ("feet", "head") if geometry.affine[2, axis] > 0 else ("head", "feet")
    if not geometry.orientation_known:
        return "slice 1", f"slice {geometry.shape[axis]}"
    return f"slice 1, {first}", f"slice {geometry.shape[axis]}, {last}"
