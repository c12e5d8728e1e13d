"""What comes back tomorrow: the program is closed or killed, and started again."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton
from services.stubs import catalogue_of, series_of
from ui.fakes import drag, make_bench

from medview.domain.progress import Silent
from medview.services.loading import missing
from medview.ui.autosave import open_known


def open_study(bench, folder):
    bench.window.open_paths((folder,))
    bench.jobs.running("scan")[-1].finish(catalogue_of(series_of("1.1"), series_of("1.2")))
    bench.read()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "study"
    made.mkdir()
    return made


@pytest.fixture
def start(qtbot, tmp_path):
    """Start the program again on the same disk."""

    def started():
        made = make_bench(tmp_path)
        qtbot.addWidget(made.window)
        made.window.show()
        made.window.autosave.offer()
        return made

    return started


def measure(bench):
    bench.press("D")
    pane = bench.pane()
    centre = pane.area.center()
    drag(pane, (centre.x(), centre.y()), (60, 0))
    bench.settle()
    assert len(bench.app.measuring.here) == 1


def kill(bench, tmp_path):
    """Leave the disk as a killed program leaves it."""
    bench.app.workspaces.keep_draft()
    for path in (tmp_path / "workspaces").glob("*.draft.json"):
        body = json.loads(path.read_text())
        body["process"]["started"] -= 1000
        path.write_text(json.dumps(body))


def look(bench):
    """Look where the folders are, as the child for files does."""
    job = bench.jobs.running("missing")[-1]
    job.finish(missing(Silent(), *job.args))


def choices(bench):
    return [
        each
        for each in bench.window.notes.findChildren(QPushButton)
        if "choice" in each.objectName() and each.isVisible()
    ]


def test_everything_is_there_again_when_it_is_opened_from_recent(bench, folder, start):
    open_study(bench, folder)
    measure(bench)
    bench.press("K")
    bench.press("Alt+2")
    bench.read()
    bench.press("2")
    drawn, views = bench.session.drawings, bench.session.views
    bench.window.close()
    bench.app.workspaces.close()
    other = start()
    menu = other.find(QMenu, "menu_recent")
    menu.aboutToShow.emit()
    menu.actions()[0].trigger()
    look(other)
    other.jobs.running("scan")[-1].finish(catalogue_of(series_of("1.1"), series_of("1.2")))
    for _ in range(3):
        other.read()
    assert other.session.drawings == drawn
    assert other.session.views == views
    assert other.session.layout == "1x2"
    assert other.session.key_images == bench.session.key_images
    assert other.window.notes.texts() == []


def test_after_a_kill_one_prompt_with_the_time_brings_the_change_back(
    bench, folder, start, tmp_path
):
    open_study(bench, folder)
    measure(bench)
    kill(bench, tmp_path)
    other = start()
    (said,) = other.window.notes.texts()
    assert "ended unexpectedly" in said
    assert ":" in said
    recover, skip = choices(other)
    assert (recover.text(), skip.text()) == ("Recover", "Skip")
    recover.click()
    look(other)
    assert other.jobs.running("scan")[0].args == ((folder,),)
    other.jobs.running("scan")[0].finish(catalogue_of(series_of("1.1")))
    other.read()
    assert other.session.drawings == bench.session.drawings
    assert start().window.notes.texts() == []


def test_the_prompt_names_the_model_whose_run_was_lost(bench, folder, start, tmp_path):
    open_study(bench, folder)
    bench.window.run_analysis()
    kill(bench, tmp_path)
    (said,) = start().window.notes.texts()
    assert said.endswith("run again: Anomaly 1.0.")


def test_a_run_that_came_to_its_end_is_not_called_lost(bench, folder, start, tmp_path):
    open_study(bench, folder)
    measure(bench)
    bench.window.run_analysis()
    bench.app.workspaces.keep_draft()
    bench.jobs.running("predict:run")[-1].cancel()
    kill(bench, tmp_path)
    (said,) = start().window.notes.texts()
    assert "run again" not in said


def test_skip_is_remembered(bench, folder, start, tmp_path):
    open_study(bench, folder)
    measure(bench)
    kill(bench, tmp_path)
    choices(start())[1].click()
    other = start()
    assert other.window.notes.texts() == []
    open_study(other, folder)
    assert other.session.drawings == {}


def test_a_change_is_kept_a_moment_later_by_itself(bench, folder, tmp_path, qtbot):
    open_study(bench, folder)
    bench.window.autosave._timer.setInterval(1)
    measure(bench)
    qtbot.waitUntil(lambda: bool(list((tmp_path / "workspaces").glob("*.draft.json"))))


def test_a_moved_folder_is_asked_for_and_takes_its_place_in_the_list(
    bench, folder, tmp_path, monkeypatch
):
    open_study(bench, folder)
    moved = folder.rename(tmp_path / "moved")
    open_known(bench.app, (folder,))
    look(bench)
    assert "study is not where it was" in bench.window.notes.texts()[0]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(moved))
    choices(bench)[0].click()
    assert bench.jobs.running("scan")[-1].args == ((moved,),)
    assert str(folder) not in bench.app.preferences.settings.recent
    assert bench.app.preferences.settings.recent[0] == str(moved)


def test_in_private_mode_a_moved_folder_is_asked_for_without_its_name(bench, folder, monkeypatch):
    open_study(bench, folder)
    bench.session.private = True
    folder.rmdir()
    open_known(bench.app, (folder,))
    look(bench)
    assert bench.window.notes.texts()[0].startswith("What was open is not where it was")
    titles = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: titles.append(a[1]) or "")
    choices(bench)[0].click()
    assert titles == ["Where is it now?"]


def test_a_folder_that_is_gone_can_be_taken_off_the_list(bench, folder):
    open_study(bench, folder)
    folder.rmdir()
    open_known(bench.app, (folder,))
    look(bench)
    choices(bench)[1].click()
    assert bench.app.preferences.settings.recent == ()


def test_saving_says_so_and_forgetting_deletes_it(bench, folder, tmp_path):
    open_study(bench, folder)
    bench.press("Ctrl+S")
    assert bench.window.notes.texts() == ["Workspace of this study saved."]
    assert len(list((tmp_path / "workspaces").iterdir())) == 1
    bench.window.table["file.forget"].trigger()
    assert list((tmp_path / "workspaces").iterdir()) == []
    assert bench.window.isVisible()
    assert bench.window.testAttribute(Qt.WidgetAttribute.WA_WState_Visible)
