"""Answers as labels: agreed findings are lesions, rejected ones make a brain normal."""

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.prediction import Finding, Opinion, Score
from medview.learning.reader_labels import (
    CLEAN,
    LESION,
    UNKNOWN,
    answered,
    lesion_mask,
    outcome_of,
)

GRID = geometry_of("LPS", (24, 32, 28), (4.0, 3.0, 3.0))


def findings():
    return [Finding(n, "score", (20.0, -12.0, 10.0), 5, 3.0, 12.0) for n in (1, 2)]


def said(*verdicts):
    return [
        Opinion(f"finding {n}", verdict, "A. Reader", "2026-11-21T10:41:00+00:00")
        for n, verdict in enumerate(verdicts, 1)
        if verdict
    ]


@pytest.mark.parametrize(
    ("verdicts", "label", "lesions", "left", "words"),
    [
        (("agree", "agree"), 1, [1, 2], [], "abnormal: 2 of 2 findings agreed"),
        (("agree", "rejected"), 1, [1], [], "abnormal: 1 of 2 findings agreed"),
        (("agree", ""), 1, [1], [2], "abnormal: 1 of 2 findings agreed, 1 open"),
        (("rejected", "rejected"), 0, [], [], "normal: 2 findings rejected"),
        (("rejected", "unsure"), None, [], [2], "1 of 2 rejected, the others open"),
        (("", ""), None, [], [1, 2], "no answer yet"),
    ],
)
def test_what_answers_amount_to(verdicts, label, lesions, left, words):
    told = answered(findings(), said(*verdicts))
    assert (told.label, told.words) == (label, words)
    assert [one.id for one in told.lesions] == lesions
    assert [one.id for one in told.open] == left


@pytest.mark.parametrize(
    ("verdict", "label", "words"),
    [
        ("agree", 0, "normal: nothing found, agreed"),
        ("rejected", None, "rejected, but no lesion is marked"),
        ("unsure", None, "nothing found, unsure"),
        ("", None, "no answer yet"),
    ],
)
def test_where_nothing_was_found_the_score_was_answered(verdict, label, words):
    told = answered([], [Opinion("score anomaly", verdict)] if verdict else [])
    assert (told.label, told.words, told.lesions) == (label, words, ())


def ball(k, j, i):
    inside = np.zeros(GRID.shape, dtype=np.bool_)
    inside[k - 1 : k + 2, j, i] = True
    return inside


def test_where_all_was_answered_the_rest_of_the_brain_is_clean():
    mask = lesion_mask(GRID, [ball(5, 6, 7)], [], [])
    assert set(np.unique(mask)) == {CLEAN, LESION}
    assert np.flatnonzero((mask == LESION).any(axis=(1, 2))).tolist() == [4, 5, 6]


def test_slices_with_an_open_finding_say_nothing():
    mask = lesion_mask(GRID, [ball(5, 6, 7)], [], [ball(7, 20, 20)])
    unknown = np.flatnonzero((mask == UNKNOWN).all(axis=(1, 2)))
    assert unknown.tolist() == [6, 7, 8]
    assert (mask[4:6] == LESION).sum() == 2


def test_a_drawn_region_speaks_of_its_own_slice_only():
    drawn = np.zeros(GRID.shape, dtype=np.bool_)
    drawn[9, 3:6, 3:6] = True
    mask = lesion_mask(GRID, [], [drawn], [])
    assert (mask[9] == LESION).sum() == 9
    assert (mask[9] == CLEAN).sum() == mask[9].size - 9
    assert (np.delete(mask, 9, axis=0) == UNKNOWN).all()


def test_slices_are_those_from_foot_to_head_whatever_the_array_order():
    grid = geometry_of("PSL", (20, 24, 28))
    drawn = np.zeros(grid.shape, dtype=np.bool_)
    drawn[3, 5, 7] = True
    mask = np.moveaxis(lesion_mask(grid, [], [drawn], []), grid.axis_of[2], 0)
    assert np.flatnonzero((mask != UNKNOWN).all(axis=(1, 2))).tolist() == [5]


@pytest.mark.parametrize(
    ("value", "verdict", "outcome"),
    [
        (0.8, "agree", "SEVERE"),
        (0.8, "rejected", "MILD"),
        (0.2, "agree", "MILD"),
        (0.2, "rejected", "SEVERE"),
        (0.8, "unsure", ""),
        (None, "agree", ""),
    ],
)
def test_the_outcome_that_a_reader_stated(value, verdict, outcome):
    assert outcome_of(Score("severe", value), [Opinion("score severe", verdict)]) == outcome
    assert outcome_of(None, []) == ""
