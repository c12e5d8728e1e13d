"""The window on a disk that has not answered yet: nothing that is done there waits for it."""

import io
import os
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu
from services.stubs import CARD, LaterWriter
from ui.fakes import make_bench
from ui.panels.test_training import FOUND

from medview.io.cards import write_card
from medview.services.workspace import Workspace
from medview.services.workspace_files import Draft, write_draft

_TOUCHING = ("stat", "lstat", "listdir", "scandir", "open", "mkdir", "unlink", "rename", "replace")


@pytest.fixture
def later():
    return LaterWriter()


@pytest.fixture
def desk(qtbot, tmp_path, monkeypatch, later):
    """A window with a version of the reader's own, a training, a draft of a killed program."""
    for module in ("closing", "commands"):
        monkeypatch.setattr(f"medview.ui.{module}.ask", lambda *_: True)
    folder = tmp_path / "models" / "anomaly" / "mine"
    write_card(replace(CARD, version="mine"), folder / "card.json")
    (folder / "weights.safetensors").touch()
    (tmp_path / "training" / "checkpoint").mkdir(parents=True)
    (tmp_path / "runs" / "a").mkdir(parents=True)
    write_draft(tmp_path / "workspaces", Draft("s", "2026-11-22T06:00:00+00:00", Workspace()))
    made = make_bench(tmp_path, results=tmp_path / "results", writer=later)
    qtbot.addWidget(made.window)
    with qtbot.waitExposed(made.window):
        made.window.show()
    return made


@pytest.fixture
def touched(tmp_path, monkeypatch, later):
    """What was touched below the program's own folder, but by the writer."""
    seen = []

    def watched(name, real):
        def call(*given, **more):
            path = str(given[0]) if given and not isinstance(given[0], int) else ""
            if path.startswith(str(tmp_path)):
                seen.append(f"{name} {path.removeprefix(str(tmp_path))}")
            return real(*given, **more)

        return call

    with monkeypatch.context() as patch:
        for module, names in ((os, _TOUCHING), (io, ("open",))):
            for name in names:
                patch.setattr(module, name, watched(name, getattr(module, name)))
        yield seen


def use(bench, tmp_path):
    """What a reader does in a day."""
    app, window = bench.app, bench.window
    window.autosave.offer()
    for panel in ("training", "models", "report", "results"):
        window.show_panel(panel)
        bench.settle()
    bench.show()
    bench.add_result("score")
    app.reading.write(findings="none")
    app.preferences.change(cine_rate=9.0)
    app.preferences.remember(tmp_path / "study")
    for key in (".", ",", "K", "Ctrl+S", "Ctrl+Shift+S", "F5"):
        bench.press(key)
    menu = bench.find(QMenu, "menu_recent")
    menu.aboutToShow.emit()
    menu.actions()[0].trigger()
    app.tuning.look(tmp_path / "cases.csv")
    bench.jobs.running("finetune:survey")[0].finish(FOUND)
    bench.jobs.running("case_check:check")[0].finish(FOUND)
    app.tuning.reopen()
    app.tuning.reject()
    for name in ("hanging.keep", "hanging.delete", "file.forget_results", "file.forget",
                 "file.forget_study"):  # fmt: skip
        if name in window.table.actions:
            window.table[name].trigger()
    app.workspaces.keep_draft()
    app.workspaces.skip()
    bench.settle()
    window.close()
    app.workspaces.close()
    app.witness.close()


def test_nothing_that_is_done_at_the_window_touches_a_disk_there(
    desk, tmp_path, monkeypatch, later, touched
):
    shown = str(tmp_path / "shown.png")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (shown, ""))
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Mine", True))
    use(desk, tmp_path)
    assert touched == []
    assert not (tmp_path / "shown.png").exists()
    assert touched == ["stat /shown.png"]


def test_what_was_asked_for_is_done_once_the_disk_answers(desk, tmp_path, later):
    own, runs = desk.app.models.versions(), desk.app.tuning.earlier.count
    while later.waiting:
        later.go_on()
    assert ([each.name for each in own], runs) == (["anomaly@1.0"], 0)
    shipped, mine = desk.app.models.versions()
    desk.app.models.remove(mine)
    desk.app.tuning.reject()
    assert mine.weights.exists()
    assert desk.app.tuning.folder.exists()
    while later.waiting:
        later.go_on()
    assert not mine.weights.exists()
    assert not desk.app.tuning.folder.exists()
    assert desk.app.models.versions() == (shipped,)
    assert desk.app.tuning.earlier.count == 1
