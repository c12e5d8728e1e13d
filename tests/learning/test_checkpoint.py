"""What every training keeps on disk."""

import csv
import errno
import multiprocessing
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from medview.domain.errors import DataError, MedviewError
from medview.learning.checkpoint import (
    CHECKPOINT,
    KEEP_S,
    Due,
    EpochReport,
    all_but_folds,
    keep_run,
    plain_dict,
    read_checkpoint,
    refuse_not_finite,
    snapshot,
    store,
    write_checkpoint,
    write_history,
)


def read(folder, run="a"):
    return read_checkpoint(folder, names=("recipe", "epoch"), run=run)


def test_a_checkpoint_comes_back(tmp_path):
    write_checkpoint(tmp_path, {"recipe": "a", "epoch": 3, "weights": torch.ones(2)})
    kept = read(tmp_path)
    assert kept["epoch"] == 3
    assert kept["weights"].tolist() == [1, 1]


def test_a_run_keeps_its_curve_and_its_checkpoint_where_it_has_a_folder(tmp_path):
    kept = {"recipe": "a", "epoch": 1, "history": [(1, "train", "loss", 0.5)]}
    keep_run(None, kept)
    keep_run(tmp_path, kept)
    assert read(tmp_path)["history"] == kept["history"]
    with (tmp_path / "history.csv").open(newline="") as file:
        assert list(csv.reader(file))[1:] == [["1", "train", "loss", "0.5"]]


def test_folds_are_no_part_of_what_two_runs_share():
    @dataclass(frozen=True)
    class Recipe:
        epochs: int = 2
        folds: int = 3

    assert all_but_folds(Recipe()) == {"epochs": 2}


def test_what_is_no_checkpoint_of_this_run_is_refused(tmp_path):
    with pytest.raises(DataError, match="no checkpoint to go on from"):
        read(tmp_path)
    write_checkpoint(tmp_path, {"recipe": "a", "epoch": 3})
    with pytest.raises(DataError, match="another recipe"):
        read(tmp_path, "b")
    write_checkpoint(tmp_path, {"recipe": "a"})
    with pytest.raises(DataError, match="damaged"):
        read(tmp_path)
    (tmp_path / CHECKPOINT).write_bytes(b"x")
    with pytest.raises(DataError, match="damaged"):
        read(tmp_path)


def test_a_snapshot_does_not_learn_on():
    model = torch.nn.Linear(2, 3)
    kept = snapshot(model)
    torch.nn.init.constant_(model.bias, 7.0)
    assert kept["bias"].abs().max() < 7


def test_a_checkpoint_that_could_run_code_is_refused(tmp_path):
    (tmp_path / CHECKPOINT).parent.mkdir()
    torch.save({"recipe": "a", "epoch": np.random.default_rng}, tmp_path / CHECKPOINT)
    with pytest.raises(DataError, match="damaged"):
        read(tmp_path)


def test_the_state_of_a_generator_comes_back_from_its_text():
    rng = np.random.default_rng(1)
    state = plain_dict(str(rng.bit_generator.state))
    wanted = rng.random(3)
    rng.bit_generator.state = state
    assert rng.random(3).tolist() == wanted.tolist()


def test_history_and_report_hold_the_same_figures(tmp_path):
    report = EpochReport(2, 5, {("val", "mae"): 4.5}, 1.0, best=True)
    write_history(tmp_path / "h.csv", [(2, "val", "mae", report.value("val", "mae"))])
    with (tmp_path / "h.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{"epoch": "2", "part": "val", "name": "mae", "value": "4.5"}]


def test_a_snapshot_is_a_copy():
    layer = torch.nn.Linear(1, 1)
    kept = snapshot(layer)
    torch.nn.init.constant_(layer.weight, 9.0)
    assert kept["weight"].item() != 9.0


def lost_at_most(epoch_s, epochs=400):
    """Seconds of work that a kill would have cost at the worst moment."""
    now = [0.0]
    due = Due(lambda: now[0])
    kept = worst = 0.0
    written = 0
    for _ in range(epochs):
        now[0] += epoch_s
        worst = max(worst, now[0] - kept)
        if due.after_epoch():
            kept, written = now[0], written + 1
    return worst, written


@pytest.mark.parametrize("epoch_s", [0.003, 0.2, 0.7, 1.0, 40.0])
def test_no_more_than_an_epoch_or_a_second_is_lost(epoch_s):
    worst, written = lost_at_most(epoch_s)
    assert worst <= max(KEEP_S, epoch_s) + 1e-9
    # And short epochs do not write much more often than needed.
    assert written <= 400 * epoch_s / min(0.5, KEEP_S) + 1 if epoch_s < 0.5 else written >= 399


def test_a_full_disk_says_so_and_not_what_torch_says():
    with pytest.raises(OSError, match="No space left") as caught:
        store({"weights": torch.ones(300_000)}, Path("/dev/full"))
    assert caught.value.errno == errno.ENOSPC


def test_drafts_of_a_killed_process_go_when_it_goes_on(tmp_path):
    write_checkpoint(tmp_path, {"recipe": "a", "epoch": 3})
    for place in (tmp_path, tmp_path / "checkpoint"):
        (place / ".medview-abc").mkdir()
        (place / ".medview-abc" / "draft.pt").write_bytes(b"half")
    read(tmp_path)
    assert [each.name for each in sorted(tmp_path.rglob("*"))] == ["checkpoint", "last.pt"]


def test_a_loss_of_several_members_is_refused_for_one_of_them():
    refuse_not_finite(torch.tensor([1.0, 2.0]), 3)
    with pytest.raises(MedviewError, match="epoch 3"):
        refuse_not_finite(torch.tensor([1.0, float("inf")]), 3)


def write_for_ever(folder):
    for epoch in range(1, 10**6):
        rows = [(each, "train", "loss", 1 / each) for each in range(max(1, epoch - 9), epoch + 1)]
        write_history(folder / "history.csv", rows)
        write_checkpoint(folder, {"recipe": "a", "epoch": epoch, "w": torch.full((999,), epoch)})


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_any_moment_checkpoint_and_curve_are_whole_and_an_epoch_apart(tmp_path):
    dice = random.Random(0)
    for kill in range(20):
        folder = tmp_path / str(kill)
        child = multiprocessing.get_context("fork").Process(target=write_for_ever, args=(folder,))
        child.start()
        while not (folder / CHECKPOINT).exists():
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.03))
        child.kill()
        child.join()
        kept = read(folder)
        assert kept["w"].tolist() == [kept["epoch"]] * 999
        with (folder / "history.csv").open(newline="") as file:
            told = [int(row["epoch"]) for row in csv.DictReader(file)]
        assert told[-1] - kept["epoch"] in (0, 1)
