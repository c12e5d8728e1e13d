"""The file of the reader's own rules: read when it is looked at, never waited for, never lost."""

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

    def finish(self):
        while self.writer.waiting:
            self.writer.go_on()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path, AtOnce())


@pytest.fixture
def slow(tmp_path):
    return Desk(tmp_path, LaterWriter())


def test_what_was_written_by_hand_counts_at_the_next_look(desk):
    assert desk.own.names == ()
    desk.file.write_text(OWN)
    assert desk.own.names == ("Knees my way",)
    desk.file.write_text(OWN.replace("Knees", "Wrist"))
    assert desk.own.names == ("Wrist my way",)
    desk.file.unlink()
    assert desk.own.names == ()


def test_nobody_waits_for_the_file_and_what_is_found_counts_from_then_on(slow):
    slow.file.write_text(OWN)
    heard = []
    slow.own.look(lambda: heard.append(slow.own.names))
    assert (slow.own.names, heard) == ((), [])
    slow.writer.go_on()
    assert heard == [("Knees my way",)]


@pytest.mark.parametrize("damage", [b"[[rule]\n", b"\xff\xfe"])
def test_a_damaged_file_is_told_once_and_read_again_when_it_is_mended(desk, damage):
    desk.file.write_bytes(damage)
    assert desk.own.rules() == desk.own.rules() == ()
    assert len(desk.said) == 1
    assert "cannot be read" in desk.said[0]
    desk.file.write_text(OWN)
    assert desk.own.names == ("Knees my way",)


def test_a_rule_is_deleted_and_the_file_stays_readable(desk):
    desk.file.write_text(OWN + OWN.replace("Knees my way", "Other"))
    desk.own.delete("Knees my way")
    assert desk.own.names == ("Other",)
    assert desk.said == ["The rule “Knees my way” is deleted."]
    desk.file.write_text("[[rule]\n")
    desk.own.delete("Other")
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


def test_rules_that_are_kept_one_after_the_other_are_all_written(slow):
    heard = []
    for rule in (KNEE, HIP, HIP):
        slow.own.keep(rule, done=lambda: heard.append(slow.own.names))
    assert (slow.file.exists(), slow.said, heard) == (False, [], [])
    slow.finish()
    assert [rule.name for rule in rules_in(slow.file.read_text())[0]] == ["Hip", "Knee"]
    assert slow.said == [
        "Studies like this one are hung so from now on: Knee",
        "Studies like this one are hung so from now on: Hip",
        "there is a rule “Hip” of yours already. Choose another name.",
    ]
    assert heard[-1] == slow.own.names == ("Hip", "Knee")


def test_a_rule_comes_to_what_was_written_by_hand_meanwhile(slow):
    slow.own.keep(KNEE)
    slow.file.write_text(OWN)
    slow.finish()
    assert slow.own.names == ("Knee", "Knees my way")


def test_a_full_disk_is_said_and_the_file_is_as_it_was(slow, monkeypatch):
    slow.file.write_text(OWN)
    slow.own.keep(KNEE)

    def full(path):
        raise WriteError("the disk is full", file=path.name, do="Free some space.")

    monkeypatch.setattr(hanging_own, "own_file", full)
    slow.finish()
    assert slow.said == ["hanging.toml: the disk is full. Free some space."]
    slow.own.look()
    slow.finish()
    assert slow.own.names == ("Knees my way",)


def test_without_a_folder_nothing_is_kept(tmp_path):
    said = []
    own = OwnRules(None, AtOnce(), lambda message: said.append(message.text))
    own.keep(KNEE)
    assert said == ["hanging.toml: nothing is kept in this session."]
    own.begin(said.append)
    assert (own.rules(), len(said)) == ((), 1)
