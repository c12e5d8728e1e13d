"""What lies under the mouse: the place in the patient and the value of every layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.services.layering import base_name, short_name
from medview.services.session import Session
from medview.ui.identity import shown_name
from medview.ui.pointer import Pointer
from medview.ui.words import isolated, number, place, tr

# Longer names of series are left out of the status bar.
_SHORT = 16

_LAST = ("labels", "mask", "image")

_Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Value:
    """One layer's value at a place; None outside, where it is not a number, or in colour.

    `label` is what the value stands for where the map says it, or a colour; `is_mask` where the
    value only says whether the place belongs to something, or is the number of a part without a
    name.
    """

    name: str
    title: str
    value: float | None
    unit: str
    label: str = ""
    is_mask: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """Values of all layers in the voxel that holds a point (LPS mm).

    `where` is the place in words: millimetres in the patient where the file says where that
    is, else column and row.
    """

    point_lps: _Place
    values: tuple[Value, ...]
    where: str


def probe(session: Session, point_lps: _Place, pane: str | None = None) -> Probe | None:
    """Read every layer at a point of a pane (None: the active one); None outside the volume."""
    held = session.content(session.active_pane if pane is None else pane)
    if held is None or not held.volume.geometry.contains(point_lps):
        return None
    volume = held.volume
    about = shown_name(session, held.series) if held.series.description else ""
    image = None if volume.is_colour else value_at(volume.array, volume.geometry, point_lps)
    hue = colour_at(volume.array, volume.geometry, point_lps) if volume.is_colour else ""
    values = [Value("image", about or volume.modality, image, volume.quantity, hue)]
    seen = set()
    # Figures first: where the line is cut it is cut at masks, and at what a model was given.
    layers = session.layers_about(held.id)[::-1]
    for layer in sorted(layers, key=lambda each: each.map.kind in _LAST):
        found = layer.map
        # Of older versions only what is drawn: the line has room for one set of figures.
        if found.name not in seen and (layer.style.visible or base_name(found.name) == found.name):
            seen.add(found.name)
            value = value_at(found.array, found.geometry, point_lps)
            title, label = found.title or found.name, label_of(found, value)
            is_mask = found.kind == "mask" or (found.kind == "labels" and not label)
            values.append(Value(found.name, title, value, found.unit, label, is_mask))
    return Probe(point_lps, tuple(values), _where(volume.geometry, point_lps))


def probe_under(session: Session, under: Pointer | None) -> Probe | None:
    """Read every layer under the mouse, or at the crosshair when it is elsewhere."""
    if under is not None and under.point_lps is not None:
        return probe(session, under.point_lps, under.pane)
    view = session.views.get(session.active_pane)
    return probe(session, view.point_lps) if view is not None else None


def _where(geometry: Geometry, point_lps: _Place) -> str:
    """No letters without a known orientation, no millimetres without a known size (R20, R22)."""
    if geometry.orientation_known and geometry.spacing_kind == "patient":
        return place(point_lps)
    k, j, i = (round(float(n)) + 1 for n in geometry.to_index(point_lps))
    text = tr("column {i}, row {j}", i=i, j=j)
    return text if geometry.shape[0] == 1 else text + tr(", slice {k}", k=k)


def short_text(value: Value) -> str:
    """A layer and its value where room is scarce: the key of a map, a short name of the image."""
    title = short_name(value.name) if value.name != "image" else value.title
    if len(title) > _SHORT:
        title = "image"
    return f"{isolated(title)} {value_text(value, titled=False)}".strip()


def probe_lines(read: Probe) -> tuple[str, ...]:
    """The place, then one line a layer: what stands beside the mouse."""
    return (read.where, *(value_text(value) for value in read.values))


def value_text(value: Value, *, titled: bool = True) -> str:
    """A layer and its value, such as "score 14.1" or "T1 37 HU"."""
    unit = "" if value.unit in ("1", "a.u.", "") else f" {value.unit}"
    text = value.label or f"{number(value.value)}{unit}"
    return f"{isolated(value.title)} {text}".strip() if titled else text


def label_of(found: ScalarMap, value: float | None) -> str:
    """What a value of a map of labels stands for; empty where the map does not say it."""
    if not found.labels or value is None:
        return ""
    if value == 0:
        return tr("none")
    return found.labels[int(value) - 1] if value in range(1, len(found.labels) + 1) else ""


def colour_at(array: NDArray[np.generic], geometry: Geometry, point_lps: _Place) -> str:
    """Red, green and blue of the voxel nearest to a point, such as "RGB 255 0 0"."""
    k, j, i = np.rint(geometry.to_index(point_lps)).astype(int)
    return "RGB " + " ".join(f"{int(part)}" for part in array[k, j, i])


def value_at(array: NDArray[np.generic], geometry: Geometry, point_lps: _Place) -> float | None:
    """Value of the voxel (k, j, i) nearest to a point; None outside and for NaN."""
    index = np.rint(geometry.to_index(point_lps)).astype(int)
    if (index < 0).any() or (index >= np.array(geometry.shape)).any():
        return None
    value = float(array[index[0], index[1], index[2]])
    return value if np.isfinite(value) else None
