"""Small pictures of all series in the list, made while nothing else is read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.study import Series
from medview.domain.volume import Volume
from medview.imaging.body import body_box, body_corners
from medview.imaging.frame import compose_frame
from medview.imaging.part import Room, needed
from medview.services.first_views import first_views
from medview.services.jobs import Job, Jobs
from medview.services.layouts import MAIN_PANE
from medview.services.session import Session

MAKE = "medview.services.thumbnail_work:thumbnail"
# Larger pictures are thinned out: the list shows 44 px, at scale 2 88 px.
_MOST_PX = 192


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """Grey (h, w) or colour (h, w, 3) uint8, and the size of its pixels right and down in mm."""

    pixels: NDArray[np.uint8]
    pixel_mm: tuple[float, float]


def thumbnail_of(volume: Volume) -> Thumbnail:
    """The middle of a volume as its main pane shows it, without the air around the body."""
    view = replace(first_views(volume)[MAIN_PANE], zoom=1.0, pan_mm=(0.0, 0.0))
    part = needed(volume, view, Room(_MOST_PX, _MOST_PX))
    frame = compose_frame(volume, (), view, part=part)
    block = 1.0 if frame.part is None else frame.part.step
    box = body_box(frame, body_corners(volume))
    left, top, right, bottom = (round(n / block) for n in box)
    step = max(1, max(bottom - top, right - left) // _MOST_PX)
    pixels = np.ascontiguousarray(frame.image[top:bottom:step, left:right:step])
    x, y = (mm * step * block for mm in frame.pixel_mm)
    return Thumbnail(pixels, (x, y))


class Thumbnails:
    """Fills ``pictures`` by the keys of series; ``arrived`` tells of each.

    Only while nothing but models runs: what the reader wants to see goes first.
    """

    arrived = Signal(str)

    def __init__(self, jobs: Jobs, session: Session) -> None:
        self._jobs = jobs
        self._session = session
        self.pictures: dict[str, Thumbnail] = {}
        self._waiting: deque[Series] = deque()
        self._running: tuple[Series, Job] | None = None
        session.events.catalogue.connect(self._on_catalogue)
        session.events.volume_id.connect(self._on_volume)
        session.events.volume_id.connect(self._go_on)
        session.events.tasks.connect(self._go_on)
        session.events.running.connect(self._go_on)

    def _on_catalogue(self) -> None:
        every = self._session.catalogue.all_series()
        self.pictures = {s.key: self.pictures[s.key] for s in every if s.key in self.pictures}
        self._waiting = deque(s for s in every if s.geometry is not None)

    def _on_volume(self) -> None:
        """The series on screen needs no reading, once all of it is there."""
        series, volume = self._session.series, self._session.volume
        if series is None or volume is None or self._session.volume_id is None:
            return
        if series.key not in self.pictures:
            self._take(series, thumbnail_of(volume))

    def _go_on(self) -> None:
        """Start the next picture when nothing else is read; else stand back."""
        if len(self._session.tasks) > len(self._session.running):
            self._stand_back()
        elif self._running is None and self._session.volume_id is not None:
            self._start()

    def _start(self) -> None:
        while self._waiting and self._waiting[0].key in self.pictures:
            self._waiting.popleft()
        if not self._waiting:
            return
        series = self._waiting.popleft()
        job = self._jobs.run(
            "files",
            MAKE,
            series,
            done=lambda made: self._done(series, made),
            failed=lambda error: self._failed(series, error),
        )
        self._running = (series, job)

    def _stand_back(self) -> None:
        if self._running is not None:
            self._running[1].cancel()

    def _done(self, series: Series, made: Thumbnail) -> None:
        self._running = None
        self._take(series, made)
        self._go_on()

    def _failed(self, series: Series, error: MedviewError) -> None:
        """A series without a picture is no reason to trouble anyone."""
        self._running = None
        if isinstance(error, Cancelled):
            self._waiting.appendleft(series)
        self._go_on()

    def _take(self, series: Series, made: Thumbnail) -> None:
        self.pictures[series.key] = made
        self.arrived.emit(series.key)
