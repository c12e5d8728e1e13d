import os
import re
import time

import numpy as np
import pytest

from medview.cli.benches import fuzz
from medview.cli.benches.fuzz import Outcomes, attack, besiege
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine
from medview.domain.errors import ReadError
from medview.domain.progress import Silent


@pytest.fixture
def context():
    found = Context(Options(), ProgressLine(None, on_terminal=False))
    yield found
    found.close()


@pytest.mark.parametrize(("kind", "count"), [("dicom", 400), ("nifti", 400)])
def test_damaged_files_are_loaded_or_refused_in_words(context, kind, count):
    outcomes = besiege(context, kind, range(count))
    assert outcomes.breaks == []
    assert outcomes.cases == count
    assert outcomes.loaded > count / 10
    assert outcomes.refused.total() > count / 10


def struck(monkeypatch, tmp_path, strike):
    """Try one file with a reader that strikes instead."""
    monkeypatch.setattr(fuzz.readers, "scan", strike)
    outcomes = attack(Silent(), "nifti", 0, range(1), tmp_path)
    assert list(tmp_path.iterdir()) == []
    return outcomes


def test_an_error_of_another_family_breaks_the_contract(monkeypatch, tmp_path):
    def strike(job, paths):
        raise KeyError("Rows")

    outcomes = struck(monkeypatch, tmp_path, strike)
    assert outcomes.breaks[0].how.startswith("KeyError: 'Rows' at ")
    assert outcomes.cases == 1


def test_a_refusal_without_a_way_out_breaks_the_contract(monkeypatch, tmp_path):
    def strike(job, paths):
        raise ReadError("is damaged", file="a.dcm")

    assert "says too little" in struck(monkeypatch, tmp_path, strike).breaks[0].how


def test_a_refusal_that_names_the_folder_breaks_the_contract(monkeypatch, tmp_path):
    def strike(job, paths):
        raise ReadError(f"cannot read {paths[0]}", do="Copy it again.")

    assert "names the folder" in struck(monkeypatch, tmp_path, strike).breaks[0].how


def test_a_file_that_takes_too_long_breaks_the_contract(monkeypatch, tmp_path):
    monkeypatch.setattr(fuzz, "MOST_SECONDS", 0.05)

    def strike(job, paths):
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        raise ReadError("is damaged", do="Copy it again.")

    how = struck(monkeypatch, tmp_path, strike).breaks[0].how
    assert re.fullmatch(r"took \d+\.\d s", how), how


def test_a_file_that_takes_too_much_memory_breaks_the_contract(monkeypatch, tmp_path):
    monkeypatch.setattr(fuzz, "MOST_MEMORY_MB", 50)
    monkeypatch.setattr(fuzz, "MOST_SECONDS", 1000)
    before = fuzz._peak_mb()

    def strike(job, paths):
        # Above all that this process has ever had, or the peak would not move.
        np.ones(int(before + 100) << 17)
        raise ReadError("is damaged", do="Copy it again.")

    assert struck(monkeypatch, tmp_path, strike).breaks[0].how.endswith(" MB")


def test_a_child_that_dies_is_laid_to_its_file_and_the_others_go_on(context, monkeypatch):
    folder_of_this_file = os.path.dirname(__file__)
    monkeypatch.syspath_prepend(folder_of_this_file)
    monkeypatch.setattr(fuzz, "AT_ONCE", 4)
    monkeypatch.setattr(fuzz, "WORK", "test_fuzz:die_on_five")
    outcomes = besiege(context, "nifti", range(10))
    assert [(b.kind, b.number) for b in outcomes.breaks] == [("nifti", 5)]
    assert "signal 6" in outcomes.breaks[0].how
    assert outcomes.loaded == 9


def die_on_five(job, kind, seed, numbers, folder):
    """Work in the child of the test above."""
    outcomes = Outcomes()
    for number in numbers:
        path = folder / f"{number}.nii"
        path.touch()
        if number == 5:
            os.abort()
        path.unlink()
        outcomes.loaded += 1
    return outcomes
