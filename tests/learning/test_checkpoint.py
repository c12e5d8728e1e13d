"""What every training keeps on disk."""

import csv

import numpy as np
import pytest
import torch

from medview.domain.errors import DataError
from medview.learning.checkpoint import (
    CHECKPOINT,
    EpochReport,
    plain_dict,
    read_checkpoint,
    snapshot,
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
