"""Untrained weights for tests: they mean nothing, but take the same way as trained ones."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from dicom_files import image, write
from phantoms import geometry_of, phantom_on

from medview.domain.volume import Volume
from medview.io.cards import WEIGHTS
from medview.learning.anomaly_card import make_card
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_settings import AnomalySettings, Normals
from medview.learning.weights import save
from medview.models.anomaly_vae import AnomalyVae, VaeOptions

NORMALS = Normals([-1.0, -0.5, 0.0, 0.5], [0.0, 0.0, 3.0, 7.0])


def throwaway_weights(folder: Path, seed: int = 0) -> Path:
    """Write weights with their card; return the weights file.

    Attention is left out: it takes most of the time and nothing here is about it.
    """
    torch.manual_seed(seed)
    recipe = Recipe(network=VaeOptions(attention=False))
    card = make_card([], ["p1"], recipe, AnomalySettings(samples=3), NORMALS, [])
    save(AnomalyVae(recipe.network), card, folder)
    return folder / WEIGHTS


def small_head(modality: str = "MR") -> Volume:
    """A head of 24 slices that the brain mask accepts: quick to run."""
    return phantom_on(geometry_of(shape=(24, 32, 28), spacing_mm=(4, 4, 4)), modality=modality)


def save_nifti(volume: Volume, path: Path) -> Path:
    """Write a volume as NIfTI: RAS, array order (i, j, k)."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.geometry.affine_ijk
    picture = nib.Nifti1Image(np.ascontiguousarray(volume.array.transpose(2, 1, 0)), affine)
    picture.set_sform(affine, 1)
    picture.set_qform(affine, 1)
    nib.save(picture, path)
    return path


def save_dicom(volume: Volume, folder: Path, **elements: object) -> Path:
    """Write an axial volume as a DICOM MR series with everything in its header that it needs."""
    folder.mkdir(parents=True)
    _, row_mm, column_mm = volume.geometry.spacing_mm
    for k, pixels in enumerate(volume.array):
        place = [round(float(mm), 4) for mm in volume.geometry.to_mm((k, 0, 0))]
        spacing = {"PixelSpacing": [row_mm, column_mm], "ImagePositionPatient": place}
        write(image(pixels, InstanceNumber=k + 1, **spacing, **elements), folder / f"{k}.dcm")
    return folder
