"""``medview train`` on a made-up brain, through a real child."""

import csv
import errno
import json
from contextlib import suppress
from pathlib import Path

import pytest
from brains import write_ixi

from medview.cli import main
from medview.domain.errors import WriteError
from medview.io.atomic import write_error
from medview.io.cards import read_card
from medview.learning.weights import card_beside, load_anomaly
from medview.services.training import only_checkpoints_stay

pytestmark = pytest.mark.usefixtures("lasting_children")

# The smallest training there is: what it learns does not matter here.
TINY = (
    *("--set", "steps=1", "--set", "batch=2", "--set", "attention_batch=2"),
    *("--set", "network.attention=false", "--set", "val_slices=3", "--set", "bfloat16=false"),
    *("--threads", "1", "--device", "cpu", "--quiet", "--json"),
)


@pytest.fixture(scope="module")
def brains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ixi-t1")
    write_ixi(folder, "IXI012-HH-1211")
    return folder


def trained(capfd, *words):
    code = main(["train", "anomaly", *map(str, words), *TINY])
    told = capfd.readouterr()
    return code, json.loads(told.out), told.err


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_training_writes_weights_card_history_splits_and_can_go_on(brains, tmp_path, capfd):
    out = tmp_path / "out"
    code, told, err = trained(capfd, "--data", brains, "--out", out, "--epochs", 2)
    assert code == 0, err
    assert told["schema"] == "medview.train/1"
    assert (told["epochs"], told["best_epoch"], told["stopped"]) == (2, 2, "epochs")
    assert told["n"] == {"train": 1, "val": 0}
    names = {check["name"] for check in told["health"]}
    assert names >= {"active_units", "epistemic"}
    assert all(isinstance(check["ok"], bool) for check in told["health"])
    assert files(out) == [
        *("card.json", "checkpoint/begun_with.json", "checkpoint/last.pt"),
        "events.out.tfevents.0.medview",
        *("history.csv", "run.json", "splits.csv", "weights.safetensors"),
    ]
    assert read_card(out / "card.json").weights_sha256 == told["weights_sha256"]
    assert list(rows(out / "splits.csv")[0].items())[:2] == [
        ("case", "IXI012-HH-1211"),
        ("patient", "IXI012"),
    ]
    history = rows(out / "history.csv")
    assert {row["epoch"] for row in history} == {"1", "2"}
    assert {row["name"] for row in history} >= {"loss", "nll", "kl", "beta"}
    load_anomaly(out / "weights.safetensors")
    code, told, _ = trained(capfd, "--data", brains, "--out", out, "--epochs", 2, "--resume")
    assert (code, told["epochs"]) == (0, 2)
    # Nothing was left to do, so these are the very same weights.
    assert told["weights_sha256"] == card_beside(out / "weights.safetensors").weights_sha256
    # From these weights on: the new ones are their child.
    parent, child = out / "weights.safetensors", tmp_path / "child"
    code, told, err = trained(
        capfd, *("--data", brains, "--out", child, "--epochs", 1, "--init", parent)
    )
    assert code == 0, err
    card = read_card(child / "card.json")
    assert card.parent == read_card(out / "card.json").weights_sha256
    assert card.version.endswith(told["weights_sha256"][:8])


def test_after_a_failure_only_the_checkpoint_is_left(brains, tmp_path, capfd):
    out = tmp_path / "out"
    # The learning rate takes the first epoch's loss out of all bounds.
    bad = ("--set", "rate=1e30", "--set", "clip=1e30", "--set", "beta_start=1e30")
    code, told, err = trained(capfd, "--data", brains, "--out", out, "--epochs", 8, *bad)
    assert code == 4
    assert told["code"] == "MV-TRN-001"
    assert "not finite" in told["what"]
    assert told["do"]
    assert "Traceback" not in err
    left = ["checkpoint/begun_with.json", "checkpoint/last.pt"]
    assert files(out) == (left if out.exists() else [])


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--data", "{brains}", "--set", "epochs=many"), 2, "epochs is a whole number"),
        (("--data", "{nowhere}"), 3, "does not exist"),
        (("--data", "{brains}", "--recipe", "{nowhere}"), 3, "nowhere: does not exist"),
        (("--data", "{brains}", "--variables", "{nowhere}"), 2, "--variables is not for anomaly"),
        (("--data", "{brains}", "--max-minutes", "nan"), 2, "'nan' is no number"),
        (("--data", "{brains}", "--init", "{nowhere}"), 3, "nowhere"),
        (("--data", "cases={brains}", "--device", "cuda:77"), 3, ""),
        ((), 2, "--data"),
    ],
)
def test_what_cannot_be_trained_is_told_and_leaves_nothing(
    words, code, says, brains, tmp_path, capfd
):
    places = {"brains": brains, "nowhere": tmp_path / "nowhere"}
    typed = [word.format(**places) for word in words]
    got, told, err = trained(capfd, *typed, "--out", tmp_path / "out")
    assert (got, told["schema"]) == (code, "medview.error/1")
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_training_is_wrong_use(tmp_path, capfd):
    code = main(["train", "nosuch", "--data", str(tmp_path), "--out", str(tmp_path / "o")])
    assert code == 2
    assert "no training of a model called nosuch" in capfd.readouterr().err


def fail_inside(out):
    """Do what a training does until somebody stops it."""
    with only_checkpoints_stay(out):
        (out / "history.csv").write_text("newer")
        (out / "splits.csv").write_text("new")
        (out / "fold-1" / "checkpoint").mkdir(parents=True)
        (out / "fold-1" / "checkpoint" / "last.pt").write_text("kept")
        (out / "fold-1" / "history.csv").write_text("new")
        raise KeyboardInterrupt


def test_what_was_there_before_a_failure_is_there_after_it(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "history.csv").write_text("older")
    with pytest.raises(KeyboardInterrupt):
        fail_inside(out)
    assert files(out) == ["fold-1/checkpoint/last.pt", "history.csv"]
    assert (out / "history.csv").read_text() == "older"


def test_of_one_that_failed_before_its_first_checkpoint_nothing_is_left(tmp_path):
    out = tmp_path / "out"
    note = out / "checkpoint" / "begun_with.json"
    with suppress(KeyboardInterrupt), only_checkpoints_stay(out):
        note.parent.mkdir()
        note.write_text("{}")
        raise KeyboardInterrupt
    assert not out.exists()


def test_a_training_that_ends_well_keeps_all(tmp_path):
    with only_checkpoints_stay(tmp_path / "deep" / "out"):
        (tmp_path / "deep" / "out" / "card.json").write_text("new")
    assert files(tmp_path) == ["deep/out/card.json"]
    with (
        pytest.raises(WriteError, match="is a file"),
        only_checkpoints_stay(tmp_path / "deep" / "out" / "card.json"),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_told_before_anything_runs(tmp_path, monkeypatch):
    def refused(path, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refused)
    with (
        pytest.raises(WriteError, match="lies on a disk that cannot be written"),
        only_checkpoints_stay(tmp_path / "deep" / "out"),
    ):
        pytest.fail("it went on")


def fill_the_disk(out, *, kept):
    with only_checkpoints_stay(out):
        if kept:
            (out / "fold-1" / "checkpoint").mkdir(parents=True)
            (out / "fold-1" / "checkpoint" / "last.pt").write_text("kept")
        raise write_error(out / "last.pt", OSError(errno.ENOSPC, ""))


@pytest.mark.parametrize("kept", [True, False])
def test_a_full_disk_is_told_with_the_way_on_from_the_checkpoint(tmp_path, kept):
    out = tmp_path / "out"
    with pytest.raises(WriteError) as caught:
        fill_the_disk(out, kept=kept)
    way = "go on from the checkpoint with --resume" if kept else "start again"
    assert str(caught.value) == f"last.pt: the disk is full. Free some space, then {way}."
    assert ("up to the checkpoint" in caught.value.still_works) == kept
    assert out.exists() == kept
