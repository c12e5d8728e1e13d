"""The forest of site effects: what a card keeps, and where it is drawn."""

import math

import pytest
from PySide6.QtGui import QColor

from medview.ui.panels.forest import Effect, ForestPlot, effects_of
from medview.ui.theme import current

KEPT = [
    {"site": "HH", "rows": 20, "effect_years": -0.5, "low": -1.0, "high": 0.25},
    {"site": "Guys", "rows": 9, "effect_years": 1.5, "low": 0.5, "high": 3.0},
]


def test_effects_of_a_card_come_largest_first_and_damaged_ones_are_left_out():
    odd = [{"site": "A", "effect_years": None}, "B", {**KEPT[0], "low": math.nan}]
    found = effects_of([*KEPT, *odd])
    assert found == (Effect("Guys", 9, 1.5, 0.5, 3.0), Effect("HH", 20, -0.5, -1.0, 0.25))
    assert effects_of(None) == effects_of({"HH": 1}) == ()


def test_effects_of_log_odds_have_no_unit(qtbot):
    (effect,) = effects_of([{"site": "A", "effect_log_odds": 0.7, "low": 0.4, "high": 0.9}])
    assert effect == Effect("A", 0, 0.7, 0.4, 0.9, "")
    made = ForestPlot((effect,))
    qtbot.addWidget(made)
    assert (made.unit, ForestPlot(effects_of(KEPT)).unit) == ("", "y")
    assert "log-odds" in made.toolTip()


@pytest.fixture
def plot(qtbot):
    made = ForestPlot(effects_of(KEPT), "HH")
    qtbot.addWidget(made)
    made.resize(300, made.height())
    return made


def test_years_lie_along_a_line_that_holds_zero(plot):
    assert plot.span == (-1.0, 3.0)
    assert plot.place(-1.0) < plot.place(0.0) < plot.place(3.0) <= 300
    assert plot.place(1.0) == pytest.approx((plot.place(-1.0) + plot.place(3.0)) / 2)
    only = ForestPlot((Effect("A", 3, 2.0, 1.0, 3.0),))
    assert only.span[0] == 0.0


def test_the_site_of_the_result_is_drawn_in_the_colour_of_the_patient(plot):
    image = plot.grab().toImage()
    accent = QColor(current().accent)

    def near(row):
        return image.pixelColor(round(plot.place(plot.effects[row].value)), 7 + 14 * row)

    assert near(1) == accent
    assert near(0) != accent
