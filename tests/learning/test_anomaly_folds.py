"""The networks of one training: whom each fold leaves out, and all of them beside each other."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from brains import write_ixi
from narrow_networks import NarrowTraining

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.io.cards import read_card
from medview.learning import anomaly_folds, anomaly_training, side_by_side
from medview.learning.anomaly_folds import finished_model, fold_parts
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_settings import AnomalySettings, Normals
from medview.learning.anomaly_trainer import first_model
from medview.learning.anomaly_training import fit
from medview.learning.checkpoint import CHECKPOINT, read_checkpoint
from medview.models.anomaly_vae import VaeOptions
from medview.services.recipes import read_recipe

FOLDERS = ("fold-1", "fold-2", "")
"""Where the networks of two folds and the last one keep their checkpoints."""
SMALL = (
    *("epochs=3", "steps=1", "batch=2", "attention_batch=2", "val_slices=3", "bfloat16=false"),
    *("network.attention=false", "folds=2", "upright=false", "turned=false"),
)


@dataclass(frozen=True)
class Case:
    """As much of a case as folds are made by."""

    case: SimpleNamespace
    training_only: bool = False


def _case(patient, *, training_only=False):
    return Case(SimpleNamespace(patient=patient), training_only)


def test_every_patient_is_left_out_once_with_all_images_and_templates_never():
    cases = [_case(name) for name in "abcdeab"] + [_case("t", training_only=True)]
    parts = fold_parts(2, cases)
    assert ["".join(c.case.patient for c in held) for _, held in parts] == ["acea", "bdb"]
    for learnt, held in parts:
        assert len(learnt) + len(held) == len(cases)
        assert cases[-1] in learnt
    assert fold_parts(1, cases) == fold_parts(0, cases) == []


def test_the_best_weights_are_given_as_they_are_stored_and_the_last_where_none_was_best():
    recipe = Recipe(network=VaeOptions(attention=False))
    last = first_model(recipe.network)
    best = {
        name: torch.full_like(value, 0.1) if value.is_floating_point() else value
        for name, value in last.state_dict().items()
    }
    trainer = SimpleNamespace(
        recipe=recipe, model=last, best_state=best, best_epoch=3, device="cpu"
    )
    kept = finished_model(trainer)
    assert not kept.training
    assert {value.max().item() for value in kept.parameters()} == {float(np.float16(0.1))}
    trainer.best_epoch = 0
    for name, value in finished_model(trainer).named_parameters():
        torch.testing.assert_close(value, last.state_dict()[name].half().float(), rtol=0, atol=0)


def _settled(job, engine, folds, train, recipe):
    return AnomalySettings(), Normals([], []), folds


@pytest.fixture(autouse=True)
def _small(monkeypatch, narrow, seeded):
    monkeypatch.setattr(anomaly_training, "measured_elsewhere", lambda *given: ())
    monkeypatch.setattr(anomaly_training, "cross_validated", lambda *given: ())
    monkeypatch.setattr(anomaly_training, "settle", _settled)
    monkeypatch.setattr(anomaly_folds, "calibrate", lambda *given: AnomalySettings())
    monkeypatch.setattr(anomaly_folds, "NetworkTraining", NarrowTraining)
    monkeypatch.setattr(anomaly_folds, "networks_at_once", lambda mb, threads, device: threads)


@pytest.fixture(scope="module")
def brains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ixi-t1")
    write_ixi(folder, "IXI012-HH-1211", "IXI013-HH-1212", "IXI014-Guys-1236")
    return folder


def asked(folder, out, *settings, threads=2, **more):
    recipe = read_recipe("anomaly", None, (*SMALL, *settings))
    return TrainRequest((str(folder),), str(out), recipe, threads=threads, device="cpu", **more)


def states(out):
    """The weights of all networks as their checkpoints have them, in a row."""
    kept = [read_checkpoint(out / each, names=("best_state",), run=None) for each in FOLDERS]
    return torch.cat([value.flatten().float() for k in kept for value in k["best_state"].values()])


class Heard(Silent):
    """Progress that remembers what it was told; stopped after so many epochs."""

    def __init__(self, most=99):
        self.most, self.texts, self.epochs = most, [], 0

    def report(self, done, total, text=""):
        self.texts.append(text)

    def partial(self, payload):
        self.epochs += 1

    def check(self):
        if self.epochs >= self.most:
            raise Cancelled("stopped by the user")


@pytest.fixture(scope="module")
def alone(brains, tmp_path_factory, narrow):
    """A training whose networks were trained one after the other; its answer, and its folder."""
    out = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anomaly_training, "measured_elsewhere", lambda *given: ())
        patch.setattr(anomaly_training, "cross_validated", lambda *given: ())
        patch.setattr(anomaly_training, "settle", _settled)
        patch.setattr(anomaly_folds, "calibrate", lambda *given: AnomalySettings())
        return fit(Silent(), asked(brains, out, threads=1)), out


@pytest.mark.slow
def test_networks_beside_each_other_become_the_very_same(alone, brains, tmp_path):
    (before, out), told = alone, Heard()
    body = fit(told, asked(brains, tmp_path))
    assert torch.equal(states(tmp_path), states(out))
    assert body["weights_sha256"] == before["weights_sha256"]
    assert (body["stopped"], body["epochs"]) == ("epochs", 3)
    for mine, other in zip(body["health"], before["health"], strict=True):
        assert mine["value"] == pytest.approx(other["value"], rel=1e-3, nan_ok=True)
    for each in FOLDERS:
        curve = (tmp_path / each / "history.csv").read_text()
        assert curve == (out / each / "history.csv").read_text()
    assert {"fold 1 of 2: epoch 3 / 3", "fold 2 of 2: epoch 1 / 3"} < set(told.texts)
    assert "training: epoch 3 / 3" in told.texts


@pytest.mark.slow
def test_after_a_kill_they_go_on_to_the_very_same(alone, brains, tmp_path):
    (tmp_path / "fold-2").mkdir()
    (tmp_path / "fold-2" / "die after 2").touch()
    with pytest.raises(MedviewError, match="ended without a word"):
        fit(Silent(), asked(brains, tmp_path))
    (tmp_path / "fold-2" / "die after 2").unlink()
    assert not (tmp_path / "weights.safetensors").exists()
    body = fit(Silent(), asked(brains, tmp_path, resume=True))
    assert body["weights_sha256"] == alone[0]["weights_sha256"]
    assert torch.equal(states(tmp_path), states(alone[1]))


@pytest.mark.slow
def test_folds_that_were_trained_one_after_the_other_are_gone_on_with(brains, tmp_path):
    whole = fit(Silent(), asked(brains, tmp_path, threads=1))
    for lost in (tmp_path / CHECKPOINT, tmp_path / "fold-2" / CHECKPOINT):
        lost.unlink()
    kept = tmp_path / "fold-1" / CHECKPOINT
    before = kept.stat().st_mtime_ns
    again = fit(Silent(), asked(brains, tmp_path, resume=True))
    assert again["weights_sha256"] == whole["weights_sha256"]
    assert kept.stat().st_mtime_ns == before


@pytest.mark.slow
def test_what_one_network_fails_with_is_said_in_a_sentence(brains, tmp_path):
    with pytest.raises(MedviewError, match="the loss is not finite in epoch") as caught:
        fit(Silent(), asked(brains, tmp_path, "rate=1e30"))
    assert "Lower the learning rate" in caught.value.do
    assert not side_by_side.multiprocessing.active_children()


@pytest.mark.slow
def test_who_stops_the_training_stops_every_network(brains, tmp_path):
    with pytest.raises(Cancelled):
        fit(Heard(most=2), asked(brains, tmp_path, "epochs=500", threads=3))
    assert not side_by_side.multiprocessing.active_children()
    assert any((tmp_path / each / CHECKPOINT).is_file() for each in FOLDERS)


@pytest.mark.slow
def test_the_minutes_are_for_all_networks_and_previews_of_the_last_one(alone, brains, tmp_path):
    start = str(alone[1] / "weights.safetensors")
    request = asked(brains, tmp_path, "epochs=500", max_minutes=1e-4, init=start, preview=True)
    body = fit(Silent(), request)
    assert (body["stopped"], body["epochs"]) == ("time", 1)
    kept = [read_checkpoint(tmp_path / each, names=("epoch",), run=None) for each in FOLDERS]
    assert [each["epoch"] for each in kept] == [1, 1, 1]
    assert [path.name for path in (tmp_path / "preview").iterdir()] == ["00001"]
    assert not list(tmp_path.glob("fold-*/preview"))


def test_a_network_without_folds_and_one_thread_have_no_processes(tmp_path, monkeypatch):
    write_ixi(tmp_path / "ixi-t1", "IXI012-HH-1211", "IXI013-HH-1212")
    monkeypatch.delattr(side_by_side, "_Crew")
    data = tmp_path / "ixi-t1"
    fit(Silent(), asked(data, tmp_path / "whole", "folds=0", "epochs=1", threads=4))
    fit(Silent(), asked(data, tmp_path / "folds", "epochs=1", threads=1))
    assert read_card(tmp_path / "folds" / "card.json").settings
    assert torch.get_num_threads() == 1
