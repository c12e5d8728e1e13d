"""The line that finds what has all the words."""

from PySide6.QtWidgets import QToolButton

from medview.ui.find_box import FindBox


def test_every_change_is_looked_for_and_the_cross_clears(qtbot):
    found = []
    box = FindBox("things_find", "Find a thing", "Find", "Only what has these words", found.append)
    qtbot.addWidget(box)
    box.show()
    qtbot.keyClicks(box, "ab")
    cross = box.findChild(QToolButton, "things_find_clear")
    cross.click()
    assert found == ["a", "ab", ""]


def test_it_can_be_told_by_its_name_also_without_eyes(qtbot):
    box = FindBox("things_find", "Find a thing", "Find", "Only what has these words", print)
    qtbot.addWidget(box)
    assert (box.objectName(), box.accessibleName()) == ("things_find", "Find a thing")
    assert (box.placeholderText(), box.toolTip()) == ("Find", "Only what has these words")
    assert box.findChild(QToolButton, "things_find_clear").accessibleName() == "Clear"
