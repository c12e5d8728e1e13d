"""Left-out brains: answers of several as one, and where attention lies with and without lesions."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from medview.domain.ablation import Scored
from medview.learning.anomaly_shown import Shown, agreement, joined, looked
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
