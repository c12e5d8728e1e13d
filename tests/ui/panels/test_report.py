from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton


def test_words_belong_to_the_study_on_screen(head):
    head.window.show_panel("report")
    field = head.find(QPlainTextEdit, "report_impression")
    field.setPlainText("Metastasis likely.")
    assert head.app.reading.words.impression == "Metastasis likely."
    head.show(uid="5.5")
    assert field.toPlainText() in ("Metastasis likely.", "")


def test_with_nothing_open_nothing_can_be_written(bench):
    bench.window.show_panel("report")
    assert not bench.find(QPushButton, "report_export").isEnabled()
    assert not bench.find(QPlainTextEdit, "report_findings").isEnabled()


def test_it_says_what_will_stand_in_the_report(head):
    head.window.show_panel("report")
    text = " ".join(each.text() for each in head.window.side.currentWidget().findChildren(QLabel))
    assert "No model has been run" in text
    head.add_result("score")
    text = " ".join(each.text() for each in head.window.side.currentWidget().findChildren(QLabel))
    assert "Holds the result of anomaly 1.83, 0 findings." in text


def test_signer_and_paper_are_kept(head):
    head.window.show_panel("report")
    head.find(QLineEdit, "report_signer").setText("  Dr Doe ")
    assert head.app.reading.signer == "Dr Doe"
    paper = head.find(QComboBox, "report_paper")
    paper.setCurrentIndex(paper.findData("letter"))
    paper.activated.emit(paper.currentIndex())
    assert head.app.preferences.settings.paper == "letter"
