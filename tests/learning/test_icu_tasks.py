"""A finished network is taken again only for the recipe and the data that it was trained for."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.model_selection import StratifiedKFold

from medview.learning.icu_stays import Stay
from medview.learning.icu_tasks import (
    PLAIN,
    Done,
    fold_rows,
    plan,
    read_done,
    to_train_on,
    units_of,
    write_done,
)
from medview.learning.subset import TrainCase


@pytest.fixture
def kept(tmp_path):
    done = Done(
        np.array([[0.25, 0.5], [np.nan, 1.0]]),
        {"film_only": np.array([[0.125, 0.75]])},
        {"head.weight": torch.arange(6.0).reshape(2, 3)},
        [(1, "train", "loss", 0.5), (2, "val", "roc_auc", 0.75)],
        7,
        2,
    )
    write_done(tmp_path / "one.pt", "icu seed 1 data ab", done)
    return tmp_path / "one.pt", done


def test_a_finished_network_comes_back_as_it_was(kept):
    path, done = kept
    found = read_done(path, "icu seed 1 data ab")
    assert np.array_equal(found.scores, done.scores, equal_nan=True)
    assert np.array_equal(found.variants["film_only"], done.variants["film_only"])
    assert torch.equal(found.state["head.weight"], done.state["head.weight"])
    assert found.history == done.history
    assert (found.epochs, found.best_epoch) == (7, 2)


@pytest.mark.parametrize("identity", ["icu seed 2 data ab", "icu seed 1 data ac", ""])
def test_one_of_another_recipe_or_of_other_data_is_trained_anew(kept, identity):
    assert read_done(kept[0], identity) is None


@pytest.mark.parametrize("left", [0, 1, 2])
def test_one_that_is_damaged_or_gone_is_trained_anew(kept, left):
    path, identity = kept[0], "icu seed 1 data ab"
    whole = path.read_bytes()
    path.write_bytes((b"", whole[: len(whole) // 2], b"no network")[left])
    assert read_done(path, identity) is None
    path.unlink()
    assert read_done(path, identity) is None


def test_the_sites_of_some_stays_are_each_told_once_and_none_where_it_is_not_known():
    sites = ("b", "", "a", "b", "c")
    stays = [
        Stay(TrainCase(f"c{n}", f"p{n}", {}, "", site=one), None) for n, one in enumerate(sites)
    ]
    assert units_of(stays, np.array([0, 1, 2, 3])) == ["a", "b"]


def stays_of(patients, splits=None):
    """A stay of each of these patients, one after another."""
    return [
        Stay(TrainCase(f"c{n}", name, {}, "", split=splits[n] if splits else ""), None)
        for n, name in enumerate(patients)
    ]


def test_with_one_stay_each_the_folds_are_those_of_the_baselines():
    labels = (np.arange(30) % 3 == 0).astype(float)[:, None]
    found = fold_rows(stays_of([f"p{n}" for n in range(30)]), labels, 5)
    split = StratifiedKFold(5, shuffle=True, random_state=0).split(labels, labels[:, 0])
    assert [part.tolist() for part in found] == [held.tolist() for _, held in split]


@pytest.mark.parametrize("labels", [1, 2])
def test_whoever_has_several_stays_is_in_one_fold_with_all_of_them(labels):
    patients = [f"p{n * n % 13}" for n in range(40)]
    found = fold_rows(stays_of(patients), np.arange(40 * labels).reshape(40, labels) % 2 * 1.0, 3)
    assert sorted(np.concatenate(found).tolist()) == list(range(40))
    people = [{patients[n] for n in part} for part in found]
    assert sum(map(len, people)) == len(set(patients))
    assert all(people)


def test_stays_that_are_kept_for_validation_or_test_are_not_trained_on():
    stays = stays_of("abcd", ["", "train", "val", "test"])
    assert to_train_on(stays).tolist() == [0, 1]


def test_a_site_is_left_out_with_all_stays_of_its_patients_wherever_these_lay():
    """Whoever moved from one unit to another would be known by the other stay."""
    stays = [
        Stay(TrainCase(f"c{n}", name, {}, "", site=site), None)
        for n, (name, site) in enumerate(
            map(tuple, ("pA", "pB", "qA", "qA", "rB", ("s", ""), "rA"))
        )
    ]
    recipe = SimpleNamespace(
        folds=0, leave_sites=True, compares=True, hourly_members=0, recurrent=lambda part: 1
    )
    tasks = plan("mortality", recipe, stays, np.zeros((7, 1)))
    found = {(one.phase, one.name): (one.train.tolist(), one.held.tolist()) for one in tasks}
    of_a, of_b = ([5], [0, 2, 3, 6]), ([2, 3, 5], [1, 4])
    assert found == {
        ("sites", "A"): of_a, ("sites", "B"): of_b, ("final", "all"): (list(range(7)), []),
        (f"{PLAIN}sites", "A"): of_a, (f"{PLAIN}sites", "B"): of_b,
    }  # fmt: skip
