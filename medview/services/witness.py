"""What is done at the window, put down in the audit trail as it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medview.io.trail import Verdict
from medview.services.audit import Deed, of_result, put_down
from medview.services.jobs import Jobs
from medview.services.outgoing import Outgoing
from medview.services.reading import Reading
from medview.services.session import Session
from medview.services.session_values import Message, VolumeId
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.writing import AtOnce, Writer

LOOK = "medview.io.trail:look"

_NOT_WRITTEN = (
    "The audit trail cannot be written, so what is done now is not in it. Look at the free space "
    "and the rights of medview's folder."
)


class Witness:
    """Listens to the session and has one line after another written.

    A threshold is put down once it rests: before the next deed, or at the end. Deeds name
    pixels, models and reports by their hashes and ids, never a patient or a path.
    """

    def __init__(
        self,
        jobs: Jobs,
        session: Session,
        reading: Reading,
        outgoing: Outgoing,
        path: Path,
        writer: Writer | None = None,
    ) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._path = path
        self._since = datetime.now(UTC).replace(microsecond=0)
        self._writer = writer or AtOnce()
        self._is_open = True
        self._opened: VolumeId | None = None
        self._seen: set[tuple[object, ...]] = set()
        self._thresholds: dict[str, float] = {}
        self._resting: dict[str, float] = {}
        session.events.volume_id.connect(self._on_volume)
        session.events.predictions.connect(self._on_predictions)
        session.events.opinions.connect(self._on_opinions)
        session.events.styles.connect(self._on_styles)
        reading.signed.connect(self._on_signed)
        reading.wrote.connect(self._on_written)
        reading.left.connect(lambda kind: self._put("exported", {"kind": kind}))
        outgoing.left.connect(self._put)

    def look(self, done: Callable[[list[dict[str, Any]], Verdict], object]) -> None:
        """Have the newest lines read and the whole chain checked, once all is written."""
        self._put_thresholds()
        errand = Errand("Audit trail", "files", LOOK, (self._path,), key="audit")
        answers = Answers(lambda found: done(*found))
        self._writer.put(lambda: None, done=lambda: self._tasks.run(errand, answers))

    def deleted(self, detail: Mapping[str, Any]) -> None:
        """Put down that something kept of a study was deleted."""
        self._put("deleted", detail)

    def deleting(
        self, work: Callable[[], Mapping[str, Any]], done: Callable[[], object] = lambda: None
    ) -> None:
        """Have something deleted beside the window, and put down what `work` tells of it.

        `done` is called in the end, also where the trail could not be written.
        """
        self._put_thresholds()
        self._write("deleted", work, done)

    def close(self) -> None:
        """Put down what rests; then nothing is heard."""
        self._put_thresholds()
        self._is_open = False

    def _put(self, deed: Deed, detail: Mapping[str, Any]) -> None:
        self._put_thresholds()
        self._write(deed, detail)

    def _write(
        self,
        deed: Deed,
        detail: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
        done: Callable[[], object] = lambda: None,
    ) -> None:
        def work() -> None:
            put_down(deed, detail() if callable(detail) else detail, self._path)

        if self._is_open:
            self._writer.put(work, done=done, failed=lambda _: self._on_refused(done))

    def _on_refused(self, done: Callable[[], object]) -> None:
        self._session.message = Message(_NOT_WRITTEN, "warning")
        done()

    def _put_thresholds(self) -> None:
        if self._resting:
            about = self._opened.sha256 if self._opened is not None else None
            self._write("threshold", {"pixels": about, "maps": dict(self._resting)})
            self._resting = {}

    def _on_volume(self, about: VolumeId | None) -> None:
        if about is None or about == self._opened:
            return
        self._put_thresholds()
        self._opened = about
        self._write("opened", {"pixels": about.sha256})

    def _on_predictions(self) -> None:
        for about, results in self._session.predictions.items():
            for each in results:
                if self._is_new(("ran", about, each.key, each.made_at), each.made_at):
                    self._put("ran", of_result(each))

    def _on_opinions(self) -> None:
        for (about, result), said in self._session.opinions.items():
            for each in said:
                key = ("answer", about, result, each.about, each.verdict, each.at)
                if self._is_new(key, each.at):
                    answer = {"result": result, "about": each.about, "verdict": each.verdict}
                    self._put("accepted", {"pixels": about.sha256, **answer})

    def _on_styles(self) -> None:
        for name, style in self._session.styles.items():
            if self._thresholds.get(name) != style.threshold:
                self._thresholds[name] = self._resting[name] = style.threshold

    def _on_signed(self, report_id: str) -> None:
        self._put("signed", {"kind": "report", "report": report_id})

    def _on_written(self, report_id: str, content_sha256: str) -> None:
        self._put("exported", {"kind": "report", "report": report_id, "content": content_sha256})

    def _is_new(self, key: tuple[object, ...], at: str) -> bool:
        """True once, for what was not made before this start of the program."""
        if key in self._seen:
            return False
        self._seen.add(key)
        try:
            made = datetime.fromisoformat(at)
        except ValueError:
            return False
        return made.astimezone(UTC) >= self._since
