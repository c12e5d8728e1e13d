from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QRadioButton, QSpinBox
from ui.fakes import two_findings

from medview.domain.errors import Cancelled
from medview.domain.prediction import MapSlices, Score
from medview.domain.volume import Volume
from medview.ui.containers import Card
from medview.ui.panels.findings import FindingsList
from medview.ui.panels.result_card import made_words
from medview.ui.panels.results import ResultCard

FIVE = ("score", "residual", "epistemic", "aleatoric", "total")


def said(widget):
    return " | ".join(each.text() for each in widget.findChildren(QLabel) if not each.isHidden())


def panel(bench):
    return bench.window.side.shown


def card(bench):
    return panel(bench).findChild(ResultCard)


def test_one_line_first_value_interval_and_what_it_is_compared_with(head):
    head.add_result(*FIVE)
    assert head.find(QLabel, "result_value").text() == "1.83"
    rest = head.find(QLabel, "result_rest").text()
    assert rest == "1.61\u00a0–\u2060\u00a02.10 · above 98 % of normals"
    assert "unusual" in said(card(head))
    assert "Anomaly 1.0 · CPU" in said(card(head))


def test_a_value_that_is_not_there_is_said_with_its_reason(head):
    head.add_result("score")
    result = head.session.results[0]
    gone = Score("gap_corrected", None, status="not_available", meaning="no age given")
    head.session.predictions = {head.session.volume_id: (replace(result, scores=(gone,)),)}
    assert head.find(QLabel, "result_value").text() == "–"
    assert head.find(QLabel, "result_rest").text() == "no age given"


def test_results_belong_to_the_pixels_on_screen(head):
    head.add_result("score")
    assert card(head) is not None
    head.show(uid="1.8")
    assert card(head) is None or card(head).isHidden()
    assert head.frame().tints == ()


def test_the_model_that_fits_can_be_run_and_its_slices_appear(head):
    head.find(QPushButton, "analysis_run").click()
    job = head.jobs.running("predict:run")[0]
    job.report(8, 40, "slice 8 / 40", 12.0)
    assert head.find(QProgressBar, "analysis_bar").value() == 8
    assert "slice 8 / 40" in said(panel(head))
    assert not head.find(QPushButton, "analysis_run").isEnabled()
    grid = head.session.volume.geometry
    block = np.full((1, *grid.shape[1:]), 9.0, np.float32)
    job.send(MapSlices("score", grid.shape[0] // 2, block))
    assert head.session.map("score") is not None
    assert head.frame().tints


def test_cancel_leaves_no_overlay_and_run_is_possible_again(head):
    head.find(QPushButton, "analysis_run").click()
    job = head.jobs.running("predict:run")[0]
    job.report(8, 40, "slice 8 / 40", 12.0)
    grid = head.session.volume.geometry
    job.send(MapSlices("score", 3, np.full((1, *grid.shape[1:]), 9.0, np.float32)))
    head.find(QPushButton, "analysis_cancel").click()
    assert head.session.maps == ()
    assert head.frame().tints == ()
    assert head.find(QPushButton, "analysis_run").isEnabled()
    assert head.window.notes.texts() == []


def test_a_stop_is_not_told_as_an_error(head):
    head.find(QPushButton, "analysis_run").click()
    head.jobs.running("predict:run")[0].fail(Cancelled("stopped by the user"))
    assert head.window.notes.texts() == []


def test_what_does_not_fit_says_why_and_cannot_be_run(bench):
    grid = geometry_of("LPS", (1, 20, 30), (1.0, 1.0, 1.0))
    bench.show(Volume(np.ones((1, 20, 30), np.int16), grid, modality="DX"), modality="DX")
    assert not bench.find(QRadioButton, "model_anomaly").isEnabled()
    assert not bench.find(QPushButton, "analysis_run").isEnabled()
    assert "this is a film" in said(panel(bench))


def test_samples_and_seed_reach_the_run(head):
    head.find(QPushButton, "analysis_more").click()
    head.find(QSpinBox, "run_samples").setValue(20)
    head.find(QSpinBox, "run_seed").setValue(7)
    head.find(QPushButton, "analysis_run").click()
    request = head.jobs.running("predict:run")[0].args[0]
    assert (request.samples, request.seed) == (20, 7)


def test_without_a_choice_the_card_decides_on_samples(head):
    head.find(QPushButton, "analysis_run").click()
    assert head.jobs.running("predict:run")[0].args[0].samples is None


def test_the_steps_of_preparation_are_listed(head):
    head.add_result("score", "seen")
    assert "1. brain mask" in said(panel(head))
    head.find(QPushButton, "saw_show").click()
    assert head.session.map_name == "seen"
    assert head.find(QPushButton, "saw_show").text() == "Hide"
    head.find(QPushButton, "saw_show").click()
    assert head.session.map_name == "score"


def test_what_the_model_saw_is_that_of_the_result_whose_map_is_chosen(head):
    head.add_result("score", "seen")
    about = head.session.volume_id
    (first,) = head.session.results
    second = replace(first, version="1.1", preparation=("another mask",))
    head.session.predictions = {about: (first, second)}
    head.settle()
    assert "1. another mask" in said(panel(head))
    assert head.session.key_of(second, "seen") == "seen"
    older = head.session.key_of(first, "score")
    head.app.viewing.maps.show_map(older)
    head.settle()
    assert "1. brain mask" in said(panel(head))
    head.find(QPushButton, "saw_show").click()
    assert head.session.map_name == head.session.key_of(first, "seen") == "seen|anomaly@1.0"
    assert head.find(QPushButton, "saw_show").text() == "Hide"


@pytest.fixture
def found(head):
    head.add_result("score", findings=two_findings(head.session.volume))
    return head


def test_a_row_goes_to_its_finding(found):
    tree = found.window.findChild(FindingsList).tree
    tree.topLevelItem(1).setSelected(True)
    finding = found.session.findings[1]
    assert found.session.finding == finding
    assert found.frame().slice == finding.slice


def test_agree_is_kept_and_can_be_taken_back(found):
    found.press("N")
    found.find(QPushButton, "verdict_agree").click()
    tree = found.window.findChild(FindingsList).tree
    assert tree.topLevelItem(0).text(3) == "agree"
    assert found.app.reading.words.verdicts == {1: "agree"}
    assert list(found.session.opinions) == [(found.session.volume_id, "anomaly@1.0")]
    found.find(QPushButton, "verdict_agree").click()
    assert found.app.reading.words.verdicts == {}
    assert tree.topLevelItem(0).text(3) == "—"


def test_without_a_chosen_finding_there_is_nothing_to_agree_with(found):
    assert not found.find(QPushButton, "verdict_agree").isEnabled()


def test_no_finding_is_said_so(head):
    head.add_result("score")
    assert "No region of 0.2 ml or more is above the threshold" in said(panel(head))


def test_without_a_result_the_first_card_has_no_gap_above_it(head):
    cards = [each for each in panel(head).findChildren(Card) if each.isVisible()]
    inner = cards[0].parentWidget()
    top = min(each.y() for each in cards if each.parentWidget() is inner)
    assert top == inner.layout().contentsMargins().top()


def opened(bench):
    return card(bench).behind.is_open


def test_details_stay_open_when_a_result_is_made_anew_and_are_closed_elsewhere(head):
    head.add_result("score")
    assert not opened(head)
    head.find(QPushButton, "result_behind").click()
    first = head.session.volume_id
    head.session.predictions = {first: (replace(head.session.results[0], seed=7),)}
    head.settle()
    assert opened(head)
    # On other pixels one line comes first again.
    head.show(uid="1.7")
    head.add_result("score")
    assert not opened(head)
    head.session.predictions = {
        **head.session.predictions,
        first: (replace(head.session.predictions[first][0], seed=8),),
    }
    head.find(QPushButton, "result_behind").click()
    head.find(QPushButton, "result_behind").click()
    again = replace(head.session.results[0], seed=9)
    head.session.predictions = {**head.session.predictions, head.session.volume_id: (again,)}
    head.settle()
    assert not opened(head)


def test_how_long_a_run_took_stays_in_one_line_with_its_unit(head):
    head.add_result("score")
    words = made_words(replace(head.session.results[0], seconds=27.2))
    assert words.endswith("· 27\u00a0s")


def test_tab_goes_through_the_cards_as_they_are_seen(head):
    head.add_result("score", findings=two_findings(head.session.volume))
    reached, at = [], panel(head)
    for _ in range(400):
        at = at.nextInFocusChain()
        if at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isVisible() and at.isEnabled():
            reached.append(at.objectName())
    wanted = ["result_behind", "results_opacity", "findings", "model_anomaly", "analysis_more"]
    wanted += ["analysis_run", "saw_steps"]
    places = [reached.index(each) for each in wanted]
    assert places == sorted(places)
    # Nothing else of the window lies between them.
    assert not [each for each in reached[: places[-1]] if each.startswith("bar_")]


def test_the_keyboard_stays_in_the_card_from_run_to_cancel_and_back(head):
    head.window.activateWindow()
    run = head.find(QPushButton, "analysis_run")
    run.setFocus()
    run.click()
    head.settle()
    assert head.window.focusWidget().objectName() == "analysis_more"
    cancel = head.find(QPushButton, "analysis_cancel")
    cancel.setFocus()
    job = head.jobs.running("predict:run")[0]
    job.report(1, 40, "slice 1 / 40", 12.0)
    assert head.window.focusWidget() is cancel
    job.fail(Cancelled("stopped by the user"))
    head.settle()
    # Which of the two hangs on what is told first; both are in the last row of the card.
    assert head.window.focusWidget().objectName() in ("analysis_run", "analysis_more")
