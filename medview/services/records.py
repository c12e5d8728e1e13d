"""Tables that are opened beside the images: the record of a stay, vectors of features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medview.domain.formats import is_table
from medview.services.jobs import Job, Jobs
from medview.services.session import Session
from medview.services.session_values import Message, TableFile, VolumeId
from medview.services.tasks import Answers, Errand, Tasks

READ = "medview.io.record:find_tables"


class Records:
    """Fills ``session.tables``; models take them as inputs beside the image, or alone."""

    def __init__(self, jobs: Jobs, session: Session) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._expected: tuple[Path, ...] = ()
        session.events.catalogue.connect(self._on_catalogue)

    def expect(self, paths: Sequence[Path]) -> None:
        """Read the tables among these paths once the images among them are listed.

        Not before: a table must not stand beside the images that were open until then.
        """
        self._expected = tuple(paths)

    def add(self, paths: Sequence[Path]) -> Job:
        """Read tables for the images on screen; one of the same role is replaced."""
        return self._read(tuple(paths))

    def remove(self, role: str) -> None:
        """Use this table no more."""
        tables = self._session.tables
        self._session.tables = {name: each for name, each in tables.items() if name != role}
        self._stand_alone()

    def _stand_alone(self) -> None:
        """Without an image the tables are what results are about."""
        session = self._session
        if session.series is not None or session.volume is not None:
            return
        table = next(iter(session.tables.values()), None)
        session.volume_id = (
            VolumeId(f"{table.given.series}#0", table.given.sha256) if table is not None else None
        )

    def look_at(self, hour: float | None) -> None:
        """Put the time cursor of the record on an hour; the ends hold."""
        table = self._session.tables.get("series")
        if table is not None and table.record is not None and hour is not None:
            hour = min(max(hour, 0.0), table.record.last)
        self._session.hour = hour

    def _on_catalogue(self) -> None:
        chosen, self._expected = self._expected, ()
        self._tasks.drop("tables")
        if self._session.tables:
            self._session.tables = {}
            self._stand_alone()
        self._session.hour = None
        if chosen:  # a folder may hold a table as well
            self._read(chosen)

    def _read(self, paths: tuple[Path, ...]) -> Job:
        name = next((path.name for path in paths if is_table(path)), "")
        name = "" if self._session.private else name
        errand = Errand("Reading tables", "files", READ, (paths,), about=name, key="tables")
        return self._tasks.run(errand, Answers(self._arrived))

    def _arrived(self, found: Sequence[tuple[object, ...]]) -> None:
        files = [TableFile(role, path, given, record) for path, role, given, record in found]  # type: ignore[arg-type]  # as find_tables says
        if not files:
            return
        session = self._session
        with session.together():
            session.tables = {**session.tables, **{each.role: each for each in files}}
            session.hour = None
        self._stand_alone()
        before = sum(each.record.before for each in files if each.record)
        if before:
            said = "row lies before admission and is" if before == 1 else ""
            said = said or "rows lie before admission and are"
            session.message = Message(f"{before} {said} left out.")
        ignored = [name for each in files if each.record for name in each.record.ignored]
        if ignored:
            names = ", ".join(ignored[:6]) + (" …" if len(ignored) > 6 else "")
            session.message = Message(f"Columns without numbers are ignored: {names}.")
        strips = [strip for each in files if each.record for strip in each.record.strips]
        odd = [f"{each.name}: {each.doubt}" for each in strips if each.doubt]
        if odd:
            some = "; ".join(odd[:4]) + (" …" if len(odd) > 4 else "")
            session.message = Message(f"Look at the units of the record. {some}.", "warning")
