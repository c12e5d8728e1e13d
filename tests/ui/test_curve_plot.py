"""Where a curve is drawn, and what is said of it."""

import numpy as np
import pytest

from medview.imaging.curves import Curve
from medview.ui import curve_plot
from medview.ui.curve_plot import CurvePlot


def curve(*values, here=0, unit="mm", step=2.0):
    return Curve(np.arange(len(values)) * step, np.array(values, dtype=float), here, unit)


@pytest.fixture
def plot(qtbot):
    made = CurvePlot()
    qtbot.addWidget(made)
    made.resize(400, made.height())
    return made


def test_higher_values_stand_higher_and_later_ones_further_right(plot):
    shown = curve(0, 10, 5)
    plot.show_curve(shown, ())
    low, high, middle = (plot.place(shown, n) for n in range(3))
    assert high.y() < middle.y() < low.y()
    assert low.x() < high.x() < middle.x()
    assert [plot.index_at(plot.place(shown, n).x()) for n in range(3)] == [0, 1, 2]
    assert (plot.index_at(-50), plot.index_at(999)) == (0, 2)


def test_the_scale_holds_kept_curves_too_and_no_gaps(plot):
    plot.show_curve(curve(0, np.nan, 5), (curve(-3, 1, 9),))
    assert plot.span == (-3, 9)
    plot.show_curve(curve(4, 4), ())
    assert plot.span == (3.5, 4.5)
    plot.show_curve(curve(np.nan, np.nan), ())
    assert plot.span == (0, 1)


def test_the_scale_is_found_once_however_many_values_are_drawn(plot, monkeypatch):
    asked = []
    monkeypatch.setattr(curve_plot.np, "concatenate", lambda each: asked.append(0) or joined(each))
    joined = np.hstack
    plot.show_curve(curve(*range(30)), [curve(*range(40))] * 3)
    plot.grab()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (curve(1, 30, here=1), "2 mm: 30"),
        (curve(1, np.nan, here=1, unit="s"), "2 s: –"),
        (curve(1, 30, here=1, unit="", step=1.0), "1: 30"),
    ],
)
def test_where_one_is_is_said_to_a_screen_reader(plot, shown, said):
    plot.show_curve(shown, ())
    assert plot.accessibleDescription() == said


def test_without_a_curve_the_note_is_drawn(plot):
    blank = plot.grab().toImage()
    plot.show_curve(None, (), "Open a study first.")
    assert plot.grab().toImage() != blank
    assert plot.accessibleDescription() == "Open a study first."


def test_a_gap_is_not_drawn_over(plot):
    plot.show_curve(curve(0, *([5.0] * 39), *([np.nan] * 40), *([5.0] * 40), 9), ())
    image = plot.grab().toImage()
    y = round(plot.place(plot.curve, 10).y())
    xs = [round(plot.place(plot.curve, n).x()) for n in (20, 100)]
    middle = round((xs[0] + xs[1]) / 2)
    ground = image.pixelColor(middle, y - 12)
    assert image.pixelColor(middle, y) == ground
    assert image.pixelColor(xs[0], y) != ground
