"""The number that tells volumes apart."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.io.hashing import file_sha256, volume_sha256

WHOLE = "037f96a4063334e170d79ca49bd388ae618abe8958de91a5e9803bffa888a6a3"
FRACTIONS = "8a9667bbb878d275f992851fb708553aeae31c0ada9ad30e66f8973551cdfc81"


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


def test_the_number_of_a_volume_stays_what_it_was():
    """Reports, signatures and lists of what a model has seen name volumes by it for years."""
    affine = np.array([[0, 0, -0.5, 7.25], [0, 0.7, 0, -80], [2.5, 0, 0, 1 / 3], [0, 0, 0, 1]])
    values = np.arange(-3, 21, dtype=np.int16).reshape(2, 3, 4)
    made = Volume(values, Geometry(values.shape, affine))
    assert volume_sha256(made) == WHOLE
    assert volume_sha256(replace(made, array=values.astype(np.float32) / 4)) == FRACTIONS


def test_a_zero_with_a_sign_is_a_zero():
    values = np.zeros((1, 2, 2), np.int16)
    numbers = {volume_sha256(volume(values, shift)) for shift in (0.0, -0.0, -1e-8, 1e-8)}
    assert len(numbers) == 1


def test_all_bytes_of_a_large_file_count(tmp_path):
    path = tmp_path / "file"
    content = bytearray(np.random.default_rng(0).bytes(2**20 + 7))
    for _ in range(2):
        path.write_bytes(content)
        assert file_sha256(path) == hashlib.sha256(content).hexdigest()
        content[-1] ^= 1


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
