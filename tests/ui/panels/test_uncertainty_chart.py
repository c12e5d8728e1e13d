"""The chart of errors beside predicted deviations: places, colours, and where it stands."""

from dataclasses import replace

import pytest
from PySide6.QtGui import QColor
from services.stubs import CARD

from medview.domain.card import Figure
from medview.domain.uncertainty_plot import uncertainty_plot
from medview.io.cards import write_card
from medview.ui.panels.uncertainty_chart import UncertaintyChart
from medview.ui.theme import current

FIGURES = tuple(
    Figure(name, value, "set", value - 0.02, value + 0.02, 9, group=f"uncertainty:{k}/2")
    for k, (error, predicted) in enumerate(((0.10, 0.12), (0.16, 0.18)), start=1)
    for name, value in (("rmse", error), ("predicted_sd", predicted))
)


@pytest.fixture
def chart(qtbot):
    made = UncertaintyChart(uncertainty_plot(FIGURES))
    qtbot.addWidget(made)
    made.resize(300, made.height())
    return made


def test_axes_grow_to_the_right_and_up(chart):
    low, high = chart.plot.x
    first, last = chart.place(low, low), chart.place(high, high)
    assert 0 < first.x() < last.x() <= 300
    assert 0 < last.y() < first.y() <= chart.height()


def test_dots_are_drawn_where_the_figures_are(chart):
    picture = chart.grab().toImage()
    scale = picture.width() / 300
    for point in chart.plot.dots:
        at = chart.place(*point) * scale
        assert picture.pixelColor(at.toPoint()) == QColor(current().accent)


def test_the_whole_card_of_a_model_with_such_figures_shows_it(bench, tmp_path):
    bench.window.show_panel("models")
    assert not bench.window.findChildren(UncertaintyChart)
    own = tmp_path / "models" / "anomaly" / "mine" / "card.json"
    write_card(replace(CARD, version="mine", measured=FIGURES), own)
    bench.app.models.changed.emit()
    (shown,) = bench.window.findChildren(UncertaintyChart)
    assert shown.accessibleName().startswith("Error by predicted deviation: 0.100 at 0.120")
