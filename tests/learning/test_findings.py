"""Findings against two boxes whose volume and place are known."""

from dataclasses import replace

import numpy as np
import pytest
from oblique import oblique
from phantoms import ORIENTATIONS, geometry_of

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import SMALLEST_ML
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.findings import (
    MOST,
    among_normals,
    find_all,
    highest_peak,
    regions,
    usual_score,
)

SETTINGS = AnomalySettings(threshold=5.0, residual_threshold=0.1)
GRID = geometry_of(shape=(20, 24, 28), spacing_mm=(2.0, 3.0, 4.0))


def shown(boxes, name="score", grid=GRID):
    """A map that is 0 but for boxes of (slices, rows, columns) and a value."""
    array = np.zeros(grid.shape, np.float32)
    for box, value in boxes:
        array[box] = value
    return ScalarMap(name, array, grid)


LARGE = (slice(4, 8), slice(5, 10), slice(6, 12))  # 4 x 5 x 6 = 120 voxels of 0.024 ml
SMALL = (slice(12, 15), slice(15, 18), slice(20, 23))  # 27 voxels


def test_volume_centroid_slice_and_peak_of_two_boxes_by_hand():
    score = shown([(LARGE, 6.0), (SMALL, 9.0)])
    score.array.setflags(write=True)
    score.array[13, 16, 21] = 11.0
    found = find_all(score, shown([], "residual"), np.ones(GRID.shape, bool), SETTINGS)
    assert [f.id for f in found] == [1, 2]
    assert [f.volume_ml for f in found] == pytest.approx([27 * 0.024, 120 * 0.024], abs=1e-3)
    assert [f.peak for f in found] == [11.0, 6.0]
    assert [f.slice for f in found] == [13, 4]
    assert found[1].centroid_lps == pytest.approx(GRID.to_mm((5.5, 7.0, 8.5)), abs=0.01)
    assert found[0].centroid_lps == pytest.approx(GRID.to_mm((13, 16, 21)), abs=0.01)
    assert not any(f.hidden_by_uncertainty for f in found)


def test_a_large_faint_region_comes_after_a_small_one_that_stands_out():
    score = shown([(LARGE, 6.0), (SMALL, 15.0)])
    found = find_all(score, shown([], "residual"), np.ones(GRID.shape, bool), SETTINGS)
    assert [f.peak for f in found] == [15.0, 6.0]
    assert found[0].volume_ml < found[1].volume_ml
    assert [f.id for f in found] == [1, 2]


def test_what_only_the_residual_shows_is_named_as_hidden_and_comes_last():
    score = shown([(SMALL, 9.0)])
    residual = shown([(LARGE, 0.5), (SMALL, 0.5)], "residual")
    found = find_all(score, residual, np.ones(GRID.shape, bool), SETTINGS)
    assert [(f.map, f.hidden_by_uncertainty) for f in found] == [
        ("score", False),
        ("residual", True),
    ]
    assert found[1].volume_ml == pytest.approx(120 * 0.024, abs=1e-3)


def test_the_seam_of_a_finding_is_no_hidden_finding():
    core = (slice(5, 7), slice(6, 9), slice(7, 11))
    found = find_all(
        shown([(core, 9.0)]), shown([(LARGE, 0.5)], "residual"), np.ones(GRID.shape, bool), SETTINGS
    )
    assert [f.map for f in found] == ["score"]


def test_the_rim_of_the_brain_does_not_count():
    inner = np.zeros(GRID.shape, bool)
    inner[SMALL] = True
    found = find_all(shown([(LARGE, 6.0), (SMALL, 9.0)]), shown([], "residual"), inner, SETTINGS)
    assert [f.peak for f in found] == [9.0]


def test_a_value_at_the_threshold_is_not_over_it():
    assert not find_all(
        shown([(LARGE, 5.0)]),
        shown([(SMALL, 0.1)], "residual"),
        np.ones(GRID.shape, bool),
        SETTINGS,
    )


def test_the_highest_peak_is_that_of_the_highest_finding_and_0_without_any():
    inner = np.ones(GRID.shape, bool)
    speck = (slice(0, 2), slice(0, 2), slice(0, 2))
    values = np.asarray(shown([(LARGE, 6.0), (SMALL, 9.0), (speck, 20.0)]).array)
    assert highest_peak(values, inner, SETTINGS, GRID.spacing_mm) == 9.0
    inner[SMALL] = False
    assert highest_peak(values, inner, SETTINGS, GRID.spacing_mm) == 6.0
    assert highest_peak(np.minimum(values, 5.0), inner, SETTINGS, GRID.spacing_mm) == 0.0


def test_findings_say_how_many_normal_brains_hold_one_as_high():
    inner = np.ones(GRID.shape, bool)
    residual = shown([((slice(0, 3), slice(0, 3), slice(0, 3)), 0.3)], "residual")
    found = find_all(shown([(LARGE, 6.0), (SMALL, 9.0)]), residual, inner, SETTINGS)
    told = among_normals(found, np.array([0.0, 5.5, 6.0, 8.9, 12.0]), "score")
    assert [(f.peak, f.normals_as_high, f.normals) for f in told[:2]] == [(9.0, 1, 5), (6.0, 3, 5)]
    assert (told[2].map, told[2].normals_as_high) == ("residual", None)
    assert among_normals(found, np.array([]), "score") == found


def test_specks_are_left_out():
    speck = (slice(0, 2), slice(0, 2), slice(0, 2))  # 8 voxels, 0.192 ml
    just = (slice(10, 13), slice(0, 3), slice(0, 1))  # 9 voxels, 0.216 ml
    assert SMALLEST_ML == 0.2
    score = shown([(speck, 9.0), (just, 8.0)])
    assert [f.peak for f in regions(score, score.array > 5)] == [8.0]


def test_regions_that_touch_at_a_corner_only_are_two():
    one = (slice(0, 3), slice(0, 3), slice(0, 3))
    other = (slice(3, 6), slice(3, 6), slice(3, 6))
    score = shown([(one, 9.0), (other, 9.0)])
    assert len(regions(score, score.array > 5)) == 2


def test_of_equal_peaks_only_the_largest_are_listed_in_order_and_numbered():
    grid = geometry_of(shape=(4, 100, 60), spacing_mm=(3.0, 3.0, 3.0))
    boxes = [((slice(0, 4), slice(3 * n, 3 * n + 2), slice(0, n + 2)), 9.0) for n in range(30)]
    inner = np.ones(grid.shape, bool)
    found = find_all(shown(boxes, grid=grid), shown([], "residual", grid), inner, SETTINGS)
    assert [f.id for f in found] == list(range(1, MOST + 1))
    assert [f.volume_ml for f in found] == sorted((f.volume_ml for f in found), reverse=True)
    assert found[0].volume_ml == pytest.approx(4 * 2 * 31 * 0.027)


@pytest.mark.parametrize("code", [*ORIENTATIONS, "oblique"])
def test_a_finding_has_its_place_in_the_patient_however_the_grid_runs(code):
    grid = oblique() if code == "oblique" else geometry_of(code)
    there = np.linalg.norm(
        grid.to_mm(np.indices(grid.shape).reshape(3, -1).T) - (20, -25, 15), axis=1
    )
    array = np.where(there < 12, 9.0, 0.0).astype(np.float32).reshape(grid.shape)
    score = ScalarMap("score", array, grid)
    (found,) = regions(score, array > 5)
    assert found.centroid_lps == pytest.approx((20, -25, 15), abs=2)


def test_nothing_over_the_threshold_is_no_finding():
    assert find_all(shown([]), shown([], "residual"), np.ones(GRID.shape, bool), SETTINGS) == ()


def test_a_finding_reaches_down_to_a_share_of_its_peak_and_no_further():
    grow = AnomalySettings(threshold=5.0, residual_threshold=0.1, grow=0.25)
    skirt = (slice(3, 9), slice(4, 11), slice(5, 13))
    score = shown([(skirt, 2.0), (LARGE, 6.0), (SMALL, 2.0)])
    inner = np.ones(GRID.shape, bool)
    [found] = find_all(score, shown([], "residual"), inner, grow)
    assert found.volume_ml == pytest.approx(6 * 7 * 8 * 0.024, abs=1e-3)
    assert found.peak == 6.0
    [high] = find_all(score, shown([], "residual"), inner, replace(grow, grow=0.5))
    assert high.volume_ml == pytest.approx(120 * 0.024, abs=1e-3)


def test_two_seeds_in_one_skirt_are_one_finding():
    grow = AnomalySettings(threshold=5.0, residual_threshold=0.1, grow=0.25)
    whole = (slice(4, 15), slice(5, 18), slice(6, 23))
    score = shown([(whole, 3.0), (LARGE, 6.0), (SMALL, 9.0)])
    found = find_all(score, shown([], "residual"), np.ones(GRID.shape, bool), grow)
    assert len(found) == 1
    assert found[0].peak == 9.0


def test_a_finding_of_a_volume_does_not_grow_into_what_is_usual_in_its_brain():
    """A tenth of the brain scores 2 and a seed lies in it: usual there, a skirt elsewhere."""
    grow = replace(SETTINGS, grow=0.25, volume_mm=3.0)
    inner, noise = np.ones(GRID.shape, bool), (slice(2, 4), slice(None), slice(None))
    wide = shown([(noise, 2.0), ((slice(3, 6), slice(5, 10), slice(6, 12)), 6.0)])
    [found] = find_all(wide, shown([], "residual"), inner, grow)
    assert found.volume_ml == pytest.approx(3 * 5 * 6 * 0.024, abs=1e-3)
    [single] = find_all(wide, shown([], "residual"), inner, replace(grow, volume_mm=0.0))
    assert single.volume_ml > 15  # of single slices it cannot be told what is usual
    skirt = shown([((slice(3, 9), slice(4, 11), slice(5, 13)), 2.0), (LARGE, 6.0)])
    [reached] = find_all(skirt, shown([], "residual"), inner, grow)
    assert reached.volume_ml == pytest.approx(6 * 7 * 8 * 0.024, abs=1e-3)


def test_without_brain_nothing_is_usual():
    assert usual_score(np.zeros(GRID.shape, np.float32), np.zeros(GRID.shape, bool), SETTINGS) == 0
