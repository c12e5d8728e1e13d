"""A fine-tuning from the first look at the cases to a version that is kept, with real widgets."""

from dataclasses import replace

from PySide6.QtWidgets import QLabel, QPushButton
from services.stubs import result_about
from throwaway import throwaway_weights
from ui.panels.test_training import FOUND, OUTCOME, looked_at, write_history

from medview.domain.errors import Cancelled, DataError
from medview.domain.prediction import SliceScore
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
    leak = "1 patients are in the training part and in another part: P7"
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
    worse = {**OUTCOME["before_after"], "worse": ["reference mae"]}
    training(bench).finish({**OUTCOME, "before_after": worse})
    bench.settle()
    assert "reference mae" in bench.find(QLabel, "training_worse").text()
    assert not bench.app.tuning.keep("ward-1")
    assert [each.name for each in versions()] == before
    assert bench.app.tuning.keep("ward-1", accept_worse=True)
    bench.settle()
    assert located("anomaly@ward-1").own
    assert bench.session.swipe is None
    assert [each.name for each in versions()] == [*before, "anomaly@ward-1"]
