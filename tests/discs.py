"""Slices with a disc of brain, and made-up draws of them."""

import numpy as np

from medview.learning.anomaly_scores import Drawn


def disc(radius=30, count=1):
    rows, columns = np.indices((128, 128)) - 63.5
    return np.repeat((np.hypot(rows, columns) <= radius)[None], count, axis=0)


def slices(count=5):
    return np.random.default_rng(1).random((count, 128, 128)).astype(np.float32) * disc(40, count)


def drawn(samples=4, count=3):
    dice = np.random.default_rng(2)
    pictures = dice.random((samples, count, 128, 128)).astype(np.float32)
    aleatoric = 0.01 + dice.random((count, 128, 128)).astype(np.float32)
    return Drawn(slices(count), disc(40, count), pictures, aleatoric)


def full(*values):
    return np.array(values, np.float32).reshape(-1, 1, 1) * np.ones((1, 128, 128), np.float32)


# Maps
