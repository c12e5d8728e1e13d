"""The training panel with real widgets: cases, start, live curve, before and after."""

import csv
import shutil

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSpinBox
from throwaway import throwaway_weights

from medview.domain.errors import Cancelled, DataError
from medview.services.audit import trail_file
from medview.services.versions import located, versions
from medview.ui.panels.training import TrainingPanel

FOUND = {
    "cases": 12,
    "patients": 10,
    "sites": 2,
    "parts": {"": 12},
    "labels": {"0": 8, "1": 4},
    "skipped": [("c7", "its file is not there")],
}
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
    bench.window.side.setCurrentIndex(
        next(
            n
            for n in range(bench.window.side.count())
            if isinstance(bench.window.side.widget(n), TrainingPanel)
        )
    )
    return bench.window.side.currentWidget()


def said(widget):
    return " | ".join(each.text() for each in widget.findChildren(QLabel) if not each.isHidden())


def looked_at(bench, tmp_path, found=FOUND):
    bench.app.tuning.look(tmp_path / "cases.csv")
    bench.jobs.running("finetune:survey")[0].finish(found)
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
    assert "Choose a case list" in said(panel)
    assert not bench.find(QPushButton, "training_go").isEnabled()


def test_cases_are_counted_and_what_cannot_be_used_is_named(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    words = said(panel.cases)
    for part in ("12 cases", "10 patients", "2 sites", "label 0: 8", "c7: its file is not there"):
        assert part in words
    assert bench.find(QPushButton, "training_go").isEnabled()


def test_cases_that_leak_are_refused_in_words_and_nothing_starts(bench, panel, tmp_path):
    bench.app.tuning.look(tmp_path / "cases.csv")
    error = DataError(
        "1 patients are in the training part and in another part: P7", do="Part them."
    )
    bench.jobs.running("finetune:survey")[0].fail(error)
    bench.settle()
    assert "P7" in bench.find(QLabel, "training_refused").text()
    assert not bench.find(QPushButton, "training_go").isEnabled()
    assert bench.app.tuning.start() is None


def test_start_trains_in_its_own_lane_and_the_curve_is_that_of_the_file(bench, panel, tmp_path):
    looked_at(bench, tmp_path)
    bench.find(QComboBox, "training_method").setCurrentIndex(1)
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
    for part in ("5.20", "4.10", "-1.100 (-1.60 – -0.50)", "age mae"):
        assert part in words
    assert bench.app.tuning.keep("ward-1")
    bench.settle()
    assert "Kept as anomaly@ward-1" in said(panel.outcome)
    assert located("anomaly@ward-1").own
    assert '"accepted"' in trail_file().read_text()
    assert bench.find(QPushButton, "training_keep").isHidden()


def test_a_name_that_is_taken_is_told_and_nothing_is_lost(bench, panel, tmp_path):
    done(bench, tmp_path)
    assert not bench.app.tuning.keep("1.0/x")
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


def test_what_became_worse_is_said(bench, panel, tmp_path):
    worse = {**OUTCOME["before_after"], "worse": ["validation mae"]}
    done(bench, tmp_path, {**OUTCOME, "before_after": worse})
    assert "validation mae" in bench.find(QLabel, "training_worse").text()
    shutil.rmtree(bench.app.tuning.folder)
