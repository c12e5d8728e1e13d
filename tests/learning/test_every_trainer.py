"""What every trainer must bear: SIGKILL, a full disk, a loss that is no number, poor data."""

import csv
import errno
import multiprocessing
import os
import signal

import pytest
from every_trainer import EPOCHS, KINDS

from medview.domain.errors import MedviewError, WriteError
from medview.io.atomic import DRAFT
from medview.learning import anomaly_training, checkpoint
from medview.learning.checkpoint import FOLDER, store

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model)


@pytest.fixture(autouse=True)
def _small(monkeypatch, tmp_path, every_epoch):
    monkeypatch.setattr("medview.models.anomaly_vae.WIDTHS", (8, 8, 16, 16))
    monkeypatch.setattr(anomaly_training, "measured_elsewhere", lambda *given: ())
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


@pytest.fixture
def data(kind, tmp_path):
    """The folder of a kind's data."""
    folder = tmp_path / "data"
    folder.mkdir()
    kind.write(folder)
    return folder


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
@each_kind
def test_after_a_kill_and_a_full_disk_the_curve_is_the_same(kind, data, tmp_path, monkeypatch):
    whole = kind.train(data, tmp_path / "whole")
    out = tmp_path / "out"

    # The process is killed while it writes the checkpoint of the second epoch.
    monkeypatch.setattr(checkpoint, "store", accident_at(2, kill))
    child = multiprocessing.get_context("fork").Process(target=kind.train, args=(data, out))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    assert max(int(row[0]) for row in curve(out)) == 2
    assert not (out / "weights.safetensors").exists()

    # It goes on from the first; the disk is full at the third.
    monkeypatch.setattr(checkpoint, "store", accident_at(2, no_space))
    with pytest.raises(WriteError, match="the disk is full"):
        kind.train(data, out, resume=True)
    monkeypatch.setattr(checkpoint, "store", store)
    again = kind.train(data, out, resume=True)
    assert [row[:3] for row in curve(out)] == [row[:3] for row in curve(tmp_path / "whole")]
    for found, wanted in zip(curve(out), curve(tmp_path / "whole"), strict=True):
        assert found[3] == pytest.approx(wanted[3], abs=1e-6, nan_ok=True), found[:3]
    assert max(int(row[0]) for row in curve(out)) == EPOCHS
    assert again["weights_sha256"] == whole["weights_sha256"]
    assert not list(out.rglob(f"{DRAFT}*"))
    assert any((out / FOLDER).iterdir())


@each_kind
def test_a_loss_that_is_no_number_stops_it_with_a_word(kind, data, tmp_path):
    with pytest.raises(MedviewError, match="the loss is not finite in epoch") as caught:
        kind.train(data, tmp_path / "out", f"{kind.rate}=1e30")
    assert caught.value.code == "MV-TRN-001"
    assert "learning rate" in caught.value.do
    assert not (tmp_path / "out" / "weights.safetensors").exists()
