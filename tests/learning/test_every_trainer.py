"""What every trainer must bear: SIGKILL, a full disk, a loss that is no number, poor data."""

import csv
import errno
import gzip
import multiprocessing
import os
import shutil
import signal
from dataclasses import replace

import pytest
import torch
from age_sets import ixi_rows, write_ixi_table
from brains import head, write_nifti
from chest_phantom import case_list
from every_trainer import EPOCHS, KINDS, STEPS_OF_OTHERS
from icu_minis import challenge
from safetensors.torch import load_file

from medview.domain.card import TrainedOn
from medview.domain.errors import DataError, MedviewError, WriteError
from medview.domain.progress import Silent
from medview.domain.training import CHECKPOINTS
from medview.io.atomic import DRAFT
from medview.io.cards import CARD, WEIGHTS, read_card, write_card
from medview.io.seen import seen_of, with_seen
from medview.learning import anomaly_training, checkpoint, cxr_training, region_training
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.checkpoint import store
from medview.learning.descent import train_on
from medview.learning.patients import patient_hash
from medview.services.training import TRAINERS


def name_of(kind):
    return kind.model


each_kind = pytest.mark.parametrize("kind", KINDS, ids=name_of)
each_network = pytest.mark.parametrize("kind", [*KINDS, *STEPS_OF_OTHERS], ids=name_of)


@pytest.fixture(autouse=True)
def _small(monkeypatch, tmp_path, every_epoch, narrow):
    monkeypatch.setattr("medview.learning.region_trainer.PART", (16, 16, 16))
    heads, load = [], region_training.load_heads  # finding the brain takes longer than training
    monkeypatch.setattr(
        region_training, "load_heads", lambda *given: heads or heads.extend(load(*given)) or heads
    )
    # What is measured after a training has tests of its own.
    monkeypatch.setattr(anomaly_training, "measured_elsewhere", lambda *given: ())
    monkeypatch.setattr(
        "medview.learning.anomaly_folds.calibrate", lambda *given: AnomalySettings()
    )
    monkeypatch.setattr(cxr_training, "evidence_rows", lambda *given: [])
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


@pytest.fixture
def data(kind, tmp_path):
    """The folder of a kind's data."""
    folder = tmp_path / "data"
    folder.mkdir()
    kind.write(folder)
    return folder


@pytest.fixture(scope="module")
def _trained():
    return {}


@pytest.fixture
def trained(kind, _small, _trained, tmp_path_factory):
    """The folder of a kind's training to the end, with its data beside it, and its answer."""
    if kind not in _trained:
        folder = tmp_path_factory.mktemp(kind.model)
        (folder / "data").mkdir()
        kind.write(folder / "data")
        _trained[kind] = folder, kind.train(folder / "data", folder / "out")
    return _trained[kind]


def curve(out):
    with (out / "history.csv").open(newline="") as file:
        return [(r["epoch"], r["part"], r["name"], float(r["value"])) for r in csv.DictReader(file)]


def accident_at(number, accident):
    """In place of `store`: the checkpoint of so many epochs is written by half, then something
    happens.
    """
    left = [number]

    def stored(kept, path):
        left[0] -= 1
        store(kept, path)
        if not left[0]:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            accident()

    return stored


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def no_space():
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@each_network
def test_after_a_kill_and_a_full_disk_the_curve_is_the_same(kind, trained, tmp_path, monkeypatch):
    folder, whole = trained
    data, out = folder / "data", tmp_path / "out"

    # The process is killed while it writes the checkpoint of the second epoch.
    monkeypatch.setattr(checkpoint, "store", accident_at(2, kill))
    child = multiprocessing.get_context("fork").Process(target=kind.train, args=(data, out))
    child.start()
    child.join(600)
    assert child.exitcode == -signal.SIGKILL
    assert max(int(row[0]) for row in curve(out)) == 2
    assert not (out / "weights.safetensors").exists()

    # It goes on from the first; the disk is full at the third.
    monkeypatch.setattr(checkpoint, "store", accident_at(2, no_space))
    with pytest.raises(WriteError, match="the disk is full"):
        kind.train(data, out, resume=True)
    monkeypatch.setattr(checkpoint, "store", store)
    again = kind.train(data, out, resume=True)
    assert [row[:3] for row in curve(out)] == [row[:3] for row in curve(folder / "out")]
    for found, wanted in zip(curve(out), curve(folder / "out"), strict=True):
        assert found[3] == pytest.approx(wanted[3], abs=1e-6, nan_ok=True), found[:3]
    assert max(int(row[0]) for row in curve(out)) == EPOCHS
    assert again["weights_sha256"] == whole["weights_sha256"]
    assert not list(out.rglob(f"{DRAFT}*"))
    assert any((out / CHECKPOINTS).iterdir())


@each_kind
def test_a_training_by_one_method_does_not_go_on_by_another(kind, trained, tmp_path, monkeypatch):
    data, start = trained[0] / "data", str(trained[0] / "out" / "weights.safetensors")
    monkeypatch.setattr(checkpoint, "store", accident_at(2, no_space))
    with pytest.raises(WriteError):
        kind.train(data, tmp_path / "out", init=start, method=kind.part)
    with pytest.raises(DataError, match=f"by the method {kind.part}, not by full") as caught:
        kind.train(data, tmp_path / "out", init=start, resume=True)
    assert f"Go on with the method {kind.part}" in caught.value.do


@each_kind
def test_what_was_trained_on_from_others_tells_whose_child_it_is(kind, trained, tmp_path):
    parent = trained[0] / "out" / WEIGHTS
    older = read_card(parent.with_name(CARD))
    known = [TrainedOn("elsewhere", 3, "some research licence"), *older.trained_on]
    older = replace(with_seen(older, [patient_hash("Doe")]), trained_on=tuple(known))
    (tmp_path / "parent").mkdir()
    shutil.copy(parent, tmp_path / "parent" / WEIGHTS)
    write_card(older, tmp_path / "parent" / CARD)
    start = str(tmp_path / "parent" / WEIGHTS)
    asked = kind.request(trained[0] / "data", tmp_path / "out", init=start)
    body = train_on(Silent(), asked, TRAINERS[kind.model])
    card = read_card(tmp_path / "out" / CARD)
    assert card.parent == older.weights_sha256
    assert card.version == f"{older.version}-{body['weights_sha256'][:8]}"
    assert [one.set for one in card.trained_on][: len(known)] == [one.set for one in known]
    assert seen_of(card, [patient_hash("Doe")])
    assert card.licence.startswith("research, non-commercial (data: some research licence")


@each_kind
def test_running_means_of_what_does_not_learn_rest(kind, trained, tmp_path):
    start = trained[0] / "out" / "weights.safetensors"
    kind.train(trained[0] / "data", tmp_path / "out", init=str(start), method=kind.part)
    before, after = load_file(start), load_file(tmp_path / "out" / start.name)
    norms = [name.removesuffix("running_mean") for name in before if name.endswith("running_mean")]
    resting = [n for n in norms if torch.equal(before[f"{n}weight"], after[f"{n}weight"])]
    assert resting or kind.model not in ("anomaly", "cxr")  # others have no such layers
    for norm in resting:
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            one, other = (of[f"{norm}{name}"] for of in (before, after))
            assert torch.equal(one, other), f"{norm}{name}"


EDITS = (
    ("anomaly", "participants.csv", "Age", "ages or sexes"),
    ("brain-age", "ixi_dlmuse_n291.csv.gz", "Age", "ages or sexes"),
    ("brain-age-armed", "ixi_dlmuse_n291.csv.gz", "site", "sites"),
    ("cxr", "cases.csv", "prognosis", "labels"),
    ("cxr-armed", "cases.csv", "site", "sites"),
    ("icu", "outcomes-a.csv", "In-hospital_death", "labels"),
    ("icu-armed", "outcomes-a.csv", "ICUType", "sites"),
)
"""Of each model a table of its data, a column of it, and what a sentence calls that."""


def edited(path, column):
    """The first two rows of a table change their cells of a column, or the first gets another."""
    words = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    head, one, two, *others = [line.split(",") for line in words.decode().split()]
    n = head.index(column)
    one[n], two[n] = two[n], one[n] if one[n] != two[n] else f"{one[n]}9"
    words = "\n".join(",".join(row) for row in (head, one, two, *others)).encode()
    path.write_bytes(gzip.compress(words) if path.suffix == ".gz" else words)


@pytest.mark.parametrize(("model", "table", "column", "says"), EDITS)
def test_what_was_edited_meanwhile_does_not_go_on(
    model, table, column, says, tmp_path, monkeypatch
):
    kind = next(each for each in KINDS if each.model == model)
    (tmp_path / "data").mkdir()
    kind.write(tmp_path / "data")
    given = tmp_path / "data", tmp_path / "out"
    monkeypatch.setattr(checkpoint, "store", accident_at(2, no_space))
    with pytest.raises(WriteError):
        kind.train(*given)
    monkeypatch.setattr(checkpoint, "store", store)
    edited(next(given[0].rglob(table)), column)
    with pytest.raises(DataError, match=f"was begun with other {says}") as caught:
        kind.train(*given, resume=True)
    assert "start a new one" in caught.value.do


@each_network
def test_a_loss_that_is_no_number_stops_it_with_a_word(kind, data, tmp_path):
    with pytest.raises(MedviewError, match="the loss is not finite in epoch") as caught:
        kind.train(data, tmp_path / "out", f"{kind.rate}=1e30")
    assert caught.value.code == "MV-TRN-001"
    assert "learning rate" in caught.value.do
    assert not (tmp_path / "out" / "weights.safetensors").exists()


def rewritten(path, change):
    """The rows of a table after its head, changed."""
    first, *rows = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join(row) for row in [first, *map(change, rows)]))


def only_mild(folder):
    rewritten(case_list(folder, 12), lambda row: [*row[:4], row[4] and "MILD", ""])


def nobody_dies(folder):
    rewritten(challenge(folder, 12) / "outcomes-a.csv", lambda row: [row[0], "0", row[2]])


def lesions_only(folder):
    write_nifti(folder / "a.nii.gz", head())
    (folder / "cases.csv").write_text("case,t1,label\na,a.nii.gz,1\n")


def all_of_one_age(folder):
    rows = ixi_rows(24)
    write_ixi_table(folder, [[*row[:3], "50.00", *row[4:]] for row in rows])


def one_person(folder):
    write_ixi_table(folder, ixi_rows(1))


# Of a single brain the slices differ: it can be trained on.
POOR = (
    ("anomaly", lesions_only, "no normal case"),
    ("brain-age", all_of_one_age, r"the same age \(50 years\)"),
    ("brain-age", one_person, "only 1 rows"),
    ("brain-age-armed", all_of_one_age, r"the same age \(50 years\)"),
    ("brain-age-armed", one_person, "1 rows of 1 sites"),
    ("cxr", only_mild, r"have the same one \(prognosis MILD\)"),
    ("cxr", lambda folder: case_list(folder, 1), "of one patient"),
    ("icu", nobody_dies, "have the same one"),
    ("icu", lambda folder: challenge(folder, 1), "have the same one"),
)


@pytest.mark.parametrize(("model", "write", "says"), POOR)
def test_one_class_and_one_case_are_refused_with_the_reason(model, write, says, tmp_path):
    (tmp_path / "data").mkdir()
    write(tmp_path / "data")
    kind = next(each for each in KINDS if each.model == model)
    with pytest.raises(DataError, match=says) as caught:
        kind.train(tmp_path / "data", tmp_path / "out")
    assert caught.value.do
    assert not (tmp_path / "out" / "weights.safetensors").exists()
