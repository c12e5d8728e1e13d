"""The search for breaking files: led by new lines, apart from this process, honest at its end."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from random import Random

import pytest

from medview.cli.benches import fuzz
from medview.io import nifti_header

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "guided_fuzz.py"


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("guided_fuzz", SCRIPT)
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(fuzz, "MOST_SECONDS", 1000.0)
    monkeypatch.setitem(__import__("sys").modules, "guided_fuzz", made)
    monkeypatch.syspath_prepend(SCRIPT.parent)  # where its children find it
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def begun(script, tmp_path):
    found = script.Search("nifti", tmp_path, Random("test"))
    found.begin()
    return found


def test_files_that_reach_new_lines_are_kept_and_grown_from(begun, script, tmp_path):
    before = len(begun.corpus)
    kept = sum(begun.once() for _ in range(60))
    assert kept > 0
    assert len(begun.corpus) == before + kept
    assert len(begun.known) > begun.first
    assert len(list(tmp_path.glob("kept-*.nii"))) == kept
    assert not list(tmp_path.glob("trial*"))
    again = script.Search("nifti", tmp_path, Random("other"))
    again.begin()
    assert again.first > begun.first


def test_a_break_is_kept_and_said(begun, monkeypatch, tmp_path, capsys):
    def strike(path):
        raise KeyError("dim")

    monkeypatch.setattr("medview.io.nifti.read_header", strike)
    begun.once()
    (broken,) = begun.outcomes.breaks
    (name,) = (path.name for path in tmp_path.glob("break-*.nii"))
    assert broken.how.startswith("KeyError: 'dim'")
    assert capsys.readouterr().out.startswith(f"{name}: KeyError")


def test_only_lines_of_the_readers_count(script):
    taken = script.Steps().during(lambda: nifti_header.read_header(SCRIPT))
    assert taken
    assert {code.co_filename for code, _, _ in taken} <= {
        str(path) for path in Path(nifti_header.__file__).parent.rglob("*.py")
    }


@pytest.mark.slow
def test_the_whole_search_ends_in_time_and_finds_nothing(script, tmp_path, capfd):
    assert script.main([str(tmp_path), "--minutes", "0.3"]) == 0
    said = capfd.readouterr().out
    assert "dicom:" in said
    assert "0 broke the contract" in said
