"""Synthetic lesions: soft, inside the brain, of the size and contrast they claim."""

import numpy as np
import pytest

from medview.learning.brain import BRIGHTEST
from medview.learning.lesions import Lesion, draw_lesion


@pytest.fixture
def brain():
    rows, columns = np.indices((128, 128)) - 63.5
    return (rows / 50) ** 2 + (columns / 40) ** 2 <= 1


def drawn(brain, count=60):
    rng = np.random.default_rng(0)
    found = [draw_lesion(brain, rng) for _ in range(count)]
    assert all(isinstance(one, Lesion) for one in found)
    return found


def test_lesions_have_the_sizes_and_contrasts_that_are_asked_for(brain):
    for one in drawn(brain):
        assert 4 <= one.radius_px <= 14
        assert 0.15 <= abs(one.contrast) <= 0.5
        area = one.truth.sum()
        assert 0.5 * np.pi * one.radius_px**2 < area < 1.6 * np.pi * one.radius_px**2
    contrasts = [one.contrast for one in drawn(brain)]
    assert min(contrasts) < 0 < max(contrasts)


def test_most_of_a_lesion_lies_in_the_brain(brain):
    for one in drawn(brain):
        assert (one.truth & brain).sum() >= 0.6 * one.truth.sum()


def test_the_edge_is_soft(brain):
    for one in drawn(brain, 10):
        between = (one.blend > 0.05) & (one.blend < 0.95)
        assert between.sum() > 0.2 * one.truth.sum()


def test_pasting_by_hand(brain):
    one = Lesion(np.full((128, 128), 0.5, np.float32), 0.3, 5.0)
    pasted = one.paste(np.full((128, 128), 0.4, np.float32), brain)
    assert pasted[64, 64] == pytest.approx(0.4 + 0.5 * 0.3 / BRIGHTEST)
    assert not pasted[~brain].any()


def test_pasting_stays_within_0_to_1(brain):
    for contrast in (-9.0, 9.0):
        one = Lesion(np.ones((128, 128), np.float32), contrast, 5.0)
        pasted = one.paste(np.full((128, 128), 0.4, np.float32), brain)
        assert set(np.unique(pasted)) <= {0.0, 1.0}


def test_a_lesion_changes_the_picture_where_it_lies_and_nowhere_else(brain):
    picture = np.where(brain, 0.5, 0).astype(np.float32)
    for one in drawn(brain, 10):
        changed = one.paste(picture, brain) != picture
        assert not changed[one.blend == 0].any()
        assert changed[one.truth & brain].all()


def test_a_slice_without_room_gets_none():
    assert draw_lesion(np.zeros((128, 128), bool), np.random.default_rng(0)) is None
    thin = np.zeros((128, 128), bool)
    thin[60:66] = True
    assert draw_lesion(thin, np.random.default_rng(0)) is None


def test_the_same_seed_draws_the_same_lesion(brain):
    one, again = (draw_lesion(brain, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one.blend, again.blend)
    assert one.contrast == again.contrast
