"""Below the panes: the time points of the series, to be gone through by hand or played."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QSlider

from medview.ui.app import App
from medview.ui.cine import Cine
from medview.ui.containers import beside
from medview.ui.controls import button, label, name
from medview.ui.identity import time_words
from medview.ui.theme import icon, theme_named
from medview.ui.words import tr


class TimeBar(QFrame):
    """Play, a slider and the time point; hidden unless the series has several."""

    def __init__(self, app: App, cine: Cine) -> None:
        super().__init__()
        name(self, "time_bar", tr("Time points"))
        self.setProperty("look", "panel")
        self._app, self._cine = app, cine
        self._play = button(
            tr("Play"), "time_play", tip=tr("Play the time points, or stop (Alt+C)")
        )
        self._play.setCheckable(True)
        self._play.clicked.connect(lambda: cine.toggle("times"))
        self._slider = QSlider(Qt.Orientation.Horizontal)
        name(self._slider, "time_slider", tr("Time point"))
        self._slider.setToolTip(tr("Time point (Left and Right)"))
        self._slider.setPageStep(1)
        self._slider.valueChanged.connect(self._on_moved)
        self._words = label("", "value")
        row = beside(self, self._play, self._slider, self._words, grow=(1,))
        row.setContentsMargins(10, 5, 12, 5)
        for field in ("series", "time", "volume"):
            getattr(app.session.events, field).connect(self.refresh)
        cine.changed.connect(self.refresh)
        app.preferences.changed.connect(self._show_what_it_does)
        self.refresh()

    def refresh(self) -> None:
        """Stand where the session is, unless the slider is being dragged."""
        session, series = self._app.session, self._app.session.series
        is_moving = series is not None and session.volume is not None and series.times > 1
        self.setVisible(is_moving)
        self._show_what_it_does()
        if series is None or not is_moving:
            return
        self._words.setText(time_words(series, session.time))
        # As wide as the longest, so that the slider does not move under the mouse.
        longest = time_words(series, series.times - 1)
        self._words.setMinimumWidth(self._words.fontMetrics().horizontalAdvance(longest))
        if not self._slider.isSliderDown():
            self._slider.blockSignals(True)
            self._slider.setRange(0, series.times - 1)
            self._slider.setValue(session.time)
            self._slider.blockSignals(False)

    def _on_moved(self, time: int) -> None:
        series = self._app.session.series
        if series is not None:
            self._cine.stop()
            self._app.library.show(series, time)

    def _show_what_it_does(self) -> None:
        """Play or Stop, in the colours of the theme."""
        plays = self._cine.reel == "times"
        self._play.setChecked(plays)
        self._play.setText(f" {tr('Stop') if plays else tr('Play')}")
        theme = theme_named(self._app.preferences.settings.theme)
        self._play.setIcon(icon("pause" if plays else "play", theme))
