"""Drafts of reports: what the reader has written about each study, kept as it is typed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from medview.domain.draft import Draft
from medview.domain.errors import MedviewError, WriteError
from medview.domain.progress import Silent
from medview.io.drafts import forget_draft, read_draft, write_draft
from medview.services.jobs import Jobs
from medview.services.session import Message, Session

SAVE = "medview.io.drafts:write_draft"


class Drafts:
    """Keeps a draft for each study; `folder` None keeps nothing beyond the session.

    A save that is under way is never stopped: when it is done the newest words are saved.
    """

    def __init__(self, jobs: Jobs, session: Session, folder: Path | None) -> None:
        self._jobs = jobs
        self._session = session
        self._folder = folder
        self._drafts: dict[str, Draft] = {}
        self._unsaved: set[str] = set()
        self._saving = ""
        self._refused = False

    def of(self, study: str) -> Draft:
        """What was written about a study, now or before the program was started."""
        if study not in self._drafts:
            stored = read_draft(self._folder, study) if self._folder and study else Draft()
            self._drafts[study] = stored
        return self._drafts[study]

    def put(self, study: str, draft: Draft) -> None:
        """Keep a draft, and put it on the disk as soon as the one before is there."""
        self._drafts[study] = draft
        if self._folder is not None and study:
            self._unsaved.add(study)
            self._save_next()

    def forget(self, study: str) -> None:
        """Drop what was written about a study, here and on the disk."""
        self._drafts[study] = Draft()
        self._unsaved.discard(study)
        if self._saving == study:
            # What is being written now would come back; the empty draft after it leaves no file.
            self._unsaved.add(study)
        if self._folder is not None:
            try:
                forget_draft(self._folder, study)
            except WriteError as error:
                self._session.message = Message.of(error)

    def flush(self) -> None:
        """Put on the disk what is not there yet, at once: the program is about to end."""
        if self._folder is None:
            return
        for study in {*self._unsaved, self._saving} - {""}:
            # Nobody is left to be told; what was kept before is still there.
            with suppress(WriteError):
                write_draft(Silent(), self._folder, study, self._drafts[study])
        self._unsaved.clear()

    def _save_next(self) -> None:
        if self._saving or not self._unsaved:
            return
        study = self._saving = self._unsaved.pop()
        self._jobs.run(
            "pages", SAVE, self._folder, study, self._drafts[study],
            done=lambda _: self._saved(), failed=self._failed,
        )  # fmt: skip

    def _saved(self) -> None:
        self._saving, self._refused = "", False
        self._save_next()

    def _failed(self, error: MedviewError) -> None:
        """Say once that a draft is not safe; the next word tries again."""
        self._saving = ""
        if not self._refused:
            self._refused = True
            words = "Your words are not stored and would be lost if the program ended"
            self._session.message = Message(f"{words}. {error}", "warning", error)
        self._save_next()
