"""Grey-scale presentation states: their windows and what they draw (R31; PS3.3 A.33.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from medview.domain.presentation import Drawing, Presentation, Targets, is_about
from medview.domain.volume import Note, Window
from medview.io.dicom_outline import Outline
from medview.io.dicom_rescale import windows_in
from medview.io.dicom_values import Header

CLASSES = ("1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.11.2")
# More is no annotation that a reader made, and drawing it would take long.
MOST_POINTS, MOST_DRAWINGS, FARTHEST = 5000, 500, 65_535.0
_LONGEST_TEXT = 80
_ROUND = 90
_SHAPES = ("POINT", "POLYLINE", "INTERPOLATED", "CIRCLE", "ELLIPSE")

Mask = NDArray[np.bool_]
Points = tuple[tuple[float, float], ...]


def is_presentation(outline: Outline) -> bool:
    """Say whether a file is a presentation state."""
    return Header(outline).word("SOPClassUID") in CLASSES


def read_presentation(outline: Outline) -> Presentation:
    """Read windows and drawings of a state; what is damaged in it is left out."""
    header = Header(outline)
    label = header.text("ContentLabel") or "Presentation state"
    series = header.items("ReferencedSeriesSequence")
    images = [item for each in series for item in each.items("ReferencedImageSequence")]
    voi = header.items("SoftcopyVOILUTSequence")
    windows = tuple((window, _targets(item)) for item in voi for window in windows_in(item, label))
    found = list(_drawings(header))
    usable = [drawing for drawing in found if _is_usable(drawing)][:MOST_DRAWINGS]
    return Presentation(
        images=frozenset(item.word("ReferencedSOPInstanceUID") for item in images),
        windows=windows,
        drawings=tuple(usable),
        not_shown=_not_shown(header, len(found) - len(usable)),
    )


def _targets(item: Header) -> Targets:
    found = set()
    for image in item.items("ReferencedImageSequence"):
        frames = [int(n) - 1 for n in image.numbers("ReferencedFrameNumber")] or [-1]
        found |= {(image.word("ReferencedSOPInstanceUID"), frame) for frame in frames}
    return frozenset(found)


def _drawings(header: Header) -> Iterable[Drawing]:
    for layer in header.items("GraphicAnnotationSequence"):
        targets = _targets(layer)
        for item in layer.items("GraphicObjectSequence"):
            in_pixels = item.word("GraphicAnnotationUnits") == "PIXEL"
            points = _pairs(item.numbers("GraphicData")) if in_pixels else ()
            filled = item.word("GraphicFilled") == "Y"
            yield Drawing(item.word("GraphicType"), points, targets, filled=filled)
        for item in layer.items("TextObjectSequence"):
            yield Drawing("TEXT", _text_place(item), targets, _text(item))


def _text_place(item: Header) -> Points:
    """Where a text begins: its box, else its anchor; nothing when neither is in pixels."""
    for units, place in (
        ("BoundingBoxAnnotationUnits", "BoundingBoxTopLeftHandCorner"),
        ("AnchorPointAnnotationUnits", "AnchorPoint"),
    ):
        if item.word(units) == "PIXEL" and place in item:
            return _pairs(item.numbers(place))
    return ()


def _text(item: Header) -> str:
    return item.text("UnformattedTextValue")[:_LONGEST_TEXT]


def _pairs(values: Sequence[float]) -> Points:
    even = values[: len(values) // 2 * 2]
    return tuple(zip(even[::2], even[1::2], strict=True))


def _is_usable(drawing: Drawing) -> bool:
    needed = {"POLYLINE": 2, "INTERPOLATED": 2, "CIRCLE": 2, "ELLIPSE": 4}.get(drawing.kind, 1)
    known = drawing.kind in _SHAPES or bool(drawing.text)
    near = all(abs(value) <= FARTHEST for point in drawing.points for value in point)
    return known and near and needed <= len(drawing.points) <= MOST_POINTS


def _not_shown(header: Header, left_out: int) -> tuple[str, ...]:
    """What the state asks for beyond windows and drawings, in words."""
    turned = header.whole("ImageRotation") or 0
    voi = header.items("SoftcopyVOILUTSequence")
    asked = (
        (left_out, f"{left_out} annotations that cannot be placed in pixels"),
        (turned, f"rotation by {turned} degrees"),
        (header.word("ImageHorizontalFlip") == "Y", "mirroring"),
        (any("VOILUTSequence" in item for item in voi), "a look-up table"),
        (header.word("PresentationLUTShape") == "INVERSE", "inverted grey"),
        ("ShutterShape" in header, "a shutter"),
    )
    return tuple(words for wanted, words in asked if wanted)


def note_of(state: Presentation) -> Note:
    """What a state adds to a series, and what of it is not shown."""
    texts = sum(drawing.kind == "TEXT" for drawing in state.drawings)
    counts = (
        (len(state.windows), "window"),
        (len(state.drawings) - texts, "graphic"),
        (texts, "text"),
    )
    shown = ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n)
    text = f"a presentation state beside the images gives {shown or 'nothing that is shown'}"
    missing = f"; not shown: {', '.join(state.not_shown)}" if state.not_shown else ""
    return Note("PRESENTATION", text + missing)


def windows_for(states: Iterable[Presentation], uid: str, frame: int) -> tuple[Window, ...]:
    """Windows that states propose for a frame."""
    return tuple(w for state in states for w, about in state.windows if is_about(about, uid, frame))


# ------------------------------------------------------------------------------- drawing


def drawn_on(
    states: Iterable[Presentation], uid: str, frame: int, shape: tuple[int, int]
) -> Mask | None:
    """What states draw on a frame, (rows, columns); None when that is nothing."""
    wanted = [
        drawing
        for state in states
        if uid in state.images
        for drawing in state.drawings
        if is_about(drawing.targets, uid, frame)
    ]
    if not wanted:
        return None
    rows, columns = shape
    picture = Image.new("1", (columns, rows))
    pen = ImageDraw.Draw(picture)
    for drawing in wanted:
        # The pen counts from the centre of the first pixel.
        points = np.array(drawing.points) - 0.5
        if drawing.kind == "TEXT":
            font = ImageFont.load_default(max(10, rows // 40))
            pen.text(tuple(points[0]), drawing.text, fill=1, font=font)
        else:
            _draw(pen, drawing, points)
    mask = np.array(picture, dtype=bool)
    return mask if mask.any() else None


def _draw(pen: ImageDraw.ImageDraw, drawing: Drawing, points: NDArray[np.float64]) -> None:
    if drawing.kind == "POINT":
        for x, y in points:
            pen.line([(x - 2, y), (x + 2, y)], fill=1)
            pen.line([(x, y - 2), (x, y + 2)], fill=1)
        return
    if drawing.kind in ("CIRCLE", "ELLIPSE"):
        points = _outline(drawing.kind, points)
    corners = [(round(x), round(y)) for x, y in points]
    if drawing.filled:
        pen.polygon(corners, fill=1, outline=1)
    else:
        pen.line(corners, fill=1)


def _outline(kind: str, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points along a circle (centre, point on it) or an ellipse (ends of both axes)."""
    if kind == "CIRCLE":
        centre, first = points[0], points[1] - points[0]
        second = np.array([-first[1], first[0]])
    else:
        centre = points[:4].mean(axis=0)
        first, second = (points[1] - points[0]) / 2, (points[3] - points[2]) / 2
    angle = np.linspace(0, 2 * np.pi, _ROUND + 1)[:, None]
    return np.asarray(centre + np.cos(angle) * first + np.sin(angle) * second)
