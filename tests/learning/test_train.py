"""The training loop: the same curve for a seed, also after an interruption; collapse by name.

A narrow network stands in for the real one: the loop does not know how wide it is.
"""

import csv
import errno
from dataclasses import replace

import numpy as np
import pytest
import torch

from medview.domain.errors import DataError, MedviewError, WriteError
from medview.learning import train
from medview.learning.augment import Augmentation, Brain
from medview.learning.train import (
    Recipe,
    Trainer,
    attention_entropy,
    first_model,
    health,
    health_words,
    one_vote_each,
    same_run,
    shorter,
    snapshot,
)
from medview.models.anomaly_vae import LATENT, AnomalyVae, VaeOptions

TINY = Recipe(
    epochs=3,
    steps=2,
    batch=2,
    attention_batch=2,
    plain=0.0,
    attention_from=0.4,
    val_slices=3,
    bfloat16=False,
)


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setattr("medview.models.anomaly_vae.WIDTHS", (8, 8, 16, 16))


def brain(seed=0, patient="p"):
    z, y, x = np.indices((16, 60, 56)).astype(np.float32)
    mask = ((z - 8) / 7) ** 2 + ((y - 30) / 27) ** 2 + ((x - 28) / 24) ** 2 < 1
    texture = np.random.default_rng(seed).normal(0, 0.02, mask.shape)
    values = np.where(mask, np.clip(0.3 + 0.006 * y + texture, 0, 1), 0).astype(np.float32)
    return Brain.of(patient, values, mask, (4.0, 3.0, 3.0))


def trainer(recipe=TINY, folder=None, seed=0, val=True):
    held = (brain(9, "v"),) if val else ()
    return Trainer(recipe, (brain(0, "a"), brain(1, "b")), held, seed, folder=folder)


def curve(run):
    return [report.figures for report in run.fit()]


def test_one_seed_gives_one_curve_and_one_set_of_weights():
    one, again, other = trainer(), trainer(), trainer(seed=1)
    first = curve(one)
    assert len(first) == 3
    assert curve(again) == first
    assert curve(other) != first
    for name, value in one.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], value)


def test_after_an_interruption_in_the_middle_of_an_epoch_the_curve_is_the_same(tmp_path):
    whole = curve(trainer())
    broken = trainer(folder=tmp_path)
    reports = broken.fit()
    assert next(reports).figures == whole[0]
    steps, step = [], Trainer._step

    def stop_in_the_second(self, *given):
        steps.append(given)
        if len(steps) == 2:
            raise KeyboardInterrupt
        return step(self, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_step", stop_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            next(reports)
    again = trainer(folder=tmp_path)
    again.resume(tmp_path)
    assert again.epoch == 1
    for found, wanted in zip(curve(again), whole[1:], strict=True):
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            assert found[name] == pytest.approx(value, abs=1e-6, nan_ok=True)
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = [(str(n), *name) for n, figures in enumerate(whole, 1) for name in figures]
    assert [(row["epoch"], row["part"], row["name"]) for row in rows] == wanted


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A folder with the checkpoint of one epoch."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medview.models.anomaly_vae.WIDTHS", (8, 8, 16, 16))
        next(trainer(folder=folder).fit())
    return folder


def damaged(checkpoint, tmp_path, change):
    whole = (checkpoint / "checkpoint" / "last.pt").read_bytes()
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "last.pt").write_bytes(change(whole))
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: b"",
        lambda whole: b"no checkpoint at all",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-100],
        lambda whole: whole.replace(b"/data.pkl", b"/data.pkx"),
    ],
)
def test_a_damaged_checkpoint_is_refused(checkpoint, tmp_path, change):
    with pytest.raises(DataError, match=r"last\.pt: the checkpoint is damaged") as caught:
        trainer().resume(damaged(checkpoint, tmp_path, change))
    assert "--resume" in caught.value.do


def test_a_file_of_something_else_is_no_checkpoint(tmp_path):
    (tmp_path / "checkpoint").mkdir()
    torch.save({"epoch": 3}, tmp_path / "checkpoint" / "last.pt")
    with pytest.raises(DataError, match="not one of this program"):
        trainer().resume(tmp_path)


def test_a_checkpoint_that_could_run_code_is_refused(tmp_path):
    (tmp_path / "checkpoint").mkdir()
    torch.save({"epoch": Recipe}, tmp_path / "checkpoint" / "last.pt")
    with pytest.raises(DataError, match="damaged or not one of this program"):
        trainer().resume(tmp_path)


def test_a_checkpoint_of_another_recipe_is_refused(checkpoint):
    with pytest.raises(DataError, match="another recipe"):
        trainer(replace(TINY, rate=1e-3)).resume(checkpoint)


def test_folds_do_not_make_another_run(checkpoint):
    again = trainer(replace(TINY, folds=5))
    again.resume(checkpoint)
    assert again.epoch == 1


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(tmp_path):
    with pytest.raises(DataError, match="no checkpoint"):
        trainer().resume(tmp_path)


def test_without_brains_there_is_nothing_to_train_on():
    with pytest.raises(DataError, match="nothing to train on"):
        Trainer(TINY, (), ())


def test_a_loss_out_of_bounds_stops_the_run_in_words():
    run = trainer()
    torch.nn.init.constant_(run.model.mean_head.bias, float("nan"))
    with pytest.raises(MedviewError, match="not finite in epoch 1") as caught:
        next(run.fit())
    assert caught.value.do


def test_training_learns():
    recipe = replace(TINY, epochs=8, steps=4, rate=5e-3, attention_from=1.0, disturb=0.0)
    figures = curve(trainer(replace(recipe, augment=train.NONE)))
    assert figures[-1]["train", "rmse"] < 0.7 * figures[0]["train", "rmse"]
    assert figures[-1]["train", "loss"] < figures[0]["train", "loss"]


def test_every_loss_term_and_health_figure_is_reported():
    figures = curve(trainer(replace(TINY, epochs=1)))[0]
    assert {name for part, name in figures if part == "train"} == {
        *("loss", "nll", "kl", "rmse", "beta")
    }
    assert {name for part, name in figures if part == "val"} == {
        *("loss", "nll", "kl", "rmse", "active_units", "kl_per_active_unit"),
        *("epistemic", "aleatoric", "attention_entropy", "kl_per_dimension"),
    }


def test_without_validation_the_health_is_that_of_training_slices(tmp_path):
    run = trainer(replace(TINY, epochs=2), folder=tmp_path, val=False)
    figures = curve(run)[-1]
    assert {part for part, _ in figures} == {"train"}
    assert {name for _, name in figures} >= set(train.HEALTH)
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["epoch"] for row in rows if row["name"] == "active_units"} == {"1", "2"}


def test_a_deterministic_code_has_no_spread_and_no_epistemic_variance():
    model = first_model(VaeOptions(attention=False, deterministic=True)).eval()
    x, mask = trainer().fixed_slices()
    with torch.no_grad():
        assert model.encode(x)[1].max() == -20
    assert health(model, x, mask)["epistemic"] < 1e-9
    usual = first_model(VaeOptions(attention=False)).eval()
    assert health(usual, x, mask)["epistemic"] > 1e-9


def test_the_loss_is_the_likelihood_plus_beta_times_the_kl_by_pixel():
    run = trainer()
    x, mask = run.fixed_slices()
    terms = run._step(x, mask, 0)
    pixels = float(mask.sum((1, 2, 3)).mean())
    assert terms["loss"] == pytest.approx(terms["nll"] + terms["beta"] * terms["kl"] / pixels)


def test_beta_rises_by_hand():
    run = trainer(replace(TINY, epochs=10, steps=10, beta_start=0.1, beta_end=1.1, beta_share=0.5))
    assert run._beta(0) == pytest.approx(0.1)
    run.epoch = 2
    assert run._beta(5) == pytest.approx(0.1 + 0.25 / 0.5)
    run.epoch = 7
    assert run._beta(0) == pytest.approx(1.1)


def test_costly_attention_is_switched_on_late():
    run = trainer(replace(TINY, epochs=10, attention_from=0.4))
    states = []
    for run.epoch in (0, 3, 4, 9):
        assert run._switch_attention() == run.model.costly_attention()[0].on
        states.append([part.on for part in run.model.costly_attention()])
    assert states == [[False, False], [False, False], [True, True], [True, True]]


def test_in_the_plain_share_of_epochs_the_variance_is_not_learnt():
    run = trainer(replace(TINY, plain=1.0))
    x, mask = run.fixed_slices()
    run._step(x, mask, 0)
    assert run.model.log_variance_head.weight.grad.abs().max() == 0
    run = trainer()
    run._step(x, mask, 0)
    assert run.model.log_variance_head.weight.grad.abs().max() > 0


def test_disturbance_stays_in_the_brain_and_leaves_some_slices_alone():
    run = trainer(replace(TINY, disturb=0.3, disturb_share=0.5))
    mask = torch.zeros(20, 1, 128, 128)
    mask[:, :, 20:100, 30:90] = 1
    given = run._disturbed(0.5 * mask, mask)
    assert not given[mask == 0].any()
    assert 0 <= given.min() <= given.max() <= 1
    changed = (given != 0.5 * mask).flatten(1).any(1)
    assert 3 < changed.sum() < 17
    quiet = trainer(replace(TINY, disturb=0.0))
    assert quiet._disturbed(mask, mask) is mask


def test_every_parameter_is_in_one_group_and_wide_layers_learn_slower():
    run = trainer(replace(TINY, rate=1e-2, latent_share=0.1, code_share=0.5))
    groups = run._optimiser.param_groups
    known = [id(p) for group in groups for p in group["params"]]
    assert sorted(known) == sorted(id(p) for p in run.model.parameters())
    assert [group["max_lr"] for group in groups] == pytest.approx([1e-2, 1e-3, 5e-3])
    assert {id(p) for p in groups[1]["params"]} == {
        id(p) for part in (run.model.to_mean, run.model.to_log_variance) for p in part.parameters()
    }


def test_patience_stops_a_run_that_gets_no_better_and_keeps_the_best(monkeypatch):
    losses = iter([0.9, 0.5, 0.6, 0.5, 0.1])
    monkeypatch.setattr(train, "health", lambda *given: {"loss": next(losses)})
    still = replace(TINY, epochs=9, steps=1, patience=2, attention_from=0.0, beta_share=0.0)
    run = trainer(still)
    reports = list(run.fit())
    assert (run.stopped, run.best_epoch, len(reports)) == ("patience", 2, 4)


def test_without_validation_the_last_epoch_is_the_best():
    run = trainer(val=False)
    reports = list(run.fit())
    assert run.best_epoch == 3
    assert reports[-1].best
    assert all(torch.equal(v, run.model.state_dict()[n]) for n, v in run.best_state.items())


def test_the_fixed_slices_are_always_the_same_and_those_of_validation():
    one, mask = trainer().fixed_slices()
    again, _ = trainer(seed=5).fixed_slices()
    assert torch.equal(one, again)
    assert one.shape == mask.shape == (3, 1, 128, 128)
    assert not torch.equal(one[:1], trainer(val=False).fixed_slices()[0][:1])


def test_a_snapshot_does_not_learn_on():
    model = AnomalyVae()
    kept = snapshot(model)
    torch.nn.init.constant_(model.mean_head.bias, 7.0)
    assert kept["mean_head.bias"].abs().max() < 7


def test_every_patient_has_one_vote():
    brains = (brain(patient="a"), brain(patient="b"), brain(patient="b"))
    assert one_vote_each(brains) == pytest.approx([0.5, 0.25, 0.25])


def test_a_fresh_network_starts_with_even_small_codes_and_idle_attention():
    torch.manual_seed(0)
    model = first_model(VaeOptions()).eval()
    x = torch.rand(2, 1, 128, 128)
    with torch.no_grad():
        _, log_variance = model.encode(x)
        assert log_variance == pytest.approx(-2, abs=0.2)
        for part in model.costly_attention():
            hidden = torch.rand(1, part.query.in_channels, 8, 8)
            assert torch.equal(part(hidden), hidden)


# Health


def test_collapses_are_named():
    good = {"active_units": 30.0, "epistemic": 1e-4, "attention_entropy": 0.8}
    bad = {"active_units": 0.0, "epistemic": 0.0, "attention_entropy": 1.0}
    assert all(one["ok"] and not one["text"] for one in health_words(good))
    told = {one["name"]: one["text"] for one in health_words(bad)}
    assert "KL collapse" in told["active_units"]
    assert "uncertainty collapse" in told["epistemic"]
    assert "attention collapse" in told["attention_entropy"]
    assert health_words({}) == []


def test_a_network_without_attention_has_no_attention_collapse():
    told = health_words({"attention_entropy": float("nan")})
    assert [one["ok"] for one in told] == [True]


def test_health_of_a_code_that_ignores_the_picture():
    model = first_model(VaeOptions(attention=False)).eval()
    torch.nn.init.zeros_(model.to_mean.weight)
    x, mask = trainer().fixed_slices()
    figures = health(model, x, mask)
    assert figures["active_units"] == 0
    assert np.isnan(figures["attention_entropy"])
    with torch.no_grad():
        torch.nn.init.normal_(model.to_mean.weight, std=10.0)
    assert health(model, x, mask)["active_units"] > LATENT / 2


def test_even_attention_has_entropy_one():
    model = first_model(VaeOptions()).eval()
    x = torch.rand(1, 1, 128, 128)
    assert attention_entropy(model, x) < 1
    for name, value in model.named_parameters():
        if ".query." in name:
            torch.nn.init.zeros_(value)
    assert attention_entropy(model, x) == pytest.approx(1, abs=1e-5)


# Recipes


def test_a_recipe_is_made_of_plain_values():
    made = Recipe.of({"epochs": 7, "network": {"heads": 4}, "augment": {"gamma": 0.5}})
    assert (made.epochs, made.network.heads, made.augment.gamma) == (7, 4, 0.5)
    assert made.batch == Recipe().batch
    assert made.augment.noise == Augmentation().noise


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"epoch": 7}, "no setting called epoch"),
        ({"network": {"layers": 7}}, "table network that cannot be used"),
        ({"augment": 3}, "table augment that cannot be used"),
    ],
)
def test_what_no_recipe_knows_is_refused_with_what_is_known(values, says):
    with pytest.raises(DataError, match=says) as caught:
        Recipe.of(values)
    assert "Known are" in caught.value.do


def test_runs_are_the_same_when_all_but_the_folds_is():
    assert same_run(TINY) == same_run(replace(TINY, folds=5))
    assert same_run(TINY) != same_run(replace(TINY, network=VaeOptions(heads=4)))
    assert same_run(TINY) != same_run(replace(TINY, network=VaeOptions(deterministic=True)))


def test_checkpoints_from_before_a_setting_existed_can_be_gone_on_from():
    assert "deterministic" not in same_run(TINY)


def test_a_shorter_recipe_has_fewer_epochs_and_nothing_else_changed():
    assert shorter(TINY, 1) == replace(TINY, epochs=1)
    assert shorter(TINY, None) == TINY


def test_a_full_disk_stops_the_training_and_the_checkpoint_before_stays(tmp_path, monkeypatch):
    whole = curve(trainer())
    broken = trainer(folder=tmp_path)
    reports = broken.fit()
    next(reports)
    before = (tmp_path / "checkpoint" / "last.pt").read_bytes()

    def full(*given):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("medview.learning.checkpoint.torch.save", full)
    with pytest.raises(WriteError, match="the disk is full"):
        next(reports)
    monkeypatch.undo()
    monkeypatch.setattr("medview.models.anomaly_vae.WIDTHS", (8, 8, 16, 16))
    assert (tmp_path / "checkpoint" / "last.pt").read_bytes() == before
    again = trainer(folder=tmp_path)
    again.resume(tmp_path)
    assert curve(again) == whole[1:]
