"""Image files of a case as volumes, by the program's own readers."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import SimpleITK
from PIL import Image

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume

_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_image(path: Path, pixel_mm: float | None = None) -> Volume:
    """Read one image file; `pixel_mm` is the pixel size of a picture that says none."""
    if path.name.endswith((".nii", ".nii.gz")):
        image = nibabel.load(path)
        array = np.asarray(image.dataobj)
        array = array.reshape(array.shape[:3] + (1,) * (3 - array.ndim)).transpose(2, 1, 0)
        affine = _TO_LPS @ image.affine
    elif path.suffix in (".jpg", ".jpeg", ".png"):
        array = np.asarray(Image.open(path).convert("L"))[None].astype(np.int16)
        affine = np.diag([pixel_mm or 1.0, pixel_mm or 1.0, 1.0, 1.0])
    else:
        found = SimpleITK.ReadImage(str(path))
        array = SimpleITK.GetArrayFromImage(found)
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(found.GetDirection(), (3, 3)) * found.GetSpacing()
        affine[:3, 3] = found.GetOrigin()
    shape = (array.shape[0], array.shape[1], array.shape[2])
    return Volume(np.ascontiguousarray(array), Geometry.from_ijk_affine(shape, affine))
