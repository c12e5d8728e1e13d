from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.prediction import Score
from medview.ui.drawing_tools import LengthTool


def panel(head):
    head.window.show_panel("report")
    return head.window.side.shown


def texts(head):
    return " ".join(each.text() for each in panel(head).findChildren(QLabel))


def field(head, key):
    panel(head)
    return head.find(QPlainTextEdit, f"report_{key}")


def choose(combo, value):
    combo.setCurrentIndex(combo.findData(value))
    combo.activated.emit(combo.currentIndex())


def test_words_belong_to_the_study_on_screen(head):
    field(head, "impression").setPlainText("Metastasis likely.")
    field(head, "comparison").setPlainText("02 Sep 2025")
    assert head.app.reading.words.impression == "Metastasis likely."
    assert head.app.reading.words.comparison == "02 Sep 2025"
    head.show(uid="5.5")
    assert field(head, "impression").toPlainText() in ("Metastasis likely.", "")


def test_the_study_before_is_one_click_away_as_the_comparison(head):
    (patient,) = head.session.catalogue.patients
    (own,) = patient.studies
    before = replace(own, uid="0.9", date="2024-03-02", description="MR head", series=())
    head.session.catalogue = replace(
        head.session.catalogue, patients=(replace(patient, studies=(own, before)),)
    )
    panel(head)
    link = head.find(QPushButton, "report_earlier")
    assert link.isVisible()
    assert link.text() == "Compared with 02 Mar 2024"
    link.click()
    assert field(head, "comparison").toPlainText() == "02 Mar 2024, MR head"
    assert not link.isVisible()
    field(head, "comparison").clear()
    assert link.isVisible()
    head.session.private = True
    assert not link.isVisible()


def test_with_nothing_open_nothing_can_be_written(bench):
    bench.window.show_panel("report")
    for key in ("report_export", "report_sign"):
        assert not bench.find(QPushButton, key).isEnabled()
    assert not bench.find(QPlainTextEdit, "report_findings").isEnabled()
    assert not bench.find(QComboBox, "report_template").isEnabled()


def test_it_says_what_will_stand_in_the_report(head):
    assert "No model has been run" in texts(head)
    head.add_result("score")
    assert "Holds the result of Anomaly 1.0: 1.83, 0 findings." in texts(head)


def test_what_is_said_of_nothing_measured_names_the_key_in_force_at_first(head):
    (line,) = panel(head).menu("measurement").actions()
    assert f"({LengthTool.shortcut} measures a length)" in line.text()


def test_of_several_results_each_is_named(head):
    head.add_result("score")
    older = head.session.results[-1]
    age = replace(older, model="brain-age", scores=(Score("age", 37.24, unit="years"),))
    head.session.predictions = {head.session.volume_id: (older, age)}
    head.settle()
    assert "Holds the results of Anomaly 1.0: 1.83, brain-age 1.0: 37.2, 0 findings." in texts(head)


def test_paper_is_kept(head):
    panel(head)
    choose(head.find(QComboBox, "report_paper"), "letter")
    assert head.app.preferences.settings.paper == "letter"


def test_a_template_brings_its_list_where_nothing_was_written(head):
    findings = field(head, "findings")
    template = head.find(QComboBox, "report_template")
    choose(template, "chest-film")
    assert findings.toPlainText().startswith("Position of the patient, tubes and lines:")
    choose(template, "brain-mri")  # an untouched list goes with its template
    assert findings.toPlainText().startswith("Brain parenchyma:")
    findings.setPlainText("My own words.")
    choose(template, "icu-film")
    assert findings.toPlainText() == "My own words."
    assert head.app.reading.draft.template == "icu-film"


def test_what_is_inserted_lands_at_the_cursor_of_the_text_used_last(head):
    series = head.session.series.key
    head.session.key_images = {series: (KeyImage(Plane.AXIAL, 4),)}
    impression = field(head, "impression")
    impression.setPlainText("A cyst")
    impression.setFocus()
    QTest.keyClick(impression, Qt.Key.Key_End)
    (act,) = panel(head).menu("key image").actions()
    act.trigger()
    assert impression.toPlainText() == "A cyst (key image 1, axial 5)"
    assert field(head, "findings").toPlainText() == ""


@pytest.mark.parametrize("kind", ["measurement", "key image", "result"])
def test_where_there_is_nothing_to_insert_it_says_how_to_get_some(head, kind):
    (act,) = panel(head).menu(kind).actions()
    assert not act.isEnabled()
    assert "yet" in act.text()


def test_signing_needs_a_name_and_later_words_are_an_amendment(head):
    field(head, "impression").setPlainText("Benign.")
    sign = head.find(QPushButton, "report_sign")
    head.find(QLineEdit, "report_signer").setText("  Dr Doe ")
    head.find(QLineEdit, "report_role").setText("radiologist")
    assert head.app.reading.signer == "Dr Doe"
    field(head, "impression").setPlainText("")
    sign.click()
    (refusal,) = head.window.notes.texts()
    field(head, "impression").setPlainText("Benign.")
    sign.click()
    assert refusal not in head.window.notes.texts()
    assert "FINAL" in texts(head)
    assert "Dr Doe, radiologist · signed" in texts(head)
    assert not sign.isEnabled()
    field(head, "impression").setPlainText("Malignant.")
    assert "DRAFT AMENDMENT" in texts(head)
    assert "Impression changed; before: “Benign.”" in texts(head)
    assert (sign.isEnabled(), sign.text()) == (True, "Sign the amendment")
    # Beside the scroll bar of a small window a card has this much room.
    assert head.find(QWidget, "report_signing").minimumSizeHint().width() <= 306


def test_fields_have_room_for_their_lines_at_any_size_of_letters(head):
    question, findings = field(head, "question"), field(head, "findings")
    line = question.fontMetrics().lineSpacing()
    assert 2 * line < question.height() < 2 * line + 40
    assert findings.height() - question.height() == 4 * line
    before = findings.height()
    findings.setStyleSheet("font-size: 30px")
    assert findings.height() > 1.5 * before


def test_with_the_keyboard_alone_one_comes_from_the_question_to_the_export(head, qtbot):
    at = field(head, "question")
    at.setFocus()
    reached = []
    for _ in range(60):
        at = at.nextInFocusChain()
        if at.isVisible() and at.isEnabled() and at.focusPolicy() & Qt.FocusPolicy.TabFocus:
            reached.append(at.objectName())
    wanted = [
        *("report_comparison", "report_findings", "report_insert_measurement"),
        *("report_impression", "report_signer", "report_role", "report_sign"),
        *("report_paper", "report_preview_open", "report_export"),
    ]
    places = [reached.index(each) for each in wanted]
    assert places == sorted(places)
