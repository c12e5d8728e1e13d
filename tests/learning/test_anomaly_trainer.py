"""The training loop: the same curve for a seed, also after an interruption.

A narrow network stands in for the real one: the loop does not know how wide it is.
"""

import csv
import errno
from dataclasses import replace

import numpy as np
import pytest
import torch

from medview.domain.errors import DataError, MedviewError, WriteError
from medview.learning import anomaly_trainer
from medview.learning.anomaly_folds import HEAD
from medview.learning.anomaly_health import HEALTH
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_trainer import Trainer, first_model, one_vote_each
from medview.learning.augment import NONE, Brain
from medview.models.anomaly_vae import VaeOptions

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
PLAIN = replace(TINY, network=VaeOptions(attention=False))
"""What has nothing to do with attention takes half as long without it."""

pytestmark = pytest.mark.usefixtures("narrow")


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


def assert_same(curve, other):
    for found, wanted in zip(curve, other, strict=True):
        assert found == pytest.approx(wanted, abs=1e-6, nan_ok=True)


def test_one_seed_gives_one_curve_and_one_set_of_weights():
    two = replace(TINY, epochs=2)  # the second with attention
    one, again, other = trainer(two), trainer(two), trainer(two, seed=1)
    first = curve(one)
    assert len(first) == 2
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
    assert_same(curve(again), whole[1:])
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = [(str(n), *name) for n, figures in enumerate(whole, 1) for name in figures]
    assert [(row["epoch"], row["part"], row["name"]) for row in rows] == wanted


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, narrow):
    """A folder with the checkpoint of one epoch."""
    folder = tmp_path_factory.mktemp("run")
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
    assert "new training" in caught.value.do


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
    run = trainer(PLAIN)
    torch.nn.init.constant_(run.model.mean_head.bias, float("nan"))
    with pytest.raises(MedviewError, match="not finite in epoch 1") as caught:
        next(run.fit())
    assert caught.value.do


def test_training_learns():
    recipe = replace(PLAIN, epochs=8, steps=4, rate=5e-3, attention_from=1.0, disturb=0.0)
    figures = curve(trainer(replace(recipe, augment=NONE)))
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
    run = trainer(replace(PLAIN, epochs=2), folder=tmp_path, val=False)
    figures = curve(run)[-1]
    assert {part for part, _ in figures} == {"train"}
    assert {name for _, name in figures} >= set(HEALTH)
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["epoch"] for row in rows if row["name"] == "active_units"} == {"1", "2"}


def test_the_loss_is_the_likelihood_plus_beta_times_the_kl_by_pixel():
    run = trainer(PLAIN)
    x, mask = run.fixed_slices()
    terms = run._step(x, mask, 0)
    pixels = float(mask.sum((1, 2, 3)).mean())
    assert terms["loss"] == pytest.approx(terms["nll"] + terms["beta"] * terms["kl"] / pixels)


def test_beta_rises_by_hand():
    run = trainer(replace(PLAIN, epochs=10, steps=10, beta_start=0.1, beta_end=1.1, beta_share=0.5))
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
    run = trainer(replace(PLAIN, plain=1.0))
    x, mask = run.fixed_slices()
    run._step(x, mask, 0)
    assert run.model.log_variance_head.weight.grad.abs().max() == 0
    run = trainer(PLAIN)
    run._step(x, mask, 0)
    assert run.model.log_variance_head.weight.grad.abs().max() > 0


def test_disturbance_stays_in_the_brain_and_leaves_some_slices_alone():
    run = trainer(replace(PLAIN, disturb=0.3, disturb_share=0.5))
    mask = torch.zeros(20, 1, 128, 128)
    mask[:, :, 20:100, 30:90] = 1
    given = run._disturbed(0.5 * mask, mask)
    assert not given[mask == 0].any()
    assert 0 <= given.min() <= given.max() <= 1
    changed = (given != 0.5 * mask).flatten(1).any(1)
    assert 3 < changed.sum() < 17
    quiet = trainer(replace(PLAIN, disturb=0.0))
    assert quiet._disturbed(mask, mask) is mask


def test_where_only_the_head_learns_no_other_parameter_or_running_mean_moves():
    run = trainer(replace(PLAIN, epochs=1))
    run.restrict("head", HEAD)
    before = {name: value.detach().clone() for name, value in run.model.state_dict().items()}
    curve(run)
    after = run.model.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == set(HEAD)


def test_every_parameter_is_in_one_group_and_wide_layers_learn_slower():
    run = trainer(replace(TINY, rate=1e-2, latent_share=0.1, code_share=0.5))
    groups = run._learner.optimiser.param_groups
    known = [id(p) for group in groups for p in group["params"]]
    assert sorted(known) == sorted(id(p) for p in run.model.parameters())
    assert [group["max_lr"] for group in groups] == pytest.approx([1e-2, 1e-3, 5e-3])
    assert {id(p) for p in groups[1]["params"]} == {
        id(p) for part in (run.model.to_mean, run.model.to_log_variance) for p in part.parameters()
    }


def test_patience_stops_a_run_that_gets_no_better_and_keeps_the_best(monkeypatch):
    losses = iter([0.9, 0.5, 0.6, 0.5, 0.1])
    monkeypatch.setattr(anomaly_trainer, "health", lambda *given: {"loss": next(losses)})
    still = replace(PLAIN, epochs=9, steps=1, patience=2, attention_from=0.0, beta_share=0.0)
    run = trainer(still)
    reports = list(run.fit())
    assert (run.stopped, run.best_epoch, len(reports)) == ("patience", 2, 4)


def test_without_validation_the_last_epoch_is_the_best():
    run = trainer(PLAIN, val=False)
    reports = list(run.fit())
    assert run.best_epoch == 3
    assert reports[-1].best
    assert all(torch.equal(v, run.model.state_dict()[n]) for n, v in run.best_state.items())


def test_the_fixed_slices_are_always_the_same_and_those_of_validation():
    one, mask = trainer(PLAIN).fixed_slices()
    again, _ = trainer(PLAIN, seed=5).fixed_slices()
    assert torch.equal(one, again)
    assert one.shape == mask.shape == (3, 1, 128, 128)
    assert not torch.equal(one[:1], trainer(PLAIN, val=False).fixed_slices()[0][:1])


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


def test_a_full_disk_stops_the_training_and_the_checkpoint_before_stays(tmp_path, monkeypatch):
    whole = curve(trainer(PLAIN))
    broken = trainer(PLAIN, folder=tmp_path)
    reports = broken.fit()
    next(reports)
    before = (tmp_path / "checkpoint" / "last.pt").read_bytes()

    def full(*given):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("medview.learning.checkpoint.torch.save", full)
    with pytest.raises(WriteError, match="the disk is full"):
        next(reports)
    monkeypatch.undo()
    assert (tmp_path / "checkpoint" / "last.pt").read_bytes() == before
    again = trainer(PLAIN, folder=tmp_path)
    again.resume(tmp_path)
    assert_same(curve(again), whole[1:])
