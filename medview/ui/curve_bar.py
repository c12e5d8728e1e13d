"""Below the panes: the value under the mouse through the slices, or over time."""

from __future__ import annotations

import math

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout

from medview.imaging.curves import Curve
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, name
from medview.ui.curve_plot import CurvePlot
from medview.ui.eliding import ElidedLabel
from medview.ui.inputs import Segments
from medview.ui.mouse import Mouse
from medview.ui.words import place, tr

# The curve follows the mouse no faster than this.
_SOON_MS = 30
_MOST_KEPT = 6


class CurveBar(QFrame):
    """Follows the mouse while it is shown; curves can be kept to compare, and copied."""

    def __init__(self, app: App, mouse: Mouse) -> None:
        super().__init__()
        name(self, "curve_bar", tr("Curve at the mouse"))
        self.setProperty("look", "panel")
        self._app, self._mouse = app, mouse
        self._pane, self._point = "", (0.0, 0.0, 0.0)
        self._kept: list[Curve] = []
        self._about: tuple[object, ...] = ()
        self.along = Segments("curve_along", tr("Along"))
        self.along.set_choices(
            [
                ("slices", tr("Slices"), tr("Through the slices of the pane under the mouse")),
                ("times", tr("Time"), tr("Over all time points of the series")),
            ]
        )
        self.along.set_value("slices")
        self.along.changed.connect(lambda _: self._draw())
        self.plot = CurvePlot()
        self.plot.chosen.connect(self._go)
        self._words = ElidedLabel("", "quiet")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(10, 6, 12, 6)
        rows.setSpacing(4)
        rows.addWidget(Row(self.along, self._words, *self._buttons(), grow=(1,)))
        rows.addWidget(self.plot)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._draw)
        app.curves.changed.connect(self.follow)
        self.hide()

    def _buttons(self) -> tuple[QPushButton, ...]:
        keep = button(tr("Keep"), "curve_keep", tip=tr("Keep this curve to compare with"))
        clear = button(tr("Clear"), "curve_clear", tip=tr("Take the kept curves away"))
        copy = button(tr("Copy"), "curve_copy", tip=tr("Put all numbers on the clipboard"))
        keep.clicked.connect(self.keep)
        clear.clicked.connect(self.clear)
        copy.clicked.connect(self.copy)
        return keep, clear, copy

    def follow(self) -> None:
        """Something moved: draw anew a moment later, once for all that moves until then."""
        if not self.isHidden() and not self._soon.isActive():
            self._soon.start()

    def toggle(self) -> None:
        """Show the curve, or hide it."""
        self.setVisible(self.isHidden())
        if not self.isHidden():
            self._draw()

    # -- what is drawn ---------------------------------------------------------------------

    def _draw(self) -> None:
        session, curves = self._app.session, self._app.curves
        at = self._mouse.under
        is_under = at is not None and at.point_lps is not None and at.pane in session.views
        self._pane = at.pane if at is not None and is_under else session.active_pane
        view = session.views.get(self._pane)
        if view is None:
            self.plot.show_curve(None, (), tr("Open a study first."))
            self._words.set_text("")
            return
        under = at.point_lps if at is not None and is_under else None
        self._point = under or view.point_lps
        self._forget_others()
        if self.along.value() == "times":
            curves.read(self._pane)
            curve = curves.times(self._pane, self._point)
        else:
            curve = curves.slices(self._pane, self._point)
        self.plot.show_curve(curve, self._kept, "" if curve else self._note())
        held = self._app.session.content(self._pane)
        unit = held.volume.quantity if held is not None and curve is not None else ""
        known = unit if unit not in ("", "1", "a.u.") else ""
        self._words.set_text(f"{place(self._point)} · {known}" if known else place(self._point))

    def _note(self) -> str:
        curves = self._app.curves
        if self.along.value() == "slices":
            return tr("A single image, or one in colour, has no curve through slices.")
        if not curves.has_times(self._pane):
            return tr("This series has one time point only.")
        if not curves.is_read(self._pane):
            return tr("Reading all time points …")
        return tr("Here is no value over time.")

    def _forget_others(self) -> None:
        """Kept curves stay as long as they can be compared: one series, one way along."""
        held = self._app.session.content(self._pane)
        view = self._app.session.views[self._pane]
        way = (view.plane, view.tilt) if self.along.value() == "slices" else None
        about = (held.series.key if held is not None else "", self.along.value(), way)
        if about != self._about:
            self._about, self._kept = about, []

    # -- hands -----------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        """Show the slice or the time point that was chosen on the curve."""
        if self.along.value() == "slices":
            self._app.viewing.go_to(self._pane, index)
        else:
            held = self._app.session.content(self._pane)
            if held is not None and held.time != index:
                self._app.library.show(held.series, index, self._pane)
        self._draw()

    def keep(self) -> None:
        """Leave this curve in the plot; of many the oldest goes."""
        if self.plot.curve is not None:
            self._kept = [*self._kept, self.plot.curve][-_MOST_KEPT:]
            self._draw()

    def clear(self) -> None:
        """Take the kept curves away."""
        self._kept = []
        self._draw()

    def copy(self) -> None:
        """All curves as a table for a spreadsheet: along in the first column, one a column."""
        curve = self.plot.curve
        if curve is None:
            return
        every = (curve, *self._kept)
        along = tr("Slice") if self.along.value() == "slices" else tr("Time")
        head = f"{along} ({curve.unit})" if curve.unit else along
        names = [tr("at the mouse"), *(tr("kept {n}", n=n) for n in range(1, len(every)))]
        lines = ["\t".join((head, *names))]
        for row, x in enumerate(curve.x):
            values = (_plain(float(each.y[row])) for each in every)
            lines.append("\t".join((_plain(float(x)), *values)))
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")


def _plain(value: float) -> str:
    """A figure as a spreadsheet reads it; nothing where there is none."""
    return f"{value:.6g}" if math.isfinite(value) else ""
