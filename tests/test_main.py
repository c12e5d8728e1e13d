"""The program as it is started: by command, with its children, without a display."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from journeys.heads import write_head
from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QSpinBox
from running import PATIENCE_S

from medview.__main__ import main
from medview.domain.errors import WriteError
from medview.io import atomic
from medview.main import build
from medview.services import settings
from medview.services.hanging_file import rules_in
from medview.services.hanging_rules import Rule
from medview.services.settings import (
    Asked,
    Preferences,
    Settings,
    read_settings,
    write_settings,
)

# What a child process of this test may see: no display, its own settings.
_KEPT = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}

_SHOW_ALL = """
import sys, time
from pathlib import Path
from medview.main import build
from medview.services.session_values import VolumeId
from medview.ui.panels import PANELS
from result_phantom import prediction_on

program = build()
app, qt = program.app, program.qt
app.window.show()
late = ("cmap", *(f"medview.ui.panels.{name}" for name in ("training", "report", "models")))
print("before they are asked for", [name for name in late if name in sys.modules])
app.window.open_paths((Path(sys.argv[1]),))
end = time.monotonic() + 240
while app.session.volume_id is None and time.monotonic() < end:
    qt.processEvents()
    time.sleep(0.01)
app.session.predictions = {app.session.volume_id: (prediction_on(app.session.volume),)}
app.session.overlay_on = True
for panel in PANELS:
    app.window.show_panel(panel.key)
    qt.processEvents()
app.window.show_panel("results")
app.window.grid.redraw()
qt.processEvents()
frame = app.window.grid.frame_of("main")
print("tints", len(frame.tints))
from medview.cli.benches.viewer_run import HEAVY as heavy
print("loaded", [name for name in heavy if name in sys.modules])
program.close()
"""


# A file that never answers whoever opens it stands for a disk that does.
_HANGING = """
import sys, time
from PySide6.QtCore import QTimer
from medview import main
from medview.services import writing
from medview.services.settings import read_settings

writing.Beside.close.__defaults__ = (0.4,)
built = main.build

def build(**how):
    program = built(**how)
    def use():
        program.app.hanging.own.look()
        for rate in (5.0, 7.0):
            program.app.preferences.change(cine_rate=rate)
        program.app.witness.deleted({"kind": "study"})
        print(program.app.preferences.settings.cine_rate, flush=True)
        program.app.window.close()
    QTimer.singleShot(0, use)
    return program

main.build = build
sys.exit(main.open_window())
"""

# A signal that comes while Qt calls Python: what is raised there is lost.
_ASKED_ON_THE_WAY = """
import signal, sys
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from medview import main
from medview.__main__ import main as start

class Deaf(QObject):
    def event(self, event):
        signal.raise_signal(getattr(signal, sys.argv[1]))
        return True

built = main.build

def build(**how):
    program = built(**how)
    QCoreApplication.sendEvent(Deaf(), QEvent(QEvent.Type.User))
    return program

main.build = build
sys.exit(start(["open", "--json", sys.argv[2]]))
"""

# One that comes while the window's modules are read.
_ASKED_AT_IMPORT = """
import signal, sys
from medview.__main__ import main as start

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "medview.main":
            return
        try:
            signal.raise_signal(getattr(signal, sys.argv[1]))
        except KeyboardInterrupt as error:
            # So it comes out of Qt's own imports; of others as it is.
            raise (ImportError("libshiboken") if sys.argv[3:] else error)

sys.meta_path.insert(0, Finder())
sys.exit(start(["open", "--json", sys.argv[2]]))
"""


@pytest.fixture
def folder(tmp_path):
    return write_head(tmp_path / "study")


@pytest.fixture
def environment(tmp_path):
    paths = os.pathsep.join(str(Path(p)) for p in ("tests", "."))
    known = {"MEDVIEW_HOME": str(tmp_path / "home"), "PYTHONPATH": paths}
    return {**_KEPT, **known, "QT_QPA_PLATFORM": ""}


def run(environment, *words):
    environment = {k: v for k, v in environment.items() if v}
    return subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=300
    )


def test_the_viewer_loads_neither_torch_nor_vtk_nor_a_reader(environment, folder):
    done = run(environment, "-c", _SHOW_ALL, str(folder))
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.splitlines()
    assert first == "before they are asked for []"
    assert others == ["tints 1", "loaded []"]


def test_open_with_screenshot_saves_window_and_panes_and_ends(environment, folder, tmp_path):
    shots = tmp_path / "shots"
    done = run(environment, "-m", "medview", "open", str(folder), "--screenshot", str(shots))
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in shots.iterdir())
    assert names == ["pane_axial.png", "pane_coronal.png", "pane_sagittal.png", "window.png"]
    picture = QImage(str(shots / "pane_axial.png"))
    row = picture.height() // 2
    assert max(picture.pixelColor(x, row).value() for x in range(picture.width())) > 100
    assert "Traceback" not in done.stderr


def test_with_json_the_pictures_are_named_in_one_object_and_other_options_are_taken(
    environment, folder, tmp_path
):
    shots = tmp_path / "shots"
    common = ("--json", "--quiet", "--device", "cpu", "--threads", "1", "--seed", "3")
    words = ("open", str(folder), "--screenshot", str(shots), *common)
    done = run(environment, "-m", "medview", *words)
    assert (done.returncode, done.stderr) == (0, "")
    panes = [f"pane_{plane}.png" for plane in ("axial", "coronal", "sagittal")]
    told = json.loads(done.stdout)
    assert told == {"schema": "medview.open/1", "files": told["files"]}
    assert sorted(told["files"]) == [*panes, "window.png"]
    kept = read_settings(tmp_path / "home" / "settings.json")
    assert (kept.device, kept.threads) == ("auto", 0)


def test_what_is_refused_in_the_window_is_one_object_too(environment, tmp_path):
    (tmp_path / "Doe").mkdir()
    words = ("open", str(tmp_path / "Doe"), "--screenshot", str(tmp_path / "shots"), "--json")
    done = run(environment, "-m", "medview", *words)
    assert done.returncode == 3
    assert json.loads(done.stdout)["schema"] == "medview.error/1"
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--device", "gpu"], "'gpu' is none of auto, cpu, cuda, cuda:N"),
        (["--threads", "0"], "threads are a whole number from 1"),
        (["--seed", "-1"], "a seed is a whole number from 0 to 2147483647"),
        (["--seed", "2147483648"], "a seed is a whole number from 0 to 2147483647"),
    ],
)
def test_a_wrong_value_of_a_common_option_opens_no_window(capfd, words, says):
    assert main(["open", *words, "--json"]) == 2
    assert says in json.loads(capfd.readouterr().out)["what"]


def test_what_was_asked_for_at_the_start_is_chosen_in_the_window(tmp_path, monkeypatch, qtbot):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    asked = Asked("cuda:1", 2, 7)
    preferences = Preferences(tmp_path / "settings.json", asked=asked)
    made = build(preferences, tmp_path / "no weights")
    qtbot.addWidget(made.app.window)
    try:
        made.app.window.show_panel("results")
        device = made.app.window.findChild(QComboBox, "run_device")
        seed = made.app.window.findChild(QSpinBox, "run_seed")
        assert (device.currentData(), seed.value()) == ("cuda:1", 7)
        assert made.app.tuning.now.wish.seed == 7
    finally:
        made.close()


@pytest.mark.parametrize(("option", "about"), [((), "Doe: "), (("--private",), "")])
def test_a_folder_without_images_ends_with_the_reason(environment, tmp_path, option, about):
    (tmp_path / "Doe").mkdir()
    words = ("open", str(tmp_path / "Doe"), "--screenshot", str(tmp_path / "shots"), *option)
    done = run(environment, "-m", "medview", *words)
    assert done.returncode == 3
    assert done.stderr.startswith(f"medview: {about}is empty. ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "shots" / "window.png").exists()


def test_a_path_that_is_not_there_is_wrong_use(capsys):
    assert main(["/nowhere/stduy"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("medview: stduy: there is no such file, folder or command.")


@pytest.mark.parametrize("words", [["inof", "x"], ["--nonsense"]])
def test_a_misspelt_command_is_told_in_json_too(capfd, words):
    assert main([*words, "--json"]) == 2
    captured = capfd.readouterr()
    assert json.loads(captured.out)["code"] == "MV-USE-001"
    assert captured.err.startswith("medview: ")
    assert words[0] in captured.err


def test_pictures_of_nothing_are_refused_instead_of_waited_for(tmp_path, capfd):
    assert main(["open", "--screenshot", str(tmp_path / "shots"), "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["what"] == "--screenshot needs a path to open"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_closed_takes_nothing_away(environment, closed):
    script = f'exec {closed}; exec "$@"'
    words = ("bash", "-c", script, "x", sys.executable, "-m", "medview", "versions", "--json")
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (">&-" in closed.split()) or json.loads(done.stdout)["schema"] == "medview.versions/1"


def test_pictures_that_are_there_are_the_answer_also_where_nothing_can_be_kept(
    environment, folder, tmp_path
):
    (tmp_path / "file").write_text("no folder")
    out = tmp_path / "shots"
    words = ("-m", "medview", "open", str(folder), "--screenshot", str(out), "--json")
    done = run({**environment, "MEDVIEW_HOME": str(tmp_path / "file" / "home")}, *words)
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)["files"]) == sorted(each.name for each in out.iterdir())
    assert "could not be kept" in done.stderr


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (_ASKED_AT_IMPORT, ["SIGINT", "."]),
        (_ASKED_AT_IMPORT, ["SIGTERM", ".", "as Qt"]),
        (_ASKED_ON_THE_WAY, ["SIGINT", "."]),
        (_ASKED_ON_THE_WAY, ["SIGTERM", "."]),
    ],
)
def test_a_request_to_end_on_the_way_to_the_window_is_told_without_a_trace(
    environment, script, words
):
    done = run(environment, "-c", script, *words)
    assert done.returncode == 130, done.stderr
    assert json.loads(done.stdout)["code"] == "MV-JOB-130"
    assert done.stderr.strip() == "medview: stopped before the end."


def test_a_first_word_that_is_a_command_goes_to_the_command_line(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("medview ")


def test_nothing_is_remembered_of_patients(environment, folder, tmp_path):
    shots = tmp_path / "shots"
    run(environment, "-m", "medview", "open", str(folder), "--screenshot", str(shots))
    kept = [p for p in (tmp_path / "home").rglob("*") if p.is_file()]
    assert kept
    for path in kept:
        assert b"Journey" not in path.read_bytes()
        assert b"J1" not in path.read_bytes()


@pytest.fixture
def program(tmp_path, monkeypatch, qtbot):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    made = build(Preferences(tmp_path / "settings.json"), tmp_path / "no weights")
    qtbot.addWidget(made.app.window)
    yield made
    made.close()


def test_a_disk_that_hangs_keeps_nobody_waiting_and_at_the_end_all_is_there(
    program, tmp_path, monkeypatch, qtbot
):
    """As a home folder in a network may: nothing is written for good until the gate opens."""
    gate, synced, really = threading.Event(), [], atomic.sync

    def hanging(path):
        assert gate.wait(PATIENCE_S)
        synced.append(path)
        really(path)

    left, rmtree = tmp_path / "training" / "checkpoint", shutil.rmtree
    left.mkdir(parents=True)
    monkeypatch.setattr(atomic, "sync", hanging)
    monkeypatch.setattr(
        shutil, "rmtree", lambda *how, **ways: (gate.wait(PATIENCE_S), rmtree(*how, **ways))
    )
    app, turns = program.app, []
    heart = QTimer()
    heart.timeout.connect(lambda: turns.append(1))
    heart.start(5)
    began = time.perf_counter()
    for rate in (5.0, 7.0, 9.0):
        app.preferences.change(cine_rate=rate)
    app.hanging.keep(Rule("Mine", "1x1"))
    app.window.table["hanging.auto"].trigger()
    app.witness.deleted({"kind": "study"})
    app.tuning.reject()
    app.workspaces.skip()
    assert time.perf_counter() - began < PATIENCE_S / 2
    qtbot.waitUntil(lambda: len(turns) > 10)
    assert (synced, left.exists()) == ([], True)
    gate.set()
    program.close()
    assert not left.exists()
    kept = read_settings(tmp_path / "settings.json")
    assert (kept.cine_rate, kept.hang) == (9.0, False)
    text = (tmp_path / "hanging.toml").read_text("utf-8")
    assert [rule.name for rule in rules_in(text)[0]] == ["Mine"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no files that never answer")
def test_a_disk_that_never_answers_again_is_said_and_the_program_ends(environment, tmp_path):
    home = tmp_path / "home"
    write_settings(Settings(cine_rate=3.0), home / "settings.json")
    os.mkfifo(home / "hanging.toml")
    done = run(environment, "-c", _HANGING)
    assert done.stdout == "7.0\n"
    assert done.stderr == (
        "medview: 2 changes could not be written: the disk with medview's own folder does not "
        "answer. What was kept before is as it was. Look at the disk or its network.\n"
    )
    assert done.returncode == WriteError("").exit_code
    assert sorted(path.name for path in home.iterdir()) == ["hanging.toml", "settings.json"]
    assert read_settings(home / "settings.json").cine_rate == 3.0


@pytest.mark.parametrize("words", [[], ["--private"]])
def test_private_is_for_this_window_and_the_settings_stay(
    program, folder, monkeypatch, qtbot, words
):
    seen = []

    def run():
        qtbot.waitUntil(lambda: program.app.session.volume_id is not None, timeout=60_000)
        seen.append(str(program.app.window.studies.tree.model().index(0, 0).data()))
        program.close()
        return 0

    monkeypatch.setattr("medview.main.build", lambda **_: program)
    monkeypatch.setattr(type(program), "run", lambda _: run())
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert main([str(folder), *words]) == 0
    assert ("Journey" in seen[0]) is not bool(words)
    assert program.app.session.private is bool(words)
    settings = program.app.preferences.settings
    assert (settings.private, bool(settings.recent)) == (False, not words)


_LATE = """
import os, sys, threading, time
from PySide6.QtCore import QTimer
from medview import main

main._PATIENCE_S = 0.3
built = main.build

def answered():
    home = os.environ["MEDVIEW_HOME"]
    with open(home + "/settings.json", "w") as fifo:
        fifo.write('{"theme": "light", "private": true}')

def build(**how):
    program = built(**how)
    app = program.app

    def look(since):
        if app.preferences.is_late:
            QTimer.singleShot(20, lambda: look(since))
            return
        print(app.session.private, app.preferences.settings.theme, flush=True)
        program.qt.exit()

    def use():
        print(app.window.isVisible(), app.session.private, app.preferences.settings.theme)
        print(app.window.notes.texts()[0], flush=True)
        threading.Thread(target=answered).start()
        look(time.monotonic())
    QTimer.singleShot(0, use)
    return program

main.build = build
sys.exit(main.open_window())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no files that never answer")
def test_settings_on_a_disk_that_hangs_keep_no_window_waiting(environment, tmp_path):
    (tmp_path / "home").mkdir()
    os.mkfifo(tmp_path / "home" / "settings.json")
    done = run(environment, "-c", _LATE)
    first, said, then = done.stdout.splitlines()
    assert (first, then) == ("True False dark", "True light")
    assert said.startswith("Your settings could not be read: the disk")
    assert done.returncode == 0, done.stderr


def test_a_full_disk_is_said_in_the_window_and_the_choice_is_in_force(program, monkeypatch, qtbot):
    def full(path):
        raise WriteError("the disk is full", file=path.name, do="Free some space.")

    monkeypatch.setattr(settings, "own_file", full)
    program.app.preferences.change(cine_rate=7.0)
    notes = program.app.window.notes
    qtbot.waitUntil(lambda: bool(notes.texts()))
    assert notes.texts()[0].startswith("settings.json: the disk is full. Free some space.")
    assert program.app.preferences.settings.cine_rate == 7.0


def test_what_is_refused_at_the_very_end_is_printed(program, monkeypatch, capsys):
    def full(path):
        time.sleep(0.1)
        raise WriteError("the disk is full", file=path.name, do="Free some space.")

    monkeypatch.setattr(settings, "own_file", full)
    program.app.preferences.change(cine_rate=7.0)
    program.close()
    assert capsys.readouterr().err == "medview: settings.json: the disk is full. Free some space.\n"
