"""Training an ensemble: one curve for a seed, also after an interruption; collapse by name."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medview.domain.errors import DataError, MedviewError
from medview.learning.brain_age_recipe import TrainOptions
from medview.learning.mavae_batches import Member
from medview.learning.mavae_trainer import MavaeTrainer
from medview.models.mavae import LossWeights, MavaeOptions, Rows

NETWORK = MavaeOptions(
    smri=6, fmri=5, hidden=(12, 8), code=6, generic=3, age_head=(8,), sex_head=(8,), dropout=0.1
)
WEIGHTS = LossWeights()
OPTIONS = TrainOptions(epochs=4, batch=8, health_every=2, noise=0.2, mix=0.5)


def trainer(folder=None, seed=0, options=OPTIONS, weights=WEIGHTS, network=NETWORK):
    rng = np.random.default_rng(3)
    age = rng.normal(0, 1, 30).astype(np.float32)
    x = {"smri": rng.normal(0, 1, (30, 6)) + age[:, None], "fmri": rng.normal(0, 1, (30, 5))}
    x = {role: values.astype(np.float32) for role, values in x.items()}
    present = {"smri": np.ones(30, bool), "fmri": np.arange(30) % 3 > 0}
    sex = np.where(np.arange(30) % 4 == 0, np.nan, np.arange(30) % 2).astype(np.float32)
    members = tuple(
        Member(
            {r: v + k for r, v in x.items()},
            age,
            np.flatnonzero(np.arange(30) % 3 != k),
            np.flatnonzero(np.arange(30) % 3 == k),
        )
        for k in range(2)
    )
    return MavaeTrainer(network, weights, options, members, present, sex, seed, folder)


def curve(run):
    return [report.figures for report in run.fit()]


def test_one_seed_gives_one_curve():
    first = curve(trainer())
    assert curve(trainer()) == first
    assert curve(trainer(seed=1)) != first


def test_members_differ_and_learn():
    run = trainer(options=replace(OPTIONS, epochs=40, rate=1e-2, noise=0.0, mix=0.0))
    told = curve(run)
    assert told[-1]["train", "age"] < 0.7 * told[0]["train", "age"]
    one, two = (dict(net.named_parameters())["age_head.0.weight"] for net in run.networks())
    assert not torch.equal(one, two)


@pytest.mark.usefixtures("every_epoch")
def test_after_an_interruption_the_curve_is_the_same(tmp_path):
    whole = curve(trainer())
    broken = trainer(tmp_path)
    reports = broken.fit()
    next(reports)
    next(reports)
    del reports, broken
    torch.manual_seed(99)
    again = trainer(tmp_path)
    again.resume(tmp_path)
    assert again.epoch == 2
    for found, wanted in zip(curve(again), whole[2:], strict=True):
        assert found == pytest.approx(wanted, abs=1e-6)
    assert [row[0] for row in again.history] == [e for e, f in enumerate(whole, 1) for _ in f]


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    list(trainer(tmp_path).fit())
    with pytest.raises(DataError, match="another recipe"):
        trainer(tmp_path, options=replace(OPTIONS, rate=0.5)).resume(tmp_path)


def test_the_batched_members_are_the_networks_that_predict():
    run = trainer(options=replace(OPTIONS, epochs=1))
    next(run.fit())
    rows = run._batches.of_member(1, np.arange(5))
    stacked = Rows(
        {r: v[:, :5] * rows.present[r][None, :, None] for r, v in run._batches._data.items()},
        {r: p.repeat(2, 1) for r, p in rows.present.items()},
        rows.age.repeat(2, 1),
        rows.sex.repeat(2, 1),
    )
    run._base.eval()
    zero = {role: torch.zeros(2, 5, 6) for role in run.network.roles}
    batched = run._call(stacked, zero, None)["age"][1]
    net = run.networks()[1]
    assert torch.allclose(batched, net.losses(net(rows), rows)["age"], atol=1e-5)


def test_without_the_adversary_the_discriminator_stands_still():
    run = trainer(weights=LossWeights(adv=0.0))
    before = {n: v.detach().clone() for n, v in run.state.items()}
    told = next(run.fit()).figures
    assert ("train", "adversary") not in told
    moved = {n for n, v in run.state.items() if not torch.equal(v, before[n])}
    assert not any("discriminator" in name for name in moved)
    assert any("age_head" in name for name in moved)


def test_another_prior_is_what_the_discriminator_is_shown():
    normal, bumps = (
        trainer(network=replace(NETWORK, prior=name)) for name in ("normal", "mixture")
    )
    first, other = next(normal.fit()).figures, next(bumps.fit()).figures
    assert first["train", "adversary"] != other["train", "adversary"]
    assert first["train", "kl"] != other["train", "kl"]
    assert all(np.isfinite(value) for value in other.values())


def test_patience_stops_and_keeps_the_best_epoch():
    options = replace(OPTIONS, epochs=60, patience=2, rate=0.05)
    run = trainer(options=options)
    reports = list(run.fit())
    errors = [report.value("val", "mae") for report in reports]
    assert run.stopped == "patience"
    assert run.best_epoch == int(np.argmin(errors)) + 1 == len(errors) - 2


def test_a_loss_that_is_not_finite_is_told():
    run = trainer()
    with torch.no_grad():
        next(iter(run.state.values())).fill_(float("nan"))
    with pytest.raises(MedviewError, match="not finite") as caught:
        next(run.fit())
    assert caught.value.code == "MV-TRN-001"


def test_health_figures_say_kl_per_dimension_and_shares_of_the_gradient():
    run = trainer()
    reports = list(run.fit())
    figures = reports[-1].figures
    assert {("health", f"kl_smri_{n:02d}") for n in range(3)} <= set(figures)
    assert 0 <= figures["health", "adversary_accuracy"] <= 1
    for role in ("smri", "fmri"):
        shares = [
            v for (part, name), v in figures.items() if part == "gradient" and name.endswith(role)
        ]
        assert sum(shares) == pytest.approx(1)
    assert ("health", "active_units") not in reports[0].figures
