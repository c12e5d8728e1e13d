"""Curves of the value at a place: what has to be read for them is read once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from medview.domain.study import Series
from medview.imaging.curves import Curve, over_time, through_slices
from medview.services.calling import called
from medview.services.jobs import Job, Jobs
from medview.services.session import Session
from medview.services.tasks import Answers, Errand, Tasks

READ = "medview.io.courses:read_course"
_KEY = "course"
_Place = tuple[float, float, float]


class VoxelCurves:
    """Keeps all time points of the series that was asked for last; ``changed`` tells of them."""

    changed = Signal()

    def __init__(self, jobs: Jobs, session: Session) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._series: Series | None = None
        self._course: NDArray[np.float32] | None = None
        self._is_refused = False
        session.events.catalogue.connect(self.forget)

    def slices(self, pane: str, point_lps: _Place | None) -> Curve | None:
        """Through the slices of a pane at a place (None: the crosshair); None without any."""
        held, view = self._session.content(pane), self._session.views.get(pane)
        if held is None or view is None:
            return None
        return through_slices(held.volume, view, point_lps)

    def times(self, pane: str, point_lps: _Place | None) -> Curve | None:
        """Over the time points of a pane's series; None without any, or until they are read."""
        held, view = self._session.content(pane), self._session.views.get(pane)
        if held is None or view is None or held.series is not self._series or self._course is None:
            return None
        place = view.point_lps if point_lps is None else point_lps
        step = held.series.time_step_s
        return over_time(self._course, held.volume.geometry, place, held.time, step)

    def has_times(self, pane: str) -> bool:
        """Whether a pane's series has several time points."""
        held = self._session.content(pane)
        return held is not None and held.series.times > 1

    def is_read(self, pane: str) -> bool:
        """Whether the time points of a pane's series are there, or cannot be had."""
        held = self._session.content(pane)
        is_it = held is not None and held.series is self._series
        return is_it and (self._course is not None or self._is_refused)

    def read(self, pane: str) -> Job | None:
        """Read all time points of a pane's series, unless that is done or goes on."""
        held = self._session.content(pane)
        if held is None or held.series is self._series or held.series.times < 2:
            return None
        self._series, self._course, self._is_refused = held.series, None, False
        about = called(self._session, held.series)
        errand = Errand("Reading all time points", "files", READ, (held.series,), about, _KEY)
        return self._tasks.run(errand, Answers(self._arrived, lambda _: self._refused()))

    def forget(self) -> None:
        """Let go of what was read."""
        self._tasks.drop(_KEY)
        self._series, self._course, self._is_refused = None, None, False
        self.changed.emit()

    def _arrived(self, course: NDArray[np.float32]) -> None:
        self._course = course
        self.changed.emit()

    def _refused(self) -> None:
        self._is_refused = True
        self.changed.emit()
