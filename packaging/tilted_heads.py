"""How far the anomaly score moves when a head is turned in its slices.

    python packaging/tilted_heads.py [--slices MM] FILE...

The voxels of each T1 volume are turned by 20 degrees about the axes to left (pitch, both ways),
to posterior (roll) and to head (yaw), and the shipped model is asked of each. Scores are in
standard deviations of training normals; new voxels are interpolated, which is a part of it.
With --slices neighbouring axial slices are put together, to be about so many millimetres apart,
after a head was turned; it is compared with itself as it came, in thin slices.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import affine_transform
from scipy.spatial.transform import Rotation

from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.learning.anomaly_run import run_anomaly
from medview.learning.images import read_image

TURNS = {
    "pitch 20": (20, 0, 0),
    "pitch -20": (-20, 0, 0),
    "roll 20": (0, 20, 0),
    "yaw 20": (0, 0, 20),
}


def main() -> None:
    """Ask, and print each difference, then their mean and the largest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--slices", type=float, default=0.0, metavar="MM")
    given = parser.parse_args()
    moved = []
    for file in given.files:
        for turn, apart, status in moves(read_image(file), given.slices):
            moved.append(apart)
            print(f"{file.name} {turn}: {apart:+.2f} SD, {status}", flush=True)
    print(
        f"{len(moved)} turned heads: {np.mean(moved):+.2f} SD on average, at most {max(moved):+.2f}"
    )


def moves(volume: Volume, slices_mm: float = 0.0) -> Iterator[tuple[str, float, str]]:
    """Name of each turn, difference of the score from that of the head as it came, status."""
    start, _ = _asked(volume)
    to_lps = volume.geometry.affine[:3, :3]
    array = np.asarray(volume.array, dtype=np.float32)
    middle = (np.array(array.shape) - 1) / 2
    for name, degrees in TURNS.items():
        turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
        back = np.linalg.inv(to_lps) @ turn.T @ to_lps
        made = affine_transform(array, back, middle - back @ middle, order=1)
        score, status = _asked(in_slices(replace(volume, array=made), slices_mm))
        yield name, score - start, status


def in_slices(volume: Volume, apart_mm: float) -> Volume:
    """The means of neighbouring axial slices, about so far apart; thin ones are left."""
    geometry = volume.geometry
    axis = geometry.axis_of[2]
    count = max(1, round(apart_mm / geometry.spacing_mm[axis]))
    array = np.moveaxis(np.asarray(volume.array, dtype=np.float32), axis, 0)
    whole = array[: len(array) // count * count]
    thick = np.moveaxis(whole.reshape(-1, count, *array.shape[1:]).mean(axis=1), 0, axis)
    affine = geometry.affine.copy()
    affine[:3, 3] += affine[:3, axis] * (count - 1) / 2
    affine[:3, axis] *= count
    return replace(
        volume, array=thick, geometry=replace(geometry, shape=thick.shape, affine=affine)
    )


def _asked(volume: Volume) -> tuple[float, str]:
    found = run_anomaly(Silent(), RunRequest("anomaly", {"t1": volume}, ())).score("anomaly")
    return found.value, found.status


if __name__ == "__main__":
    main()
