"""The card that runs models: queue, what a run takes, devices by name, silence."""

from dataclasses import replace

import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QWidget,
)
from services.stubs import CARD, result_about
from ui.fakes import make_bench

from medview.domain.card import InputSpec
from medview.domain.errors import OUT_OF_MEMORY, ModelInputError, WorkerDied
from medview.io.result_index import Entry
from medview.services import takes
from medview.services.calling import called
from medview.services.session_values import Task
from medview.services.tasks import mark_silent
from medview.ui.panels.analysis import AnalysisCard, estimate_words, progress_words

OTHER = replace(CARD, id="other", title="Other")
ENTRY = Entry(
    "1", "1.2", "1.1#0", "abc", "anomaly", "1.0", "", "", "cpu", 30.0, 2048.0, 40 * 44 * 36
)


@pytest.fixture
def bench(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("medview.ui.closing.ask", lambda *_: True)
    made = make_bench(tmp_path, CARD, OTHER, results=tmp_path / "results")
    qtbot.addWidget(made.window)
    made.window.show()
    made.show()
    return made


def run(bench, model):
    bench.find(QRadioButton, f"model_{model}").click()
    bench.find(QPushButton, "analysis_run").click()
    return bench.jobs.running("predict:run")[-1]


def said(bench):
    queue = bench.find(QWidget, "analysis_queue")
    return [each.text() for each in queue.findChildren(QLabel)]


def test_a_second_model_waits_and_can_be_taken_out(bench):
    first = run(bench, "anomaly")
    second = run(bench, "other")
    first.report(8, 40, "slice 8 / 40", 12.0)
    assert said(bench) == ["Anomaly · 20 % · slice 8 / 40 · 12 s left", "Other · waiting"]
    bench.find(QPushButton, "analysis_cancel_1").click()
    assert second.is_over
    assert not first.is_over
    assert said(bench) == ["20 % · slice 8 / 40 · 12 s left"]


def test_a_run_on_an_image_that_was_left_says_which_and_when_it_is_there(bench):
    job = run(bench, "anomaly")
    job.report(8, 40, "slice 8 / 40", 12.0)
    left, series = bench.session.volume_id, bench.session.series
    bench.show(uid="1.9", description="Another head")
    job.report(9, 40, "slice 9 / 40", 11.0)
    (line,) = said(bench)
    assert line.startswith(f"Anomaly on {called(bench.session, series)}, not on screen · 22 %")
    job.finish(result_about(left))
    assert said(bench) == []
    assert "is there as soon as it is shown again" in bench.session.message.text
    assert bench.session.results == ()


def test_a_run_on_what_is_on_screen_ends_without_a_word(bench):
    made = result_about(bench.session.volume_id, bench.session.volume)
    run(bench, "anomaly").finish(made)
    assert bench.session.message is None
    assert len(bench.session.results) == 1


def test_a_model_that_runs_on_these_pixels_cannot_be_started_twice(bench):
    run(bench, "anomaly")
    bench.find(QRadioButton, "model_anomaly").click()
    assert bench.find(QPushButton, "analysis_run").text() == "Running"
    bench.find(QRadioButton, "model_other").click()
    assert bench.find(QPushButton, "analysis_run").isEnabled()


def test_silence_is_said_with_what_to_do(bench):
    job = run(bench, "anomaly")
    mark_silent(bench.session, job)
    assert "no answer for a while; Cancel ends it and starts afresh" in said(bench)[0]


def test_what_a_run_takes_is_told_from_the_last_one_here(bench):
    assert "another machine" in bench.find(QLabel, "analysis_estimate").text()
    bench.jobs.running("shelf_work:runs")[0].finish((ENTRY,))
    bench.find(QRadioButton, "model_other").click()
    bench.find(QRadioButton, "model_anomaly").click()
    told = bench.find(QLabel, "analysis_estimate").text()
    assert told == "About 30 s, 2.0 GB, as in the last run here (CPU)."


def test_before_the_first_run_the_figures_of_another_machine_are_told(bench, monkeypatch):
    voxels_m = 40 * 44 * 36 / 1e6
    monkeypatch.setitem(takes.TAKES, "anomaly", takes.Take(10.0, 0.0, 4 / voxels_m, 1200.0))
    bench.find(QRadioButton, "model_other").click()
    bench.find(QRadioButton, "model_anomaly").click()
    told = bench.find(QLabel, "analysis_estimate")
    bench.find(QSpinBox, "run_samples").setValue(5)
    assert told.text() == "About 30 s, 1.2 GB, as measured on another machine (CPU)."
    bench.find(QSpinBox, "run_samples").setValue(10)
    assert told.text().startswith("About 50 s")


def test_too_little_memory_is_said_before_the_start():
    told = takes.Estimate(5.0, 3000.0, "cpu")
    assert estimate_words(told, 800.0).endswith("Only 0.8 GB are free now.")
    assert "free" not in estimate_words(told, 4000.0)
    assert "free" not in estimate_words(told, None)


@pytest.mark.parametrize(
    ("driver", "devices", "ways"),
    [
        (False, None, ["Smaller batch"]),
        (True, None, ["Smaller batch", "CPU"]),
        (True, [("cpu", "CPU")], ["Smaller batch"]),
        (False, [("cpu", "CPU"), ("cuda:0", "A card")], ["Smaller batch", "CPU"]),
    ],
)
def test_the_cpu_is_a_way_on_only_from_a_gpu(bench, monkeypatch, driver, devices, ways):
    monkeypatch.setattr("medview.services.analysis.may_have_gpu", lambda: driver)
    if devices is not None:
        bench.find(QPushButton, "analysis_more").click()
        bench.jobs.running("devices:devices_here")[0].finish(tuple(devices))
    job = run(bench, "anomaly")
    job.fail(WorkerDied("The process ran out of memory", code=OUT_OF_MEMORY))
    assert [way.text for way in bench.session.message.ways] == ways


def test_where_memory_ran_out_less_can_be_tried(bench, monkeypatch):
    monkeypatch.setattr("medview.services.analysis.may_have_gpu", lambda: True)
    bench.jobs.running("shelf_work:runs")[0].finish((ENTRY,))
    job = run(bench, "anomaly")
    job.fail(WorkerDied("The process ran out of memory", code=OUT_OF_MEMORY, do="Try again."))
    (said,) = bench.window.notes.texts()
    assert "A run needs about 2.0 GB; " in said
    assert "GB are free" in said
    bench.find(QPushButton, "note_1_choice_0").click()
    smaller = bench.jobs.running("predict:run")[-1]
    assert (smaller.args[0].batch, smaller.args[0].device) == (1, "auto")
    smaller.fail(WorkerDied("The process ran out of memory", code=OUT_OF_MEMORY, do="Again."))
    # A batch of one can be no smaller.
    assert [way.text for way in bench.session.message.ways] == ["CPU"]
    bench.find(QPushButton, "note_2_choice_0").click()
    on_cpu = bench.jobs.running("predict:run")[-1].args[0]
    assert (on_cpu.batch, on_cpu.device) == (1, "cpu")


def test_what_was_offered_for_one_series_is_not_run_on_another(bench):
    run(bench, "anomaly").fail(WorkerDied("No memory", code=OUT_OF_MEMORY, do="Again."))
    bench.show(uid="1.9")
    bench.find(QPushButton, "note_1_choice_0").click()
    assert not bench.jobs.running("predict:run")
    assert bench.window.notes.texts()[0].startswith("T1 1.1 is not on screen any more.")


def test_the_bar_and_its_key_follow_what_the_card_can_run(bench):
    bench.show()
    action = bench.window.table["analysis.run"]
    bench.press("F5")
    assert not action.isEnabled()
    bench.jobs.running("predict:run")[-1].fail(ModelInputError("no brain was found"))
    bench.settle()
    assert bench.find(QPushButton, "analysis_run").isEnabled()
    assert action.isEnabled()


def test_other_errors_offer_nothing(bench):
    run(bench, "anomaly").fail(WorkerDied("The process stopped (signal 11)", do="Try again."))
    assert bench.window.findChild(QPushButton, "note_1_choice_0") is None


def test_before_the_first_figure_it_is_starting():
    task = Task(1, "Anomaly", lambda: None)
    assert progress_words(task, waits=False, head="") == "starting"


def test_models_that_do_not_fit_stand_behind_a_link_with_their_reasons(qtbot, tmp_path):
    needs = (InputSpec("film", "a frontal chest film", modalities=("CR", "DX")),)
    film = replace(CARD, id="film", title="Film", inputs=needs)
    made = make_bench(tmp_path, CARD, film)
    qtbot.addWidget(made.window)
    made.window.show()
    made.show()
    link = made.find(QPushButton, "analysis_others")
    other = made.window.findChild(QRadioButton, "model_film")
    assert link.text() == "1 more, for other data ▸"
    assert not other.isVisible()
    link.click()
    assert other.isVisible()
    assert not other.isEnabled()
    reasons = [each.text() for each in other.parentWidget().findChildren(QLabel)]
    assert reasons
    assert all(each.startswith("Needs ") for each in reasons)


def test_where_no_model_fits_none_is_called_one_more(qtbot, tmp_path):
    film = replace(CARD, id="film", inputs=(InputSpec("film", "a chest film", modalities=("CR",)),))
    table = replace(CARD, id="table", inputs=(InputSpec("smri", "a table of features"),))
    made = make_bench(tmp_path, film, table)
    qtbot.addWidget(made.window)
    made.window.show()
    made.show()
    assert made.find(QPushButton, "analysis_others").text() == "None of 2 models fits ▾"
    assert made.window.findChild(QRadioButton, "model_table").isVisible()


def test_of_a_single_plane_models_for_films_come_first(qtbot, tmp_path):
    plane = replace(CARD, inputs=(InputSpec("t1", "a T1 volume or slice"),))
    film = replace(CARD, id="film", title="Film", inputs=(InputSpec("film", "a chest film"),))
    made = make_bench(tmp_path, plane, film)
    qtbot.addWidget(made.window)
    made.window.show()
    made.window.show_panel("results")
    film_like = phantom_on(geometry_of("LPS", (1, 44, 40), (3.0, 3.0, 3.0)))
    made.show(film_like, modality="", description="a picture")
    choices = made.window.findChild(AnalysisCard).findChildren(QRadioButton)
    assert all(each.isEnabled() for each in choices)
    places = {each.objectName(): each.mapTo(made.window, each.pos()).y() for each in choices}
    assert places["model_film"] < places[f"model_{CARD.id}"]
    assert [each.objectName() for each in choices if each.isChecked()] == ["model_film"]


def test_a_reason_that_all_models_share_is_said_once(qtbot, tmp_path):
    made = make_bench(tmp_path, CARD, OTHER)
    qtbot.addWidget(made.window)
    made.window.show()
    made.window.show_panel("results")
    made.settle()
    card = made.window.findChild(AnalysisCard)
    texts = [each.text() for each in card.findChildren(QLabel) if each.isVisible()]
    assert texts.count("No series is open. Open one.") == 1
    assert made.window.findChild(QPushButton, "analysis_others") is None
    choices = card.findChildren(QRadioButton)
    assert len(choices) == 2
    assert not any(each.isEnabled() for each in choices)


def test_a_model_of_brains_is_not_kept_where_a_film_comes(qtbot, tmp_path):
    brain = replace(CARD, inputs=(InputSpec("t1", "a T1 volume or slice"),))
    film = replace(CARD, id="film", title="Film", inputs=(InputSpec("film", "a chest film"),))
    made = make_bench(tmp_path, brain, film)
    qtbot.addWidget(made.window)
    made.window.show()
    made.window.show_panel("results")
    card = made.window.findChild(AnalysisCard)

    def chosen():
        return [each.objectName() for each in card.findChildren(QRadioButton) if each.isChecked()]

    made.show(modality="")
    assert chosen() == [f"model_{CARD.id}"]
    first, second = (phantom_on(geometry_of("LPS", (1, 44, n), (3.0, 3.0, 3.0))) for n in (40, 42))
    made.show(first, "1.2", modality="", description="a picture")
    assert chosen() == ["model_film"]
    # What is chosen with a film before the eyes stays so for the next one.
    card.findChild(QRadioButton, f"model_{CARD.id}").click()
    made.show(second, "1.3", modality="", description="another picture")
    assert chosen() == [f"model_{CARD.id}"]
