"""Results that outlive the program: each a folder, bound to the pixels it is about.

A result is written to ``incoming/``, put on the disk for good, renamed into ``data/``, and then
one SQLite transaction makes it known. The files are the truth; the index can be made again from
them. What a crash leaves half done is taken away at the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medview.domain.card import ModelCard
from medview.domain.errors import ReadError, WriteError
from medview.domain.exam import Exam
from medview.domain.prediction import Opinion, Prediction, Score
from medview.domain.progress import Progress
from medview.io import result_index
from medview.io.atomic import own_folder, sync, write_error
from medview.io.hashing import file_sha256
from medview.io.plain import plain, record_of
from medview.io.result_index import Binding, Entry, Kept, connected
from medview.io.results import RESULT, read_result, read_scores, write_prediction

SCHEMA = "medview.stored/1"
_ABOUT, _OPINIONS, _INDEX = "about.json", "opinions.json", "index.sqlite"
_FOLDERS = ("incoming", "data", "trash", "damaged")

#: Called with the name of each step; tests end the process there.
CrashPoint = Callable[[str], None]

CRASH_POINTS = (
    "add: locked",
    "add: folder made",
    "add: result written",
    "add: label written",
    "add: label synced",
    "add: renamed",
    "add: folder synced",
    "add: begun",
    "add: older one unlisted",
    "add: inserted",
    "add: committed",
    "discard: renamed",
    "discard: removed",
    "judge: written",
    "judge: synced",
    "judge: renamed",
    "judge: folder synced",
    "forget: locked",
    "forget: unlisted",
    "forget: committed",
    "sweep: drafts gone",
    "sweep: strays gone",
    "sweep: rows gone",
    "rebuild: made",
    "rebuild: filled",
    "rebuild: committed",
    "rebuild: damaged one aside",
    "rebuild: renamed",
)
"""Every step between which a process may end without losing what was acknowledged."""


def _nothing(step: str) -> None:
    """Nobody wants the process to end here."""


class ResultStore:
    """The results of one user. Every change holds a lock that other processes wait for.

    Raises
    ------
    WriteError
        If the folder cannot be made or written.
    ReadError
        If a newer version of the program has made it.
    """

    def __init__(self, root: Path, at: CrashPoint = _nothing) -> None:
        self.root = root
        self._at = at
        with self._changing():
            for name in _FOLDERS:
                (root / name).mkdir(mode=0o700, exist_ok=True)
            if not result_index.is_sound(self._index):
                result_index.rebuild(self._index, self._entries_on_disk(), at)
            self._sweep()

    # -- reading ---------------------------------------------------------------------------

    def find(self, series: str, sha256: str) -> tuple[Entry, ...]:
        """The results about these very pixels, in the order they were filed."""
        with connected(self._index) as base:
            return result_index.entries(base, "series = ? AND sha256 = ?", series, sha256)

    def entries(self) -> tuple[Entry, ...]:
        """Everything that is stored, in the order it was filed."""
        with connected(self._index) as base:
            return result_index.entries(base)

    def load(self, job: Progress, entry: Entry) -> Kept:
        """Read a result back: the same values that were stored.

        Answers that cannot be read take nothing from it: the error is in ``doubt``.

        Raises
        ------
        ReadError
            If a file is missing or not the one that was stored; it names the file.
        """
        folder = self._data(entry.id)
        self._check(job, folder)
        stored = read_result(job, folder)
        try:
            said, doubt = _read_opinions(folder), None
        except ReadError as error:
            said, doubt = (), error
        return Kept(entry, stored.prediction, stored.card, said, doubt)

    def scores(self, entry_id: str) -> tuple[Score, ...]:
        """The scores of a result alone. Raises ReadError where that is damaged."""
        return read_scores(self._data(entry_id))

    def answers(self, entry_id: str) -> tuple[Opinion, ...]:
        """What the reader answered to a result; nothing where that cannot be read."""
        with suppress(ReadError):
            return _read_opinions(self._data(entry_id))
        return ()

    def _check(self, job: Progress, folder: Path) -> None:
        for name, sha256 in _read_label(folder)["files"].items():
            job.check()
            path = folder / name
            if not path.is_file() or file_sha256(path) != sha256:
                raise ReadError(
                    "is not the file that was stored",
                    code="MV-IO-321",
                    file=path.name,
                    do="Run the model again.",
                )

    # -- changing --------------------------------------------------------------------------

    def add(
        self,
        job: Progress,
        about: Binding,
        prediction: Prediction,
        exam: Exam | None = None,
        card: ModelCard | None = None,
    ) -> Entry:
        """File a result in place of an older one of its version on the same pixels.

        When this returns, the result survives the end of the process and of the machine.
        """
        with self._changing():
            self._at("add: locked")
            draft = self._new_draft()
            draft.mkdir()
            self._at("add: folder made")
            write_prediction(job, prediction, draft, exam=exam, card=card)
            self._at("add: result written")
            entry = _entry_of(about, prediction, draft / RESULT)
            self._label(draft, entry)
            self._publish(draft, entry.id)
            older = self._list(entry)
            for each in older:
                self._discard(each)
        return entry

    def judge(self, entry_id: str, opinions: Sequence[Opinion]) -> None:
        """Keep what the reader answered to a result, in place of earlier answers.

        Earlier ones that cannot be read are set aside, not replaced.
        """
        with self._changing():
            folder = self._data(entry_id)
            if not folder.is_dir():
                raise ReadError("this result is stored no more", do="Run the model again.")
            draft = self._new_draft()
            body = {"schema": SCHEMA, "opinions": [plain(each) for each in opinions]}
            draft.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", "utf-8")
            self._at("judge: written")
            sync(draft)
            self._at("judge: synced")
            self._set_aside_unreadable(folder)
            os.replace(draft, folder / _OPINIONS)
            self._at("judge: renamed")
            sync(folder)
            self._at("judge: folder synced")

    def forget(self, study: str) -> int:
        """Delete every result of a study; return how many there were."""
        with self._changing():
            self._at("forget: locked")
            with connected(self._index) as base:
                gone = result_index.entries(base, "study = ?", study)
                base.execute("BEGIN IMMEDIATE")
                result_index.remove(base, [each.id for each in gone])
                self._at("forget: unlisted")
                base.execute("COMMIT")
            self._at("forget: committed")
            for each in gone:
                self._discard(each.id)
        return len(gone)

    # -- how it is done --------------------------------------------------------------------

    @property
    def _index(self) -> Path:
        return self.root / _INDEX

    def _data(self, entry_id: str) -> Path:
        return self.root / "data" / entry_id

    def _new_draft(self) -> Path:
        return self.root / "incoming" / secrets.token_hex(8)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Wait for the lock, which the system takes back from a process that dies."""
        try:
            own_folder(self.root)
            with (self.root / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise write_error(self.root, error) from error
        except sqlite3.OperationalError as error:
            raise WriteError(
                f"could not be written ({error})",
                file=_INDEX,
                do="Free some space, or end the other medview that uses it.",
            ) from error

    def _label(self, draft: Path, entry: Entry) -> None:
        """Write what the result is about and the hash of each of its files, for good."""
        files = sorted(path for path in draft.rglob("*") if path.is_file())
        hashes = {path.relative_to(draft).as_posix(): file_sha256(path) for path in files}
        body = {"schema": SCHEMA} | asdict(entry) | {"files": hashes}
        (draft / _ABOUT).write_text(json.dumps(body, indent=1) + "\n", "utf-8")
        self._at("add: label written")
        sync(draft / _ABOUT)
        sync(draft)
        self._at("add: label synced")

    def _publish(self, draft: Path, entry_id: str) -> None:
        target = self._data(entry_id)
        if target.exists():
            shutil.rmtree(draft)
        else:
            os.replace(draft, target)
        self._at("add: renamed")
        sync(target.parent)
        self._at("add: folder synced")

    def _list(self, entry: Entry) -> list[str]:
        """Make the result known, and the one that it replaces no more: one transaction."""
        with connected(self._index) as base:
            same = "series = ? AND sha256 = ? AND model = ? AND version = ?"
            values = (entry.series, entry.sha256, entry.model, entry.version)
            older = result_index.entries(base, same, *values)
            gone = [each.id for each in older if each.id != entry.id]
            base.execute("BEGIN IMMEDIATE")
            self._at("add: begun")
            result_index.remove(base, gone)
            self._at("add: older one unlisted")
            result_index.insert(base, entry)
            self._at("add: inserted")
            base.execute("COMMIT")
        self._at("add: committed")
        return gone

    def _discard(self, entry_id: str) -> None:
        """Delete a folder that is listed no more; from the first step on nobody sees it."""
        trash = self.root / "trash" / secrets.token_hex(8)
        os.replace(self._data(entry_id), trash)
        self._at("discard: renamed")
        shutil.rmtree(trash)
        self._at("discard: removed")

    def _set_aside_unreadable(self, folder: Path) -> None:
        try:
            _read_opinions(folder)
        except ReadError:
            aside = f"{folder.name}-{secrets.token_hex(4)}-{_OPINIONS}"
            os.replace(folder / _OPINIONS, self.root / "damaged" / aside)

    def _sweep(self) -> None:
        """Take away what a process has left that ended in the middle."""
        for place in ("incoming", "trash"):
            for stray in (self.root / place).iterdir():
                if stray.is_dir():
                    shutil.rmtree(stray)
                else:
                    stray.unlink()
        self._at("sweep: drafts gone")
        with connected(self._index) as base:
            listed = {each.id for each in result_index.entries(base)}
            there = {path.name for path in (self.root / "data").iterdir()}
            for stray_id in sorted(there - listed):
                self._discard(stray_id)
            self._at("sweep: strays gone")
            if listed - there:
                base.execute("BEGIN IMMEDIATE")
                result_index.remove(base, listed - there)
                base.execute("COMMIT")
            self._at("sweep: rows gone")

    def _entries_on_disk(self) -> list[Entry]:
        """What the folders say of themselves; one that cannot be read is set aside."""
        found = []
        for folder in sorted((self.root / "data").iterdir()):
            try:
                entry = record_of(Entry, _read_label(folder))
            except (ReadError, TypeError):
                os.replace(folder, self.root / "damaged" / folder.name)
                continue
            found.append(replace(entry, id=folder.name))
        return found


def _entry_of(about: Binding, prediction: Prediction, result: Path) -> Entry:
    seed = f"{about.series} {about.sha256} {file_sha256(result)}".encode()
    first = prediction.inputs[0] if prediction.inputs else None
    columns, rows, slices = first.size if first is not None else (0, 0, 0)
    return Entry(
        id=hashlib.sha256(seed).hexdigest()[:32],
        study=about.study,
        series=about.series,
        sha256=about.sha256,
        model=prediction.model,
        version=prediction.version,
        made_at=prediction.made_at,
        filed_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        device=prediction.device,
        seconds=float(prediction.seconds),
        peak_memory_mb=float(prediction.peak_memory_mb),
        voxels=int(columns * rows * slices),
        samples=_samples(prediction),
    )


def _samples(prediction: Prediction) -> int:
    told = prediction.parameters.get("samples")
    return int(told) if isinstance(told, int | float) else 0


def _read_label(folder: Path) -> dict[str, Any]:
    try:
        body = json.loads((folder / _ABOUT).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _label_damaged() from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA or "files" not in body:
        raise _label_damaged()
    return body


def _label_damaged() -> ReadError:
    return ReadError(
        "is damaged", code="MV-IO-322", file=_ABOUT, do="Run the model on this study again."
    )


def _read_opinions(folder: Path) -> tuple[Opinion, ...]:
    """The reader's answers; none where there are none. Raises ReadError for a damaged file."""
    try:
        body = json.loads((folder / _OPINIONS).read_text("utf-8"))
        return tuple(record_of(Opinion, each) for each in body["opinions"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(
            "is damaged",
            code="MV-IO-323",
            file=_OPINIONS,
            still_works="the result itself",
            do="Answer again; the damaged file is kept.",
        ) from error
