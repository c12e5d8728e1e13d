"""A version of the ICU model goes on learning from local stays."""

import csv
import gzip
import json
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from armed_stays import SITES, SMALL
from icu_minis import challenge, table

from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Silent
from medview.domain.training import FinetuneRequest, Rounds, TrainRequest
from medview.io.cards import read_card
from medview.io.seen import seen_of
from medview.learning import ablation_figures
from medview.learning.finetune import finetune
from medview.learning.icu_model import load_armed_icu, load_icu
from medview.learning.icu_training import fit, fit_armed
from medview.learning.patients import patient_hash
from medview.services.recipes import read_recipe
from medview.services.training import trainer_of


@pytest.fixture
def parent(tmp_path, monkeypatch):
    """Weights trained on stays 100 to 123; other stays in another folder."""
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    folder = challenge(tmp_path / "old", 24)
    recipe = read_recipe("icu", None, SMALL)
    fit(Silent(), TrainRequest((str(folder),), str(tmp_path / "base"), recipe, threads=1))
    return tmp_path / "base" / "weights.safetensors"


def local(folder, stays=24):
    """The same hospital, other stays."""
    challenge(folder, stays, seed=1)
    for name in ("outcomes-a.csv",):
        rows = [line.split(",") for line in (folder / name).read_text().splitlines()]
        table(folder / name, ",".join(rows[0]), *((int(r[0]) + 500, *r[1:]) for r in rows[1:]))
    path = folder / "set-a_timeseries.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))
    table(path, ",".join(rows[0]), *((int(r[0]) + 500, *r[1:]) for r in rows[1:]))
    return folder


def request(tmp_path, parent, method="full", *settings, resume=False):
    recipe = read_recipe("icu", None, (*SMALL, "tune_rate=1e-2", *settings))
    data = local(tmp_path / "new") if not (tmp_path / "new").is_dir() else tmp_path / "new"
    return FinetuneRequest(
        "icu",
        TrainRequest(
            (str(data),), str(tmp_path / "out"), recipe, threads=1, init=str(parent),
            method=method, resume=resume,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("method", ["full", "head", "adapter"])
def test_all_of_a_network_learns_or_its_head_or_adapters(tmp_path, parent, method):
    body = finetune(Silent(), request(tmp_path, parent, method), trainer_of("icu"))
    old, card = load_icu(parent)
    new, tuned = load_icu(tmp_path / "out" / "weights.safetensors")
    before, after = old.state_dict(), new.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(".head." in name for name in changed) == (method == "head")
    if method == "adapter":  # sums in the plain weights of linear layers; no recurrent one
        assert all(name.endswith("weight") for name in changed)
        assert before.keys() == after.keys()
    assert tuned.parent == card.weights_sha256
    assert set(tuned.seen_patients) > set(card.seen_patients)
    assert np.array_equal(
        old.parts["mortality"].normaliser.mean, new.parts["mortality"].normaliser.mean
    )
    assert body["held_out"] == 5
    told = json.loads((tmp_path / "out" / "before_after.json").read_text())
    assert {row["predictor"] for row in told["metrics"]} == {"old", "new"}
    assert {row["n"] for row in told["metrics"]} == {5}


def test_held_out_patients_are_not_learnt_from_and_the_curve_has_every_epoch(tmp_path, parent):
    class Reader(Silent):
        told: ClassVar[list[object]] = []

        def partial(self, payload):
            self.told.append(payload)

    wanted = request(tmp_path, parent)
    finetune(Reader(), wanted, trainer_of("icu"))
    assert Rounds(4) in Reader.told
    with (tmp_path / "out" / "splits.csv").open() as file:
        part = {row["patient"]: row["part"] for row in csv.DictReader(file)}
    held = {name for name, where in part.items() if where == "val"}
    assert len(held) == 5
    card = read_card(tmp_path / "out" / "card.json")
    assert not seen_of(card, {patient_hash(name) for name in held})
    with (tmp_path / "out" / "history.csv").open() as file:
        epochs = [int(r["epoch"]) for r in csv.DictReader(file) if r["name"] == "loss"]
    assert epochs == [1, 2, 3, 4]  # two networks, one after the other


def test_finished_networks_are_taken_when_it_goes_on(tmp_path, parent):
    wanted = request(tmp_path, parent)
    one = finetune(Silent(), wanted, trainer_of("icu"))
    tasks = sorted((tmp_path / "out" / "checkpoint" / "tasks").glob("tune-*.pt"))
    assert len(tasks) == 2
    stamp = tasks[0].stat().st_mtime_ns
    tasks[1].unlink()
    again = finetune(Silent(), replace(wanted, train=replace(wanted.train, resume=True)),
                     trainer_of("icu"))  # fmt: skip
    assert tasks[0].stat().st_mtime_ns == stamp
    assert again["weights_sha256"] == one["weights_sha256"]


def test_stays_without_a_label_of_the_weights_are_refused(tmp_path, parent):
    (tmp_path / "s.csv").write_text("Hours,HR\n1,80\n")
    rows = [(f"c{n}", f"p{n}", "s.csv", n % 2) for n in range(8)]
    table(tmp_path / "cases.csv", "case,patient,series,phenotype_01", *rows)
    train = replace(request(tmp_path, parent).train, data=(str(tmp_path / "cases.csv"),))
    with pytest.raises(DataError, match=r"label of these weights \(mortality\)|no data set"):
        fit(Silent(), train)


def test_another_method_is_refused(tmp_path, parent):
    with pytest.raises(UsageError, match="full, head or adapter"):
        fit(Silent(), request(tmp_path, parent, "site-effects").train)


def at_sites(folder, sites):
    """24 stays as a case list, each of a patient of its own, at these sites in turn."""
    folder.mkdir()
    rows = []
    for n in range(24):
        sick = n // 2 % 2
        lines = [f"{hour},{115 - 40 * sick + n},{15 - 9 * sick}" for hour in range(0, 24, 3)]
        (folder / f"{n}.csv").write_text("\n".join(["Hours,HR,GCS", *lines]) + "\n")
        rows.append((f"c{n}", f"p{n}", f"{n}.csv", sick, sites[n % len(sites)]))
    return table(folder / "cases.csv", "case,patient,series,mortality,site", *rows)


def armed_request(tmp_path, weights, method, sites):
    recipe = read_recipe("icu-armed", None, (*SMALL, "tune_rate=1e-2"))
    data = str(at_sites(tmp_path / "new", sites))
    train = TrainRequest(
        (data,), str(tmp_path / "out"), recipe, threads=1, init=str(weights), method=method
    )
    return FinetuneRequest("icu-armed", train)


@pytest.fixture
def quiet(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)


@pytest.mark.usefixtures("quiet", "seeded")
@pytest.mark.parametrize(
    ("method", "learns"),
    [("site-effects", ("slopes.", "intercept.")),
     ("head", ("slopes.", "intercept.", "base.net.head.")),
     ("full", ("",))],
)  # fmt: skip
def test_of_a_model_with_effects_of_sites_a_part_learns_and_new_sites_come_in(
    tmp_path, armed_icu, method, learns
):
    wanted = armed_request(tmp_path, armed_icu, method, (SITES[1], "Ward X", ""))
    finetune(Silent(), wanted, trainer_of("icu-armed"))
    old, card = load_armed_icu(armed_icu)
    new, tuned = load_armed_icu(tmp_path / "out" / "weights.safetensors")
    assert new.parts["mortality"].sites == (*SITES, "Ward X")
    assert (tuned.id, tuned.parent) == ("icu-armed", card.weights_sha256)
    assert "Ward X" in [one["site"] for one in tuned.settings["site_effects"]]
    before, after = old.state_dict(), new.state_dict()
    same = {n for n in before if before[n].shape == after[n].shape}
    moved = {n.split(".", 3)[3] for n in same if not torch.equal(before[n], after[n])}
    effects = [n for n in before if n.endswith("slopes.mu")]
    # The effects of a site move with its stays, not those of one without any.
    assert all(not torch.equal(before[n][1], after[n][1]) for n in effects)
    assert all(name.startswith(learns) for name in moved)
    assert bool(moved) == (method != "site-effects")


@pytest.mark.usefixtures("quiet")
def test_effects_are_not_learnt_of_stays_without_a_site_nor_by_adapters(tmp_path, armed_icu):
    wanted = armed_request(tmp_path, armed_icu, "site-effects", ("",))
    with pytest.raises(DataError, match="no stay says its site"):
        fit_armed(Silent(), wanted.train)
    with pytest.raises(UsageError, match="full or head or site-effects"):
        fit_armed(Silent(), replace(wanted.train, method="adapter"))
