from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QLineEdit, QTreeWidget

from medview.domain.tag import Tag
from medview.services.headers import HIDDEN

TAGS = (
    Tag(0, "(0008,0060)", "Modality", "CS", "MR"),
    Tag(0, "(0010,0010)", "Patient's Name", "PN", "Secret^Sam", tells_who=True),
    Tag(0, "(0008,2218)", "Anatomic Region Sequence", "SQ", "1 item"),
    Tag(1, "", "Item 1", "", ""),
    Tag(2, "(0008,0104)", "Code Meaning", "LO", "Head"),
)
FILES = tuple(Path(f"/data/{n}.dcm") for n in range(40))


@pytest.fixture
def opened(head):
    series = head.session.series
    slots = tuple((39 - n, 0) for n in range(40))
    head.session.series = replace(series, files=FILES, slots=slots)
    return head


def browse(bench):
    bench.press("Ctrl+I")
    job = bench.jobs.running("read_tags")[-1]
    job.finish(TAGS)
    return job


def test_the_file_behind_the_slice_on_screen_is_read(opened):
    frame = opened.frame()
    assert browse(opened).args == (FILES[39 - frame.slice], "dicom")
    dialog = opened.find(QDialog, "tags")
    assert dialog.isVisible()
    assert not dialog.isModal()
    dialog.close()


def test_search_shows_matches_with_what_they_lie_in(opened):
    browse(opened)
    dialog = opened.find(QDialog, "tags")
    opened.find(QLineEdit, "tags_search").setText("code head")
    assert dialog.shown() == ["Anatomic Region Sequence", "Item 1", "Code Meaning"]
    opened.find(QLineEdit, "tags_search").setText("nowhere")
    assert dialog.shown() == []
    opened.find(QLineEdit, "tags_search").setText("0008,0060")
    assert dialog.shown() == ["Modality"]
    dialog.close()


def test_private_mode_hides_who_it_is(opened):
    opened.press("Ctrl+Shift+P")
    browse(opened)
    tree = opened.find(QTreeWidget, "tags_tree")
    assert tree.topLevelItem(1).text(3) == HIDDEN
    text = " ".join(tree.topLevelItem(n).text(3) for n in range(3))
    assert "Secret" not in text
    opened.find(QDialog, "tags").close()


def test_a_slice_that_was_not_in_the_file_says_so(opened):
    series = opened.session.series
    opened.session.series = replace(series, slots=(None,) * 40)
    opened.press("Ctrl+I")
    assert opened.window.notes.texts() == ["No file lies behind this image."]


def test_what_can_be_opened_has_an_arrow_and_the_chosen_row_is_of_one_colour(opened):
    browse(opened)
    dialog = opened.find(QDialog, "tags")
    tree = opened.find(QTreeWidget, "tags_tree")
    tree.setCurrentItem(tree.topLevelItem(0))
    opened.settle()
    seen = tree.viewport().grab().toImage()

    def before(place):
        """The colours left of the text of a row."""
        row = tree.visualItemRect(tree.topLevelItem(place))
        area = [(x, y) for x in range(1, row.left() - 1) for y in range(row.top(), row.bottom())]
        return {seen.pixelColor(*at).name() for at in area}

    assert len(before(1)) == 1  # nothing lies in it, nothing to open
    assert len(before(2)) > 2
    chosen = tree.visualItemRect(tree.topLevelItem(0))
    assert before(0) == {seen.pixelColor(chosen.right() - 3, chosen.center().y()).name()}
    dialog.close()
