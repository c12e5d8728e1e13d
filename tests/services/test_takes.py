"""What a run will take, scaled to size and number of passes."""

from dataclasses import replace

import pytest

from medview.io.result_index import Entry
from medview.services import takes
from medview.services.takes import Estimate, Take, free_memory_mb, is_alike, measured, scaled


@pytest.fixture(autouse=True)
def _one_model(monkeypatch):
    monkeypatch.setattr(takes, "TAKES", {"anomaly": Take(2.0, 3.0, 1.0, 1500.0)})


def entry(model="anomaly", samples=5):
    names = ("1", "1.2", "1.1#0", "abc", model, "1.0", "", "", "cuda:0")
    return Entry(*names, 20.0, 900.0, 1_000_000, samples)


def test_a_run_elsewhere_is_scaled_by_voxels_and_passes():
    assert measured("anomaly", 2_000_000, 5) == Estimate(18.0, 1500.0, "cpu", is_own=False)
    assert measured("anomaly", 2_000_000, 20) == Estimate(48.0, 1500.0, "cpu", is_own=False)


def test_a_model_that_nobody_measured_has_no_estimate():
    assert measured("other", 1000, 5) is None


@pytest.mark.parametrize(("samples", "expected"), [(5, 20.0), (20, 50.0), (0, 20.0)])
def test_a_run_here_is_scaled_alike(samples, expected):
    told = scaled(entry(), 1_000_000, samples)
    assert (told.seconds, told.peak_memory_mb, told.device) == (expected, 900.0, "cuda:0")
    assert told.is_own


def test_without_passes_the_voxels_alone_count():
    assert scaled(entry("other", 0), 3_000_000, 0).seconds == 60.0


def test_free_memory_is_known_here_and_unknown_without_its_file(monkeypatch, tmp_path):
    assert free_memory_mb() > 0
    monkeypatch.setattr(takes, "_MEMORY", tmp_path / "nothing")
    assert free_memory_mb() is None


def test_a_run_on_a_table_says_nothing_of_one_on_an_image():
    table = replace(entry(), voxels=265)
    assert not is_alike(table, 1_000_000)
    assert not is_alike(entry(), 265)
    assert not is_alike(replace(entry(), voxels=0), 0)
    assert is_alike(entry(), 8_000_000)


def test_a_gpu_is_looked_for_by_its_driver(tmp_path, monkeypatch):
    monkeypatch.setattr(takes, "_DRIVERS", (tmp_path / "driver",))
    assert not takes.may_have_gpu()
    (tmp_path / "driver").touch()
    assert takes.may_have_gpu()
