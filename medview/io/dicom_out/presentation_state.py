"""What a reader drew, as a presentation state (PS3.3 A.33.1): lines and words on the images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from highdicom import ModalityLUTTransformation
from highdicom.pr import (
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    TextObject,
)
from numpy.typing import NDArray

from medview import __version__
from medview.domain.geometry import Geometry
from medview.domain.measurement import Measured, Quantity
from medview.io.dicom_out.origin import CAUTION, Source
from medview.io.dicom_out.reader_report import series_of_reader

_NUMBER = 3
# A line this close to a slice, in slices, was drawn on it.
_ON_A_SLICE = 0.25
_LONGEST_LABEL = 200


def presentation_state(
    source: Source, drawn: Sequence[Measured], grid: Geometry | None
) -> GrayscaleSoftcopyPresentationState | None:
    """Drawings on stored slices, with their figures or text beside them; None without any.

    Planes that cut across the slices are no images, so what was drawn there is left out, and all
    of it where slices differ in how their values are stored: a state has one way for all (PS3.3
    C.11.1), or where they are in colour. `grid` is that of the series.
    """
    if grid is None:
        return None
    layer = GraphicLayer(layer_name="READER", order=1, description="Drawn by the reader")
    annotations = [
        made for each in drawn if (made := _annotation(source, each, grid, layer)) is not None
    ]
    rescales = set(_rescales(source))
    is_grey = all(image.get("SamplesPerPixel", 1) == 1 for image in source.images)
    if not annotations or len(rescales) > 1 or not is_grey:
        return None
    try:
        made = GrayscaleSoftcopyPresentationState(
            referenced_images=list(source.images),
            content_label="READER",
            content_description="Drawn by a reader. Research use only.",
            graphic_layers=[layer],
            graphic_annotations=annotations,
            manufacturer_model_name="medview",
            software_versions=f"medview {__version__}",
            device_serial_number="0",
            modality_lut_transformation=_of_all_frames(source, rescales),
            **series_of_reader(_NUMBER),
        )
    except (ValueError, TypeError, AttributeError):
        # The library refuses some images, such as with a window of no width; what was measured
        # on them leaves all the same.
        return None
    made.SeriesDescription = f"{CAUTION} drawings of the reader"
    source.name_body_part(made)
    return made


def _rescales(source: Source) -> Iterator[tuple[float, float]]:
    """Slope and intercept of each image or frame, where they are said."""
    for image in source.images:
        shared = image.get("SharedFunctionalGroupsSequence") or ()
        frames = image.get("PerFrameFunctionalGroupsSequence") or ()
        groups = [
            each
            for item in (*shared, *frames)
            for each in item.get("PixelValueTransformationSequence") or ()
        ]
        for each in groups or [image]:
            if "RescaleSlope" in each:
                yield float(each.RescaleSlope), float(each.RescaleIntercept)


def _of_all_frames(
    source: Source, rescales: set[tuple[float, float]]
) -> ModalityLUTTransformation | None:
    """What all frames of one file have in common; the library sees to files of one image."""
    if "PerFrameFunctionalGroupsSequence" not in source.images[0] or not rescales:
        return None
    ((slope, intercept),) = rescales
    return ModalityLUTTransformation(
        rescale_slope=slope, rescale_intercept=intercept, rescale_type="US"
    )


def _annotation(
    source: Source, each: Measured, grid: Geometry, layer: GraphicLayer
) -> GraphicAnnotation | None:
    """One drawing on its image; None where it lies on none."""
    index = grid.to_index(np.array(each.outline))
    k = round(float(index[:, 0].mean()))
    found = source.image_of(k)
    if np.abs(index[:, 0] - k).max() > _ON_A_SLICE or found is None:
        return None
    image, frame = found
    # (column, row), the middle of the first pixel being 0.5 (PS3.3 C.10.5.1.2). What was drawn
    # beyond the edge ends there.
    pixels = np.clip(index[:, :0:-1] + 0.5, 0, (image.Columns, image.Rows))
    words = _words(each)
    lines = list(_lines(each, pixels))
    if not lines and not words:
        return None
    return GraphicAnnotation(
        referenced_images=[image],
        referenced_frame_number=frame,
        graphic_layer=layer,
        graphic_objects=[
            GraphicObject(graphic_type="POLYLINE", graphic_data=line, units="PIXEL")
            for line in lines
        ],
        text_objects=[
            TextObject(
                text_value=words,
                units="PIXEL",
                anchor_point=tuple(float(v) for v in pixels[-1]),
                anchor_point_visible=False,
            )
        ]
        if words
        else None,
    )


def _lines(each: Measured, pixels: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    if each.drawing.kind == "text":
        return
    if each.drawing.kind == "cobb":
        yield pixels[:2]
        yield pixels[2:4]
    else:
        yield pixels


def _words(each: Measured) -> str:
    """What was typed, else the figures."""
    figures = ", ".join(_figure(figure) for figure in each.figures)
    return (each.drawing.text or figures)[:_LONGEST_LABEL]


def _figure(figure: Quantity) -> str:
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{figure.name} {figure.value:.4g}{unit}"
