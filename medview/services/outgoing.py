"""What leaves the workstation from the window: DICOM objects, and copies without identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from medview.domain.study import Series
from medview.domain.wording import counted
from medview.io.dicom_out.parts import Handover
from medview.services.analysis import Analysis
from medview.services.audit import of_result
from medview.services.jobs import Job, Jobs
from medview.services.measuring import Measuring
from medview.services.movies import Reel, slices_of
from medview.services.session import Session
from medview.services.session_values import Message
from medview.services.tasks import Answers, Errand, Tasks

EXPORT = "medview.io.dicom_out.handover:hand_over"
DEIDENTIFY = "medview.io.deidentify:deidentify_into"
PICTURE = "medview.services.movies:write_picture"
MOVIE = "medview.services.movies:write_movie"
_COUNTED = ("files", "patients", "results")
_OPEN_FIRST = "Open a DICOM series first."
_NO_STACK = "A movie needs a pane with several slices."
_PRIVATE = (
    "DICOM objects carry name and number of the patient. Switch Private off to export them, or "
    "export a copy without identity."
)


class Outgoing:
    """Writes folders in the child for files and says what was written.

    `left` tells what has left: a deed of the audit trail and its details.
    """

    left = Signal(str, dict)

    def __init__(
        self, jobs: Jobs, session: Session, analysis: Analysis, measuring: Measuring
    ) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._analysis = analysis
        self._measuring = measuring
        self._reports: dict[str, tuple[Path, int]] = {}

    @property
    def refusal(self) -> str:
        """Why no DICOM objects can be written now; empty if they can."""
        session = self._session
        if session.series is None or session.volume is None or session.series.format != "dicom":
            return _OPEN_FIRST
        return _PRIVATE if session.private else ""

    def export(self, folder: Path) -> Job | None:
        """Write results, measurements and key images of the series on screen as DICOM.

        Results that are kept back from a first reader stay back.
        """
        session, refusal = self._session, self.refusal
        if refusal or session.series is None:
            session.message = Message(refusal, "warning")
            return None
        study = session.series.study_key
        report, written_at = self._reports.get(study, (None, 0))
        parts = replace(self._parts(session.series), report=report, written_at=written_at)
        details = [of_result(each) for each, _ in parts.results]
        return self._run(
            Errand("Exporting DICOM", "files", EXPORT, (parts, folder), about=folder.name),
            lambda written: self._exported(folder, len(written), details, parts.left_out),
        )

    def deidentify(self, folder: Path, *, with_burned_in: bool = False) -> Job | None:
        """Copy the study on screen without identity, and what was found and marked on it.

        PS3.15 Basic Profile, UIDs replaced. Results kept back from a first reader stay back.
        """
        session = self._session
        if session.series is None or session.series.format != "dicom":
            session.message = Message(_OPEN_FIRST, "warning")
            return None
        parts = self._parts(session.series)
        results = (parts,) if parts.has_something else ()
        study = session.series.study_uid
        files = dict.fromkeys(
            file
            for series in session.catalogue.all_series()
            if series.study_uid == study
            for file in series.files
        )
        args = (tuple(files), folder, with_burned_in, results)
        return self._run(
            Errand("Copying without identity", "files", DEIDENTIFY, args, about=folder.name),
            lambda body: self._copied(folder, body),
        )

    @property
    def has_stack(self) -> bool:
        """Whether the active pane goes through several slices."""
        session = self._session
        held, view = session.content(session.active_pane), session.views.get(session.active_pane)
        return held is not None and view is not None and slices_of(held.volume, view) > 1

    @property
    def reel(self) -> Reel | None:
        """What the active pane goes through; None where it is no stack."""
        session = self._session
        held, view = session.content(session.active_pane), session.views.get(session.active_pane)
        if held is None or view is None or not self.has_stack:
            return None
        return Reel(held.volume, session.layers_about(held.id), view, 10.0)

    def movie(self, path: Path, per_second: float) -> Job | None:
        """Write the slices of the active pane as an animated picture, without a name on it."""
        reel = self.reel
        if reel is None:
            self._session.message = Message(_NO_STACK, "warning")
            return None
        errand = Errand(
            "Writing a movie", "files", MOVIE, (replace(reel, per_second=per_second), path),
            about=path.name,
        )  # fmt: skip
        return self._run(errand, lambda count: self._filmed(path, count))

    def picture(self, path: Path, png: bytes) -> Job:
        """Write a picture of a pane."""
        errand = Errand("Writing a picture", "files", PICTURE, (png, path), about=path.name)
        return self._run(errand, lambda _: self._pictured(path))

    def _pictured(self, path: Path) -> None:
        self._session.message = Message(f"Picture written: {path.name}")

    def _filmed(self, path: Path, count: int) -> None:
        self.left.emit("exported", {"kind": "movie", "pictures": count})
        self._session.message = Message(f"Movie of {count} pictures written: {path.name}")

    def take_report(self, study: str, path: Path, written_at: int) -> None:
        """Note where the report of a study was written last; it leaves with its objects.

        A file that was written over, here for another study or by others, is not it any more.
        """
        others = {other: kept for other, kept in self._reports.items() if kept[0] != path}
        self._reports = {**others, study: (path, written_at)}

    def _parts(self, series: Series) -> Handover:
        """Results, measurements and key images of the series on screen."""
        session = self._session
        cards = ((each, self._analysis.card_of(each)) for each in session.results)
        return Handover(
            series,
            tuple((each, card) for each, card in cards if card is not None),
            self._measuring.figures,
            self._measuring.key_slices,
            session.time,
        )

    def _run(self, errand: Errand, done: Callable[..., object]) -> Job:
        return self._tasks.run(errand, Answers(done))

    def _exported(
        self, folder: Path, count: int, details: list[dict[str, Any]], left_out: str
    ) -> None:
        self.left.emit("exported", {"kind": "dicom", "objects": count, "results": details})
        text = f"{counted(count, 'DICOM object')} written to {folder.name}. Research use only."
        text = f"{text} {left_out}".strip()
        self._session.message = Message(text, "warning") if left_out else Message(text)

    def _copied(self, folder: Path, body: Mapping[str, Any]) -> None:
        self.left.emit("deidentified", {name: body[name] for name in _COUNTED})
        parts = [f"{counted(body['files'], 'file')} copied without identity to {folder.name}."]
        if body["results"]:
            parts[0] += f" About the copies: {counted(body['results'], 'DICOM object')} of results."
        if body["withheld"]:
            reasons = dict.fromkeys(str(each["what"]) for each in body["withheld"])
            parts.append(f"{len(body['withheld'])} held back: {'; '.join(reasons)}.")
        parts += [f"{each['text']}." for each in body["warnings"]]
        text = " ".join(parts)
        self._session.message = Message(text, "warning") if len(parts) > 1 else Message(text)
