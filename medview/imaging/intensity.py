"""From values to grey: windows and tables by the standard, automatic windows, presets."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medview.domain.volume import ValueTable, Volume, Window
from medview.domain.windowing import share_of

# Percentiles need no more values than this; a 512 x 512 x 300 volume has 79 million.
_SAMPLE = 1_000_000
# Values that are turned to grey in one go: what lies between stays in the processor's cache.
_AT_ONCE = 1 << 16

AUTOMATIC = (0.1, 99.9)


def grey(
    values: NDArray[np.generic],
    voi: Window | ValueTable,
    *,
    inverted: bool = False,
    curve: ValueTable | None = None,
) -> NDArray[np.uint8]:
    """Turn values (any shape) to grey 0..255 by a window or a table, then invert if asked.

    Windows follow PS3.3 C.11.2.1.2 (rule R26); inversion comes after them (R27), and so does
    the `curve` of a presentation state, from first to last entry (R31). NaN is drawn as the
    lowest value. Values are rounded to the nearest grey, halves up.
    """
    made = np.empty(values.shape, dtype=np.uint8)
    step = max(1, _AT_ONCE * len(values) // values.size) if values.size > _AT_ONCE else 0
    parts = [slice(row, row + step) for row in range(0, len(values), step)] if step else [...]
    if values.dtype in (np.int16, np.uint16):
        lut = _lookup(values.dtype.str, voi, inverted, curve)
        for part in parts:
            # All values are in the table; this only lets numpy write without a check.
            np.take(lut, values[part].view(np.uint16), out=made[part], mode="wrap")
        return made
    for part in parts:
        numbers = np.asarray(values[part], dtype=np.float32)
        made[part] = _to_bytes(_brightness(numbers, voi, curve), inverted)
    return made


@lru_cache(maxsize=16)
def _lookup(
    dtype: str, voi: Window | ValueTable, inverted: bool, curve: ValueTable | None
) -> NDArray[np.uint8]:
    """Grey of all 65 536 values of a 16-bit type, in the order of their unsigned bits."""
    every = np.arange(65536, dtype=np.uint16).view(dtype).astype(np.float64)
    return _to_bytes(_brightness(every, voi, curve), inverted)


def _brightness(
    x: NDArray[np.floating], voi: Window | ValueTable, curve: ValueTable | None
) -> NDArray[np.floating]:
    """Output of the window and then of the curve, between 0 and 1."""
    share = share_of(x, voi)
    return share if curve is None else share_of(share * (len(curve.values) - 1), curve)


def _to_bytes(share: NDArray[np.floating], inverted: bool) -> NDArray[np.uint8]:
    scaled = (share * 255 + 0.5).astype(np.uint8)
    return np.asarray(255 - scaled if inverted else scaled, dtype=np.uint8)


def default_voi(volume: Volume) -> Window | ValueTable:
    """What a volume is shown with when the reader chose nothing: its own, else automatic."""
    if volume.value_table is not None:
        return volume.value_table
    return volume.windows[0] if volume.windows else automatic_window(volume)


# Windows found, by array identity; an entry goes when its array does.
_found: dict[tuple[int, object], Window] = {}


def automatic_window(volume: Volume) -> Window:
    """Window from percentile 0.1 to 99.9 of the pixels that are image.

    Kept as long as the array lives, so drawing a frame does not count again.
    """
    key = (id(volume.array), volume.padding)
    if key not in _found:
        _found[key] = percentile_window(volume, *AUTOMATIC, label="Automatic")
        weakref.finalize(volume.array, _found.pop, key, None)
    return _found[key]


def percentile_window(
    volume: Volume, low: float, high: float, *, foreground: bool = False, label: str = ""
) -> Window:
    """Window between two percentiles of the pixels that are image.

    Padding (R28), missing slices and NaN do not count; large volumes are sampled on a
    regular coarser grid. `foreground` counts only values above a tenth of the way from
    percentile 2 to 98 (the head threshold of Smith, Human Brain Mapping 17, 2002).
    """
    values = image_values(volume)
    if foreground and values.size:
        dark, bright = np.percentile(values, (2, 98))
        inside = values[values > dark + 0.1 * (bright - dark)]
        values = inside if inside.size else values
    if not values.size:
        return Window(1.0, 0.5, "LINEAR_EXACT", label)
    bottom, top = (float(v) for v in np.percentile(values, (low, high)))
    if top <= bottom:  # one value nearly everywhere: drawn black, what is above it brighter
        return Window(1.0, bottom + 0.5, "LINEAR_EXACT", label)
    return Window(top - bottom, (bottom + top) / 2, "LINEAR_EXACT", label)


def image_values(volume: Volume) -> NDArray[np.float32]:
    """At most a million values of the volume, (n,), without padding, missing slices and NaN."""
    array = volume.array
    if volume.missing_slices:
        kept = np.setdiff1d(np.arange(array.shape[0]), volume.missing_slices)
        if array.size > _SAMPLE:
            kept = kept[:: max(1, len(kept) // 64)]
        array = array[kept]
    while array.size > _SAMPLE:
        axis = int(np.argmax(array.shape[:3]))
        array = array[tuple(slice(None, None, 2 if n == axis else 1) for n in range(3))]
    values = np.asarray(array, dtype=np.float32).reshape(-1)
    values = values[np.isfinite(values)]
    if volume.padding is not None:
        low, high = sorted(volume.padding)
        values = values[(values < low) | (values > high)]
    return values


@dataclass(frozen=True, slots=True)
class Preset:
    """A window that a key gives: a fixed one (HU), or percentiles where units are arbitrary."""

    key: str
    title: str
    window: Window | None = None
    percentiles: tuple[float, float] | None = None
    foreground: bool = False


def _hu(key: str, title: str, width: float, level: float) -> Preset:
    return Preset(key, title, Window(width, level, "LINEAR", title))


_AUTOMATIC = Preset("0", "Automatic", percentiles=AUTOMATIC)

#: Presets by what the values are; an empty key stands in the menu only.
PRESETS: dict[str, tuple[Preset, ...]] = {
    "HU": (
        _AUTOMATIC,
        _hu("1", "Soft tissue", 400, 40),
        _hu("2", "Lung", 1500, -600),
        _hu("3", "Liver", 150, 90),
        _hu("4", "Bone", 2500, 480),
        _hu("5", "Brain", 80, 40),
        _hu("6", "Mediastinum", 400, 80),
        _hu("7", "Posterior fossa", 120, 40),
        _hu("8", "Ischaemia", 80, 20),
        _hu("9", "Vessels", 650, 160),
        _hu("", "Ischaemia, narrow", 15, 32),
        _hu("", "Air", 1000, -426),
        _hu("", "Emphysema", 500, -850),
    ),
    "other": (
        _AUTOMATIC,
        Preset("1", "1 % to 99 %", percentiles=(1, 99)),
        Preset("2", "Foreground, 5 % to 95 %", percentiles=(5, 95), foreground=True),
    ),
}


def presets_for(volume: Volume) -> tuple[Preset, ...]:
    """The presets that make sense for a volume: HU ones on CT and nowhere else.

    Where the file proposes several windows they follow, under their own names (R26), and so do
    those of presentation states for the middle slice (R31).
    """
    if volume.is_colour:
        return ()
    is_ct = volume.modality == "CT" or (not volume.modality and volume.quantity == "HU")
    known = PRESETS["HU" if is_ct and volume.quantity == "HU" else "other"]
    middle = volume.geometry.shape[0] // 2
    proposed = list(volume.windows) if len(volume.windows) > 1 else []
    for look in volume.looks:
        proposed += [voi for voi in look.vois[middle] if isinstance(voi, Window)]
    named = (
        Preset(f"file{n}", w.label or f"Window {n} of the file", w)
        for n, w in enumerate(proposed, 1)
    )
    return (*known, *named)


def preset(volume: Volume, key: str) -> Window | None:
    """The window of a preset by its key ("0" to "9", "file1", ...); None where there is none."""
    found = next((p for p in presets_for(volume) if p.key == key and key), None)
    return None if found is None else preset_window(volume, found)


def preset_window(volume: Volume, wanted: Preset) -> Window:
    """The window of a preset, counted on the volume where it is made of percentiles."""
    if wanted.window is not None:
        return wanted.window
    low, high = wanted.percentiles or AUTOMATIC
    return percentile_window(volume, low, high, foreground=wanted.foreground, label=wanted.title)
