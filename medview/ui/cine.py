"""Cine: the images of the active pane, or the time points of the series, one after the other."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from medview.domain.errors import Cancelled
from medview.services.library import Library
from medview.services.session import Session
from medview.services.session_values import Message
from medview.services.settings import Preferences
from medview.services.viewing import Viewing
from medview.ui.pane_grid import PaneGrid

Reel = Literal["", "images", "times"]
#: Images a second that can be chosen.
RATES = (2, 5, 10, 15, 24, 30)


class Cine(QObject):
    """Plays one of the two; a step is made only when the one before it has been drawn."""

    changed = Signal()

    def __init__(
        self,
        session: Session,
        viewing: Viewing,
        library: Library,
        preferences: Preferences,
        grid: PaneGrid,
    ) -> None:
        super().__init__(grid)
        self._session, self._viewing, self._library = session, viewing, library
        self._preferences, self._grid = preferences, grid
        self._wanted: int | None = None
        self.reel: Reel = ""
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.step)
        preferences.changed.connect(self._set_rate)
        session.events.series.connect(self.stop)
        session.events.message.connect(self._on_message)
        self._set_rate()

    def toggle(self, reel: Reel) -> None:
        """Play this, or stop when it is what plays."""
        if reel == self.reel:
            self.stop()
            return
        self.reel, self._wanted = reel, None
        self._timer.start()
        self.changed.emit()

    def stop(self) -> None:
        """Stay at the image that is shown."""
        if self.reel:
            self.reel = ""
            self._timer.stop()
            self.changed.emit()

    def set_rate(self, rate: int) -> None:
        """So many images a second, from now on and at the next start."""
        self._preferences.change(cine_rate=float(rate))

    def set_loops(self, *, on: bool) -> None:
        """Begin again at the end, or stop there."""
        self._preferences.change(cine_loops=on)

    def step(self) -> None:
        """The next image or time point; at the end the first one, or stop."""
        if self.reel == "images":
            self._step_image()
        elif self.reel == "times":
            self._step_time()

    def _step_image(self) -> None:
        pane = self._session.active_pane
        frame = self._grid.frame_of(pane) if pane else None
        if frame is None or frame.slices < 2:
            self.stop()
            return
        following = self._after(frame.slice, frame.slices)
        if following is not None:
            self._viewing.go_to(pane, following)

    def _step_time(self) -> None:
        session, series = self._session, self._session.series
        if series is None or series.times < 2:
            self.stop()
            return
        if self._wanted is not None and session.time != self._wanted:
            return  # still being read
        following = self._after(session.time, series.times)
        if following is not None:
            self._wanted = following
            self._library.show(series, following)

    def _after(self, place: int, count: int) -> int | None:
        """What comes next; None, and an end, after the last one."""
        if place + 1 < count:
            return place + 1
        if self._preferences.settings.cine_loops:
            return 0
        self.stop()
        return None

    def _set_rate(self) -> None:
        self._timer.setInterval(round(1000 / max(self._preferences.settings.cine_rate, 0.1)))
        self.changed.emit()

    def _on_message(self, message: Message | None) -> None:
        """A time point that cannot be read ends it; one that was asked for anew does not."""
        error = message.error if message is not None else None
        if self.reel == "times" and error is not None and not isinstance(error, Cancelled):
            self.stop()
