"""Answers as labels: agreed findings are lesions, rejected ones make a brain normal."""

import numpy as np
import pytest
from phantoms import ORIENTATIONS, geometry_of, positions

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Opinion, Score
from medview.learning.findings import regions
from medview.learning.reader_labels import (
    CLEAN,
    LESION,
    UNKNOWN,
    answered,
    lesion_mask,
    outcome_of,
    region_of,
)

GRID = geometry_of("LPS", (24, 32, 28), (4.0, 3.0, 3.0))
AT = ((20.0, -12.0, 10.0), (-18.0, 15.0, -14.0))


def score_map(grid=GRID):
    """Two smooth peaks, 12 and 9 high."""
    place = positions(grid)
    away = [np.linalg.norm(place - at, axis=-1) for at in AT]
    values = 12 * np.exp(-((away[0] / 14) ** 2)) + 9 * np.exp(-((away[1] / 10) ** 2))
    return ScalarMap("score", values.astype(np.float32), grid, "anomaly", "1", (0.0, 18.0), "")


def findings(shown=None, level=4.0):
    shown = shown or score_map()
    found = regions(shown, shown.array > level)
    assert len(found) == 2
    return [type(one)(**{k: getattr(one, k) for k in one.__slots__} | {"id": n})
            for n, one in enumerate(found, 1)]  # fmt: skip


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


@pytest.mark.parametrize("code", ORIENTATIONS[::7])
def test_the_region_of_a_finding_is_found_again_from_its_peak_and_volume(code):
    shown = score_map(geometry_of(code, (24, 32, 28), (4.0, 3.0, 3.0)))
    over = shown.array > 4.0
    for one in findings(shown):
        inside = region_of(one, shown)
        place = positions(shown.geometry)[inside].mean(axis=0)
        assert place == pytest.approx(one.centroid_lps, abs=1.0)
        assert (inside & over).sum() > 0.97 * inside.sum()
        assert inside.sum() * shown.geometry.voxel_ml == pytest.approx(one.volume_ml, rel=0.02)
    both = np.logical_or.reduce([region_of(one, shown) for one in findings(shown)])
    assert (both & over).sum() / (both | over).sum() > 0.97


def test_a_finding_whose_map_has_changed_is_still_about_its_place():
    one = findings()[0]
    gone = type(one)(**{k: getattr(one, k) for k in one.__slots__} | {"peak": 99.0})
    inside = region_of(gone, score_map())
    assert positions(GRID)[inside].mean(axis=0) == pytest.approx(one.centroid_lps, abs=4)


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
