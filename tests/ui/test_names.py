"""All that the keyboard reaches has a name for a screen reader: window, panels and dialogs."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QComboBox, QDialog, QWidget
from services.test_runs import training
from ui.fakes import two_findings
from ui.panels.test_model_cards import stay

from medview.services.runs import read_runs
from medview.ui import panels
from medview.ui.panels.training_runs import RunsView

PANELS = tuple(entry.key for entry in panels.PANELS)


def reached(part):
    """What is seen of a part of the window and has the keyboard by the Tab key."""
    for each in part.findChildren(QWidget):
        takes = each.focusPolicy() & Qt.FocusPolicy.TabFocus
        # A field in a field says the name of the outer one.
        inner = each.objectName().startswith("qt_") or isinstance(each.parent(), QComboBox)
        if takes and each.isVisible() and not inner:
            yield each


def spoken(widget):
    """What a screen reader calls a widget."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name).strip()


def nameless(part):
    every = list(reached(part))
    assert every
    return [(type(e).__name__, e.objectName()) for e in every if not spoken(e)]


def test_whatever_the_keyboard_reaches_in_the_window_has_a_name(head):
    head.add_result("score", "epistemic", findings=two_findings(head.session.volume))
    found = {}
    for panel in PANELS:
        head.window.show_panel(panel)
        head.settle()
        found[panel] = nameless(head.window)
    assert found == {panel: [] for panel in PANELS}


def test_a_record_and_the_pages_of_a_report_have_names(bench):
    stay(bench)
    bench.window.toggle_preview()
    bench.settle()
    names = {each.objectName() for each in reached(bench.window)}
    assert {"strips", "preview_pages"} <= names
    assert nameless(bench.window) == []


DIALOGS = ("help.palette", "help.shortcuts", "help.edit_keys", "help.about", "hanging.choose")


def test_whatever_the_keyboard_reaches_in_a_dialog_has_a_name(head):
    for key in DIALOGS:
        head.window.table[key].trigger()
        head.settle()
        (dialog,) = (each for each in head.window.findChildren(QDialog) if each.isVisible())
        assert spoken(dialog), key
        assert nameless(dialog) == [], key
        dialog.close()


def test_the_comparison_of_trainings_has_names(qtbot, tmp_path):
    training(tmp_path / "a", [9, 3, 4])
    view = RunsView(None, lambda folders, done, failed: done(read_runs(folders)), (Path(tmp_path),))
    qtbot.addWidget(view)
    view.show()
    assert nameless(view) == []


def test_a_control_without_a_name_is_found(qtbot):
    holder = QWidget()
    QComboBox(holder)
    qtbot.addWidget(holder)
    holder.show()
    assert nameless(holder) == [("QComboBox", "")]
