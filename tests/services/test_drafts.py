"""Words of the reader on a disk that takes its time, or refuses."""

from dataclasses import replace
from threading import Event

import pytest
from services.stubs import LaterWriter

from medview.domain.draft import Draft
from medview.domain.errors import WriteError
from medview.domain.signing import Signature
from medview.io.drafts import read_draft, write_draft
from medview.services import drafts as module
from medview.services.drafts import Drafts
from medview.services.session import Session
from medview.services.writing import AtOnce, Beside

A, B = Draft(findings="a"), Draft(findings="b")
SIGNED = Signature("Dr Ada", "", "2026-11-22T06:00:00+00:00", "r1", ())


class Desk:
    def __init__(self, folder):
        self.folder, self.writer, self.told = folder, LaterWriter(), []
        self.session = Session()
        self.drafts = Drafts(self.session, folder, self.writer, lambda: self.told.append(1))

    def go_on(self):
        while self.writer.waiting:
            self.writer.go_on()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_what_was_stored_before_comes_back_and_is_told(desk):
    write_draft(desk.folder, "1.2", A)
    assert desk.drafts.of("1.2") == Draft()
    desk.go_on()
    assert (desk.drafts.of("1.2"), desk.told) == (A, [1])
    assert desk.drafts.of("3.4") == Draft()
    desk.go_on()
    assert desk.told == [1]


def test_without_a_window_it_is_there_at_once(tmp_path):
    write_draft(tmp_path, "1.2", A)
    told = []
    assert Drafts(Session(), tmp_path, AtOnce(), lambda: told.append(1)).of("1.2") == A
    assert told == []


def test_words_typed_before_the_disk_has_answered_stand_beside_the_stored_ones(desk):
    stored = Draft(question="why", findings="old", signatures=(SIGNED,))
    write_draft(desk.folder, "1.2", stored)
    again = replace(SIGNED, report_id="r2")
    desk.drafts.put("1.2", replace(desk.drafts.of("1.2"), findings="new", signatures=(again,)))
    desk.go_on()
    both = Draft(question="why", findings="new", signatures=(SIGNED, again))
    assert desk.drafts.of("1.2") == read_draft(desk.folder, "1.2") == both


@pytest.mark.parametrize("typed", [("new",), ("new", "")])
def test_a_window_closed_before_the_disk_has_answered_leaves_what_was_kept(tmp_path, typed):
    stored, held = Draft(question="why", findings="old", signatures=(SIGNED,)), Event()
    write_draft(tmp_path, "1.2", stored)
    writer = Beside(lambda call: None)  # nobody listens any more
    writer.put(held.wait)
    drafts = Drafts(Session(), tmp_path, writer)
    for words in typed:
        drafts.put("1.2", replace(drafts.of("1.2"), impression=words))
    held.set()
    assert writer.close() == ()
    assert read_draft(tmp_path, "1.2") == replace(stored, impression=typed[-1])


def test_words_taken_back_before_the_disk_has_answered_leave_the_stored_ones(desk):
    write_draft(desk.folder, "1.2", A)
    for words in ("b", ""):
        desk.drafts.put("1.2", replace(desk.drafts.of("1.2"), impression=words))
    desk.go_on()
    assert desk.drafts.of("1.2") == read_draft(desk.folder, "1.2") == A


def test_of_words_that_wait_the_newest_are_written(desk, monkeypatch):
    written = []
    monkeypatch.setattr(module, "write_draft", lambda *given: written.append(given[1:]))
    for words in ("a", "ab", "abc"):
        desk.drafts.put("1.2", Draft(findings=words))
    assert [piece.key for piece in desk.writer.waiting] == ["words 1.2"] * 3
    desk.go_on()
    assert written[-1] == ("1.2", Draft(findings="abc"))


def test_a_refusing_disk_is_told_once_and_tried_again(desk, monkeypatch):
    def full(*_):
        raise WriteError("the disk is full", do="Free some space.")

    monkeypatch.setattr(module, "write_draft", full)
    desk.drafts.put("1.2", A)
    desk.go_on()
    assert "would be lost" in desk.session.message.text
    desk.session.message = None
    desk.drafts.put("1.2", B)
    desk.go_on()
    assert desk.session.message is None
    assert desk.drafts.of("1.2") == B


def test_a_forgotten_draft_is_gone_here_and_on_the_disk(desk):
    write_draft(desk.folder, "1.2", A)
    desk.drafts.of("1.2")
    desk.drafts.forget("1.2")
    desk.go_on()
    assert desk.drafts.of("1.2") == read_draft(desk.folder, "1.2") == Draft()
    desk.drafts.put("1.2", B)
    desk.drafts.forget("1.2")
    desk.go_on()
    assert list(desk.folder.iterdir()) == []


def test_without_a_folder_nothing_is_stored():
    desk = Desk(None)
    desk.drafts.put("1.2", A)
    desk.drafts.forget("3.4")
    assert (desk.drafts.of("1.2"), desk.writer.waiting) == (A, [])
