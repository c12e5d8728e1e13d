"""The name that a file gets which is saved from the window."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog

from medview.ui import saving


@pytest.fixture
def named(monkeypatch, tmp_path):
    """The name that comes of one that is typed, and what the reader was asked on the way."""
    asked = []

    def name(typed, *, replaces=True):
        chosen = str(tmp_path / typed) if typed else ""
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, ""))
        monkeypatch.setattr(saving, "ask", lambda _, text, *__: asked.append(text) or replaces)
        found = saving.ask_for_file(None, "Save picture", "view.png", "PNG", ".png")
        return found and found.name

    name.asked = asked
    return name


@pytest.mark.parametrize(
    ("typed", "gets"),
    [("scan.png", "scan.png"), ("scan.PNG", "scan.PNG"), ("scan", "scan.png"),
     ("scan.1", "scan.1.png"), ("", None)],
)  # fmt: skip
def test_the_ending_comes_behind_all_that_was_typed(named, typed, gets):
    assert named(typed) == gets
    assert named.asked == []


@pytest.mark.parametrize("replaces", [True, False])
def test_a_file_that_the_dialog_did_not_ask_about_is_not_replaced_unasked(
    named, tmp_path, replaces
):
    Path(tmp_path / "scan.1.png").write_bytes(b"kept")
    assert named("scan.1", replaces=replaces) == ("scan.1.png" if replaces else None)
    assert named.asked == ["scan.1.png is there already. Replace it?"]


def test_a_name_is_offered_that_nothing_has_yet(monkeypatch, tmp_path):
    offered = []
    monkeypatch.setattr(saving.Path, "home", lambda: tmp_path)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: offered.append(a[2]) or ("", ""))
    for name in ("view.png", "view-2.png", "view-3.png"):
        assert saving.ask_for_file(None, "Save picture", "view.png", "PNG", ".png") is None
        assert offered[-1] == str(tmp_path / name)
        (tmp_path / name).write_bytes(b"kept")
