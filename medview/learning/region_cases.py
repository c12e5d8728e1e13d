"""Heads with region labels: what the region network is trained on and measured with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from medview.domain.errors import DataError
from medview.domain.volume import Volume
from medview.imaging.reorder import reordered
from medview.learning.images import read_image
from medview.learning.region_augment import RegionCase
from medview.learning.region_grid import STEP_MM, Boxed, boxed, labels_in
from medview.learning.region_groups import REGIONS, UNKNOWN, counted, grouped
from medview.learning.subset import TrainCase

FADING_MM = 12.0
"""Distance from the ventricles at which their growth moves the brain a third as far."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledHead:
    """A case with its volume, its boxed head and the true regions on the volume's own grid."""

    case: TrainCase
    volume: Volume
    box: Boxed
    regions: NDArray[np.uint8]

    @property
    def ml(self) -> NDArray[np.float64]:
        """True volumes of the regions in ml."""
        return counted(self.regions, self.volume.geometry.voxel_ml)

    def for_training(self) -> RegionCase:
        """The same in the box, with how far each voxel is from the brain."""
        inside = labels_in(self.regions, self.volume.geometry, self.box.geometry)
        solid = ndimage.binary_fill_holes(ndimage.binary_closing(inside > 0, iterations=2))
        away = ndimage.distance_transform_edt(~solid, sampling=STEP_MM).astype(np.float32)
        case = self.case
        soft = torch.from_numpy(np.stack([self.box.values, self.box.outside_mm, away]))
        regions = torch.from_numpy(inside.astype(np.float32))
        return RegionCase(case.case, case.patient, soft, regions, _outward(inside))


def _outward(regions: NDArray[np.uint8]) -> Tensor:
    """Direction away from the ventricles, (3, d, h, w) as x, y, z; it fades with the distance."""
    numbers = [region.number for region in REGIONS if "ventricle" in region.name]
    within = np.isin(regions, numbers)
    if not within.any():
        return torch.zeros(3, *regions.shape)
    out, into = (ndimage.distance_transform_edt(m, sampling=STEP_MM) for m in (~within, within))
    away = ndimage.gaussian_filter(out - into, 1.0)
    fading = np.exp(-np.maximum(away, 0) / FADING_MM)
    found = np.stack(np.gradient(away, STEP_MM)[::-1]) * fading
    return torch.from_numpy(np.ascontiguousarray(found, dtype=np.float32))


def load_head(case: TrainCase) -> LabelledHead:
    """Read a case whose `brain` file holds MUSE labels.

    Raises
    ------
    ReadError
        If a file cannot be read.
    DataError
        If the labels lie on another grid than the image, or are no MUSE labels.
    ModelInputError
        If no brain is found.
    """
    volume = read_image(case.image)
    if case.brain is None or case.brain_rule != "labels":
        raise DataError("it has no region labels", file=case.image.name, do="Leave it out.")
    labels = read_image(case.brain)
    turned = reordered(labels.array, labels.geometry, volume.geometry, tolerance_mm=0.5)
    if turned is None:
        raise DataError(
            "the labels lie on another grid than their image",
            file=case.brain.name,
            code="MV-DAT-120",
            do="Resample the labels onto the image.",
        )
    regions = grouped(np.asarray(turned))
    if (regions[regions > 0] == UNKNOWN).mean() > 0.05:
        raise DataError(
            "these are no MUSE labels", file=case.brain.name, do="Give DLMUSE label maps."
        )
    return LabelledHead(case, volume, boxed(volume), regions)
