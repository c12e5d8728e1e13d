"""The number that tells volumes apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.io.hashing import volume_sha256


def volume(array: np.ndarray, shift_mm: float = 0.0) -> Volume:
    affine = np.eye(4)
    affine[0, 3] = shift_mm
    return Volume(array, Geometry(array.shape[:3], affine))


def test_equal_volumes_have_equal_numbers_whatever_they_are_called():
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    one = volume(values)
    assert volume_sha256(one) == volume_sha256(replace(one, modality="MR", quantity="HU"))
    assert volume_sha256(one) == volume_sha256(volume(values.copy(), shift_mm=1e-8))
    assert volume_sha256(one) == volume_sha256(volume(values.astype(">i2")))


def test_a_changed_value_place_type_or_shape_changes_the_number():
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    other = values.copy()
    other[1, 2, 3] += 1
    numbers = {
        volume_sha256(volume(values)),
        volume_sha256(volume(other)),
        volume_sha256(volume(values, shift_mm=0.001)),
        volume_sha256(volume(values.astype(np.float32))),
        volume_sha256(volume(values.reshape(3, 2, 4))),
    }
    assert len(numbers) == 5
