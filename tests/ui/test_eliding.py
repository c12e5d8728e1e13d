from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument

from medview.ui.controls import label
from medview.ui.eliding import ElidedButton, ElidedLabel


def test_a_long_text_ends_in_dots_and_has_its_tip(qtbot):
    made = ElidedLabel("a very long name of a series indeed")
    qtbot.addWidget(made)
    made.show()
    made.resize(60, 20)
    assert made.text().endswith("…")
    assert made.toolTip() == "a very long name of a series indeed"
    made.resize(600, 20)
    assert made.text() == "a very long name of a series indeed"
    assert made.toolTip() == ""


def test_a_text_that_looks_like_a_page_is_shown_as_it_is(qtbot):
    text = '<img src="file:///etc/x.png">T1 <b>bold</b> of a very long series'
    made = ElidedLabel(text)
    qtbot.addWidget(made)
    made.show()
    made.resize(60, 20)
    assert made.textFormat() is Qt.TextFormat.PlainText
    page = QTextDocument()
    page.setHtml(made.toolTip())
    assert page.toPlainText() == text
    assert label(text).textFormat() is Qt.TextFormat.PlainText


def test_a_shorter_text_stands_where_the_whole_one_does_not_fit(qtbot):
    texts = ("M-AVAE brain age 1.0 · CPU", "M-AVAE brain age 1.0", "brain-age 1.0")
    made = ElidedLabel(texts[0], shorter=texts[1:])
    qtbot.addWidget(made)
    made.show()
    for text in texts:
        made.resize(made.fontMetrics().horizontalAdvance(text) + 1, 20)
        assert made.text() == text
        assert made.toolTip() == ("" if text == texts[0] else texts[0])
    made.resize(30, 20)
    assert made.text().endswith("…")
    assert texts[2].startswith(made.text()[:-1])


def test_a_button_takes_no_more_room_than_there_is_and_its_tip_tells_what_is_cut(qtbot):
    made = ElidedButton("What the model saw, anomaly 1.0", "long", "Choose <this> map")
    qtbot.addWidget(made)
    made.resize(90, 24)
    made.show()
    assert made.text().endswith("…")
    assert made.accessibleName() == "What the model saw, anomaly 1.0"
    assert made.toolTip().startswith("<qt>What the model saw, anomaly 1.0<br>Choose &lt;this&gt;")
    made.resize(400, 24)
    assert made.text() == "What the model saw, anomaly 1.0"
    assert "What the model saw" not in made.toolTip()
