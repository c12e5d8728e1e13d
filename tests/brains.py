"""Small made-up brains on disk and in memory, for tests of data sets and of figures."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np

from medview.learning.cases import PreparedCase, prepare_case
from medview.learning.subset import TrainCase


def head(shape: tuple[int, int, int] = (40, 48, 40), seed: int = 0) -> np.ndarray:
    """A ball of brain with a brain's layers and some texture in a grey ring, (i, j, k) uint8."""
    place = np.indices(shape) - (np.array(shape).reshape(3, 1, 1, 1) - 1) / 2
    radius = np.sqrt((place**2).sum(axis=0))
    texture = np.random.default_rng(seed).normal(0, 4, shape)
    brain = 150 + 3 * place[0] - 20 * (radius > 10) + texture
    return np.where(radius < 14, brain, np.where(radius < 18, 60, 0)).astype(np.uint8)


def write_nifti(path: Path, array: np.ndarray, mm: float = 4.0) -> Path:
    """Write an array (i, j, k) or (i, j) as NIfTI, RAS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([mm, mm, mm, 1.0])), path)
    return path


def write_ixi(folder: Path, *names: str) -> None:
    """Write a miniature of the IXI set: volumes, DLMUSE labels, participants."""
    for number, name in enumerate(names):
        picture = head(seed=number)
        write_nifti(folder / f"{name}-T1_ds.nii.gz", picture)
        write_nifti(folder / f"{name}-T1_ds_DLMUSE.nii.gz", (picture > 100).astype(np.uint8) * 47)
    rows = "".join(f"{name},38.5,M,{name[:6]},HH\n" for name in names)
    (folder / "participants.csv").write_text("MRID,Age,Sex,subject,site\n" + rows)


def normal_case(folder: Path, seed: int, subset: str = "ixi-t1") -> PreparedCase:
    """A prepared normal case of its own patient."""
    picture = head(seed=seed)
    path = write_nifti(folder / f"{seed}.nii.gz", picture)
    brain = write_nifti(folder / f"{seed}-brain.nii.gz", (picture > 100).astype(np.uint8))
    return prepare_case(
        TrainCase(
            f"c{seed}",
            f"p{seed}",
            {"t1": path},
            "t1",
            subset,
            brain=brain,
            brain_rule="labels",
            label=0,
        )
    )
