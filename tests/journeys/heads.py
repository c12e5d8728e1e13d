"""A made-up head as a folder of DICOM files, small enough for a model in a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dicom_files import image, write

SHAPE = (20, 64, 56)  # slices, rows, columns
STEP_MM = (6.0, 3.0, 3.0)
LESION_LPS = (30.0, 30.0, 12.0)


def write_head(folder: Path) -> Path:
    """Twenty axial slices of a brain with a bright sphere, and a text file beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    k, j, i = np.indices(SHAPE)
    first = -(np.array(SHAPE) - 1) / 2 * np.array(STEP_MM)
    z, y, x = (first[n] + STEP_MM[n] * index for n, index in enumerate((k, j, i)))
    radius = np.sqrt((x / 68) ** 2 + (y / 84) ** 2 + (z / 62) ** 2)
    texture = np.random.default_rng(0).normal(0, 12, SHAPE)
    values = np.where(radius < 1, 420 + 120 * np.cos(7 * radius) + texture, 0)
    away = np.sqrt(sum((a - b) ** 2 for a, b in zip((x, y, z), LESION_LPS, strict=True)))
    values = np.where(away < 14, 1100, values).clip(0, 4000).astype(np.int16)
    for n in range(SHAPE[0]):
        at = [float(first[2]), float(first[1]), float(first[0] + STEP_MM[0] * n)]
        made = image(
            values[n],
            ImagePositionPatient=at,
            PixelSpacing=[STEP_MM[1], STEP_MM[2]],
            SeriesDescription="T1 axial",
            PatientName="Test^Journey",
            PatientID="J1",
            InstanceNumber=n + 1,
        )
        write(made, folder / f"{n:03d}.dcm")
    (folder / "notes.txt").write_text("not an image")
    return folder
