"""A prediction as the JSON object of ``medview.result/1`` and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding, InputRef, PassScore, Prediction, Score
from medview.domain.volume import Note
from medview.io.plain import plain, record_of

SCHEMA = "medview.result/1"
_LONGEST = 2000
# The version belongs to the model; weights, code and device say what answered and where.
_PLAIN = (
    *("model", "version", "weights_sha256", "parent", "code", "device", "dtype", "mode", "seed"),
    *("parameters", "seconds", "peak_memory_mb", "made_at"),
)


def result_dict(prediction: Prediction) -> dict[str, Any]:
    """Return the object of ``medview.result/1``: plain values, None for what is not a number."""
    body: dict[str, Any] = {"schema": SCHEMA}
    body |= {name: plain(getattr(prediction, name)) for name in _PLAIN}
    body["inputs"] = [plain(item) for item in prediction.inputs]
    body["scores"] = [plain(item) for item in prediction.scores]
    body["maps"] = [_map_entry(item) for item in prediction.maps]
    body["findings"] = [plain(item) for item in prediction.findings]
    body["preparation"] = list(prediction.preparation)
    body["warnings"] = [plain(item) for item in prediction.warnings]
    if prediction.passes:
        body["passes"] = [plain(item) for item in prediction.passes]
    return body


def prediction_of(body: Mapping[str, Any]) -> Prediction:
    """Make the prediction again, without its maps and slices.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the object is not what ``result_dict`` makes; keys it does not know are ignored.
    """
    if body["schema"] != SCHEMA:
        raise ValueError(f"the schema is {body['schema']!r}")
    made = Prediction(
        **{name: body[name] for name in _PLAIN if name in body},
        inputs=tuple(record_of(InputRef, item) for item in body["inputs"]),
        scores=tuple(record_of(Score, item) for item in body["scores"]),
        findings=tuple(record_of(Finding, item) for item in body["findings"]),
        preparation=tuple(body["preparation"]),
        warnings=tuple(_shortened(record_of(Note, item)) for item in body["warnings"]),
        passes=tuple(record_of(PassScore, item) for item in body.get("passes", ())),
    )
    _check_kinds(made)
    return made


def _shortened(note: Note) -> Note:
    """A warning that a page has room for; whoever lays out one of a book's length never ends."""
    text = note.text
    return note if len(text) <= _LONGEST else replace(note, text=f"{text[:_LONGEST]} ...")


def _check_kinds(made: Prediction) -> None:
    """Raise a TypeError where a text, a number or a table is another kind of thing."""
    texts = [made.model, made.version, made.weights_sha256, made.code, made.device, made.dtype]
    texts += [made.mode, made.made_at, *made.preparation]
    texts += [text for note in made.warnings for text in (note.code, note.text)]
    known: list[object] = [n for n in (made.seconds, made.peak_memory_mb) if n is not None]
    for score in made.scores:
        texts += [score.name, score.method, score.unit, score.status, score.meaning]
        known += [n for n in (score.value, score.low, score.high) if n is not None]
    for found in made.findings:
        texts.append(found.map)
        known += [*found.centroid_lps, found.slice, found.volume_ml, found.peak]
    for item in made.inputs:
        texts += [item.role, item.study, item.series, item.sha256]
        known += [*item.size]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is none")
    if not all(isinstance(n, int | float) and math.isfinite(n) for n in known):
        raise TypeError("a number is none")
    sizes = {len(item.size) for item in made.inputs} | {len(f.centroid_lps) for f in made.findings}
    if not isinstance(made.parameters, dict) or sizes - {3}:
        raise TypeError("a table is none")


MAPS = "maps"


def map_file(name: str) -> str:
    """Where the map of that name lies in a result folder."""
    return f"{MAPS}/{name}.nii.gz"


def _map_entry(item: ScalarMap) -> dict[str, Any]:
    geometry = item.geometry
    return {
        "name": item.name,
        "file": map_file(item.name),
        "kind": item.kind,
        "unit": item.unit,
        "title": item.title,
        "range": plain(item.range),
        "dtype": str(item.array.dtype),
        "grid": grid_dict(geometry),
        **(
            {"labels": {str(n): label for n, label in enumerate(item.labels, 1)}}
            if item.labels
            else {}
        ),
    }


def grid_dict(geometry: Geometry) -> dict[str, Any]:
    """Return a geometry exactly; a NIfTI header alone keeps only seven digits of the affine."""
    return {
        "size": list(geometry.shape[::-1]),
        "affine_lps": plain(geometry.affine_ijk),
        "frame_of_reference": geometry.frame_of_reference,
        "orientation_known": geometry.orientation_known,
        "spacing_kind": geometry.spacing_kind,
    }


def geometry_of(grid: Mapping[str, Any]) -> Geometry:
    """Make the geometry again that ``grid_dict`` told of."""
    i, j, k = grid["size"]
    return Geometry.from_ijk_affine(
        (k, j, i),
        grid["affine_lps"],
        frame_of_reference=grid["frame_of_reference"],
        orientation_known=grid["orientation_known"],
        spacing_kind=grid["spacing_kind"],
    )
