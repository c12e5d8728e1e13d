"""What is chosen for a run reaches it."""

import pytest
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QRadioButton
from services.stubs import CARD
from ui.fakes import make_bench


@pytest.fixture
def bench(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("medview.ui.closing.ask", lambda *_: True)
    made = make_bench(tmp_path, CARD, results=tmp_path / "results")
    qtbot.addWidget(made.window)
    made.window.show()
    made.show()
    return made


def run(bench, model):
    bench.find(QRadioButton, f"model_{model}").click()
    bench.find(QPushButton, "analysis_run").click()
    return bench.jobs.running("predict:run")[-1]


def test_devices_are_listed_by_name_when_the_options_are_opened(bench):
    bench.find(QPushButton, "analysis_more").click()
    bench.jobs.running("devices_here")[0].finish((("cpu", "CPU"), ("cuda:0", "A card")))
    box = bench.find(QComboBox, "run_device")
    assert [box.itemText(n) for n in range(box.count())] == ["Automatic", "CPU", "A card"]
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert run(bench, "anomaly").args[0].device == "cuda:0"


def test_precision_reaches_the_run(bench):
    bench.find(QComboBox, "run_precision").setCurrentText("bfloat16")
    assert run(bench, "anomaly").args[0].precision == "bfloat16"


def test_the_readers_name_is_kept_for_the_answers(bench):
    field = bench.find(QLineEdit, "reader_name")
    field.setText("A. Reader")
    field.editingFinished.emit()
    assert bench.app.preferences.settings.reader == "A. Reader"
