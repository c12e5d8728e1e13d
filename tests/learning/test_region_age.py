"""The age regression: it finds an age, minds the error of volumes, and covers what it says."""

from __future__ import annotations

import numpy as np
import pytest
from region_heads import people

from medview.learning.region_age import (
    FEATURES,
    NAMES,
    AgeModel,
    VolumeError,
    balanced_folds,
    features,
    fit_age,
    grouped_ml,
)
from medview.learning.region_groups import REGIONS


def _noise(spread: float) -> VolumeError:
    return VolumeError(np.zeros(len(NAMES)), np.full(len(NAMES), spread))


def test_every_region_is_in_one_feature() -> None:
    used = [name for group in FEATURES.values() for name in group]
    assert sorted(used) == sorted({region.name for region in REGIONS})
    ml, _ = people(3)
    groups = grouped_ml(ml[0])
    assert sum(v for n, v in groups.items() if n in FEATURES) == pytest.approx(ml[0].sum())
    assert groups["intracranial volume"] == pytest.approx(ml[0].sum())


def test_the_age_of_new_people_is_found() -> None:
    ml, age = people(200)
    model = fit_age(ml[:150], age[:150], VolumeError.none())
    error = np.abs(model.from_table(ml[150:]) - age[150:]).mean()
    assert error < 3 < np.abs(age[150:] - age[:150].mean()).mean()


def test_features_do_not_depend_on_the_size_of_the_head_but_for_one() -> None:
    ml, _ = people(4)
    apart = features(ml * 1.2) - features(ml)
    assert np.abs(apart[:, :-1]).max() < 1e-12
    assert np.allclose(apart[:, -1], np.log(1.2))


def test_knowing_the_error_of_volumes_makes_the_age_of_such_volumes_better() -> None:
    ml, age = people(300)
    noise = np.random.default_rng(1).normal(0, 0.15, (100, ml.shape[1]))
    noisy = ml[200:] * np.exp(noise)
    error = VolumeError.of(
        ml[:100] * np.exp(np.random.default_rng(2).normal(0, 0.15, (100, ml.shape[1]))), ml[:100]
    )
    plain = fit_age(ml[:200], age[:200], VolumeError.none())
    aware = fit_age(ml[:200], age[:200], error)
    off = [np.abs(m.from_network(noisy) - age[200:]).mean() for m in (plain, aware)]
    assert off[1] < off[0]
    assert aware.volume_sd > 0 == plain.volume_sd
    assert aware.half_width > aware.residual


def test_a_constant_error_of_the_volumes_is_taken_off() -> None:
    ml, age = people(120)
    biased = ml.copy()
    biased[:, :2] *= 1.3
    error = VolumeError.of(biased, ml)
    model = fit_age(ml, age, error)
    assert np.abs(model.from_network(biased) - model.from_table(ml)).max() < 1.0


def test_the_interval_covers_new_people_as_often_as_it_says() -> None:
    ml, age = people(600)
    model = fit_age(ml[:200], age[:200], VolumeError.none())
    inside = np.abs(model.from_table(ml[200:]) - age[200:]) <= model.residual
    assert 0.91 <= inside.mean() <= 0.99


def test_the_corrected_gap_does_not_depend_on_age() -> None:
    ml, age = people(300)
    noisy = ml * np.exp(np.random.default_rng(3).normal(0, 0.2, ml.shape))
    model = fit_age(noisy, age, _noise(0.1))
    raw = model.from_table(noisy) - age
    moved = [model.corrected_gap(a, f) for a, f in zip(age, model.from_table(noisy), strict=True)]
    assert abs(np.corrcoef(moved, age)[0, 1]) < abs(np.corrcoef(raw, age)[0, 1]) / 2


def test_a_card_keeps_the_model_whole() -> None:
    ml, age = people(40)
    model = fit_age(ml, age, _noise(0.05))
    kept = {k: list(v) if isinstance(v, tuple) else v for k, v in model.to_card().items()}
    assert AgeModel.from_card(kept) == model
    assert AgeModel.from_card(None) is None
    with pytest.raises(TypeError):
        AgeModel.from_card({"offset": 1.0})


def test_folds_hold_everybody_once_and_spread_ages() -> None:
    _, age = people(53)
    folds = balanced_folds(age)
    assert sorted(np.concatenate(folds).tolist()) == list(range(53))
    means = [age[fold].mean() for fold in folds]
    assert max(means) - min(means) < 6


def test_volumes_unlike_all_others_are_told() -> None:
    ml, age = people(150)
    model = fit_age(ml, age, VolumeError.none())
    usual = np.array([model.strangeness(row) for row in ml])
    assert 0.95 <= (usual <= 1).mean() <= 1
    odd = ml[0].copy()
    odd[2:12] *= 1.6
    assert model.strangeness(odd) > 2


def test_a_volume_is_off_by_its_share_of_the_head_and_by_the_head() -> None:
    last = len(NAMES) - 1
    error = VolumeError(np.full(last + 1, 0.1), np.full(last + 1, 0.03))
    error.middle[last], error.spread[last] = 0.2, 0.04
    volumes = error.of_volumes()
    assert volumes.middle[:last] == pytest.approx(0.3)
    assert volumes.spread[:last] == pytest.approx(0.05)
    assert (volumes.middle[last], volumes.spread[last]) == (0.2, 0.04)
