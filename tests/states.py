"""Presentation states written by the tests, and what a pane shows by them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from dicom_files import image, marked_slice
from pydicom.dataset import Dataset

from medview.domain.volume import Volume
from medview.imaging.frame import Frame, compose_frame
from medview.imaging.looks import presented
from medview.services.first_views import first_views
from medview.services.layouts import MAIN_PANE

GREY_STATE = "1.2.840.10008.5.1.4.1.1.11.1"


def item(**elements: object) -> Dataset:
    """An item of a sequence."""
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def about(*images: Dataset) -> list[Dataset]:
    """References to images."""
    return [
        item(ReferencedSOPClassUID=ds.SOPClassUID, ReferencedSOPInstanceUID=ds.SOPInstanceUID)
        for ds in images
    ]


def state_of(
    images: Iterable[Dataset], annotations: Iterable[Dataset] = (), **elements: object
) -> Dataset:
    """A presentation state about some images."""
    ds = image(marked_slice(0), SOPClassUID=GREY_STATE, Modality="PR", PixelData=None)
    ds.SeriesInstanceUID = "1.2.3.99"
    ds.ContentLabel = "STROKE"
    images = list(images)
    ds.ReferencedSeriesSequence = [
        item(ReferencedImageSequence=about(*images), SeriesInstanceUID=images[0].SeriesInstanceUID)
    ]
    if annotations:
        ds.GraphicAnnotationSequence = list(annotations)
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def graphic(kind: str, points: list[tuple[float, float]], **elements: object) -> Dataset:
    """A shape on an image, its points in pixels."""
    fields = {
        "GraphicType": kind, "GraphicData": [float(v) for point in points for v in point],
        "GraphicAnnotationUnits": "PIXEL", "GraphicFilled": "N", "GraphicDimensions": 2,
        "NumberOfGraphicPoints": len(points),
    }  # fmt: skip
    return item(**fields | elements)


def annotation(
    *graphics: Dataset,
    images: Iterable[Dataset] = (),
    texts: Iterable[Dataset] = (),
    layer: str = "",
) -> Dataset:
    """Shapes and texts of one layer."""
    found = item(GraphicObjectSequence=list(graphics), TextObjectSequence=list(texts))
    if images:
        found.ReferencedImageSequence = about(*images)
    if layer:
        found.GraphicLayer = layer
    return found


def table(first: int, values: list[int], bits: int = 16) -> Dataset:
    """A look-up table as an item."""
    data = np.array(values, "<u2").tobytes()
    return item(LUTDescriptor=[len(values), first, bits], LUTData=data)


def shown(volume: Volume, n: int = -1) -> Frame:
    """What the main pane shows by the n-th state of a volume."""
    view = first_views(volume)[MAIN_PANE]
    return compose_frame(volume, (), presented(volume, view, volume.looks[n]))
