"""The learning rate in the training panel: written, searched, taken over."""

import pytest
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QLabel, QPushButton
from ui.panels.test_training import looked_at, panel, with_all_models  # noqa: F401  # a fixture

from medview.domain.errors import DataError
from medview.ui.panels.training_rate import RateField, RatePlot

FOUND = {
    "points": [[1e-6, 1.0, 1.0], [1e-4, 0.8, 0.8], [1e-2, 0.5, 0.5], [1e-1, 3.0, 3.0]],
    "suggested": 1.04e-3,
    "why": "the loss is 50% lower at 0.01",
}


def test_a_rate_is_read_and_written_as_powers_of_ten(qtbot):
    field = RateField()
    qtbot.addWidget(field)
    field.setDecimals(9)
    field.setRange(0, 10)
    field.setSpecialValueText("recipe")
    assert field.text() == "recipe"
    field.lineEdit().setText("3e-4")
    field.interpretText()
    assert field.value() == pytest.approx(3e-4)
    assert field.text() == "0.0003"
    assert field.validate("3e-", 3)[0] == QValidator.State.Intermediate
    field.stepBy(4)
    assert field.value() == pytest.approx(3e-3)
    field.lineEdit().setText("0,02")
    field.interpretText()
    assert field.value() == pytest.approx(0.02)
    for odd in ("nan", "inf", "fast"):
        field.lineEdit().setText(odd)
        field.interpretText()
        assert field.value() == 0.0


def test_low_losses_lie_low_and_rates_by_their_logarithm(qtbot):
    plot = RatePlot()
    qtbot.addWidget(plot)
    plot.resize(300, 96)
    plot.show_points(FOUND["points"], 1e-3)
    first, middle = plot.place(1e-6, 1.0), plot.place(1e-2, 0.5)
    assert middle.y() > first.y()
    assert plot.place(1e-4, 1).x() - first.x() == pytest.approx(
        middle.x() - plot.place(1e-4, 1).x()
    )
    assert not plot.grab().isNull()


def test_what_was_found_is_taken_over_by_a_click_and_trained_with(bench, panel, tmp_path):  # noqa: F811
    looked_at(bench, tmp_path)
    bench.find(QPushButton, "training_rate_find").click()
    (job,) = bench.jobs.running("rate_finder:find_rate")
    assert job.lane == "train"
    bench.settle()
    assert not bench.find(QPushButton, "training_go").isEnabled()
    job.finish(FOUND)
    bench.settle()
    assert not bench.find(RatePlot, "training_rate_plot").isHidden()
    assert "50% lower" in bench.find(QLabel, "training_rate_words").text()
    take = bench.find(QPushButton, "training_rate_take")
    assert take.text() == "Use 0.0010"
    take.click()
    bench.settle()
    assert bench.app.tuning.now.wish.rate == 1e-3
    assert take.parentWidget().isHidden()
    bench.find(QPushButton, "training_go").click()
    (job,) = bench.jobs.running("finetune:finetune")
    assert job.args[0].train.recipe["rate"] == 1e-3


def test_a_search_is_cancelled_and_a_trouble_is_told(bench, panel, tmp_path):  # noqa: F811
    looked_at(bench, tmp_path)
    find = bench.find(QPushButton, "training_rate_find")
    find.click()
    bench.settle()
    assert find.text() == "Cancel"
    find.click()
    assert not bench.jobs.running("rate_finder:find_rate")
    bench.settle()
    assert (find.text(), bench.find(QLabel, "training_rate_words").text()) == ("Search", "")
    find.click()
    bench.jobs.running("rate_finder:find_rate")[-1].fail(DataError("too few", do="Add some."))
    bench.settle()
    assert bench.find(QLabel, "training_rate_words").text() == "Too few. Add some."


def test_a_rate_of_one_model_is_none_of_another(bench, panel, tmp_path):  # noqa: F811
    looked_at(bench, tmp_path)
    bench.app.tuning.wish(rate=1e-3)
    other = next(
        v for v in with_all_models(bench).choices() if v.card.id != bench.app.tuning.now.model
    )
    bench.app.tuning.wish(version=other.name)
    assert bench.app.tuning.now.wish.rate == 0
