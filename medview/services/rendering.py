"""One picture of a volume, as a pane shows it, with a description that a program can check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import InputRefused, UsageError
from medview.domain.exam import Exam
from medview.domain.geometry import Plane
from medview.domain.overlay import Laid, ScalarMap
from medview.domain.prediction import Prediction
from medview.domain.presentation import Look
from medview.domain.study import Catalogue, Series, first_few
from medview.domain.volume import Note, Volume, Window
from medview.domain.wording import date_words
from medview.imaging.frame import Frame, Layer, SlabMode, View, compose_frame, flatten, placement
from medview.imaging.looks import look_of, newest_look, presented
from medview.imaging.part import needed_here
from medview.imaging.resample import resample_onto
from medview.imaging.reslice import Cut, cut_of
from medview.io.hashing import volume_sha256
from medview.services.layering import first_style, laid_style
from medview.services.offers import shipped_cards
from medview.services.telling import result_lines, result_marks, titles_of

Point = tuple[float, float, float]

_LARGEST = 8192

#: The presentation state that a pane shows first, and none at all.
NEWEST, STORED = "newest", "none"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drawn, in the words of the command line.

    Either `at_lps` (LPS mm) or `slice` (index along the array axis being cut, from 0) is given.
    `window` is (width, level). `flips` may hold "h" and "v"; flips come before `rotate`
    (clockwise). `map`, `opacity` and `range` choose an overlay of a result. `size` is (width,
    height) in pixels. `look` is a presentation state by label or UID, `NEWEST` or `STORED`.
    """

    plane: Plane
    at_lps: Point | None = None
    slice: int | None = None
    window: tuple[float, float] | None = None
    flips: tuple[str, ...] = ()
    rotate: int = 0
    slab: tuple[float, SlabMode] = (0.0, "mip")
    map: str | None = None
    opacity: float | None = None
    range: tuple[float, float] | None = None
    size: tuple[int, int] = (512, 512)
    look: str = NEWEST


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """The picture (height, width, 3) and what ``medview.frame/1`` says of it."""

    rgb: NDArray[np.uint8]
    description: Mapping[str, object]
    warnings: tuple[Note, ...] = ()


def render(
    volume: Volume,
    wish: Wish,
    prediction: Prediction | None = None,
    *,
    laid: Laid | None = None,
    heading: tuple[str, ...] = (),
) -> Rendering:
    """Draw a volume, with a map of a result on it if one is asked for.

    `laid` is an object of another program that lies over it. `heading` is what stands in the top
    left corner (see `heading_of`).

    Raises
    ------
    UsageError
        If the wish contradicts itself or names a slice or map that there is not.
    InputRefused
        If the point lies outside the volume, or the map belongs to another place.
    """
    _check(wish)
    view = _view(volume, wish)
    layers: tuple[Layer, ...] = ()
    if wish.map is not None:
        layers = (_layer(volume, wish, prediction),)
    doubts = _not_cut(volume, wish)
    doubts += () if prediction is None else _doubts(volume, prediction)
    if laid is not None:
        layers += tuple(_laid_layer(each, n, wish) for n, each in enumerate(laid.maps))
        doubts += (Note("RESAMPLED", laid.words),) if laid.words else ()
    results = () if prediction is None else (prediction,)
    frame = compose_frame(
        volume,
        layers,
        view,
        marks=result_marks(results),
        said=result_lines(results, titles_of(shipped_cards()) if results else {}),
        part=needed_here(volume, view, wish.size),
    )
    frame = replace(frame, corners=replace(frame.corners, top_left=heading))
    look = look_of(volume, view)
    told = {} if look is None else {"uid": look.state.uid, "label": look.state.label}
    picture = flatten(frame, wish.size, zoom=view.zoom, pan_mm=view.pan_mm)
    matrix = placement(frame, wish.size, zoom=view.zoom, pan_mm=view.pan_mm)
    description = _description(frame, wish.size, matrix)
    warnings = [{"code": note.told_code, "text": note.text} for note in doubts]
    described = {**description, "presentation": told or None, "warnings": warnings}
    return Rendering(picture, described, doubts)


def only_series(catalogue: Catalogue, key: str | None) -> Series:
    """The series named by "UID" or "UID#STACK", or the only one that holds images.

    Raises
    ------
    InputRefused
        If there is no such series, or none with images.
    UsageError
        If there are several and none is named.
    """
    if key is not None:
        found = catalogue.find(key)
        if found is None:
            raise InputRefused(f'holds no series "{key}"', do='See the series with "medview info".')
        return found
    shown = [series for series in catalogue.all_series() if series.geometry is not None]
    if not shown:
        raise InputRefused("holds no images", do="Choose another file or folder.")
    if len(shown) > 1:
        raise UsageError(
            f"there are {len(shown)} series: {first_few(shown)}", do='Name one with "--series".'
        )
    return shown[0]


def heading_of(catalogue: Catalogue, series: Series, *, private: bool) -> tuple[str, ...]:
    """Whose picture it is: name, sex and date, series; only a pseudonym in private mode."""
    owner = catalogue.owner(series)
    if owner is None:
        return ()
    exam = Exam.of(*owner, series)
    if private:
        return (f"Patient {exam.patient_key}",)
    name = exam.name.partition("=")[0].replace("^", " ").strip()
    facts = " · ".join(part for part in (exam.sex, date_words(exam.study_date)) if part)
    lines = (name or exam.patient_id or f"Patient {exam.patient_key}", facts)
    return tuple(line for line in (*lines, exam.series_description) if line)


def _check(wish: Wish) -> None:
    """What is wrong with a wish before any image is looked at."""
    if (wish.at_lps is None) == (wish.slice is None):
        what = "needs a place" if wish.slice is None else "is given two places"
        raise UsageError(what, do='Give either "--at" or "--slice".')
    if wish.window is not None and wish.window[0] <= 0:
        raise UsageError("the window has no width", do="Give a width above 0.")
    if wish.slab[0] < 0:
        raise UsageError("the slab has no thickness", do="Give its thickness in mm.")
    if wish.opacity is not None and not 0 <= wish.opacity <= 1:
        raise UsageError("the opacity is not between 0 and 1", do='Give it as in "0.7".')
    if wish.range is not None and wish.range[0] >= wish.range[1]:
        raise UsageError("the range is empty", do='Give it as "LOW,HIGH".')
    if not all(16 <= side <= _LARGEST for side in wish.size):
        raise UsageError(
            "the picture has an unusable size", do=f"Give sides from 16 to {_LARGEST} pixels."
        )


def _view(volume: Volume, wish: Wish) -> View:
    """The view of a pane that shows what is wished."""
    window = None
    if wish.window is not None:
        # The file's own function stays when only its width and level are changed.
        kind = volume.windows[0].function if volume.windows else "LINEAR"
        window = Window(*wish.window, kind)
    view = View(
        plane=wish.plane,
        window=window,
        flip_h="h" in wish.flips,
        flip_v="v" in wish.flips,
        rotate=wish.rotate,
        slab_mm=wish.slab[0],
        slab_mode=wish.slab[1],
        crosshair=wish.at_lps is not None,
    )
    view = replace(view, point_lps=_point(volume, wish, cut_of(volume.geometry, view)))
    return _as_presented(volume, wish, view)


def _as_presented(volume: Volume, wish: Wish, view: View) -> View:
    """The view by the presentation state wished for; what the wish says itself goes before."""
    look = _look(volume, wish.look)
    if look is None:
        return view
    if not volume.is_film and wish.plane is not Plane.ACQUIRED:
        # A plane of the patient is wished for: the turn of the stored slices is not.
        return replace(view, look=look.state.uid)
    shown = presented(volume, view, look)
    if wish.flips or wish.rotate:
        shown = replace(shown, flip_h=view.flip_h, flip_v=view.flip_v, rotate=view.rotate)
        shown = replace(shown, zoom=1.0, pan_mm=(0.0, 0.0))
    return replace(shown, window=view.window)


def _look(volume: Volume, wanted: str) -> Look | None:
    if wanted in (NEWEST, STORED):
        return newest_look(volume) if wanted == NEWEST else None
    found = [look for look in volume.looks if wanted in (look.state.uid, look.state.label)]
    if not found:
        names = ", ".join(look.state.label for look in volume.looks) or "none"
        raise UsageError(f"there is no presentation state {wanted}", do=f"It has: {names}.")
    return found[0]


def _point(volume: Volume, wish: Wish, cut: Cut) -> Point:
    """The point wished for, or the middle of the slice wished for."""
    axis = cut.layout.cut
    count = cut.grid.shape[axis]
    if wish.at_lps is not None:
        if not -0.5 <= cut.grid.to_index(wish.at_lps)[axis] <= count - 0.5:
            raise InputRefused(
                "the point given with --at lies outside the volume",
                do='See where it lies with "medview info" (affine_lps, size).',
            )
        return wish.at_lps
    if wish.slice is None or not 0 <= wish.slice < count:
        raise UsageError(
            f"there is no slice {wish.slice}", do=f"Slices go from 0 to {count - 1} here."
        )
    x, y, z = (float(mm) for mm in cut.grid.slice_centre_mm(axis, wish.slice))
    return x, y, z


def _layer(volume: Volume, wish: Wish, prediction: Prediction | None) -> Layer:
    """The overlay wished for, drawn as a pane first draws it."""
    if prediction is None:
        raise UsageError("a map needs a result", do='Give its folder with "--result".')
    found = _map_of(prediction, wish.map or "")
    style = first_style(found, prediction.parameters)
    style = replace(
        style,
        visible=True,
        opacity=style.opacity if wish.opacity is None else wish.opacity,
        range=wish.range or style.range,
    )
    return Layer(resample_onto(found, volume.geometry), style)


def _laid_layer(shown: ScalarMap, place: int, wish: Wish) -> Layer:
    style = laid_style(shown, place)
    opacity = style.opacity if wish.opacity is None else wish.opacity
    # Values are told by the name that a reader knows; two segments may have the same.
    name = f"{shown.title} {place + 1}" if place else shown.title
    style = replace(style, visible=True, opacity=opacity, range=wish.range or style.range)
    return Layer(replace(shown, name=name), style)


def _not_cut(volume: Volume, wish: Wish) -> tuple[Note, ...]:
    """A note where another plane was wished for than the one that a single slice lies in."""
    if not volume.is_film or wish.plane is Plane.ACQUIRED:
        return ()
    own = Plane.AXIAL  # also said where nobody knows how it lies: it is not asked for then
    if volume.geometry.orientation_known:
        own = (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)[volume.geometry.axis_of.index(0)]
    if wish.plane is own:
        return ()
    text = f"a single slice is shown as it was acquired; nothing {wish.plane.value} is cut from it"
    return (Note("OTHER_PLANE", text),)


def _doubts(volume: Volume, prediction: Prediction) -> tuple[Note, ...]:
    """What speaks against showing a result on this image (R23).

    A result belongs to the pixels it was made from, and to others of the same frame of
    reference. Files without one may only lie on the same grid, which says little.

    Raises
    ------
    InputRefused
        If it was made from an image in another place, as far as anybody knows.
    """
    sources = [ref for ref in prediction.inputs if ref.study]
    grids = [each.geometry for each in prediction.maps]
    frame = volume.geometry.frame_of_reference
    if not sources or (frame and all(grid.frame_of_reference == frame for grid in grids)):
        return ()
    if volume_sha256(volume) in {ref.sha256 for ref in sources}:
        return ()
    if not all(grid.same_grid(volume.geometry) for grid in grids):
        raise InputRefused(
            "the result was made from another image, and nothing says that both share a place",
            do="Choose the image that the result was made from.",
        )
    return (Note("OTHER_IMAGE", "the result was made from another image on the same grid"),)


def _map_of(prediction: Prediction, name: str) -> ScalarMap:
    found = prediction.map(name)
    if found is None:
        names = ", ".join(each.name for each in prediction.maps) or "none"
        raise UsageError(f"the result has no map {name}", do=f"It has: {names}.")
    return found


def _description(
    frame: Frame, size: tuple[int, int], pixel_to_lps: NDArray[np.float64]
) -> dict[str, object]:
    """The keys of ``medview.frame/1`` that do not depend on where the picture is kept."""
    labels, window = frame.labels, frame.window
    return {
        "size": list(size),
        "labels": {
            "left": labels.left,
            "right": labels.right,
            "top": labels.top,
            "bottom": labels.bottom,
        },
        "pixel_to_lps": pixel_to_lps[:3].tolist(),
        "window": None if window is None else [window.width, window.level],
        "slice": frame.slice,
        "slices": frame.slices,
        "position": frame.position,
        "missing": frame.missing,
        "values": dict(frame.values),
    }
