"""A finished network is taken again only for the recipe and the data that it was trained for."""

import numpy as np
import pytest
import torch

from medview.learning.icu_stays import Stay
from medview.learning.icu_tasks import Done, read_done, units_of, write_done
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
