"""What a presentation state draws: graphics and texts of its layers (PS3.3 C.10.5, C.10.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from medview.domain.presentation import Area, Drawing, Targets
from medview.io.dicom_values import Header

# More is no annotation that a reader made, and drawing it would take long.
MOST_POINTS, MOST_DRAWINGS, FARTHEST = 5000, 500, 65_535.0
_LONGEST_TEXT = 80
_SHAPES = ("POINT", "POLYLINE", "INTERPOLATED", "CIRCLE", "ELLIPSE")

Points = tuple[tuple[float, float], ...]


def drawings_of(
    header: Header, areas: Sequence[Area], rotate: int, *, flip: bool
) -> Iterable[Drawing]:
    """All that a state draws; what cannot be placed in pixels has no points.

    Places on the screen are shares of the displayed area after `rotate` and `flip`.
    """
    layers = {item.word("GraphicLayer"): item for item in header.items("GraphicLayerSequence")}
    screen = _Screen(areas, rotate, flip)
    for annotation in header.items("GraphicAnnotationSequence"):
        targets = targets_of(annotation)
        layer = layers.get(annotation.word("GraphicLayer"))
        grey, order = _of_layer(layer)
        for item in annotation.items("GraphicObjectSequence"):
            pairs = _pairs(item.numbers("GraphicData"))
            points = screen.placed(pairs, item.word("GraphicAnnotationUnits"), targets)
            filled = item.word("GraphicFilled") == "Y"
            kind = item.word("GraphicType")
            yield Drawing(kind, points, targets, filled=filled, grey=grey, order=order)
        for item in annotation.items("TextObjectSequence"):
            text = item.text("UnformattedTextValue")[:_LONGEST_TEXT]
            place = _text_place(item, screen, targets)
            yield Drawing("TEXT", place, targets, text, grey=grey, order=order)


def targets_of(item: Header) -> Targets:
    """The images and frames that an item is about; empty means all of the state's."""
    found = set()
    for image in item.items("ReferencedImageSequence"):
        frames = [int(n) - 1 for n in image.numbers("ReferencedFrameNumber")] or [-1]
        found |= {(image.word("ReferencedSOPInstanceUID"), frame) for frame in frames}
    return frozenset(found)


def usable(drawings: Iterable[Drawing]) -> tuple[Drawing, ...]:
    """Those that can be drawn."""
    return tuple(each for each in drawings if _is_usable(each))[:MOST_DRAWINGS]


class _Screen:
    """Places on the screen and where they are on the image."""

    def __init__(self, areas: Sequence[Area], rotate: int, flip: bool) -> None:
        self._areas, self._quarters, self._flip = areas, rotate // 90, flip

    def placed(self, points: Points, units: str, targets: Targets) -> Points:
        """Points in pixels of the image; none when they cannot be placed."""
        if units == "PIXEL":
            return points
        area = next((a for a in self._areas if not a.targets or a.targets & targets), None)
        if units != "DISPLAY" or area is None:
            return ()
        return tuple(self._on_image(x, y, area) for x, y in points)

    def _on_image(self, x: float, y: float, area: Area) -> tuple[float, float]:
        x = 1 - x if self._flip else x
        for _ in range(self._quarters):
            x, y = y, 1 - x
        wide, high = area.right - area.left + 1, area.bottom - area.top + 1
        return area.left + x * wide, area.top + y * high


def _of_layer(layer: Header | None) -> tuple[int, int]:
    """Grey and order of a layer; white, and at the bottom, without one."""
    if layer is None:
        return 255, 0
    grey = layer.whole("GraphicLayerRecommendedDisplayGrayscaleValue")
    shade = 255 if grey is None else min(max(grey, 0), 0xFFFF) >> 8
    return shade, layer.whole("GraphicLayerOrder") or 0


def _text_place(item: Header, screen: _Screen, targets: Targets) -> Points:
    """Where a text begins: its box, else its anchor; nothing when neither can be placed."""
    for units, keys in (
        (
            "BoundingBoxAnnotationUnits",
            ("BoundingBoxTopLeftHandCorner", "BoundingBoxBottomRightHandCorner"),
        ),
        ("AnchorPointAnnotationUnits", ("AnchorPoint",)),
    ):
        points = tuple(p for key in keys for p in _pairs(item.numbers(key)))
        placed = screen.placed(points, item.word(units), targets)
        if placed:
            return placed
    return ()


def _pairs(values: Sequence[float]) -> Points:
    even = values[: len(values) // 2 * 2]
    return tuple(zip(even[::2], even[1::2], strict=True))


def _is_usable(drawing: Drawing) -> bool:
    needed = {"POLYLINE": 2, "INTERPOLATED": 2, "CIRCLE": 2, "ELLIPSE": 4}.get(drawing.kind, 1)
    known = drawing.kind in _SHAPES or bool(drawing.text)
    near = all(abs(value) <= FARTHEST for point in drawing.points for value in point)
    return known and near and needed <= len(drawing.points) <= MOST_POINTS
