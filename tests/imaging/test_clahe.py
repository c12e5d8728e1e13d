import numpy as np
import pytest

from medview.imaging.clahe import clahe


def ramp(rows=128, columns=96):
    return np.tile(np.linspace(0, 1, columns, dtype=np.float32), (rows, 1))


def test_faint_detail_becomes_stronger_and_stays_in_range():
    rng = np.random.default_rng(0)
    grey = (0.5 + 0.02 * rng.normal(size=(128, 128))).astype(np.float32)
    found = clahe(grey)
    assert found.std() > 1.5 * grey.std()
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_limit_holds_contrast_back():
    rng = np.random.default_rng(0)
    grey = (0.5 + 0.02 * rng.normal(size=(128, 128))).astype(np.float32)
    assert clahe(grey, clip=1.0).std() < clahe(grey, clip=4.0).std()


def test_order_of_grey_levels_within_a_tile_is_kept():
    rng = np.random.default_rng(0)
    grey = rng.random((64, 64)).astype(np.float32)
    found = clahe(grey, tiles=1)
    order = np.argsort(grey.ravel())
    assert (np.diff(found.ravel()[order]) >= -1e-6).all()


def test_there_are_no_steps_between_tiles():
    smooth = np.outer(np.hanning(160), np.hanning(160)).astype(np.float32)
    found = clahe(smooth)
    assert np.abs(np.diff(found, axis=0)).max() < 0.12


def test_an_even_histogram_stays():
    assert clahe(ramp(), tiles=1) == pytest.approx(ramp(), abs=0.02)


def test_a_picture_smaller_than_its_tiles_is_refused():
    with pytest.raises(ValueError, match="less than 8"):
        clahe(np.zeros((4, 100), np.float32))


def test_the_detail_of_a_tile_is_made_stronger_where_it_is():
    """A table counts most in the middle of its own tile, not half a tile beside it."""
    rng = np.random.default_rng(0)
    grey = np.full((128, 128), 0.5, np.float32)
    grey[48:64, 80:96] += 0.02 * rng.normal(size=(16, 16))
    spread = clahe(grey).reshape(8, 16, 8, 16).std(axis=(1, 3))
    assert np.unravel_index(spread.argmax(), spread.shape) == (3, 5)
    # Symmetric detail gives a symmetric picture.
    bump = np.outer(np.hanning(64), np.hanning(64)).astype(np.float32)
    assert clahe(bump) == pytest.approx(clahe(bump)[::-1, ::-1], abs=1e-3)
