"""Spirals in clusters: the data of the ARMED paper's simulation, plain and confounded.

Source: the published generator. Ten pairs of spirals, each cluster with a radius of its own; two
inputs, two classes. In the confounded form the clusters differ in their share of the classes, and
two more inputs hold that share and nothing of the row: probes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLUSTERS, IN_A_CLASS = 10, 500
GENERATOR_SEED, CONFOUNDED_SEED = 48, 1267
SHARE_SD, SHARE_ENDS = 0.5, (0.1, 0.9)
PROBES, PROBE_SD = 2, 0.2

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spirals:
    """Points `x` (n, d), classes `y` (n,) of 0 and 1, clusters `c` (n,), and their `radii`."""

    x: Floats
    y: NDArray[np.int64]
    c: NDArray[np.int64]
    radii: Floats


def make_spirals() -> Spirals:
    """The published data, value by value (numpy's legacy generator, in this order of calls)."""
    dice = np.random.RandomState(GENERATOR_SEED)
    radii = dice.normal(1.0, 0.3, CLUSTERS)
    points = [_arm(dice, radius, label * np.pi, IN_A_CLASS) for radius in radii for label in (0, 1)]
    labels = np.tile(np.repeat([0, 1], IN_A_CLASS), CLUSTERS)
    clusters = np.repeat(np.arange(CLUSTERS), 2 * IN_A_CLASS)
    return Spirals(np.concatenate(points), labels, clusters, radii)


def make_confounded() -> Spirals:
    """Clusters of one radius and as many rows each, a share of them of class 0; x is (n, 4).

    The shares are N(0.5, 0.5^2), kept within 0.1 and 0.9. The two probes of a row are the share of
    its cluster, each with noise N(0, 0.2^2) of its own. (The published numbers; the order of its
    draws is not known.)
    """
    dice = np.random.RandomState(CONFOUNDED_SEED)
    shares = np.clip(dice.normal(0.5, SHARE_SD, CLUSTERS), *SHARE_ENDS)
    rows = 2 * IN_A_CLASS
    points, labels = [], []
    for share in shares:
        first = int(rows * share)
        for label, count in ((0, first), (1, rows - first)):
            points.append(_arm(dice, 1.0, label * np.pi, count))
            labels.append(np.full(count, label))
    clusters = np.repeat(np.arange(CLUSTERS), rows)
    probes = shares[clusters][:, None] + dice.normal(0.0, PROBE_SD, (len(clusters), PROBES))
    x = np.concatenate([np.concatenate(points), probes], axis=1)
    return Spirals(x, np.concatenate(labels), clusters, np.ones(CLUSTERS))


def _arm(dice: np.random.RandomState, radius: float, phase: float, count: int) -> Floats:
    theta = np.deg2rad(dice.randint(0, 360, count))
    r = theta * radius / theta.max()
    clean = np.stack([-np.cos(theta - phase) * r, np.sin(theta - phase) * r], axis=1)
    return np.asarray(clean + dice.normal(0.0, 0.1, (count, 2)), dtype=np.float64)
