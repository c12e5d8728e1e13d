"""Real lesions: found inside one image, slices compared at their height, sources kept apart."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from brains import normal_case

from medview.learning.real_rows import CaseResult, real_rows, result_of
from medview.learning.scoring import Scored, slices_of
from medview.learning.subset import TrainCase
from medview.learning.synthetic import PixelFigures


def case(number: int, label: int | None = 1, **cells: str) -> TrainCase:
    return TrainCase(
        f"c{number}", f"p{number}", {"t1": Path("x")}, "t1", "set", label=label, cells=cells
    )


def result(number: int, labels, scores, heights=None, label: int | None = 1) -> CaseResult:
    labels = np.array(labels, dtype=float)
    heights = np.linspace(0, 1, len(labels)) if heights is None else np.array(heights)
    return CaseResult(
        case(number, label),
        np.arange(len(labels)),
        heights,
        np.full(len(labels), 9000.0),
        labels,
        {"model": np.array(scores, dtype=float)},
        {"model": float(np.mean(scores))},
        "tumour mask",
        {"model": PixelFigures(0.1 * number, 0.2, 1.0)},
        0.05,
        0.0,
    )


def rows_of(results):
    return {(r.level, r.name, r.group): r for r in real_rows("set", results)}


def test_each_case_gives_one_figure_and_their_mean_is_reported():
    rows = rows_of([result(n, [1, 0], [2, 1]) for n in range(1, 6)])
    found = rows["pixel", "pr_auc", "all"]
    assert found.value == pytest.approx(0.3)
    assert (found.n, found.n_patients, found.prevalence) == (5, 5, pytest.approx(0.05))
    assert found.low < 0.3 < found.high


def test_slices_that_are_not_judged_count_as_average_and_their_share_is_told():
    results = [result(n, [1, 0, 0], [np.nan, -1, 1]) for n in range(3)]
    rows = rows_of(results)
    assert rows["slice", "roc_auc", "all"].value == 0.5  # above one normal slice, below the other
    judged = rows["slice", "judged_rate", "all"]
    assert (judged.value, judged.n) == (pytest.approx(2 / 3), 9)


def test_slices_are_compared_within_the_set_and_doubtful_ones_left_out():
    rows = rows_of([result(n, [1, 0, np.nan], [2, 1, 9]) for n in range(3)])
    found = rows["slice", "roc_auc", "all"]
    assert (found.value, found.n, found.n_positive) == (1.0, 6, 3)
    assert (found.low, found.high) == (None, None)


def test_precision_at_another_prevalence_is_that_of_a_set_with_so_many_lesions():
    # Of 4 normal slices 1 scores as high as the 4 abnormal ones.
    labels, scores = [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0]
    rows = rows_of([result(1, labels, scores)])
    assert rows["slice", "pr_auc", "prevalence:0.5"].value == pytest.approx(4 / 5)
    rare = rows["slice", "pr_auc", "prevalence:0.1"]
    assert rare.value == pytest.approx(0.1 / (0.1 + 0.9 / 4))
    assert rare.prevalence == pytest.approx(0.1)


def test_a_score_that_only_knows_the_height_is_nothing_at_matched_height():
    # Lesions lie in the middle of the brain, and the score says "middle".
    heights = np.linspace(0.02, 0.98, 97)
    rng = np.random.default_rng(0)
    results = []
    for number in range(8):
        middle = np.abs(heights - 0.5) < 0.25
        labels = np.where(middle, rng.random(97) < 0.6, rng.random(97) < 0.1)
        score = -np.round(np.abs(heights - 0.5), 1)
        results.append(result(number, labels, score, heights))
    rows = rows_of(results)
    assert rows["slice", "roc_auc", "all"].value > 0.75
    assert rows["slice", "roc_auc", "matched:height"].value == pytest.approx(0.5, abs=0.04)


def test_cases_are_compared_only_where_one_set_has_both_kinds():
    ill = [result(n, [1], [2]) for n in range(3)]
    well = [result(n + 3, [0], [1], label=0) for n in range(3)]
    assert rows_of([*ill, *well])["case", "roc_auc", "all"].value == 1.0
    assert ("case", "roc_auc", "all") not in rows_of(ill)
    unknown = [replace(one, case=case(9, None)) for one in well]
    assert ("case", "roc_auc", "all") not in rows_of([*ill, *unknown])


def test_kinds_of_tumour_are_reported_apart():
    results = [
        replace(result(n, [1], [1]), case=case(n, tumour_type=kind))
        for n, kind in enumerate(("glioma", "glioma", "pituitary"))
    ]
    rows = rows_of(results)
    assert rows["pixel", "hit_rate", "tumour:glioma"].n == 2
    assert rows["pixel", "hit_rate", "tumour:pituitary"].n == 1


@pytest.fixture
def brain(tmp_path):
    found = normal_case(tmp_path, 0)
    truth = np.zeros_like(found.truth)
    middle = len(truth) // 2
    truth[middle, 60:66, 60:66] = True
    return replace(found, case=replace(found.case, label=1), truth=truth), middle


def test_a_map_that_is_the_truth_finds_it_and_small_lesions_have_no_label(brain):
    found, middle = brain
    found.truth[middle + 1, 60:62, 60:62] = True  # 9 mm2: neither normal nor abnormal
    whole = slices_of(found.prepared)
    pixels = found.truth[whole.index].astype(np.float32)
    area = pixels.sum(axis=(1, 2)).astype(float)
    one = result_of(found, whole, {"truth": Scored(area, pixels)})
    assert one.figures["truth"] == PixelFigures(1.0, 1.0, 1.0)
    row = int(np.flatnonzero(whole.index == middle)[0])
    assert one.labels[row] == 1
    assert np.isnan(one.labels[row + 1])
    assert one.labels[row - 1] == 0
    assert one.lost == 0.0


def test_a_truth_outside_the_brain_mask_counts_as_not_found(brain):
    found, middle = brain
    outside = np.zeros_like(found.truth)
    outside[middle, 2:8, 2:8] = True
    whole = slices_of(found.prepared)
    pixels = outside[whole.index].astype(np.float32)
    one = result_of(replace(found, truth=outside), whole, {"truth": Scored(None, pixels)})
    assert one.figures["truth"] == PixelFigures(0.0, 0.0, 0.0)
    assert one.lost == 1.0


def test_without_a_truth_there_are_no_labels_and_no_rows(brain):
    found, _ = brain
    whole = slices_of(found.prepared)
    scored = {"model": Scored(whole.area, None)}
    one = result_of(replace(found, truth=None), whole, scored)
    assert np.isnan(one.labels).all()
    assert real_rows("set", [one]) == []
