"""Findings and label maps as DICOM Segmentation (PS3.3 A.51), binary: what every PACS knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import Segmentation, SegmentDescription
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction
from medview.io.dicom_out.origin import MAKER, Origin
from medview.io.finding_region import region_of

KIND = "segmentation"
LABEL_MAPS = ("mask", "labels")
# What a mask shows, by its name: category and type (PS3.16 CID 7150, 7151).
_ANATOMY: dict[str, Code] = {"brain": codes.SCT.Brain, "lungs": codes.SCT.Lung}
_MOST_SEGMENTS = 64


def segmentation(origin: Origin) -> Segmentation | None:
    """All findings that are not hidden, and then the masks; None where there is neither."""
    found = [*finding_masks(origin.prediction), *_label_masks(origin.prediction)]
    if not found:
        return None
    frames = np.stack([origin.source.frames(mask) for _, _, mask in found], axis=-1)
    if not frames.any():
        return None
    descriptions = [
        SegmentDescription(
            segment_number=n + 1,
            segment_label=label[:64],
            segmented_property_category=(
                codes.SCT.MorphologicallyAbnormalStructure
                if kind is codes.SCT.Lesion
                else codes.SCT.AnatomicalStructure
            ),
            segmented_property_type=kind,
            algorithm_type="AUTOMATIC",
            algorithm_identification=AlgorithmIdentificationSequence(
                name=origin.card.title,
                family=codes.DCM.ArtificialIntelligence,
                version=origin.card.version,
                source=MAKER,
            ),
        )
        for n, (label, kind, _) in enumerate(found)
    ]
    made = Segmentation(
        source_images=origin.source.images,
        pixel_array=frames.astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=descriptions,
        content_label="FINDINGS",
        content_description="Research use only",
        **origin.common(KIND, 0),
        **origin.device(),
    )
    made.SeriesDescription = origin.description("findings")
    return made


def finding_masks(
    prediction: Prediction,
) -> list[tuple[str, Code, NDArray[np.bool_]]]:
    """Each finding's region on the grid of its map (k, j, i), as large as the result tells it."""
    masks = []
    for one in prediction.findings:
        item = prediction.map(one.map)
        if item is None or one.hidden_by_uncertainty:
            continue
        masks.append((f"Finding {one.id}", codes.SCT.Lesion, region_of(one, item)))
    return masks[:_MOST_SEGMENTS]


def _label_masks(prediction: Prediction) -> list[tuple[str, Code, NDArray[np.bool_]]]:
    masks = []
    for item in _maps(prediction.maps):
        kind = _ANATOMY.get(item.name, codes.SCT.AnatomicalStructure)
        array = np.round(np.asarray(item.array, dtype=np.float32))
        values = [int(v) for v in np.unique(array) if v > 0]
        for value in values[:_MOST_SEGMENTS]:
            masks.append((_label(item, value, values), kind, np.asarray(array == value)))
    return masks


def _label(item: ScalarMap, value: int, values: Sequence[int]) -> str:
    """What a value of a map stands for, in words where the map has them."""
    if value <= len(item.labels):
        return item.labels[value - 1]
    title = item.title or item.name
    return title if len(values) == 1 else f"{title} {value}"


def _maps(maps: Sequence[ScalarMap]) -> list[ScalarMap]:
    return [item for item in maps if item.kind in LABEL_MAPS]
