"""Synthetic lesions: the design is fair, trivial scores stay at one half, chance is chance."""

from dataclasses import replace

import numpy as np
import pytest
from brains import normal_case

from medview.domain.progress import Silent
from medview.learning.lesions import draw_lesion
from medview.learning.scoring import Scored, slices_of, trivial_scorer
from medview.learning.synthetic import HeldOut, SyntheticTrials, solid, try_lesions
from medview.learning.synthetic_rows import (
    synthetic_differences,
    synthetic_rows,
    synthetic_table,
)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brains")
    return [normal_case(folder, seed) for seed in range(6)]


def oracle(clean):
    """Knows the clean picture: what differs from it is the lesion."""

    def score(slices):
        apart = np.abs(slices.pictures - clean.slices[slices.index])
        return {"oracle": Scored(apart.sum(axis=(1, 2)).astype(float), apart)}

    return score


def by_lot(seed):
    rng = np.random.default_rng(seed)

    def score(slices):
        return {"lot": Scored(rng.random(len(slices)), rng.random(slices.pictures.shape))}

    return score


def tried(cases, scorer, draws=2):
    return try_lesions(Silent(), [HeldOut(case, scorer(case)) for case in cases], draws=draws)


@pytest.fixture(scope="module")
def trivial(cases):
    return tried(cases, lambda case: trivial_scorer)


def value(trials: SyntheticTrials, predictor, level, name, group="all"):
    (row,) = [
        row
        for row in synthetic_rows(trials)
        if (row.predictor, row.level, row.name, row.group) == (predictor, level, name, group)
    ]
    return row.value


def test_half_of_the_slices_get_a_lesion_and_each_is_used_once(trivial):
    for draw in (0, 1):
        here = [t for t in trivial.slices if t.draw == draw and t.case.case == "c0"]
        assert len({t.slice for t in here}) == len(here)
        assert sum(t.label for t in here) == len(here) // 2


@pytest.mark.parametrize("predictor", ["brain_area", "slice_height"])
def test_trivial_scores_are_exactly_one_half_among_twins(trivial, predictor):
    for level, name in (("slice", "roc_auc"), ("slice", "win_rate"), ("case", "roc_auc")):
        if (predictor, level) != ("slice_height", "case"):
            assert value(trivial, predictor, level, name, "twin") == 0.5


def test_who_knows_the_clean_picture_finds_every_lesion(cases):
    trials = tried(cases[:2], lambda case: oracle(case.prepared), draws=1)
    assert value(trials, "oracle", "slice", "roc_auc") == 1.0
    assert value(trials, "oracle", "slice", "win_rate", "twin") == 1.0
    assert value(trials, "oracle", "case", "roc_auc", "twin") == 1.0
    assert value(trials, "oracle", "pixel", "pr_auc") > 0.8
    assert value(trials, "oracle", "pixel", "hit_rate") > 0.9


def test_drawing_lots_is_chance_at_every_level(cases):
    trials = tried(cases, lambda case: by_lot(case.case.case.encode()[-1]))
    rows = {(r.level, r.name, r.group): r for r in synthetic_rows(trials)}
    assert rows["slice", "roc_auc", "all"].value == pytest.approx(0.5, abs=0.1)
    assert rows["slice", "roc_auc", "twin"].value == pytest.approx(0.5, abs=0.1)
    pixel = rows["pixel", "pr_auc", "all"]
    assert pixel.value == pytest.approx(pixel.prevalence, rel=0.2)


def test_a_model_that_judges_nothing_is_at_chance_and_one_that_leaves_some_out_says_so(cases):
    def silent(slices):
        shape = slices.pictures.shape
        return {"model": Scored(np.full(len(slices), np.nan), np.zeros(shape, np.float32))}

    def now_and_then(slices):
        return {
            "model": Scored(np.where(slices.index % 4, 1.0, np.nan), silent(slices)["model"].pixels)
        }

    rows = {
        (r.level, r.name, r.group): r for r in synthetic_rows(tried(cases[:3], lambda c: silent))
    }
    for level, group in (("slice", "all"), ("slice", "twin"), ("case", "twin")):
        assert rows[level, "roc_auc", group].value == 0.5
    pixels = rows["pixel", "pr_auc", "all"]
    assert pixels.value == pytest.approx(pixels.prevalence, rel=0.02)
    assert rows["slice", "judged_rate", "all"].value == 0
    some = {r.name: r for r in synthetic_rows(tried(cases[:3], lambda c: now_and_then))}
    assert 0.6 < some["judged_rate"].value < 0.9


def test_the_lesions_of_a_case_do_not_depend_on_the_other_cases(cases):
    alone = tried(cases[3:4], lambda case: trivial_scorer)
    among = tried(cases[2:5], lambda case: trivial_scorer)
    mine = [t.scores for t in among.slices if t.case.case == "c3"]
    assert [t.scores for t in alone.slices] == mine


def test_sets_are_reported_apart_and_together(cases):
    other = replace(cases[1], case=replace(cases[1].case, subset="b"))
    trials = tried([cases[0], other], lambda case: trivial_scorer, draws=1)
    assert {row.subset for row in synthetic_rows(trials)} == {"ixi-t1", "b", "ixi-t1+b"}


def test_small_lesions_are_compared_with_all_clean_slices(trivial):
    (row,) = [
        r for r in synthetic_rows(trivial) if (r.predictor, r.group) == ("brain_area", "radius:4-8")
    ]
    small = [t for t in trivial.slices if t.label and t.radius_px < 8]
    clean = [t for t in trivial.slices if not t.label]
    assert row.n == (len(small) + len(clean)) // 2
    assert row.n_positive == len(small) // 2


def test_a_better_score_is_ahead_by_its_paired_difference(cases):
    def both(case):
        knows = oracle(case.prepared)
        return lambda slices: {**knows(slices), **trivial_scorer(slices)}

    found = synthetic_differences(tried(cases, both, draws=1), "oracle")
    (ahead,) = [d for d in found if (d["level"], d["against"]) == ("slice", "brain_area")]
    assert ahead["low"] > 0
    assert ahead["p"] < 0.05


def test_the_table_has_a_line_for_each_slice_and_draw(trivial):
    table = synthetic_table(trivial)
    assert len(table) == len(trivial.slices)
    clean = next(line for line in table if not line["label"])
    assert clean["radius_px"] is None
    assert clean["brain_area"] == clean["brain_area_clean"]


def test_a_solid_lesion_is_widest_in_its_middle_and_ends_after_its_radius(cases):
    whole = slices_of(cases[0].prepared)
    middle = len(whole) // 2
    lesion = draw_lesion(whole.brain[middle], np.random.default_rng(5))
    found = solid(lesion, whole.index, middle, step_px=1.0)
    area = {row: one.truth.sum() for row, one in found.items()}
    assert area[middle] == max(area.values()) == lesion.truth.sum()
    assert area[middle + 1] <= area[middle]
    assert max(found) - middle <= 14 * 1.6
    assert middle - min(found) == max(found) - middle
