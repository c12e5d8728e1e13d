"""How a head lies is found, whatever the side; what is no head is said to be none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import affine_transform, gaussian_filter

from medview.learning.upright import (
    LEAST_ALIKE,
    MOST_DEG,
    WIDEST_DEG,
    Picture,
    Pose,
    mean_head,
    mean_of,
    pose_of,
)
from medview.learning.upright_words import lie_notes, turned_words

STEP_MM = 4.0


def about(axis: int, degrees: float) -> np.ndarray:
    """A turn (3, 3) in LPS about the axis to left, to posterior or to head."""
    one, other = ((1, 2), (2, 0), (0, 1))[axis]
    turn, angle = np.eye(3), np.deg2rad(degrees)
    turn[one, one] = turn[other, other] = np.cos(angle)
    turn[other, one], turn[one, other] = np.sin(angle), -np.sin(angle)
    return turn


def turned(head: Picture, turn: np.ndarray) -> Picture:
    """A picture (k, j, i) turned about its middle."""
    back = turn.T[::-1, ::-1]
    middle = (np.array(head.shape) - 1) / 2
    return np.asarray(affine_transform(head, back, middle - back @ middle, order=1), np.float32)


@pytest.mark.parametrize(("axis", "degrees"), [(0, 20.0), (0, -12.0), (1, 15.0), (2, -20.0)])
def test_the_turn_of_a_head_is_found_to_a_degree(axis: int, degrees: float) -> None:
    pose = pose_of(turned(mean_head(), about(axis, degrees)), STEP_MM)
    assert pose.pitch_roll_yaw[axis] == pytest.approx(degrees, abs=1)
    assert pose.degrees == pytest.approx(abs(degrees), abs=1)
    assert np.degrees(np.abs(pose.turn - about(axis, degrees))).max() < 1.5
    assert pose.is_turned
    assert pose.alike > 0.9


def test_a_head_that_lies_as_the_mean_is_left_alone() -> None:
    pose = pose_of(turned(mean_head(), about(0, 6.0)), STEP_MM)
    assert pose.known
    assert not pose.is_turned
    assert turned_words(pose) == ()
    assert lie_notes(pose) == []


@pytest.mark.parametrize("blank", [np.zeros, np.ones])
def test_what_is_no_head_lies_nowhere(blank: type) -> None:
    pose = pose_of(np.asarray(blank((40, 52, 40)), np.float32), STEP_MM)
    assert not pose.known
    assert not pose.is_turned
    assert "could not be told" in lie_notes(pose)[0].text


def test_the_answer_is_the_same_each_time() -> None:
    head = turned(mean_head(), about(2, 11.0))
    assert np.array_equal(pose_of(head, STEP_MM).turn, pose_of(head, STEP_MM).turn)


def test_words_say_how_the_head_lay_and_doubt_what_lies_as_hardly_any_does() -> None:
    pose = Pose(about(0, -17.0), 17.0, 0.9)
    assert turned_words(pose)[0].startswith(
        "turned upright: the head lay 17 degrees from the mean head (pitch -17, roll +0, yaw +0"
    )
    assert lie_notes(pose) == []
    (note,) = lie_notes(replace(pose, degrees=WIDEST_DEG + 6))
    assert note.code == "OUTSIDE_TRAINING"
    assert "31 degrees" in note.text
    assert turned_words(None) == ()
    assert lie_notes(None) == []
    assert not replace(pose, degrees=MOST_DEG).is_turned
    assert not replace(pose, alike=LEAST_ALIKE / 2).is_turned


def test_the_mean_of_turned_heads_is_upright_and_even_on_both_sides() -> None:
    heads = [turned(mean_head(), about(1, angle)) for angle in (-6.0, 6.0, 9.0)]
    mean = mean_of(heads, STEP_MM, rounds=1)
    assert np.allclose(mean, mean[:, :, ::-1])
    assert pose_of(mean_head(), STEP_MM, mean).degrees < 1
    blurred = gaussian_filter(mean_head(), 0.7)
    assert np.corrcoef(mean.ravel(), blurred.ravel())[0, 1] > 0.97
