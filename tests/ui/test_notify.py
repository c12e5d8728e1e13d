from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from ui.fakes import type_key

from medview.domain.errors import Cancelled, ModelInputError, ReadError, WriteError
from medview.domain.prediction import InputRef
from medview.services.session_values import TableFile
from medview.ui.notify import Choice, Note, NoteBar


@pytest.fixture
def bar(qtbot):
    made = NoteBar()
    qtbot.addWidget(made)
    made.show()
    return made


def test_an_error_is_said_in_its_own_words(bar):
    error = ReadError(
        "ends early", file="IM12.dcm", do="Copy the file again.", still_works="the rest"
    )
    bar.show_error(error)
    assert bar.texts() == ["IM12.dcm: ends early. Copy the file again. Still usable: the rest."]


def test_in_private_mode_no_file_is_named_not_even_by_what_was_said_before(bar):
    bar.show_error(ReadError("ends early", file="Doe^Jane.dcm"))
    bar.be_private(True)
    bar.show_note("Report written: Doe-Jane.pdf, 2 pages")
    assert bar.texts() == ["Report written: a file, 2 pages", "a file: ends early."]
    assert {note.accessibleName() for note in bar.findChildren(Note)} == set(bar.texts())
    bar.take_back("Report written: Doe-Jane.pdf, 2 pages")
    bar.be_private(False)
    assert bar.texts() == ["Doe^Jane.dcm: ends early."]


def test_a_table_that_could_be_read_after_all_takes_its_error_back(head):
    notes, session = head.window.notes, head.session
    notes.show_error(ReadError("may not be read", file="stay.csv"))
    notes.show_error(ReadError("may not be read", file="other.csv"))
    notes.show_error(WriteError("no room", file="stay.csv"))
    given = InputRef("smri", "", "2.25.1", 0, "aa", (3, 1, 1))
    session.tables = {"smri": TableFile("smri", Path("/data/stay.csv"), given)}
    assert notes.texts() == ["stay.csv: no room.", "other.csv: may not be read."]


def test_a_stop_the_reader_asked_for_is_no_error(bar):
    bar.show_error(Cancelled("stopped by the user"))
    assert bar.texts() == []


def test_the_same_thing_is_not_said_twice(bar):
    bar.show_note("one")
    bar.show_note("one")
    assert bar.texts() == ["one"]


def test_the_newest_is_on_top_and_three_are_enough(bar):
    for text in ("one", "two", "three", "four"):
        bar.show_note(text)
    assert bar.texts() == ["four", "three", "two"]


def test_the_cross_takes_a_note_away(bar):
    bar.show_note("one")
    bar.findChild(QPushButton, "note_1_close").click()
    assert bar.texts() == []


def test_a_choice_runs_and_closes_the_note(bar):
    ran = []
    bar.show_note("saved", Choice("Open", lambda: ran.append(1)))
    bar.findChild(QPushButton, "note_1_choice_0").click()
    assert ran == [1]
    assert bar.texts() == []


def test_a_passing_note_goes_by_itself(bar, monkeypatch, qtbot):
    monkeypatch.setattr("medview.ui.notify._STAYS_MS", 30)
    bar.show_note("done", stays=False)
    qtbot.waitUntil(lambda: bar.texts() == [])


def test_what_was_said_of_folders_that_are_left_goes_and_errors_and_offers_stay(bar):
    bar.show_note("1 file could not be read")
    bar.show_note("no earlier study", kind="warning")
    bar.show_note("Report written", Choice("Open", lambda: None))
    bar.show_error(WriteError("cannot be written", file="settings.json"))
    bar.show_error(ModelInputError("is a shoulder", file="T1 1.1"))
    bar.let_go()
    assert [text.split(":")[0] for text in bar.texts()] == ["settings.json", "Report written"]


def test_clear_takes_all_away(bar):
    bar.show_note("one")
    bar.clear()
    assert bar.texts() == []
    assert [n for n in bar.findChildren(Note) if n.isVisible()] == []


def test_what_holds_no_more_is_taken_back_and_the_rest_stays(bar):
    bar.show_note("refused")
    bar.show_note("written")
    bar.take_back("refused")
    bar.take_back("never said")
    assert bar.texts() == ["written"]


def test_the_keyboard_goes_to_what_was_said_last_between_list_and_images(head):
    taken = []
    head.window.notes.show_note("Something was lost.", Choice("Recover", lambda: taken.append(1)))
    tree = head.window.studies.tree
    tree.setFocus()
    type_key(tree, Qt.Key.Key_F6)
    first = QApplication.focusWidget()
    assert (first.text(), first.objectName()) == ("Recover", "note_1_choice_0")
    type_key(first, Qt.Key.Key_F6)
    assert QApplication.focusWidget() is head.pane()
    first.setFocus()
    type_key(first, Qt.Key.Key_Space)
    assert taken == [1]
    tree.setFocus()
    type_key(tree, Qt.Key.Key_F6)
    assert QApplication.focusWidget() is head.pane()
