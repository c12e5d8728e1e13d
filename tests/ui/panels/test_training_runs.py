"""Earlier trainings in a window: drawn, sorted, told."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton, QTreeWidget
from services.test_runs import training
from ui.panels.test_training import OUTCOME, looked_at, write_history

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.services.runs import read_all, read_runs
from medview.ui.panels.runs_plot import COLOURS
from medview.ui.panels.training_runs import RunsView
from medview.ui.panels.training_words import setting_words


def read_at_once(folders, done, failed):
    try:
        done(read_runs(folders))
    except DataError as error:
        failed(error)


@pytest.fixture
def view(qtbot, tmp_path):
    training(tmp_path / "r" / "a", [9, 3, 4], rate=0.01, figures=[("old", 5.0), ("new", 4.0)])
    training(tmp_path / "r" / "b", [9, 2], rate=0.002, method="head")
    training(tmp_path / "r" / "c", [9, 20], rate=0.1)
    made = RunsView(None, read_at_once, (tmp_path / "r",), {"brain-age": "M-AVAE brain age"})
    qtbot.addWidget(made)
    made.show()
    return made


def rows(view, column=0):
    return [view.table.topLevelItem(n).text(column) for n in range(view.table.topLevelItemCount())]


def head(view, text):
    names = [view.table.headerItem().text(n) for n in range(view.table.columnCount())]
    return names.index(text)


@pytest.mark.parametrize("answer", [(), DataError("there is no training", file="r")])
def test_what_arrives_after_the_window_was_closed_is_left_out(qapp, tmp_path, answer):
    asked = []
    view = RunsView(None, lambda *given: asked.append(given), (tmp_path,))
    view.show()
    view.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    ((_, done, failed),) = asked
    (failed if isinstance(answer, DataError) else done)(answer)


def test_each_run_has_its_line_and_its_best_epoch(view):
    assert [colour for colour, _ in view.plot.lines] == list(COLOURS[:3])
    _, points = view.plot.lines[0]
    assert points == ((1, 9.0), (2, 3.0), (3, 4.0))
    low, high = view.plot.place(2, 2.0), view.plot.place(2, 20.0)
    assert low.y() > high.y()
    assert not view.grab().isNull()


def test_only_settings_that_differ_have_a_column_and_sort_as_numbers(view):
    names = [view.table.headerItem().text(n) for n in range(view.table.columnCount())]
    assert set(names[5:]) == {"What learns", "Learning rate", "Epochs"}
    rate = head(view, "Learning rate")
    view.table.sortItems(rate, Qt.SortOrder.AscendingOrder)
    assert rows(view, rate) == ["0.002", "0.01", "0.1"]
    view.table.sortItems(2, Qt.SortOrder.AscendingOrder)
    assert rows(view, 2) == ["loss 2", "loss 3", "loss 9"]


def test_curves_of_different_losses_are_said_to_be(view, tmp_path):
    apart = view.findChild(QLabel, "runs_apart")
    assert apart.isHidden()
    other = training(tmp_path / "other", [1, 2])
    text = (other / "history.csv").read_text().replace("loss", "mae")
    (other / "history.csv").write_text(text)
    view.add((other,))
    assert not apart.isHidden()


def test_a_row_is_told_in_words_and_the_newest_training_is_chosen(view):
    assert set(rows(view, 1)) == {"M-AVAE brain age"}
    assert set(rows(view, head(view, "What learns"))) == {"Full", "Head only"}
    newest = sorted(view.runs, key=lambda run: run.made_at)[-1]
    assert view.table.currentItem().toolTip(0) == str(newest.folder)
    assert view.findChild(QLabel, "runs_outcome").text()


@pytest.mark.parametrize(
    ("name", "words"),
    [("augment.noise", "Augment: noise"), ("train.rate", "Learning rate"), ("seed", "Seed")],
)
def test_settings_are_named_in_words(name, words):
    assert setting_words(name) == words


def test_ticks_choose_what_is_drawn_and_a_row_tells_its_outcome(view):
    view.table.topLevelItem(0).setCheckState(0, Qt.CheckState.Unchecked)
    assert len(view.plot.lines) == 2
    chosen = next(
        view.table.topLevelItem(n)
        for n in range(3)
        if rows(view, head(view, "Learning rate"))[n] == "0.01"
    )
    view.table.setCurrentItem(chosen)
    outcome = view.findChild(QLabel, "runs_outcome")
    assert outcome.text() == "age, mean absolute error: 5.00 before, 4.00 after"


def test_other_folders_are_added_and_one_without_a_training_is_said(view, tmp_path, monkeypatch):
    training(tmp_path / "elsewhere", [1, 2])
    (tmp_path / "nothing").mkdir()
    for folder in ("elsewhere", "elsewhere", "nothing"):
        monkeypatch.setattr(
            QFileDialog, "getExistingDirectory", lambda *_, here=folder: str(tmp_path / here)
        )
        view.findChild(QPushButton, "runs_add").click()
    assert len(rows(view)) == 4
    said = " ".join(each.text() for each in view.findChildren(QLabel) if not each.isHidden())
    assert "nothing: there is no training in it" in said


def test_the_panel_keeps_each_training_and_compares_them(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    bench.window.show_panel("training")
    assert not bench.find(QPushButton, "training_runs_go").isVisible()
    for epochs in (3, 2):
        looked_at(bench, tmp_path)
        bench.app.tuning.start()
        write_history(bench.app.tuning.folder, epochs)
        bench.jobs.running("finetune:finetune")[-1].finish(OUTCOME)
        bench.settle()
    assert len(list(bench.app.tuning.earlier.folder.iterdir())) == 2
    bench.find(QPushButton, "training_runs_go").click()
    job = bench.jobs.running("runs:read_all")[0]
    job.finish(read_all(Silent(), *job.args))
    shown = bench.window.findChild(QTreeWidget, "runs_table")
    assert shown.topLevelItemCount() == 2
    bench.window.findChild(RunsView, "runs_view").close()
