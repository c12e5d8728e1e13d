"""Warnings in short."""

import re
from pathlib import Path

import medview
from medview.domain.doubts import doubts
from medview.domain.volume import Note


def test_what_matters_most_comes_first_and_each_once():
    notes = [
        Note("LOSSY", "a"),
        Note("TILTED", "b"),
        Note("MIXED_PATIENTS", "c"),
        Note("TILTED", ""),
    ]
    assert doubts(notes) == ("several patients", "tilted slices", "lossy")


def test_missing_slices_are_counted():
    notes = [Note("INCOMPLETE", "a"), Note("LOSSY", "b")]
    assert doubts(notes, 2) == ("2 slices missing", "lossy")
    assert doubts((), 1) == ("1 slice missing",)
    assert doubts(notes) == ("incomplete", "lossy")


def test_every_warning_that_a_reader_gives_has_words():
    folder = Path(medview.__file__).parent / "io"
    texts = [path.read_text() for path in folder.glob("*.py")]
    codes = {code for text in texts for code in re.findall(r'Note\(\s*"([A-Z_]+)"', text)}
    assert {"TILTED", "PARTIAL", "LOSSY", "DUPLICATE"} <= codes
    for code in codes:
        assert len(doubts([Note(code, "text")])) == 1, code
