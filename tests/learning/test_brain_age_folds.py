"""Folds of the age model: who is trained on, who is told, and by what."""

from dataclasses import replace

import numpy as np
import pytest
from age_sets import ixi_rows, write_abide
from age_weights import QUICK, made_up_table

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning import brain_age_folds
from medview.learning.abide_sets import load_abide
from medview.learning.brain_age_folds import (
    answer_fold,
    baseline_answer,
    fit_fold,
    splits_by_site,
    splits_of,
    told_of,
)
from medview.learning.brain_age_table import kinds_of, table_of


def test_every_row_is_told_once_by_a_model_that_never_saw_it(tmp_path, monkeypatch):
    table = made_up_table(tmp_path)
    fit, trained = brain_age_folds.fit_age_model, []

    def watched(job, rows, recipe, **more):
        trained.append(set(rows.patients))
        return fit(job, rows, recipe, **more)

    monkeypatch.setattr(brain_age_folds, "fit_age_model", watched)
    splits = splits_of(table, QUICK, 2)
    answers = [
        answer_fold(fit_fold(Silent(), table, split, QUICK), table, split, QUICK)
        for split in splits
    ]
    assert (sum(split.held for split in splits) == 1).all()
    for patients, split in zip(trained, splits, strict=True):
        assert patients.isdisjoint(table.take(split.held).patients)
    told = told_of(table, answers, "ixi")
    assert told.age.tolist() == table.age.tolist()
    assert set(told.ages) == {"model", "mean", "ridge"}
    assert np.isfinite(told.ages["model"]).all()
    assert told.female is not None
    first = table.age[splits[0].train].mean()
    assert told.ages["mean"][splits[0].held] == pytest.approx(first)


def test_only_pairs_are_held_out_and_the_others_always_trained_on(tmp_path):
    write_abide(tmp_path, count=30, pairs=12)
    table = table_of([load_abide(tmp_path)])
    splits = splits_of(table, replace(QUICK, rows="pairs+", strata=4), 3)
    pairs = np.array([kind == "smri+fmri" for kind in kinds_of(table)])
    for split in splits:
        assert not split.held[~pairs].any()
        assert split.train[~pairs].all()
    assert (sum(split.held for split in splits) == pairs).all()


@pytest.mark.parametrize(("site", "words"), [("HH", "of one site, HH"), ("", "says its site")])
def test_a_single_site_cannot_be_left_out(tmp_path, site, words):
    rows = [[*row[:2], site, *row[3:]] for row in ixi_rows(12)]
    with pytest.raises(DataError, match=words):
        splits_by_site(made_up_table(tmp_path, rows), QUICK)


def test_sites_are_left_out_one_by_one_with_all_rows_of_their_patients(tmp_path):
    table = made_up_table(tmp_path)
    splits = splits_by_site(table, QUICK)
    assert [split.name for split in splits] == ["Guys", "HH", "IOP"]
    for split in splits:
        assert set(table.take(split.held).sites) == {split.name}
        assert split.name not in table.take(split.train).sites


def test_another_seed_draws_other_folds(tmp_path):
    table = made_up_table(tmp_path)
    first, other = (splits_of(table, QUICK, 2, seed) for seed in (0, 1))
    assert not (first[0].held == other[0].held).all()


def test_a_linear_baseline_finds_a_linear_age(tmp_path):
    table = made_up_table(tmp_path)
    (one, _) = splits_of(table, QUICK, 2)
    train, held = table.take(one.train), table.take(one.held)
    errors = {
        name: np.abs(baseline_answer(name, train, held, QUICK) - held.age).mean()
        for name in ("ridge", "mean")
    }
    assert errors["ridge"] < 0.6 * errors["mean"]
