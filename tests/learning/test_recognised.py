"""What a reconstruction explains of a slice, and from when on it is believed."""

import numpy as np
import pytest

from medview.learning.recognised import LOWEST_FLOOR, explained, floor_of, recognised

ROWS, COLUMNS = np.indices((128, 128)) - 63.5
BRAIN = (np.hypot(ROWS, COLUMNS) < 50)[None]


def picture(seed=0):
    """A brain with structure: some soft blobs on a grey ground."""
    rng = np.random.default_rng(seed)
    blobs = np.zeros((128, 128))
    for row, column in rng.uniform(-40, 40, (12, 2)):
        reach = np.hypot(ROWS - row, COLUMNS - column)
        blobs += rng.uniform(-0.2, 0.2) * np.exp(-((reach / 8) ** 2))
    return ((0.5 + blobs) * BRAIN[0]).astype(np.float32)[None]


def share_of(x_bar, x=None, brain=BRAIN):
    return explained(picture() if x is None else x, x_bar.astype(np.float32), brain)[0]


def test_a_perfect_reconstruction_explains_all_and_an_empty_one_nothing():
    assert share_of(picture()) == 1.0
    assert share_of(0 * picture()) == pytest.approx(0, abs=0.02)


def test_another_brain_explains_nothing_though_its_outline_and_brightness_are_right():
    assert share_of(picture(seed=1)) < 0.1
    assert share_of(0.5 * BRAIN) == pytest.approx(0, abs=0.02)


def test_a_shading_explains_nothing_and_takes_little_away():
    shading = (0.001 * ROWS * BRAIN[0])[None]
    assert share_of(shading) < 0.05
    assert share_of(picture() + shading) > 0.85


def test_half_of_the_contrast_explains_three_quarters():
    grey = 0.5 * BRAIN
    assert share_of(grey + (picture() - grey) / 2) == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize("contrast", [-0.4, 0.4])
def test_a_large_lesion_leaves_a_slice_recognised(contrast):
    lesion = contrast * (np.hypot(ROWS - 10, COLUMNS + 12) < 12)[None]
    assert share_of(picture(), (picture() + lesion).astype(np.float32)) > 0.6


def test_too_little_brain_cannot_be_recognised():
    little = (np.hypot(ROWS, COLUMNS) < 6)[None]
    assert np.isnan(share_of(picture(), brain=little))
    assert not recognised(np.array([np.nan]), 0.0)[0]


def test_an_even_picture_has_no_structure_to_explain():
    even = (0.5 * BRAIN).astype(np.float32)
    assert share_of(even, x=even) == pytest.approx(0, abs=1)
    assert not np.isnan(share_of(even, x=0 * even))


def test_slices_are_recognised_from_the_floor_on():
    assert list(recognised(np.array([0.1, 0.2, 0.3]), 0.2)) == [False, True, True]


def test_the_floor_is_half_of_what_nearly_all_normal_slices_reach():
    shares = np.r_[np.full(4, -3.0), np.full(96, 0.4), np.nan]
    assert floor_of(shares) == 0.2
    assert floor_of(np.full(50, -1.0)) == floor_of(np.full(3, np.nan)) == LOWEST_FLOOR > 0
