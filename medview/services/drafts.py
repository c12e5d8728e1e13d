"""Drafts of reports: what the reader has written about each study, kept as it is typed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from medview.domain.draft import FIELDS, Draft
from medview.domain.errors import MedviewError
from medview.io.drafts import read_draft, write_draft
from medview.services.session import Session
from medview.services.session_values import Message
from medview.services.writing import Writer


class Drafts:
    """Keeps a draft for each study; `folder` None keeps nothing beyond the session.

    `arrived` is told when what was written before the program was started has been read.
    """

    def __init__(
        self,
        session: Session,
        folder: Path | None,
        writer: Writer,
        arrived: Callable[[], object] = lambda: None,
    ) -> None:
        self._session, self._folder = session, folder
        self._writer, self._arrived = writer, arrived
        self._drafts: dict[str, Draft] = {}
        # What the disk holds of studies whose words were asked for: filled beside the window.
        self._coming: dict[str, list[Draft]] = {}
        self._refused = False

    def of(self, study: str) -> Draft:
        """What was written about a study, also before the program was started, once it is read."""
        if study not in self._drafts:
            self._drafts[study] = Draft()
            self._read(study)
        return self._drafts[study]

    def put(self, study: str, draft: Draft) -> None:
        """Keep a draft; of those that wait for the disk the newest of a study is written."""
        self._drafts[study] = draft
        self._write(study, draft)

    def forget(self, study: str) -> None:
        """Drop what was written about a study, here and on the disk."""
        self._drafts[study] = Draft()
        self._coming.pop(study, None)
        self._write(study, Draft())

    def _read(self, study: str) -> None:
        folder = self._folder
        if folder is None or not study:
            return
        is_over = threading.Event()
        coming: list[Draft] = []
        self._coming[study] = coming

        def found(_: object) -> None:
            if self._coming.get(study) is not coming:  # it was forgotten meanwhile
                return
            del self._coming[study]
            now = self._drafts[study]
            self._drafts[study] = _with(coming[0], now)
            if now != Draft():
                self.put(study, self._drafts[study])
            if is_over.is_set() and self._drafts[study] != now:
                self._arrived()

        self._writer.fetch(lambda: coming.append(read_draft(folder, study)), found)
        is_over.set()

    def _write(self, study: str, draft: Draft) -> None:
        """Have it written; an empty draft leaves no file."""
        folder, coming = self._folder, self._coming.get(study)
        if folder is None or not study:
            return

        def work() -> None:
            # The window may be closed before it hears of what was kept: that is not overwritten.
            write_draft(folder, study, _with(coming[0], draft) if coming else draft)

        def done() -> None:
            self._refused = False

        self._writer.put(
            work,
            key=f"words {study}",
            done=done,
            failed=self._failed,
        )

    def _failed(self, error: MedviewError) -> None:
        """Say once that a draft is not safe; the next word tries again."""
        if not self._refused:
            self._refused = True
            words = "Your words are not stored and would be lost if the program ended"
            self._session.message = Message(f"{words}. {error}", "warning", error)


def _with(stored: Draft, typed: Draft) -> Draft:
    """What was kept, with what was written before it was read in its place."""
    words = {name: text for name in (*FIELDS, "template") if (text := getattr(typed, name))}
    return replace(stored, **words, signatures=(*stored.signatures, *typed.signatures))
