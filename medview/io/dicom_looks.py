"""Presentation states on the slices of a volume: their windows in the volume's own values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from medview.domain.presentation import Look, Modality, Presentation, Voi, is_about
from medview.domain.volume import ValueTable, Window
from medview.domain.windowing import share_of
from medview.io.dicom_form import Form
from medview.io.dicom_rescale import Rescale

# A table from stored values to grey is not made for more bits.
MOST_BITS = 16

Image = tuple[str, int]


def look_of(
    state: Presentation, count: int, images: Mapping[int, tuple[Image, Rescale, Form]]
) -> Look:
    """Put a state on the `count` slices of a volume, of which `images` are there."""
    here = {k: image for k, (image, _, _) in images.items() if image[0] in state.images}
    known: dict[tuple[object, ...], Voi | None] = {}

    def own(voi: Voi, rescale: Rescale, form: Form) -> Voi | None:
        key = (id(voi), rescale.slope, rescale.intercept, id(rescale.table), form)
        if key not in known:
            known[key] = in_values(voi, state.modality, rescale, form)
        return known[key]

    vois = []
    for k in range(count):
        _, rescale, form = images.get(k, (None, Rescale(), None))
        wanted = [
            own(voi, rescale, form)
            for voi, targets in state.vois
            if k in here and form is not None and is_about(targets, *here[k])
        ]
        vois.append(tuple(voi for voi in wanted if voi is not None))
    return Look(state, tuple(here.get(k) for k in range(count)), tuple(vois))


def in_values(voi: Voi, modality: Modality, rescale: Rescale, form: Form) -> Voi | None:
    """A window or table of a state, about the values that the file's own rescale gives.

    None where there is no such window: the values do not tell what was stored, or there are
    too many of them for a table.
    """
    if _same(modality, rescale):
        return voi
    if rescale.table is not None or rescale.slope == 0:
        return None
    slope = rescale.slope / modality.slope
    if modality.table is not None or slope < 0:
        return _tabulated(voi, modality, rescale, form)
    offset = rescale.intercept - modality.intercept * slope
    if isinstance(voi, Window):
        return _moved(voi, slope, offset)
    return ValueTable(voi.first * slope + offset, voi.values, voi.step * slope)


def _same(modality: Modality, rescale: Rescale) -> bool:
    if modality.table is None or rescale.table is None:
        both_lines = modality.table is None and rescale.table is None
        own = modality.slope, modality.intercept
        return both_lines and bool(np.allclose(own, (rescale.slope, rescale.intercept), rtol=1e-9))
    same_first = modality.first == rescale.table.first
    return same_first and np.array_equal(modality.table, rescale.table.values)


def _moved(window: Window, slope: float, offset: float) -> Window:
    """The window on ``slope * x + offset`` that a window on x is."""
    if slope == 1:
        return Window(window.width, window.level + offset, window.function, window.label)
    width, level, function = window.width, window.level, window.function
    if function == "LINEAR":
        # Its half step and its width less one are in the state's values (R26).
        width, level, function = max(width - 1, 1e-6), level - 0.5, "LINEAR_EXACT"
    return Window(width * slope, level * slope + offset, function, window.label)


def _tabulated(voi: Voi, modality: Modality, rescale: Rescale, form: Form) -> ValueTable | None:
    """Grey of every stored value that can be, where these are not too many."""
    if form.floating or form.stored > MOST_BITS:
        return None
    low, high = form.limits
    stored = np.arange(low, high + 1, dtype=np.float64)
    grey = share_of(_given(stored, modality), voi).astype(np.float32)
    first = rescale.slope * low + rescale.intercept
    if rescale.slope < 0:
        first, grey = rescale.slope * high + rescale.intercept, grey[::-1]
    return ValueTable(first, grey, abs(rescale.slope))


def _given(stored: NDArray[np.float64], modality: Modality) -> NDArray[np.float64]:
    """What a state's modality transform makes of stored values."""
    if modality.table is None:
        return modality.slope * stored + modality.intercept
    place = np.clip(np.rint(stored) - modality.first, 0, len(modality.table) - 1)
    return np.asarray(modality.table[place.astype(np.int64)], dtype=np.float64)
