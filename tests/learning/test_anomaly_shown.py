"""Left-out brains: answers of several as one, and where attention lies with and without lesions."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from brains import normal_case

from medview.domain.ablation import Scored
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.anomaly_shown import Shown, agreement, joined, looked, scored, show
from medview.learning.normal_cases import NormalCase
from medview.learning.subset import TrainCase
from medview.models.anomaly_vae import AnomalyVae, VaeOptions

ONE = Scored("t", ("a",), ("c1",), ("p1",), (0.0,), (1.0,), "ixi-t1", "pixel")


def shown():
    rng = np.random.default_rng(0)
    brain = np.zeros((4, 128, 128), bool)
    brain[:, 20:110, 30:100] = True
    truth = np.zeros_like(brain)
    truth[1:3, 50:70, 50:70] = True
    plain = (0.5 + 0.1 * rng.random(brain.shape)).astype(np.float32) * brain
    return Shown(TrainCase("c1", "p1", {}, "ixi-t1"), plain, plain, brain, truth)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    found = normal_case(tmp_path_factory.mktemp("healthy"), 0)
    return NormalCase(found.case, (), found)


def test_half_of_the_slices_are_shown_with_a_lesion_and_the_others_as_they_are(healthy):
    one = show(healthy, 0)
    ill = one.truth.any(axis=(1, 2))
    assert ill.sum() == len(ill) // 2 > 0
    assert not (one.truth & ~one.brain).any()
    np.testing.assert_array_equal(one.pictures[~ill], one.plain[~ill])
    changed = np.abs(one.pictures - one.plain) > 0.02
    assert all(changed[n][one.truth[n]].mean() > 0.5 for n in np.flatnonzero(ill))


def test_lesions_hang_on_the_seed_and_on_the_name_of_the_case(healthy):
    renamed = replace(healthy, case=replace(healthy.case, case="other"))
    first, again, seeded, named = (
        show(healthy, 0).truth,
        show(healthy, 0).truth,
        show(healthy, 1).truth,
        show(renamed, 0).truth,
    )
    np.testing.assert_array_equal(first, again)
    assert (first != seeded).any()
    assert (first != named).any()


def test_slices_are_scored_by_whether_they_hold_a_lesion_and_pixels_within_those_that_do():
    one = shown()
    ill = one.truth.any(axis=(1, 2))
    found = one.truth.astype(np.float32)
    found[~ill] = 2.0  # of slices without a lesion no pixel counts
    maps = SimpleNamespace(score=lambda rule: found)
    drawn = SimpleNamespace(
        slice_maps=lambda settings: maps,
        slice_scores=lambda settings: np.array([0.1, 0.2, 0.3, 0.4], np.float32),
    )
    slices, pixels = scored(one, drawn, AnomalySettings())
    assert slices.truth == (0.0, 1.0, 1.0, 0.0)
    assert slices.score == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert (slices.cases[1], slices.patients, slices.level) == ("c1:1", ("p1",) * 4, "slice")
    assert (pixels.cases, pixels.score, pixels.level) == (("c1",), (1.0,), "pixel")


def test_brains_of_one_subset_and_level_are_one():
    other = replace(ONE, cases=("c2",), patients=("p2",), truth=(0.0,), score=(3.0,))
    elsewhere = replace(ONE, subset="elderly-t1")
    found = joined([ONE, elsewhere, other])
    assert [(one.subset, one.cases, one.score) for one in found] == [
        ("ixi-t1", ("c1", "c2"), (1.0, 3.0)),
        ("elderly-t1", ("c1",), (1.0,)),
    ]


@pytest.mark.usefixtures("narrow")
def test_a_lesion_that_is_not_there_turns_no_attention():
    torch.manual_seed(0)
    engine = SimpleNamespace(model=AnomalyVae(VaeOptions(heads=4)).eval())
    same = shown()
    bright = replace(same, pictures=np.where(same.truth, 1, same.plain).astype(np.float32))
    lifts, gains = looked(engine, [same, bright])
    assert (lifts.names, gains.names) == (("attention_lift",), ("attention_gain",))
    assert gains.score[0] == pytest.approx(1, abs=1e-9)
    assert gains.score[1] != pytest.approx(1, abs=1e-9)
    assert lifts.score[1] == pytest.approx(lifts.score[0] * gains.score[1])


def test_two_spreads_of_one_order_agree():
    one = shown()
    rng = np.random.default_rng(1)
    pictures = rng.random((5, *one.brain.shape)).astype(np.float32)
    drawn, wider = SimpleNamespace(pictures=pictures), SimpleNamespace(pictures=3 * pictures)
    (told,) = agreement([one], [wider], [drawn])
    assert told.score[0] == pytest.approx(1)
    assert told.subset == "all"
