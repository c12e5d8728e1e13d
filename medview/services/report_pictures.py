"""The section of a report that shows a result: key slices, a film, or regions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction
from medview.domain.report import (
    ColourBar,
    FigureRow,
    Picture,
    Section,
    StripChart,
)
from medview.domain.volume import Volume
from medview.domain.wording import number, place_words
from medview.imaging.frame import Layer
from medview.services.key_slices import (
    LEAST_APART_MM,
    KeySlice,
    best_plane,
    cut_axis,
    is_film,
    key_slices,
)
from medview.services.result_maps import (
    box_of,
    main_map,
    regions_map,
    uncertainty_map,
)
from medview.services.slice_pictures import (
    PICTURE_SIZE,
    REGIONS_SIZE,
    SMALL_SIZE,
    layer_style,
    picture,
)
from medview.services.telling import result_marks

_KEY_SLICES = 3
_UNSURE = " The file does not tell left from right."
_TAKEN = " The file does not tell left from right; A to C are taken for the right lung."
_READ = "Colour in the middle picture and little in the right one: unusual, and certain."


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
    if prediction is None or not layers:
        made = [picture(volume, None, key, box)[0] for key in keys]
        return Section("Key slices", figures=(FigureRow(tuple(made), _plain_caption(keys)),))
    # Boxes on the plain image only: under a colour they would not be read.
    marks = result_marks((prediction,))
    rows: list[FigureRow] = []
    for letter, key in zip("ABC", keys, strict=False):
        half = bool(rows) and len(keys) == _KEY_SLICES
        size = SMALL_SIZE if half else PICTURE_SIZE
        plain = picture(volume, None, key, box, marks, size)
        drawn = [plain, *(picture(volume, layer, key, box, size=size) for layer in layers)]
        row = _row(letter, _caption(key, layers, first=not rows), drawn)
        rows.append(_calm(row) if half else row)
    charts = _strip(volume.geometry, prediction, keys)
    return Section("", _fewer(keys), figures=tuple(rows), charts=charts)


def _row(letter: str, words: str, drawn: Sequence[tuple[Picture, ColourBar | None]]) -> FigureRow:
    """A key slice, plain and under its maps; the first one shows how to read them all."""
    (plain, _), *tinted = drawn
    shown = (_lettered(plain, letter), *(each for each, _ in tinted))
    row = FigureRow(shown, f"{letter}: {words}", abreast=len(shown))
    if letter != "A":
        return row
    note = _READ if len(tinted) > 1 else ""
    return replace(row, colour_bars=tuple(bar for _, bar in drawn), note=note)


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
    side = "" if volume.geometry.orientation_known else _TAKEN if marks else _UNSURE
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


def _layers(prediction: Prediction | None) -> tuple[Layer, ...]:
    if prediction is None:
        return ()
    maps: list[ScalarMap] = [
        each for each in (main_map(prediction), uncertainty_map(prediction)) if each
    ]
    return tuple(Layer(each, layer_style(prediction, each)) for each in maps)


def _calm(row: FigureRow) -> FigureRow:
    """A row of half the width, which says its window and the names of its maps no second time."""
    first, *others = row.pictures
    letter, where, _, last = first.corners
    plain = replace(first, corners=(letter, where, "", last))
    pictures = (plain, *(replace(p, corners=("",) * 4) for p in others))
    return replace(row, pictures=pictures, half=True)


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
