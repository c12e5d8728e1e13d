"""The file of the reader's own rules: read when it has changed, never waited for, never lost."""

import os
from pathlib import Path

import pytest
from services.stubs import LaterWriter

from medview.domain.errors import WriteError
from medview.services import hanging_own
from medview.services.hanging_file import rules_in
from medview.services.hanging_own import FILE, OwnRules
from medview.services.hanging_rules import Rule
from medview.services.writing import AtOnce

OWN = """
[[rule]]
name = "Knees my way"
modality = ["MR"]
layout = "1x2"
"""
KNEE, HIP = Rule("Knee", "1x2"), Rule("Hip", "1x1")


class Desk:
    def __init__(self, folder, writer):
        self.file, self.said = folder / FILE, []
        self.own = OwnRules(folder, writer, lambda message: self.said.append(message.text))
        self.writer = writer


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path, AtOnce())


@pytest.fixture
def slow(tmp_path):
    return Desk(tmp_path, LaterWriter())


@pytest.fixture
def reads(monkeypatch):
    """Which files were read."""
    seen, real = [], Path.read_text

    def read_text(path, *given):
        seen.append(path.name)
        return real(path, *given)

    monkeypatch.setattr(Path, "read_text", read_text)
    return seen


def test_the_file_is_read_once_and_again_when_it_has_changed(desk, reads):
    desk.file.write_text(OWN)
    for _ in range(5):
        assert desk.own.names == ("Knees my way",)
    assert reads == [FILE]
    desk.file.write_text(OWN.replace("Knees", "Elbow"))
    assert desk.own.names == desk.own.names == ("Elbow my way",)
    assert reads == [FILE] * 2


def test_a_change_of_the_same_length_is_seen_and_so_is_a_file_that_is_gone(desk):
    desk.file.write_text(OWN)
    assert desk.own.names == ("Knees my way",)
    at = desk.file.stat()
    desk.file.write_text(OWN.replace("Knees", "Wrist"))
    os.utime(desk.file, ns=(at.st_atime_ns, at.st_mtime_ns + 1))
    assert desk.own.names == ("Wrist my way",)
    desk.file.unlink()
    assert desk.own.names == ()


def test_a_damaged_file_is_gone_through_again_only_when_it_has_changed(desk, reads):
    desk.file.write_text("[[rule]\n")
    assert desk.own.rules() == desk.own.rules() == ()
    assert reads == [FILE]
    assert len(desk.said) == 1
    desk.file.write_text(OWN)
    assert desk.own.names == ("Knees my way",)


def test_a_rule_is_deleted_and_the_file_stays_readable(desk):
    desk.file.write_text(OWN + OWN.replace("Knees my way", "Other"))
    assert desk.own.delete("Knees my way")
    assert desk.own.names == ("Other",)
    assert desk.said == ["The rule “Knees my way” is deleted."]
    desk.file.write_text("[[rule]\n")
    assert not desk.own.delete("Other")
    assert desk.said[-1].startswith("hanging.toml: cannot be read (")
    assert desk.said[-1].endswith("Mend it, or move it away, first.")
    assert desk.file.read_text() == "[[rule]\n"


def test_the_file_begins_with_how_rules_are_written(desk):
    shown = []
    desk.own.begin(shown.append)
    text = desk.file.read_text("utf-8")
    assert "panes     one entry a pane" in text
    assert rules_in(text) == ((), ())
    desk.file.write_text("# mine\n", "utf-8")
    desk.own.begin(shown.append)
    assert desk.file.read_text("utf-8") == "# mine\n"
    assert shown == [desk.file] * 2


def test_what_is_not_written_yet_counts_and_is_said_when_it_is(slow):
    assert slow.own.keep(KNEE)
    assert slow.own.keep(HIP)
    assert not slow.own.keep(HIP)
    assert slow.own.names == ("Hip", "Knee")
    assert (slow.file.exists(), slow.said) == (
        False,
        ["there is a rule “Hip” of yours already. Choose another name."],
    )
    slow.writer.go_on()
    assert slow.own.names == ("Hip", "Knee")
    slow.writer.go_on()
    assert [rule.name for rule in rules_in(slow.file.read_text())[0]] == ["Hip", "Knee"]
    assert slow.said[-1] == "Studies like this one are hung so from now on: Hip"
    assert slow.own.names == ("Hip", "Knee")


def test_a_full_disk_is_said_and_the_file_counts_again(slow, monkeypatch):
    slow.file.write_text(OWN)
    slow.own.keep(KNEE)

    def full(path):
        raise WriteError("the disk is full", file=path.name, do="Free some space.")

    monkeypatch.setattr(hanging_own, "whole_file", full)
    slow.writer.go_on()
    assert slow.said == ["hanging.toml: the disk is full. Free some space."]
    assert slow.own.names == ("Knees my way",)


def test_without_a_folder_nothing_is_kept(tmp_path):
    said = []
    own = OwnRules(None, AtOnce(), lambda message: said.append(message.text))
    assert not own.keep(KNEE)
    assert said == ["hanging.toml: nothing is kept in this session."]
    own.begin(said.append)
    assert (own.rules(), len(said)) == ((), 1)
