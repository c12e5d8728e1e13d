"""How far the anomaly score moves when a head is turned in its slices.

    python packaging/tilted_heads.py FILE...

The voxels of each T1 volume are turned by 20 degrees about the axes to left (pitch, both ways),
to posterior (roll) and to head (yaw), and the shipped model is asked of each. Scores are in
standard deviations of training normals; new voxels are interpolated, which is a part of it.
"""

from __future__ import annotations

import sys
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
    moved = []
    for file in map(Path, sys.argv[1:]):
        for turn, apart, status in moves(read_image(file)):
            moved.append(apart)
            print(f"{file.name} {turn}: {apart:+.2f} SD, {status}", flush=True)
    print(
        f"{len(moved)} turned heads: {np.mean(moved):+.2f} SD on average, at most {max(moved):+.2f}"
    )


def moves(volume: Volume) -> Iterator[tuple[str, float, str]]:
    """Name of each turn, difference of the score from that of the head as it came, status."""
    start, _ = _asked(volume)
    to_lps = volume.geometry.affine[:3, :3]
    array = np.asarray(volume.array, dtype=np.float32)
    middle = (np.array(array.shape) - 1) / 2
    for name, degrees in TURNS.items():
        turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
        back = np.linalg.inv(to_lps) @ turn.T @ to_lps
        made = affine_transform(array, back, middle - back @ middle, order=1)
        score, status = _asked(replace(volume, array=made))
        yield name, score - start, status


def _asked(volume: Volume) -> tuple[float, str]:
    found = run_anomaly(Silent(), RunRequest("anomaly", {"t1": volume}, ())).score("anomaly")
    return found.value, found.status


if __name__ == "__main__":
    main()
