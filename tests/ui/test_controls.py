from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from medview.ui.containers import Row
from medview.ui.controls import clear


def test_clearing_a_layout_takes_its_widgets_out(qtbot):
    holder = QWidget()
    qtbot.addWidget(holder)
    rows = QVBoxLayout(holder)
    rows.addWidget(Row(QLabel("x"), 1, QLabel("z")))
    rows.addWidget(QLabel("y"))
    beside_them = QLabel("in no layout", holder)
    clear(rows)
    assert rows.count() == 0
    assert holder.findChildren(QLabel) == [beside_them]
