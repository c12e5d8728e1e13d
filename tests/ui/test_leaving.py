"""What leaves as DICOM, from the menu; and the trail of what was done."""

import pytest
from PySide6.QtWidgets import QFileDialog

from medview.domain.progress import Silent
from medview.domain.tag import Tag
from medview.io.trail import Verdict, look
from medview.services.audit import broken_words
from medview.ui.audit_view import AuditView
from medview.ui.leaving import save_movie
from medview.ui.tag_browser import TagBrowser


@pytest.fixture
def chosen(monkeypatch, tmp_path):
    """The reader names a folder; what the dialog offered is kept."""
    offered = []

    def answer(_, title, start, *_kinds):
        offered.append((title, start))
        return str(tmp_path / "out"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    return offered


def run(bench, key):
    bench.window.table[key].trigger()
    bench.settle()


def test_the_folder_that_is_offered_says_nothing_of_the_patient(head, chosen, tmp_path):
    run(head, "file.export_dicom")
    assert head.jobs.last.args[1] == tmp_path / "out"
    assert chosen[0][1].endswith("medview-dicom")
    head.jobs.last.finish([{}])
    assert "1 DICOM object" in head.session.message.text


def test_the_reason_why_nothing_can_leave_is_the_tip(head):
    head.window.table.refresh()
    assert head.window.table["file.export_dicom"].isEnabled()
    head.session.private = True
    head.window.table.refresh()
    made = head.window.table["file.export_dicom"]
    assert not made.isEnabled()
    assert "Private" in made.toolTip()


@pytest.mark.parametrize("looked_at", [True, False])
def test_pictures_with_names_are_copied_only_on_request(head, chosen, looked_at, monkeypatch):
    monkeypatch.setattr("medview.ui.leaving.ask", lambda *_: looked_at)
    run(head, "file.deidentify")
    assert head.jobs.last.args[2] is looked_at


def test_nothing_happens_when_no_folder_is_named(head, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    before = len(head.jobs.asked)
    run(head, "file.export_dicom")
    run(head, "file.deidentify")
    assert len(head.jobs.asked) == before


def test_the_trail_shows_the_newest_first_and_that_it_is_whole(head):
    head.app.reading.signed.emit("ab12-cd34")
    run(head, "help.audit")
    job = head.jobs.last
    job.finish(look(Silent(), *job.args))
    (view,) = head.window.findChildren(AuditView)
    said = [view.tree.topLevelItem(n).text(2) for n in range(view.tree.topLevelItemCount())]
    assert said == ["signed", "opened"]
    assert view.verdict.text() == "2 lines: the trail is whole"


def test_a_broken_trail_says_where(head):
    entry = {"when": "2026-11-21T10:00:00+00:00", "what": "ran", "detail": {"model": "m"}}
    broken = broken_words(Verdict(5, 3, "was changed after it was written"))
    view = AuditView(head.window, [entry], broken, holds=False)
    assert view.verdict.text() == "5 lines: line 3 was changed after it was written"
    assert view.tree.topLevelItem(0).text(3) == "model m"


def test_every_line_of_the_trail_has_its_number_in_the_file(head):
    entries = [{"when": "", "what": what} for what in ("ran", "signed", "exported")]
    view = AuditView(head.window, entries, "9 lines: line 8 was changed", holds=False, last=9)
    rows = [view.tree.topLevelItem(n) for n in range(3)]
    assert [(row.text(4), row.text(2)) for row in rows] == [
        ("9", "exported"), ("8", "signed"), ("7", "ran"),
    ]  # fmt: skip
    assert view.tree.header().logicalIndex(0) == 4


def test_rows_of_the_trail_are_as_high_as_those_of_other_lists(head, qtbot):
    view = AuditView(head.window, [{"when": "", "what": "ran"}] * 3, "3 lines", holds=True)
    qtbot.addWidget(view)
    view.show()
    tags = TagBrowser(head.window, "x", (Tag(0, "(0008,0060)", "Modality", "CS", "MR"),))
    qtbot.addWidget(tags)
    tags.show()
    heights = {
        tree.visualItemRect(tree.topLevelItem(0)).height() for tree in (view.tree, tags.tree)
    }
    assert len(heights) == 1


def test_the_trail_tells_hashes_apart_by_their_beginning_and_has_them_whole_in_the_tip(head):
    entry = {"when": "", "what": "ran", "detail": {"model": "m", "weights": "84779edd" + "0a" * 28}}
    view = AuditView(head.window, [entry], "1 line", holds=True)
    row = view.tree.topLevelItem(0)
    assert row.text(3) == "model m, weights 84779edd…"
    assert entry["detail"]["weights"] in row.toolTip(3)


def test_a_movie_of_the_stack_gets_a_name_that_says_nothing(head, chosen, tmp_path):
    head.window.table.refresh()
    run(head, "file.save_movie")
    assert chosen[0][1].endswith("movie.gif")
    assert head.jobs.last.args[1] == tmp_path / "out.gif"


def test_without_a_stack_nothing_is_asked_for_a_movie(bench, chosen):
    bench.window.table.refresh()
    assert not bench.window.table["file.save_movie"].isEnabled()
    save_movie(bench.app)
    assert chosen == []
