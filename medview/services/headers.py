"""The header of the file behind the image of a pane."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal

from medview.domain.tag import Tag
from medview.imaging.reslice import cut_of
from medview.services.calling import called
from medview.services.jobs import Job, Jobs
from medview.services.session import Session
from medview.services.session_values import Message, Shown
from medview.services.tasks import Answers, Errand, Tasks

READ = "medview.io.tags:read_tags"
HIDDEN = "hidden in private mode"


class Headers:
    """Reads headers; ``arrived`` brings title and entries, in private mode without identity."""

    arrived = Signal(str, tuple)

    def __init__(self, jobs: Jobs, session: Session) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session

    def read(self, pane: str) -> Job | None:
        """Read the header behind the image of a pane; a message where there is none."""
        held = self._session.content(pane)
        path = self._file_of(held, pane) if held is not None else None
        if held is None or path is None:
            self._session.message = Message("No file lies behind this image.", "warning")
            return None
        title = called(self._session, held.series)
        errand = Errand(
            "Reading the header", "files", READ, (path, held.series.format), title, "header"
        )
        return self._tasks.run(errand, Answers(lambda tags: self._arrived(title, path, tags)))

    def _arrived(self, title: str, path: Path, tags: tuple[Tag, ...]) -> None:
        if self._session.private:
            tags = tuple(
                Tag(t.level, t.tag, t.name, t.kind, HIDDEN, True) if t.tells_who else t
                for t in tags
            )
            self.arrived.emit(title, tags)
        else:
            self.arrived.emit(f"{title} · {path.name}", tags)

    def _file_of(self, held: Shown, pane: str) -> Path | None:
        """The file of the stored slice nearest to the crosshair of a pane."""
        series = held.series
        if not series.slots:
            return series.files[0] if series.files else None
        cut = cut_of(held.volume.geometry, self._session.views[pane])
        place = held.volume.geometry.to_index(self._session.views[pane].point_lps)[0]
        k = cut.index if cut.is_stored else round(float(place))
        count = held.volume.geometry.shape[0]
        k = min(max(k, 0), count - 1)
        slot = series.slots[held.time * count + k]
        return series.files[slot[0]] if slot is not None else None
