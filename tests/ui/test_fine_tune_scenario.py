"""A fine-tuning from the first look at the cases to a version that is kept, with real widgets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QTreeWidget, QWidget
from services.stubs import result_about
from throwaway import throwaway_weights
from ui.panels.test_training import FOUND, OUTCOME, looked_at, worse_outcome, write_history

from medview.domain.case_check import Tried
from medview.domain.errors import Cancelled, DataError, WorkerDied
from medview.domain.local_case import LocalCase, LocalCases
from medview.domain.prediction import SliceScore
from medview.domain.progress import Silent
from medview.domain.varied import Variant, Varied
from medview.learning.case_list import read_rows
from medview.services.local_work import write
from medview.services.versions import located, versions


def click(bench, name):
    bench.find(QPushButton, name).click()
    bench.settle()


def training(bench):
    return bench.jobs.running("finetune:finetune")[-1]


def validate(bench, epoch):
    """What the training process leaves after an epoch, and the window's next look at it."""
    folder = bench.app.tuning.folder
    (folder / "checkpoint").mkdir(parents=True, exist_ok=True)
    throwaway_weights(folder / "preview" / f"{epoch:05d}", seed=epoch)
    write_history(folder, epoch)
    bench.app.tuning.refresh()
    bench.settle()


def answer_runs(bench, epoch):
    """Both versions on the open slice, as far as they are asked for."""
    while bench.jobs.running("predict:run"):
        job = bench.jobs.running("predict:run")[0]
        request = job.args[0]
        is_new = "preview" in request.weights
        made = result_about(bench.session.volume_id, bench.session.volume)
        row = SliceScore(request.slice, 0.0, 2.0 + is_new * epoch, 0.0, 0.0, 0.0)
        version = f"1.0 epoch {epoch}" if is_new else "1.0"
        sha = ("c" if is_new else "5") * 64
        job.finish(replace(made, version=version, weights_sha256=sha, slices=(row,)))
    bench.settle()


def test_from_refused_cases_to_a_version_that_is_kept(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    bench.show()
    bench.window.show_panel("training")
    before = [each.name for each in versions()]

    # The same patient in both parts: refused by name, and nothing can be started.
    bench.app.tuning.look(tmp_path / "cases.csv")
    leak = "1 patient in the training part and in another part, too: P7"
    bench.jobs.running("finetune:survey")[0].fail(DataError(leak, do="Part them."))
    bench.settle()
    assert "P7" in bench.find(QLabel, "training_refused").text()
    assert not bench.find(QPushButton, "training_go").isEnabled()
    assert not bench.jobs.running("finetune:finetune")

    # Corrected: nothing starts by itself, Start does.
    looked_at(bench, tmp_path, FOUND)
    assert not bench.jobs.running("finetune:finetune")
    bench.app.tuning.wish(epochs=5)
    click(bench, "training_go")
    first = training(bench)
    assert first.lane == "train"

    # After a validation both versions stand on the open slice, each with its hash.
    validate(bench, 2)
    answer_runs(bench, 2)
    sides = bench.pane().dress.sides
    assert sides == ("before · 1.0 · 55555555 · 2.00", "epoch 2 · cccccccc · 4.00")
    old_views = bench.session.views
    bench.press("Alt+B")
    assert bench.pane().dress.sides[0].startswith("epoch 2")
    assert bench.session.views is old_views

    # A pause, and an accident: the training goes on from its last whole epoch.
    click(bench, "training_pause")
    assert first.hint == "pause"
    first.fail(Cancelled("the process ended"))
    bench.settle()
    click(bench, "training_resume")
    assert training(bench).args[0].train.resume
    validate(bench, 4)
    answer_runs(bench, 4)
    assert "epoch 4" in bench.pane().dress.sides[0]
    assert bench.app.tuning.now.epoch == 4

    # Worse on the locked set: kept only after a second word; the parent stays as it was.
    throwaway_weights(bench.app.tuning.folder)
    training(bench).finish(worse_outcome("reference"))
    bench.settle()
    assert "Mean absolute error, locked set" in bench.find(QLabel, "training_worse").text()
    bench.app.tuning.keep("ward-1")
    assert [each.name for each in versions()] == before
    bench.app.tuning.keep("ward-1", accept_worse=True)
    bench.settle()
    assert located("anomaly@ward-1").own
    assert bench.session.swipe is None
    assert [each.name for each in versions()] == [*before, "anomaly@ward-1"]


def test_from_six_studies_read_here_to_a_training_that_leaves_sites_out(
    bench, tmp_path, monkeypatch
):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    bench.show()
    bench.window.show_panel("training")
    tuning = bench.app.tuning

    # Six studies with answers, one of them damaged since, and one nobody has answered to.
    click(bench, "training_library")
    said = ["abnormal: 1 of 2 findings agreed"] + ["normal: 1 finding rejected"] * 5
    cases = [read_here(n, words) for n, words in enumerate(said)]
    cases[5] = replace(cases[5], is_labelled=False, wrong="The file holds other pixels.")
    cases.append(read_here(6, "no answer yet", labelled=False))
    bench.jobs.running("local_work:gather")[0].finish(LocalCases(tuple(cases)))
    bench.settle()
    listed = bench.find(QTreeWidget, "training_library_list")
    assert listed.topLevelItemCount() == 7
    assert "holds other pixels" in bench.find(QLabel, "training_library_problems").text()

    # One is left out by hand; the others become a case list like any other.
    listed.topLevelItem(4).setCheckState(0, Qt.CheckState.Unchecked)
    click(bench, "training_use")
    writing = bench.jobs.running("local_work:write")[0]
    assert [case.case for case in writing.args[1]] == ["c0", "c1", "c2", "c3"]
    file = write(Silent(), *writing.args)
    writing.finish(file)
    assert len(read_rows(Path(file))) == 4
    bench.settle()

    # Nothing can be started before every file was read; one that ends the reader is one case.
    found = {**FOUND, "cases": 4, "patients": 4, "skipped": []}
    bench.jobs.running("finetune:survey")[0].finish(found)
    bench.settle()
    assert not bench.find(QPushButton, "training_go").isEnabled()
    reading = bench.jobs.running("case_check:check")[0]
    reading.send(Tried("cases/c2", "c2"))
    reading.fail(WorkerDied("the process ended"))
    again = bench.jobs.running("case_check:check")[0]
    (fault,) = again.args[3]
    again.finish({**found, "cases": 3, "skipped": [("c2", fault.text)]})
    bench.settle()
    assert "c2: the program that reads it ended at this file" in (
        bench.find(QLabel, "training_refused").text()
    )

    # The recipe is seen on a real case; then the training is started, with each site left out.
    click(bench, "training_preview_go")
    grey = Variant(np.zeros((4, 4), np.uint8))
    bench.jobs.running("augment_preview:preview")[0].finish(Varied("c0", "Tilted.", grey, (grey,)))
    bench.settle()
    assert bench.find(QWidget, "variant_1").toolTip() == "R on the left, L on the right"
    bench.find(QCheckBox, "training_sites").click()
    click(bench, "training_go")
    job = bench.jobs.running("left_sites:finetune_and_leave_sites")[0]
    assert job.args[0].train.data == (file,)
    assert not bench.find(QPushButton, "training_library").isEnabled()

    # What a site says that was not seen stands beside what was held out.
    throwaway_weights(tuning.folder)
    table = OUTCOME["before_after"]
    at_site = {
        name: [*table[name], *({**row, "group": "site:HH"} for row in table[name])]
        for name in ("metrics", "differences")
    }
    job.finish({**OUTCOME, "before_after": {**at_site, "worse": []}})
    bench.settle()
    words = [each.text() for each in bench.window.findChildren(QLabel) if each.isVisible()]
    assert "Site HH, left out" in words


def read_here(number, words, *, labelled=True):
    cells = {"case": f"c{number}", "patient": f"p{number}", "site": "HH", "t1": f"/s/{number}.nii"}
    return LocalCase(
        f"c{number}", f"p{number}", f"P{number}", tuple(cells.items()), words, labelled
    )
