"""Groups of DLMUSE labels: what the region network tells apart, and their table columns.

Labels and columns are those of MUSE (``muse_dict.csv``): a column ``MUSE_n`` is the volume of
label n in mm3. Cortical fluid is label 1 in a map and column 600 in a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN = 255
"""Voxels of the brain that belong to no group (labels 46 and 69, white matter of no lobe and the
optic chiasm, a thousandth of the brain and in no table): neither learnt nor counted."""
_TABLE_COLUMN = {1: 600}


@dataclass(frozen=True, slots=True)
class Region:
    """A region with its number in the map and the MUSE labels that it is made of."""

    number: int
    name: str
    labels: tuple[int, ...]
    side: str = ""

    @property
    def title(self) -> str:
        """Its name with the side, as a reader sees it."""
        return f"{self.name} {self.side}".strip()


_RIGHT = {
    "lateral ventricle": (49, 51),
    "frontal grey": (
        *(102, 104, 112, 118, 120, 124, 136, 140, 142, 146, 150),
        *(152, 162, 164, 172, 174, 178, 182, 186, 190, 192, 204),
    ),
    "parietal grey": (106, 148, 168, 176, 194, 198),
    "temporal grey": (122, 132, 154, 180, 184, 200, 202, 206),
    "occipital grey": (108, 114, 128, 134, 144, 156, 160, 196),
    "limbic grey": (100, 116, 138, 166, 170),
    "white matter": (81, 83, 85, 87, 89, 91, 93),
    "thalamus": (59,),
    "basal ganglia": (23, 36, 55, 57, 76),
    "hippocampus and amygdala": (31, 47),
    "cerebellum": (38, 40),
}
# Where the left label does not follow the right one.
_LEFT_OF = {23: 30, 76: 75}
_MIDDLE = {
    "fluid round the brain": (1,),
    "third and fourth ventricle": (4, 11),
    "corpus callosum": (95,),
    "vermis": (71, 72, 73),
    "brain stem": (35, 61, 62),
}


def _regions() -> tuple[Region, ...]:
    made: list[Region] = []
    for name, labels in _RIGHT.items():
        left = tuple(_LEFT_OF.get(label, label + 1) for label in labels)
        made.append(Region(len(made) + 1, name, labels, "right"))
        made.append(Region(len(made) + 1, name, left, "left"))
    for name, labels in _MIDDLE.items():
        made.append(Region(len(made) + 1, name, labels))
    return tuple(made)


REGIONS = _regions()
"""Every region; the number is its place in the map, 0 is no brain."""
CLASSES = len(REGIONS) + 1


def mirrored() -> tuple[int, ...]:
    """The class that each class becomes when left and right change places."""
    turned = [0]
    for region in REGIONS:
        other = {"right": 1, "left": -1}.get(region.side, 0)
        turned.append(region.number + other)
    return tuple(turned)


def grouped(labels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """A map of MUSE labels as a map of region numbers; 255 where a label is of no group."""
    table = np.full(max(256, int(labels.max()) + 1), UNKNOWN, dtype=np.uint8)
    table[0] = 0
    for region in REGIONS:
        table[list(region.labels)] = region.number
    return np.asarray(table[labels.astype(np.intp)])


def column_names(region: Region) -> tuple[str, ...]:
    """The columns of a MUSE table that add up to a region."""
    return tuple(f"MUSE_{_TABLE_COLUMN.get(label, label)}" for label in region.labels)


def table_volumes(row: Mapping[str, float]) -> NDArray[np.float64]:
    """Volumes of all regions in ml, (regions,), from a row of MUSE columns in mm3."""
    return np.array([sum(row[c] for c in column_names(r)) / 1000 for r in REGIONS])


def counted(regions: NDArray[np.uint8], voxel_ml: float) -> NDArray[np.float64]:
    """Volumes of all regions in ml, (regions,), from a map of region numbers."""
    counts = np.bincount(regions.ravel(), minlength=256)[1:CLASSES]
    return np.asarray(counts * voxel_ml, dtype=np.float64)
