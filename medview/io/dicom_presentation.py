"""Presentation states as their files tell them (R31; PS3.3 A.33, PS3.4 N.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medview.domain.presentation import (
    Area,
    Modality,
    Presentation,
    Shutter,
    Targets,
    Voi,
)
from medview.domain.volume import Note, ValueTable
from medview.io.dicom_annotations import drawings_of, targets_of, usable
from medview.io.dicom_outline import Outline
from medview.io.dicom_rescale import table_of, value_table_in, windows_in
from medview.io.dicom_values import Header

_STATE = "1.2.840.10008.5.1.4.1.1.11."
# Grey-scale, colour, pseudo-colour, and that of angiography; blendings join several series.
GREY, COLOUR, PSEUDO_COLOUR, ANGIOGRAPHY = (f"{_STATE}{n}" for n in (1, 2, 3, 5))
CLASSES = (GREY, COLOUR, PSEUDO_COLOUR, ANGIOGRAPHY)

_SHUTTERS = {
    "CIRCULAR": ("CenterOfCircularShutter", "RadiusOfCircularShutter"),
    "POLYGONAL": ("VerticesOfThePolygonalShutter",),
    "RECTANGULAR": (
        "ShutterLeftVerticalEdge",
        "ShutterRightVerticalEdge",
        "ShutterUpperHorizontalEdge",
        "ShutterLowerHorizontalEdge",
    ),
}
_MOST_CORNERS = 1000


def is_presentation(outline: Outline) -> bool:
    """Say whether a file is a presentation state."""
    return Header(outline).word("SOPClassUID") in CLASSES


def read_presentation(outline: Outline) -> Presentation:
    """Read what a state asks for; what is damaged in it is left out."""
    header = Header(outline)
    label = header.text("ContentLabel") or "Presentation state"
    series = header.items("ReferencedSeriesSequence")
    images = [item for each in series for item in each.items("ReferencedImageSequence")]
    areas = _areas(header)
    rotate, flip = (header.whole("ImageRotation") or 0) % 360, _flips(header)
    rotate = rotate if rotate % 90 == 0 else 0
    found = list(drawings_of(header, areas, rotate, flip=flip))
    drawings = usable(found)
    modality = _modality(header)
    return Presentation(
        uid=header.word("SOPInstanceUID"),
        label=label,
        made=header.word("PresentationCreationDate") + header.word("PresentationCreationTime")[:6],
        images=frozenset(item.word("ReferencedSOPInstanceUID") for item in images),
        modality=modality or Modality(),
        vois=_vois(header, label, modality),
        curve=_curve(header),
        inverted=_inverted(header),
        rotate=rotate,
        flip=flip,
        areas=areas,
        shutters=_shutters(header),
        closed_grey=_grey(header.whole("ShutterPresentationValue") or 0),
        drawings=drawings,
        not_shown=_not_shown(header, modality, left_out=len(found) - len(drawings)),
    )


def _flips(header: Header) -> bool:
    return header.word("ImageHorizontalFlip") == "Y"


def _grey(p_value: int) -> int:
    """Grey 0 to 255 of a 16-bit presentation value."""
    return min(max(p_value, 0), 0xFFFF) >> 8


# --------------------------------------------------------------------------- grey


def _modality(header: Header) -> Modality | None:
    """What the state makes of stored values; None when its table is unusable.

    A state replaces the transform of the image, so one without any is about stored values.
    """
    tables = header.items("ModalityLUTSequence")
    if tables:
        found = table_of(tables[0], signed=False)
        return None if found is None else Modality(first=found[0], table=found[1])
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    return Modality(slope or 1.0, intercept or 0.0)


def _vois(header: Header, label: str, modality: Modality | None) -> tuple[tuple[Voi, Targets], ...]:
    found: list[tuple[Voi, Targets]] = []
    if modality is None:
        return ()
    signed = modality.table is None and modality.intercept < 0
    for item in header.items("SoftcopyVOILUTSequence"):
        table = value_table_in(item, signed=signed)
        vois: Sequence[Voi] = (table,) if table is not None else windows_in(item, label)
        found += [(voi, targets_of(item)) for voi in vois]
    return tuple(found)


def _curve(header: Header) -> ValueTable | None:
    """The presentation table: its first entry is for black, its last for white."""
    items = header.items("PresentationLUTSequence")
    found = table_of(items[0], signed=False) if items else None
    if found is None:
        return None
    _, values, bits = found
    return ValueTable(0.0, np.clip(values / np.float32((1 << bits) - 1), 0, 1, dtype=np.float32))


def _inverted(header: Header) -> bool | None:
    """Polarity; a state sets it whatever the image's photometric interpretation says."""
    if "PresentationLUTSequence" in header:
        return False
    return {"INVERSE": True, "IDENTITY": False}.get(header.word("PresentationLUTShape"))


# -------------------------------------------------------------------------- place


def _areas(header: Header) -> tuple[Area, ...]:
    """Displayed areas; corners are named after the rotation, but counted before it, from 1."""
    found = []
    for item in header.items("DisplayedAreaSelectionSequence"):
        one = item.numbers("DisplayedAreaTopLeftHandCorner")
        other = item.numbers("DisplayedAreaBottomRightHandCorner")
        if len(one) == len(other) == 2:
            (left, right), (top, bottom) = (sorted(pair) for pair in zip(one, other, strict=True))
            found.append(Area(left - 1, top - 1, right - 1, bottom - 1, targets_of(item)))
    return tuple(found)


def _shutters(header: Header) -> tuple[Shutter, ...]:
    found = []
    for shape in header.words("ShutterShape"):
        values = tuple(n for key in _SHUTTERS.get(shape, ()) for n in header.numbers(key))
        needed = {"RECTANGULAR": 4, "CIRCULAR": 3}.get(shape)
        corners = len(values) // 2
        fits = len(values) == needed if needed else 3 <= corners <= _MOST_CORNERS
        if shape in _SHUTTERS and fits:
            found.append(Shutter(shape, values[: needed or 2 * corners]))
    return tuple(found)


# -------------------------------------------------------------------------- words


def _not_shown(header: Header, modality: Modality | None, *, left_out: int) -> tuple[str, ...]:
    """What the state asks for beyond what is shown, in words."""
    turned = header.whole("ImageRotation") or 0
    vois = header.items("SoftcopyVOILUTSequence")
    sizes = {
        item.word("PresentationSizeMode") for item in header.items("DisplayedAreaSelectionSequence")
    }
    shutters = header.words("ShutterShape")
    overlays = any((0x6000 << 16) <= tag < (0x6020 << 16) for tag in header.places)
    layers = header.items("GraphicLayerSequence")
    sop_class = header.word("SOPClassUID")
    tables = [item for item in vois if "VOILUTSequence" in item]
    asked = (
        (left_out, f"{left_out} annotations that cannot be placed in pixels"),
        (_has(header, "CompoundGraphicSequence"), "compound graphics"),
        (turned % 90, f"rotation by {turned} degrees"),
        (modality is None, "a damaged modality table"),
        (any(value_table_in(item, signed=False) is None for item in tables), "a look-up table"),
        (_is_damaged(header), "a damaged presentation table"),
        (len(_shutters(header)) < len(shutters), "a part of the shutter"),
        (overlays, "overlay bitmaps"),
        ("MaskSubtractionSequence" in header, "the subtraction of a mask"),
        (sizes & {"TRUE SIZE", "MAGNIFY"}, "the size on the screen"),
        (any("GraphicLayerRecommendedDisplayCIELabValue" in each for each in layers),
         "colours of the drawings"),
        (sop_class == COLOUR, "its colour profile"),
        (sop_class == PSEUDO_COLOUR, "its colours"),
    )  # fmt: skip
    return tuple(words for wanted, words in asked if wanted)


def _has(header: Header, keyword: str) -> bool:
    return any(keyword in each for each in header.items("GraphicAnnotationSequence"))


def _is_damaged(header: Header) -> bool:
    return "PresentationLUTSequence" in header and _curve(header) is None


def note_of(state: Presentation) -> Note:
    """What a state adds to a series, and what of it is not shown."""
    texts = sum(drawing.kind == "TEXT" for drawing in state.drawings)
    tables = sum(isinstance(voi, ValueTable) for voi, _ in state.vois)
    counts = (
        (len(state.vois) - tables, "window"),
        (tables, "look-up table"),
        (len(state.drawings) - texts, "graphic"),
        (texts, "text"),
    )
    turned = (f"rotation by {state.rotate} degrees",) if state.rotate else ()
    others = (
        (state.flip, "mirroring"),
        (state.inverted, "inverted grey"),
        (state.curve, "a presentation table"),
        (state.areas, "the part to be seen"),
        (state.shutters, "a shutter"),
    )
    shown = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n]
    shown += [*turned, *(word for there, word in others if there)]
    words = ", ".join(shown) or "nothing that is shown"
    missing = f"; not shown: {', '.join(state.not_shown)}" if state.not_shown else ""
    return Note("PRESENTATION", f"a presentation state beside the images gives {words}{missing}")
