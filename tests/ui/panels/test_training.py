"""The training panel with real widgets: cases, start, live curve, before and after."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QSpinBox,
    QTreeWidget,
)
from throwaway import throwaway_weights

from medview.domain.errors import Cancelled, DataError
from medview.domain.training import Method
from medview.services.audit import trail_file
from medview.services.case_table import case_lines
from medview.services.model_library import ModelLibrary
from medview.services.training import METHODS
from medview.services.training_notes import note_time
from medview.services.training_taken_up import FINISHED, GOES_ON, LOST
from medview.services.tuned import Tuned, Wish
from medview.services.versions import located, versions
from medview.ui.panels.training_curve import CurvePlot
from medview.ui.panels.training_outcome import free_name
from medview.ui.panels.training_words import pace_words
from medview.ui.theme import current

FOUND = {
    "cases": 12,
    "patients": 10,
    "sites": 2,
    "by_site": {"HH": 7, "Guys": 5},
    "parts": {"": 12},
    "labels": {"label 0": 8, "label 1": 4},
    "ages": (31.0, 74.0),
    "files": {"c1": "/cases/c1.nii.gz"},
    "skipped": [("c7", "its file is not there")],
}


def worse_outcome(group):
    """The outcome, were the new version worse on a group."""
    found = OUTCOME["before_after"]
    (one,) = found["differences"]
    risen = {**one, "group": group, "new_minus_old": 1.1, "low": 0.5, "high": 1.6}
    told = {**found, "differences": [risen], "worse": [f"{group} mae"]}
    return {**OUTCOME, "before_after": told}


OUTCOME = {
    "epochs": 3,
    "health": [{"name": "active_units", "value": 61, "ok": True}],
    "before_after": {
        "metrics": [
            {
                "predictor": who,
                "task": "age",
                "level": "case",
                "name": "mae",
                "subset": "x",
                "group": "validation",
                "value": value,
            }
            for who, value in (("old", 5.2), ("new", 4.1))
        ],
        "differences": [
            {
                "task": "age",
                "level": "case",
                "name": "mae",
                "subset": "x",
                "group": "validation",
                "new_minus_old": -1.1,
                "low": -1.6,
                "high": -0.5,
                "p": 0.01,
                "n": 7,
            }
        ],
        "worse": [],
    },
}


@pytest.fixture
def panel(bench, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    bench.window.show_panel("training")
    return bench.window.side.shown


def said(widget):
    return " | ".join(each.text() for each in widget.findChildren(QLabel) if not each.isHidden())


def with_all_models(bench):
    """The fine-tuning of the window, of any model that ships."""
    bench.app.tuning.models = ModelLibrary(bench.jobs, bench.session)
    return bench.app.tuning


def looked_at(bench, tmp_path, found=FOUND):
    bench.app.tuning.look(tmp_path / "cases.csv")
    bench.jobs.running("finetune:survey")[0].finish(found)
    bench.jobs.running("case_check:check")[0].finish(found)
    bench.settle()


def write_history(folder, epochs):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "history.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("epoch", "part", "name", "value"))
        for epoch in range(1, epochs + 1):
            table.writerow((epoch, "train", "loss", 1 / epoch))
            table.writerow((epoch, "val", "loss", 1.2 / epoch))


def test_before_anything_the_panel_says_what_to_do(bench, panel):
    assert "Choose studies read here, a case list or a folder" in said(panel)
    assert not bench.find(QPushButton, "training_go").isEnabled()


def test_cases_are_counted_and_what_cannot_be_used_is_named(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    words = said(panel.cases)
    for part in (
        "12 cases",
        "10 patients",
        "2 sites",
        "normal: 8",
        "Guys: 5, HH: 7",
        "ages 31 to 74",
        "c7: its file is not there",
    ):
        assert part in words
    assert bench.find(QPushButton, "training_go").isEnabled()


@pytest.mark.parametrize(
    ("seen", "parts", "words"),
    [
        (0, {"": 12}, "A fifth of the patients is held out."),
        (4, {"": 12}, "has learnt from 4 of the 10 patients; a fifth of the others is held out."),
        (4, {"train": 8, "val": 4}, "of the 10 patients; old and new are compared on others."),
        (10, {"": 12}, "of the 10 patients: old and new cannot be compared on them."),
    ],
)
def test_patients_whom_the_version_has_learnt_from_are_told_before_the_start(
    bench, panel, tmp_path, seen, parts, words
):
    looked_at(bench, tmp_path, FOUND | {"seen": seen, "parts": parts})
    assert words in said(panel.cases)
    assert ("has learnt" in said(panel.cases)) is (seen > 0)


def test_cases_are_counted_for_the_weights_that_are_trained_further(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    chosen = located(bench.app.tuning.now.wish.version)
    counted, read = (
        next(job for job in bench.jobs.asked if job.work.endswith(work))
        for work in ("finetune:survey", "case_check:check")
    )
    assert counted.args[-1] == read.args[-1]
    assert counted.args[-1].endswith(str(Path(*chosen.weights.parts[-2:])))


def test_cases_that_leak_are_refused_in_words_and_nothing_starts(bench, panel, tmp_path):
    bench.app.tuning.look(tmp_path / "cases.csv")
    error = DataError("is in two parts", file="P7", do="Part them.")
    bench.jobs.running("finetune:survey")[0].fail(error)
    bench.settle()
    said = bench.find(QLabel, "training_refused").text()
    assert said == "P7: is in two parts. Part them."
    assert said in bench.window.notes.texts()
    assert not bench.find(QPushButton, "training_go").isEnabled()
    assert not bench.app.tuning.start()
    # Other cases: nothing is left of what was said of these.
    bench.app.tuning.look(tmp_path / "others.csv")
    assert bench.window.notes.texts() == []


@pytest.mark.parametrize("model", METHODS)
def test_what_a_model_cannot_learn_by_cannot_be_chosen(bench, panel, model):
    tuning = with_all_models(bench)
    tuning.wish(version=next(each.name for each in tuning.choices() if each.card.id == model))
    bench.settle()
    every = get_args(Method)
    buttons = {one: bench.find(QPushButton, f"training_method_{one}") for one in every}
    assert tuple(one for one in every if buttons[one].isEnabled()) == METHODS[model]


def test_the_keyboard_goes_from_start_to_pause_and_stays_elsewhere(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.window.activateWindow()
    go = bench.find(QPushButton, "training_go")
    go.setFocus()
    go.click()
    bench.settle()
    assert bench.window.focusWidget().objectName() == "training_pause"
    bench.find(QPushButton, "training_stop").setFocus()
    bench.app.tuning.refresh()
    bench.settle()
    assert bench.window.focusWidget().objectName() == "training_stop"


def test_start_trains_in_its_own_lane_and_the_curve_is_that_of_the_file(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_method_head").click()
    bench.find(QSpinBox, "training_epochs").setValue(5)
    bench.find(QPushButton, "training_go").click()
    job = bench.jobs.running("finetune:finetune")[0]
    request, trainer = job.args
    assert job.lane == "train"
    assert (request.train.method, request.train.recipe["epochs"]) == ("head", 5)
    assert trainer.startswith("medview.learning.")
    write_history(bench.app.tuning.folder, 3)
    bench.app.tuning.refresh()
    bench.settle()
    assert "Epoch 3 / 5" in said(panel.progress)
    points = panel.progress.curves.curves
    assert points["train"] == ((1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3)))
    assert panel.progress.curves.place(3, 0.4).x() > panel.progress.curves.place(1, 0.4).x()
    assert panel.progress.curves.marked() == ((3, pytest.approx(0.4)), "lowest, epoch 3")
    # Which weights are kept is said by the training, not read from one of its losses.
    job.finish({**OUTCOME, "best_epoch": 2})
    bench.settle()
    assert panel.progress.curves.marked() == ((2, pytest.approx(0.6)), "kept, epoch 2")


def test_a_stopped_training_can_go_on(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_go").click()
    (bench.app.tuning.folder / "checkpoint").mkdir(parents=True)
    bench.jobs.running("finetune:finetune")[0].fail(Cancelled("stopped"))
    bench.settle()
    resume = bench.find(QPushButton, "training_resume")
    assert not resume.isHidden()
    resume.click()
    request, _ = bench.jobs.running("finetune:finetune")[0].args
    assert request.train.resume is True
    assert (bench.app.tuning.folder / "checkpoint").is_dir()


def sees(panel, part):
    """Whether all of a part of the panel is to be seen, or its top where it is too high."""
    top = part.mapTo(panel.viewport(), part.rect().topLeft()).y()
    room = panel.viewport().height()
    return part.isVisible() and top >= 0 and (top + part.height() <= room or top <= 16)


def done(bench, tmp_path, outcome=OUTCOME):
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_go").click()
    throwaway_weights(bench.app.tuning.folder)
    write_history(bench.app.tuning.folder, 3)
    bench.jobs.running("finetune:finetune")[0].finish(outcome)
    bench.settle()


def test_old_and_new_stand_beside_each_other_and_a_version_is_kept(bench, panel, tmp_path):
    done(bench, tmp_path)
    words = said(panel.outcome)
    for part in ("5.20", "4.10", "−1.10", "−1.60 to −0.50", "Mean absolute error"):
        assert part in words
    bench.app.tuning.keep("ward-1")
    bench.settle()
    assert "Kept as Anomaly ward-1. To run it: Results, Options, Version." in said(panel.outcome)
    assert located("anomaly@ward-1").own
    assert '"accepted"' in trail_file().read_text()
    assert bench.find(QPushButton, "training_keep").parentWidget().isHidden()


def test_an_outcome_comes_into_sight_by_itself(bench, panel, tmp_path, qtbot):
    bench.window.resize(1280, 720)
    bench.window.show()
    bench.show()
    done(bench, tmp_path)
    qtbot.waitUntil(lambda: sees(panel, panel.outcome))
    assert bench.window.notes.texts() == []


def test_how_to_pause_and_to_stop_is_in_sight_once_it_runs(bench, panel, tmp_path, qtbot):
    bench.window.resize(1280, 720)
    bench.window.show()
    bench.show()
    looked_at(bench, tmp_path)
    assert not sees(panel, panel.progress)
    bench.find(QPushButton, "training_go").click()
    qtbot.waitUntil(lambda: sees(panel, panel.progress))
    # It grows by its curve and by what is said of it.
    was = panel.progress.height()
    for epoch in (1, 2):
        write_history(bench.app.tuning.folder, epoch)
        bench.app.tuning.refresh()
        bench.settle()
    qtbot.waitUntil(lambda: panel.progress.height() > was)
    qtbot.waitUntil(lambda: sees(panel, panel.progress))
    # Who looks at the cases is left there.
    panel.verticalScrollBar().setValue(0)
    write_history(bench.app.tuning.folder, 3)
    bench.app.tuning.refresh()
    bench.settle()
    assert panel.verticalScrollBar().value() == 0


def test_what_stands_out_of_a_stopped_training_is_to_go_on(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    start, go_on = (bench.find(QPushButton, f"training_{each}") for each in ("go", "resume"))
    assert (start.text(), start.property("look")) == ("Start", "primary")
    start.click()
    (bench.app.tuning.folder / "checkpoint").mkdir(parents=True)
    bench.app.tuning.stop()
    bench.settle()
    assert (start.text(), start.property("look")) == ("Start anew", "")
    assert go_on.property("look") == "primary"


def test_the_pace_says_what_it_waits_for():
    seen = Tuned("running", epochs=60, curves={("val", "loss"): ((22, 0.5),)}, seconds_left=15.0)
    assert pace_words(seen).startswith("15\u00a0s\u00a0left")
    assert pace_words(replace(seen, is_finishing=True)) == "it ends: old and new are measured"


def test_the_end_of_a_training_is_told_where_another_panel_is_open(bench, panel, tmp_path):
    bench.window.show()
    bench.show()
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_go").click()
    throwaway_weights(bench.app.tuning.folder)
    bench.window.show_panel("results")
    bench.jobs.running("finetune:finetune")[0].finish(OUTCOME)
    bench.settle()
    assert bench.window.notes.texts() == ["The training is over: keep or reject what came of it."]
    _, shown = bench.window.notes.newest
    shown.click()
    assert bench.window.side.shown is panel
    assert bench.window.notes.texts() == []


def test_a_name_that_is_taken_is_told_and_nothing_is_lost(bench, panel, tmp_path):
    done(bench, tmp_path)
    bench.app.tuning.keep("1.0/x")
    assert "cannot be the name" in bench.session.message.text
    assert bench.app.tuning.now.phase == "done"


def test_reject_leaves_everything_as_it_was(bench, panel, tmp_path):
    before = [one.name for one in versions()]
    done(bench, tmp_path)
    bench.find(QPushButton, "training_reject").click()
    bench.settle()
    assert [one.name for one in versions()] == before
    assert not bench.app.tuning.folder.exists()
    assert panel.outcome.isHidden()


def test_few_patients_are_offered_a_cross_validation(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    box = bench.find(QCheckBox, "training_folds")
    assert not box.isHidden()
    box.setChecked(True)
    bench.find(QPushButton, "training_go").click()
    request, _ = bench.jobs.running("finetune:finetune")[0].args
    assert request.train.recipe["folds"] == 5
    looked_at(bench, tmp_path, {**FOUND, "patients": 400})
    assert box.isHidden()


def test_time_and_memory_are_told_once_such_a_training_has_run(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    words = bench.find(QLabel, "training_expected")
    assert "No such training has run here yet" in words.text()
    bench.find(QSpinBox, "training_epochs").setValue(10)
    note_time(
        bench.app.preferences.folder, "anomaly full",
        seconds=240, epochs=2, cases=12, memory_mb=900,
    )  # fmt: skip
    bench.app.tuning.wish(seed=1)
    bench.settle()
    assert words.text() == "About 20 min, 900 MB."


def test_pause_waits_and_goes_on_and_the_pace_is_told(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.find(QSpinBox, "training_epochs").setValue(5)
    bench.find(QPushButton, "training_go").click()
    job = bench.jobs.running("finetune:finetune")[0]
    pause = bench.find(QPushButton, "training_pause")
    pause.click()
    bench.settle()
    assert (job.hint, pause.text()) == ("pause", "Continue")
    assert "paused" in bench.find(QLabel, "training_pace").text()
    pause.click()
    assert job.hint == "go on"
    for epochs in (1, 3):
        write_history(bench.app.tuning.folder, epochs)
        bench.app.tuning.refresh()
    bench.settle()
    assert "left" in bench.find(QLabel, "training_pace").text()
    assert bench.app.tuning.now.seconds_left >= 0


def test_stop_keep_best_ends_with_the_outcome_of_what_was_trained(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_go").click()
    (bench.app.tuning.folder / "checkpoint").mkdir(parents=True)
    bench.find(QPushButton, "training_finish").click()
    bench.settle()
    (again,) = bench.jobs.running("finetune:finetune")
    assert again.args[0].train.resume
    assert 0 < again.args[0].train.max_minutes < 0.01
    assert bench.app.tuning.now.phase == "running"


def test_a_training_of_another_day_is_offered_with_all_that_was_chosen(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.app.tuning.locked.choose(tmp_path / "locked.csv")
    bench.find(QPushButton, "training_method_head").click()
    bench.find(QSpinBox, "training_epochs").setValue(7)
    bench.find(QPushButton, "training_go").click()
    (bench.app.tuning.folder / "checkpoint").mkdir(parents=True)
    write_history(bench.app.tuning.folder, 2)
    bench.app.tuning.state.now = Tuned()
    offered = []
    bench.app.tuning.reopen(offered.append)
    assert offered == [GOES_ON]
    bench.settle()
    now = bench.app.tuning.now
    assert (now.phase, now.wish.method, now.wish.epochs, now.epoch) == ("stopped", "head", 7, 2)
    assert now.reference == tmp_path / "locked.csv"
    assert bench.find(QSpinBox, "training_epochs").value() == 7
    bench.find(QPushButton, "training_resume").click()
    assert bench.jobs.running("finetune:finetune")[-1].args[0].train.resume


def started_anew(bench):
    """The program after it was killed, and what it says of the training."""
    bench.app.tuning.state.now = Tuned()
    offered = []
    bench.app.tuning.reopen(offered.append)
    bench.settle()
    return offered


def test_a_training_that_was_killed_before_its_first_epoch_ended_is_told_once(
    bench, panel, tmp_path
):
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_go").click()
    assert started_anew(bench) == [LOST]
    assert bench.app.tuning.now.data == tmp_path / "cases.csv"
    assert bench.find(QPushButton, "training_go").isEnabled()
    assert started_anew(bench) == []


def test_a_training_that_the_reader_stopped_is_not_called_lost(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_go").click()
    bench.find(QPushButton, "training_stop").click()
    assert started_anew(bench) == []


def test_a_finished_training_is_offered_until_it_is_kept_or_rejected(bench, panel, tmp_path):
    done(bench, tmp_path)
    compared = bench.app.tuning.folder / "before_after.json"
    compared.write_text(json.dumps(OUTCOME["before_after"]))
    for _ in range(2):
        assert started_anew(bench) == [FINISHED]
    assert "−1.10" in said(panel.outcome)
    bench.app.tuning.keep("ward-2")
    assert located("anomaly@ward-2").own
    assert started_anew(bench) == []


def test_a_finished_training_of_another_day_tells_as_much_as_on_the_day_itself(
    bench, panel, tmp_path
):
    looked_at(bench, tmp_path)
    bench.app.tuning.locked.choose(tmp_path / "locked.csv")
    bench.jobs.running("look_at_locked")[0].finish(
        {"cases": 4, "patients": 4, "shared": [], "what": ""}
    )
    bench.app.tuning.wish(epochs=5)
    bench.find(QPushButton, "training_go").click()
    folder = bench.app.tuning.folder
    throwaway_weights(folder)
    write_history(folder, 3)
    for who in ("old", "new"):
        (folder / "comparison" / "validation" / who).mkdir(parents=True)
        rows = "case,age,true_age\nc1,5.0,4.0\n"
        (folder / "comparison" / "validation" / who / "predictions.csv").write_text(rows)
    (folder / "before_after.json").write_text(json.dumps(OUTCOME["before_after"]))
    bench.jobs.running("finetune:finetune")[0].finish({**OUTCOME, "best_epoch": 2})
    bench.settle()
    told = said(panel)
    for part in ("Epoch 3 / 5", "healthy · active units 61", "1 case held out", "12 / 4"):
        assert part in told
    started_anew(bench)
    assert said(panel) == told
    assert bench.app.tuning.now.outcome["best_epoch"] == 2


def test_in_private_no_file_says_where_the_cases_are(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.session.private = True
    bench.find(QPushButton, "training_go").click()
    (bench.app.tuning.folder / "checkpoint").mkdir(parents=True)
    kept = [path for path in bench.app.preferences.folder.rglob("*.json") if path.is_file()]
    data = str(bench.app.tuning.now.data)
    assert not [path.name for path in kept if data in path.read_text()]
    bench.app.tuning.state.now = Tuned()
    bench.app.tuning.reopen(lambda words: pytest.fail(words))


def test_nothing_is_offered_where_nothing_was_interrupted(bench, panel, tmp_path):
    bench.app.tuning.reopen(lambda words: pytest.fail(words))


def test_closing_asks_while_a_training_runs(bench, panel, tmp_path, monkeypatch):
    said_so = []
    monkeypatch.setattr(
        "medview.ui.closing.ask", lambda parent, text, *_: bool(said_so.append(text))
    )
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_go").click()
    assert not bench.window.close()
    assert "Fine-tune anomaly" in said_so[0]
    assert "last whole epoch at the next start" in said_so[0]


def test_worse_on_the_locked_set_is_kept_only_after_a_second_word(
    bench, panel, tmp_path, monkeypatch
):
    worse = {**OUTCOME["before_after"], "worse": ["reference mae"]}
    done(bench, tmp_path, {**OUTCOME, "before_after": worse})
    bench.app.tuning.keep("ward-1")
    assert "worse on the locked set (reference mae)" in bench.session.message.text
    answers, asked = [False, True], []
    card = "medview.ui.panels.training_outcome"
    monkeypatch.setattr(f"{card}.ask", lambda *words: asked.append(words[1]) or answers.pop(0))
    monkeypatch.setattr(f"{card}.QInputDialog.getText", lambda *_, **__: ("ward-1", True))
    bench.find(QPushButton, "training_keep").click()
    assert bench.app.tuning.now.phase == "done"
    bench.find(QPushButton, "training_keep").click()
    assert bench.app.tuning.now.kept == "anomaly@ward-1"
    assert len(asked) == 2


def test_each_case_is_told_old_against_new_and_opens(bench, panel, tmp_path, monkeypatch):
    for who, values in (("old", (5.0, 2.0)), ("new", (1.0, 6.0))):
        folder = bench.app.tuning.folder / "comparison" / "validation" / who
        looked_at(bench, tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        rows = "".join(f"c{n},{value},0\n" for n, value in enumerate(values))
        (folder / "predictions.csv").write_text("case,age,true_age\n" + rows)
    lines = case_lines(bench.app.tuning.folder, FOUND["files"])
    assert [(line.case, line.closer) for line in lines] == [("c1", -4.0), ("c0", 4.0)]
    panel.outcome.cases.show_lines(lines)
    table = bench.find(QTreeWidget, "training_case_table")
    assert [table.topLevelItem(0).text(n) for n in range(4)] == ["c1", "0", "2.00", "6.00"]
    labelled = replace(lines[0], truth=None, label="1", old=-0.5, new=0.25)
    panel.outcome.cases.show_lines((labelled, replace(lines[1], truth=31.5)))
    cells = [[table.topLevelItem(n).text(k) for k in (1, 2, 3)] for n in (0, 1)]
    assert cells == [["abnormal", "−0.50", "0.25"], ["31.50", "5.00", "1.00"]]
    severe = replace(lines[0], score="severe", truth=1.0)
    panel.outcome.cases.show_lines((severe, replace(severe, score="mortality", truth=0.0)))
    assert [table.topLevelItem(n).text(1) for n in (0, 1)] == ["severe", "survived"]
    panel.outcome.cases.show_lines(lines)
    opened = []
    monkeypatch.setattr(bench.window, "open_paths", opened.append)
    table.itemClicked.emit(table.topLevelItem(1), 0)
    table.itemClicked.emit(table.topLevelItem(0), 0)
    assert [path.name for (path,) in opened] == ["c1.nii.gz"]


def test_what_became_worse_is_said(bench, panel, tmp_path):
    done(bench, tmp_path, worse_outcome("validation"))
    said = bench.find(QLabel, "training_worse").text()
    assert said == "Clearly worse: Mean absolute error, held out."
    shutil.rmtree(bench.app.tuning.folder)


def test_the_locked_set_is_counted_and_shares_no_patient(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.app.tuning.locked.choose(tmp_path / "locked.csv")
    job = bench.jobs.running("finetune:look_at_locked")[0]
    assert job.args == ("anomaly", (str(tmp_path / "cases.csv"),), (str(tmp_path / "locked.csv"),))
    job.finish({"cases": 6, "patients": 6, "shared": [], "what": ""})
    bench.settle()
    assert bench.find(QLabel, "training_parts").text() == "12 / 6"
    assert bench.find(QPushButton, "training_go").isEnabled()
    looked_at(bench, tmp_path)  # other cases: it is looked at again
    again = bench.jobs.running("finetune:look_at_locked")[0]
    what = "patients of the locked set are among the cases, too: P7"
    again.finish({"cases": 6, "patients": 6, "shared": ["P7"], "what": what})
    bench.settle()
    words = bench.find(QLabel, "training_locked").text()
    assert words.startswith("Locked set: locked.csv. Patients of the locked set are among")
    assert words.endswith("P7.")
    assert not bench.find(QPushButton, "training_go").isEnabled()
    assert not bench.app.tuning.start()
    bench.app.tuning.locked.choose(None)
    bench.settle()
    assert bench.find(QPushButton, "training_go").isEnabled()


def test_a_locked_set_that_cannot_be_read_is_said(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.app.tuning.locked.choose(tmp_path / "locked.csv")
    error = DataError("this is not a table", do="Save it as CSV.")
    bench.jobs.running("finetune:look_at_locked")[0].fail(error)
    bench.settle()
    assert "this is not a table. Save it as CSV." in bench.find(QLabel, "training_locked").text()


def test_no_card_is_wider_than_the_panel_beside_its_scroll_bar(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    margins = panel.rows.contentsMargins()
    room = panel.viewport().width() - margins.left() - margins.right()
    cards = (panel.cases, panel.start, panel.preview, panel.progress, panel.outcome)
    assert {card.objectName(): card.minimumSizeHint().width() > room for card in cards} == {
        card.objectName(): False for card in cards
    }


def test_a_name_is_offered_that_no_version_has():
    assert free_name("brain-age@1.0", ["brain-age@1.0"]) == "1.0-local"
    taken = ["brain-age@1.0", "brain-age@1.0-local", "cxr@1.0-local-2"]
    assert free_name("brain-age@1.0", taken) == "1.0-local-2"


def test_the_panel_opened_later_leaves_what_is_offered_to_go_on(bench, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    tuning = with_all_models(bench)
    other = tuning.choices()[1].name
    tuning.state.set(phase="stopped", data=tmp_path, wish=Wish(other))
    bench.window.show_panel("training")
    assert (tuning.now.wish.version, tuning.now.phase) == (other, "stopped")
    assert bench.window.side.shown.findChild(QComboBox, "training_version").currentData() == other


def test_of_a_version_that_is_gone_what_is_seen_is_what_would_be_trained(bench, monkeypatch):
    tuning = with_all_models(bench)
    one, other = tuning.choices()[:2]
    bench.window.show_panel("training")
    tuning.wish(version=other.name)
    monkeypatch.setattr(type(tuning), "choices", lambda _: (one,))
    tuning.models.changed.emit()
    box = bench.window.side.shown.findChild(QComboBox, "training_version")
    assert box.currentData() == tuning.now.wish.version == one.name


TRAIN = tuple((n, 1.4 - 0.02 * n) for n in range(1, 9))


@pytest.mark.parametrize("is_one", [False, True])
def test_an_error_in_years_does_not_press_the_loss_flat(qtbot, is_one):
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.resize(300, 130)
    measures = {"train": "loss", "val": "loss" if is_one else "mae"}
    plot.show_curves({"train": TRAIN, "val": ((8, 6.3),)}, 8, measures=measures)
    heights = [plot.place(*point, "train").y() for point in TRAIN]
    assert (max(heights) - min(heights) > 90) == (not is_one)
    # The one figure of the validation is seen, as a dot beside the dashed line.
    picture, at = plot.grab().toImage(), plot.place(8, 6.3).toPoint()
    assert picture.pixelColor(at - QPoint(2, 0)).name() == current().attention


def test_no_curve_goes_through_the_words_of_the_best_epoch(qtbot):
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.resize(300, 130)
    jagged = tuple((n, float(n % 2)) for n in range(1, 41))
    plot.show_curves({"train": jagged, "val": ((2, 0.0), (3, 0.5))}, 40, kept=2)
    picture, x = plot.grab().toImage(), round(plot.place(2, 0.0).x())
    inside = [(column, row) for column in range(x + 6, x + 70) for row in range(4, 13)]
    colours = {picture.pixelColor(*place).name() for place in inside}
    assert current().accent not in colours
    below = [(column, 60) for column in range(x + 6, x + 70)]
    assert current().accent in {picture.pixelColor(*place).name() for place in below}


def test_the_legend_says_of_what_a_line_is_where_they_differ(qtbot):
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.show_curves(
        {"train": TRAIN, "val": ((8, 6.3),)}, 8, measures={"train": "loss", "val": "mae"}
    )
    assert plot._words("validation") == "validation, own scale"
    assert plot.toolTip() == "training: loss, validation: mean absolute error"
    plot.show_curves({"train": TRAIN}, 8, measures={"train": "loss", "val": "loss"})
    assert plot._words("validation") == "validation"
    assert plot.toolTip() == ""
