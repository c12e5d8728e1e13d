"""Open folders and files, put a series on screen, keep the last few volumes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from medview.domain.discretion import series_words
from medview.domain.errors import ReadError, UsageError
from medview.domain.study import Catalogue, Choice, Patient, Series, Skipped
from medview.domain.volume import Volume
from medview.imaging.view import View
from medview.services.job import Listener
from medview.services.jobs import Job, Jobs
from medview.services.session import Message, Session, VolumeId
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.viewing import MAIN_PANE, first_views

SCAN = "medview.io.readers:scan"
LOAD = "medview.io.readers:load"
LOAD_AND_IDENTIFY = "medview.services.loading:load_and_identify"
# Files that are no images at all are nothing to trouble a reader with.
_NOT_AN_IMAGE = "MV-IO-001"


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


@dataclass(slots=True, eq=False)
class _Kept:
    """A volume that was read; `sha256` is empty until it has been counted."""

    volume: Volume
    sha256: str = ""


class Library:
    """Fills ``session.catalogue`` and puts series on screen.

    `keep_mb` is how much the volumes may take that are kept for coming back to them; the
    newest one is kept whatever its size.
    """

    def __init__(
        self, jobs: Jobs, session: Session, preferences: Preferences, *, keep_mb: int = 1024
    ) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self._keep_bytes = keep_mb << 20
        self._kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()
        self._views: dict[str, dict[str, View]] = {}
        self._reading: Job | None = None
        self._paths: tuple[Path, ...] = ()
        self._choices: dict[str, Choice] = {}
        session.events.views.connect(self._steer)

    def open(self, paths: Sequence[Path]) -> Job:
        """Look through folders and files in place of those that are open.

        Then the first series is shown. When nothing can be used, or on cancel, all stays as
        it was.
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
        for key in [key for key in self._kept if key[0].partition("#")[0] == choice.series]:
            del self._kept[key]
        self._views = {
            key: view for key, view in self._views.items() if key.partition("#")[0] != choice.series
        }
        self._session.catalogue = catalogue
        series = catalogue.find(choice.series)
        if series is not None:
            self.show(series)

    def show(self, series: Series, time: int = 0) -> Job | None:
        """Put a series on screen, at once when it is kept; else return the job that reads it.

        Until its volume is there, the former one stays, with its own name. Window, zoom and
        slice are as they were when the series was left.
        """
        if series.geometry is None:
            refusal = ReadError(
                "holds no image that can be shown",
                file=called(self._session, series),
                do="Choose another series.",
            )
            self._session.message = Message.of(refusal)
            return None
        kept = self._kept.get((series.key, time))
        # Even when kept: a series that is still being read must not come up afterwards.
        if kept is not None and kept.sha256:
            self._tasks.drop("show")
            self._put_on_screen(series, time, kept)
            return None
        called_so = called(self._session, series)
        errand = Errand(
            f"Reading {called_so}",
            "files",
            LOAD_AND_IDENTIFY,
            (series, time),
            about=called_so,
            key="show",
        )
        answers = Answers(
            done=lambda sha256: self._identified(series, time, sha256),
            partial=lambda part: self._arrived(series, time, part),
        )
        self._reading = self._tasks.run(errand, answers)
        return self._reading

    def show_next(self, steps: int = 1) -> Job | None:
        """Put the next series of the list on screen (or one before); the ends hold."""
        there = [s for s in self._session.catalogue.all_series() if s.geometry is not None]
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
        there = [series for series in catalogue.all_series() if series.geometry is not None]
        if not there:
            refusal = ReadError(
                "holds no image that can be read",
                file=paths[0].name if paths else "",
                do="Choose a folder with DICOM images, or a NIfTI, NRRD, PNG or JPEG file.",
                skipped=len(catalogue.skipped),
            )
            self._session.message = Message.of(refusal)
            return
        self._session.catalogue = catalogue
        self._paths, self._choices = paths, {}
        # The files may have changed since they were read last.
        self._kept.clear()
        self._remember(paths)
        note = _skipped_note(catalogue.skipped, private=self._session.private)
        if note:
            self._session.message = Message(note, "warning")
        self.show(there[0])

    def _remember(self, paths: tuple[Path, ...]) -> None:
        if not self._session.private:
            for path in paths:
                self._preferences.remember(path)

    def _arrived(self, series: Series, time: int, part: object) -> None:
        """Show a volume as it fills and when it is whole; its identity follows."""
        if isinstance(part, Volume):
            kept = _Kept(part)
            self._keep(series, time, kept)
            self._put_on_screen(series, time, kept)

    def _identified(self, series: Series, time: int, sha256: str) -> None:
        kept = self._kept.get((series.key, time))
        if kept is None:
            return
        kept.sha256 = sha256
        if self._session.volume is kept.volume:
            self._session.volume_id = VolumeId(series.key, sha256)

    def _steer(self, views: dict[str, View]) -> None:
        """Tell the job that fills the volume on screen which slice is looked at."""
        job, volume = self._reading, self._session.volume
        view = views.get(self._session.active_pane)
        if job is None or volume is None or view is None or not volume.slices_to_come:
            return
        k = round(float(volume.geometry.to_index(view.point_lps)[0]))
        job.hint = min(max(k, 0), volume.geometry.shape[0] - 1)

    def _keep(self, series: Series, time: int, kept: _Kept) -> None:
        self._kept[series.key, time] = kept
        self._kept.move_to_end((series.key, time))
        while len(self._kept) > 1 and self._taken() > self._keep_bytes:
            self._kept.popitem(last=False)

    def _taken(self) -> int:
        return sum(kept.volume.array.nbytes for kept in self._kept.values())

    def _put_on_screen(self, series: Series, time: int, kept: _Kept) -> None:
        """Change all that belongs together before anyone is told of any of it."""
        session = self._session
        if session.series is series and session.time == time and session.volume is not None:
            # More of what is on screen already: nothing else changes.
            with session.together():
                session.volume = kept.volume
                session.volume_id = VolumeId(series.key, kept.sha256) if kept.sha256 else None
            return
        before = session.series
        if before is not None:
            self._views[before.key] = session.views
        self._kept.move_to_end((series.key, time))
        with session.together():
            session.series, session.time, session.volume = series, time, kept.volume
            session.volume_id = VolumeId(series.key, kept.sha256) if kept.sha256 else None
            session.views = self._views.get(series.key) or first_views(kept.volume)
            session.finding = None
            if before is None or before.key != series.key:
                session.active_pane = MAIN_PANE
                session.maximised = None


def called(session: Session, series: Series) -> str:
    """What a series is called in a sentence; in private mode nothing that may tell who it is."""
    words = series.description
    if session.private:
        owner = session.catalogue.owner(series)
        words = series_words(series, owner[0] if owner else Patient(series.patient_key))
    return words or f"{series.modality} series {series.number or ''}".strip()


def _skipped_note(skipped: tuple[Skipped, ...], *, private: bool) -> str:
    """One sentence on the files that were left out, naming the first unless private."""
    told = [file for file in skipped if file.code != _NOT_AN_IMAGE]
    if not told:
        return ""
    first = told[0].what if private else f"{Path(told[0].file).name}: {told[0].what}"
    if len(told) == 1:
        return f"1 file could not be read: {first}"
    return f"{len(told)} files could not be read, the first is {first}"
