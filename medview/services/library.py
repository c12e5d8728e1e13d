"""Open folders and files, put a series on screen, keep the last few volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from psygnal import Signal

from medview.domain.errors import ReadError, UsageError
from medview.domain.study import Catalogue, Choice, Series
from medview.domain.volume import Volume
from medview.imaging.view import View
from medview.services.browsing import listed
from medview.services.calling import called, skipped_note
from medview.services.job import Listener
from medview.services.jobs import Job, Jobs
from medview.services.kept_volumes import Kept, KeptVolumes
from medview.services.laying import Laying
from medview.services.layouts import MAIN_PANE, layout_of
from medview.services.seen import Seen
from medview.services.session import Session
from medview.services.session_values import Message, Shown, VolumeId
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks

SCAN = "medview.io.readers:scan"
LOAD = "medview.io.readers:load"
MISSING = "medview.services.loading:missing"
LOAD_AND_IDENTIFY = "medview.services.loading:load_and_identify"


def scan(
    jobs: Jobs,
    paths: Sequence[Path],
    *,
    choice: Choice | None = None,
    progress: Listener | None = None,
) -> Catalogue:
    """Find out what is under the paths, and wait for it. Raises a MedviewError.

    A `choice` that no series allows is wrong use: the error says what could be chosen.
    """
    choices = () if choice is None else (choice,)
    found = cast(Catalogue, jobs.call("files", SCAN, tuple(paths), choices, progress=progress))
    if choice is not None:
        _check(choice, found)
    return found


def _check(choice: Choice, found: Catalogue) -> None:
    every = found.all_series()
    for wish, used, could in (
        (choice.form, {s.form for s in every}, {f for s in every for f in s.forms}),
        (choice.split_by, {s.split_by for s in every}, {k for s in every for k in s.split_keys}),
    ):
        if wish and wish not in used:
            allowed = f"Choose one of: {', '.join(sorted(could))}." if could else "Leave it out."
            raise UsageError(f"nothing here can be read by {wish}", do=allowed)


def load(jobs: Jobs, series: Series, time: int = 0, *, progress: Listener | None = None) -> Volume:
    """Read the volume of a series, and wait for it. Raises a MedviewError."""
    return cast(Volume, jobs.call("files", LOAD, series, time, progress=progress))


class Library:
    """Fills ``session.catalogue`` and puts series on screen.

    `keep_mb` is how much the volumes may take that are kept for coming back to them; the
    newest one is kept whatever its size. ``leaving`` tells that what is on screen, or part of
    it, is about to be another series, ``stayed`` that the one asked for could not be read.
    """

    leaving = Signal()
    stayed = Signal()

    def __init__(
        self, jobs: Jobs, session: Session, preferences: Preferences, *, keep_mb: int = 1024
    ) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self._kept = KeptVolumes(keep_mb << 20)
        #: How series are looked at.
        self.seen = Seen(session)
        self._reading: Job | None = None
        self._paths: tuple[Path, ...] = ()
        self._choices: dict[str, Choice] = {}
        self.laying = Laying(jobs, session)
        session.events.views.connect(self._steer)

    def open(self, paths: Sequence[Path]) -> Job:
        """Look through folders and files in place of those that are open.

        Then the first series of the newest study is shown. When nothing can be used, or on
        cancel, all stays as it was.
        """
        chosen = tuple(paths)
        errand = Errand(
            "Reading headers",
            "files",
            SCAN,
            (chosen,),
            about=chosen[0].name if chosen else "",
            key="open",
        )
        return self._tasks.run(errand, Answers(lambda found: self._opened(chosen, found)))

    def look_for(self, paths: Sequence[Path], done: Callable[[tuple[Path, ...]], object]) -> Job:
        """Call `done` with those of the paths that are not there; a disk may take its time."""
        about = paths[0].name if paths else ""
        errand = Errand("Looking for files", "files", MISSING, (tuple(paths),), about, "look for")
        return self._tasks.run(errand, Answers(done))

    def choose(self, choice: Choice) -> Job:
        """Read what is open again as the reader decided for one series, and show that one."""
        choices = {**self._choices, choice.series: choice}
        errand = Errand(
            "Reading headers",
            "files",
            SCAN,
            (self._paths, tuple(choices.values())),
            about=self._paths[0].name if self._paths else "",
            key="open",
        )
        return self._tasks.run(errand, Answers(lambda found: self._chosen(choice, choices, found)))

    def _chosen(self, choice: Choice, choices: dict[str, Choice], catalogue: Catalogue) -> None:
        self._choices = choices
        self._kept.forget(choice.series)
        self.seen.forget(choice.series)
        self._session.catalogue = catalogue
        series = catalogue.find(choice.series)
        if series is not None:
            self.show(series)

    def show(self, series: Series, time: int = 0, pane: str | None = None) -> Job | None:
        """Put a series on screen, at once when it is kept; else return the job that reads it.

        Until its volume is there, the former one stays, with its own name. Window, zoom and
        slice are as they were when the series was left. Where panes hold series of their own it
        goes into `pane`, None for the active one; a series of another patient empties the others.
        """
        pane = self._place_for(pane)
        if series.geometry is None:
            refusal = ReadError(
                "holds no image that can be shown",
                file=called(self._session, series),
                do="Choose another series.",
            )
            self._session.message = Message.of(refusal)
            return None
        kept = self._kept.get(series, time)
        key = f"show {pane}"
        # Even when kept: a series that is still being read must not come up afterwards.
        if kept is not None and kept.sha256:
            self._tasks.drop(key)
            self._put_on_screen(series, time, kept, pane)
            return None
        called_so = called(self._session, series)
        errand = Errand(
            f"Reading {called_so}",
            "files",
            LOAD_AND_IDENTIFY,
            (series, time),
            about=called_so,
            key=key,
        )
        parts: list[object] = []
        answers = Answers(
            done=lambda sha256: self._identified(series, time, sha256),
            failed=lambda _: self.stayed.emit(),
            partial=lambda part: self._arrived(series, time, part, pane, parts),
        )
        job = self._tasks.run(errand, answers)
        if pane in (MAIN_PANE, self._session.active_pane):
            self._reading = job
        return job

    def _place_for(self, pane: str | None) -> str:
        """The pane a series goes into: the one asked for, the active one, else the first."""
        panes = layout_of(self._session).panes
        wanted = self._session.active_pane if pane is None else pane
        return wanted if self._is_grid and wanted in panes else MAIN_PANE

    @property
    def _is_grid(self) -> bool:
        return not layout_of(self._session).is_mpr

    def show_next(self, steps: int = 1) -> Job | None:
        """Put the next series of the list on screen (or one before); the ends hold."""
        there = listed(self._session.catalogue)
        keys = [series.key for series in there]
        here = self._session.series
        if not there or here is None or here.key not in keys:
            return self.show(there[0]) if there else None
        place = min(max(keys.index(here.key) + steps, 0), len(there) - 1)
        return None if there[place].key == here.key else self.show(there[place])

    def show_time(self, steps: int) -> Job | None:
        """Put the next time point of the series on screen (or one before); the ends hold."""
        series = self._session.series
        if series is None:
            return None
        time = min(max(self._session.time + steps, 0), series.times - 1)
        return None if time == self._session.time else self.show(series, time)

    def _opened(self, paths: tuple[Path, ...], catalogue: Catalogue) -> None:
        there = listed(catalogue)
        if not there:
            refusal = ReadError(
                "holds no image that can be read",
                file=paths[0].name if paths else "",
                do="Choose a folder with DICOM images, or a NIfTI, NRRD, PNG or JPEG file.",
                skipped=len(catalogue.skipped),
            )
            self._session.message = Message.of(refusal)
            return
        self.leaving.emit()
        self._session.catalogue = catalogue
        self._paths, self._choices = paths, {}
        # The files may have changed since they were read last.
        self._kept.clear()
        self._remember(paths)
        note = skipped_note(catalogue.skipped, private=self._session.private)
        if note:
            self._session.message = Message(note, "warning")
        self.show(there[0])

    def _remember(self, paths: tuple[Path, ...]) -> None:
        if not self._session.private:
            for path in paths:
                self._preferences.remember(path)

    def _arrived(
        self, series: Series, time: int, part: object, pane: str, parts: list[object]
    ) -> None:
        """Show a volume as it fills and when it is whole; its identity follows.

        Only the first of its `parts` chooses a pane: it may have gone to another since.
        """
        if isinstance(part, Volume):
            kept = self._kept.put(series, time, part)
            if not (parts and self._renew(series, time, part)):
                self._put_on_screen(series, time, kept, pane)
            parts.append(None)

    def _renew(self, series: Series, time: int, volume: Volume) -> bool:
        """Put more of a volume where less of it is shown; False where no pane shows it."""
        session = self._session
        panes = [p for p, s in session.shown.items() if s.series is series and s.time == time]
        if not panes:
            return False
        with session.together():
            for pane in panes:
                session.shown = {**session.shown, pane: Shown(series, volume, time)}
            if session.active_pane in panes:
                session.volume, session.volume_id = volume, None
        return True

    def _identified(self, series: Series, time: int, sha256: str) -> None:
        kept = self._kept.get(series, time)
        if kept is None:
            return
        kept.sha256 = sha256
        session, found = self._session, VolumeId(series.key, sha256)
        with session.together():
            if any(each.volume is kept.volume for each in session.shown.values()):
                session.shown = {
                    pane: replace(each, id=found) if each.volume is kept.volume else each
                    for pane, each in session.shown.items()
                }
            if session.volume is kept.volume:
                session.volume_id = found

    def _steer(self, views: dict[str, View]) -> None:
        """Tell the job that fills the volume on screen which slice is looked at."""
        job, volume = self._reading, self._session.volume
        view = views.get(self._session.active_pane)
        if job is None or volume is None or view is None or not volume.slices_to_come:
            return
        k = round(float(volume.geometry.to_index(view.point_lps)[0]))
        job.hint = min(max(k, 0), volume.geometry.shape[0] - 1)

    def _put_on_screen(self, series: Series, time: int, kept: Kept, pane: str) -> None:
        """Change all that belongs together before anyone is told of any of it."""
        about = VolumeId(series.key, kept.sha256) if kept.sha256 else None
        shown = Shown(series, kept.volume, time, about)
        if self._is_grid:
            self._put_in_pane(shown, self._place_for(pane))
            return
        session = self._session
        if session.series is series and session.time == time and session.volume is not None:
            # More of what is on screen already: nothing else changes.
            with session.together():
                session.volume, session.volume_id = shown.volume, about
            return
        before = session.series
        self.leaving.emit()
        self.seen.keep()
        with session.together():
            session.series, session.time, session.volume = series, time, shown.volume
            session.volume_id = about
            session.views = self.seen.of(shown)
            session.finding = None
            if before is None or before.key != series.key:
                session.active_pane = MAIN_PANE
                session.maximised = None

    def _put_in_pane(self, shown: Shown, pane: str) -> None:
        """Let one pane of several hold this; panes of other patients become empty."""
        session, series = self._session, shown.series
        more = {
            other: shown
            for other, each in session.shown.items()
            if each.series is series and each.time == shown.time
        }
        kept = {
            other: each for other, each in session.shown.items() if self._may_stay(each, series)
        }
        view = session.views.get(pane) if pane in more else None
        if not more:
            self.leaving.emit()
        self.seen.keep()
        with session.together():
            session.shown = {**kept, **more, pane: shown}
            stay = {other: session.views[other] for other in kept if other in session.views}
            session.views = {**stay, pane: view or self.seen.of(shown)[MAIN_PANE]}
            if session.active_pane not in layout_of(session).panes or session.volume is None:
                session.active_pane = pane
            active = session.shown.get(session.active_pane)
            if active is None:
                session.active_pane, active = pane, shown
            changed = session.series is None or session.series.key != active.series.key
            session.series, session.time, session.volume = active.series, active.time, active.volume
            session.volume_id = active.id
            if changed:
                session.finding = None

    def _may_stay(self, each: Shown, series: Series) -> bool:
        """Whether a pane may go on beside a series: still listed, and of the same patient."""
        catalogue = self._session.catalogue
        listed = catalogue.find(each.series.key) is each.series
        return listed and same_owner(catalogue, each.series, series)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders and files that are open."""
        return self._paths


def same_owner(catalogue: Catalogue, one: Series, other: Series) -> bool:
    """Whether two series of a list are of the same patient."""
    owners = catalogue.owner(one), catalogue.owner(other)
    return owners[0] is not None and owners[1] is not None and owners[0][0] is owners[1][0]
