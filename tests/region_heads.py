"""Made-up heads with region labels, for tests of the region network and its age."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np

from medview.learning.region_augment import RegionCase
from medview.learning.region_cases import LabelledHead, load_head
from medview.learning.region_groups import REGIONS
from medview.learning.region_measure import Measured
from medview.learning.subset import TrainCase

MM = 2.0


def muse_labels(shape: tuple[int, int, int] = (70, 84, 70)) -> np.ndarray:
    """A ball of MUSE labels (i, j, k), RAS: sides by i, layers by radius, unlike left and right.

    White matter inside, frontal and occipital grey round it, a larger ventricle on the left,
    fluid outside.
    """
    place = np.indices(shape) - (np.array(shape).reshape(3, 1, 1, 1) - 1) / 2
    radius = np.sqrt((place**2).sum(axis=0))
    right, front = place[0] > 0, place[1] > 0
    labels = np.where(right, 81, 82)
    grey = np.where(front, np.where(right, 142, 143), np.where(right, 108, 109))
    labels = np.where(radius > 22, grey, labels)
    labels = np.where(radius > 29, 1, labels)
    ventricle = np.abs(place[0]) < np.where(right, 4, 8)
    labels = np.where((radius < 9) & ventricle, np.where(right, 51, 52), labels)
    return np.where(radius > 31, 0, labels).astype(np.uint8)


def picture_of(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Grey values of a label ball with a skull round it, (i, j, k) int16."""
    grey = np.zeros(labels.shape)
    for names, value in (((81, 82), 160), ((142, 143, 108, 109), 110), ((51, 52, 1), 40)):
        grey[np.isin(labels, names)] = value
    noise = np.random.default_rng(seed).normal(0, 4, labels.shape)
    return np.clip(grey + noise * (labels > 0), 0, None).astype(np.int16)


def write_head(folder: Path, name: str, seed: int = 0) -> TrainCase:
    """A head with its labels on disk, RAS, 2 mm."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = muse_labels()
    affine = np.diag([MM, MM, MM, 1.0])
    affine[:3, 3] = -(np.array(labels.shape) - 1) / 2 * MM
    image, beside = folder / f"{name}.nii.gz", folder / f"{name}_DLMUSE.nii.gz"
    nibabel.save(nibabel.Nifti1Image(picture_of(labels, seed), affine), image)
    nibabel.save(nibabel.Nifti1Image(labels, affine), beside)
    return TrainCase(
        name, name, {"t1": image}, "t1", "heads", brain=beside, brain_rule="labels", age_years=40.0
    )


def labelled_head(folder: Path, name: str = "a", seed: int = 0) -> LabelledHead:
    """The same, read."""
    return load_head(write_head(folder, name, seed))


def training_case(folder: Path, name: str = "a", seed: int = 0) -> RegionCase:
    """The same, in the box."""
    return labelled_head(folder, name, seed).for_training()


def people(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Region volumes (n, regions) in ml and ages: ventricles grow and grey shrinks with age."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, n)
    ml = np.empty((n, len(REGIONS)))
    for number, region in enumerate(REGIONS):
        slope = 0.02 if "ventricle" in region.name else -0.004 if "grey" in region.name else 0.0
        ml[:, number] = 40 * np.exp(slope * (age - 50) + rng.normal(0, 0.03, n))
    return ml * rng.normal(1, 0.1, n)[:, None], age


def measured_heads(count: int, factor: float = 1.2, spread: float = 0.02) -> list[Measured]:
    """Heads of the first of sixty people, their volumes measured with an error."""
    rng, (ml, age) = np.random.default_rng(0), people(60)
    return [
        Measured(
            f"c{n}",
            f"p{n}",
            "heads",
            float(age[n]),
            np.full(len(REGIONS), 0.7 + 0.01 * n),
            ml[n] * factor * np.exp(rng.normal(0, spread, len(REGIONS))),
            ml[n],
        )
        for n in range(count)
    ]
