import numpy as np
import pytest

from medview.learning.brain import otsu_threshold, slice_brain


def head(dice):
    """A slice (160, 160): a bright ring for the scalp, a dark gap for the skull, a brain."""
    y, x = np.mgrid[-80:80, -80:80]
    radius = np.hypot(x, y)
    picture = np.select([radius < 45, radius < 55, radius < 62], [180.0, 15.0, 150.0], 5.0)
    return (picture + dice.normal(0, 5, picture.shape)).astype(np.float32), radius


def test_the_threshold_lies_between_two_heaps_of_values():
    dice = np.random.default_rng(0)
    dark, bright = dice.normal(20, 5, 5000), dice.normal(200, 20, 3000)
    threshold = otsu_threshold(np.concatenate([dark, bright]).astype(np.float32))
    assert (dark < threshold).mean() > 0.99
    assert (bright > threshold).all()


def test_of_two_values_the_threshold_tells_one_from_the_other():
    picture = np.array([[0, 0, 10], [10, 0, 10]], dtype=np.float32)
    assert 0 < otsu_threshold(picture) < 10


@pytest.mark.filterwarnings("error")
def test_one_value_alone_gives_a_threshold_without_a_warning():
    assert np.isfinite(otsu_threshold(np.full((4, 4), 7.0, np.float32)))


def test_the_brain_of_a_slice_is_found_inside_its_skull():
    picture, radius = head(np.random.default_rng(1))
    found = slice_brain(picture)
    assert found[radius < 40].mean() > 0.98
    assert not found[radius > 56].any()
