"""The folder that a training of the window writes into, looked at and emptied beside the window."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medview.domain.training import BEGUN_WITH, CHECKPOINTS
from medview.io.cards import WEIGHTS
from medview.services.case_table import CaseLine, case_lines
from medview.services.histories import Curves
from medview.services.settings import Preferences
from medview.services.training_notes import forget_wish, read_compared, read_wish, write_wish
from medview.services.training_pace import curves_in, newest_preview


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What a training has left there so far; `begun` is what it was begun with, as it was noted.

    `lines` are the cases that were held out, where they were asked for or the note names their
    files; `compared` is old against new, once both were measured.
    """

    has_checkpoint: bool = False
    has_weights: bool = False
    curves: Curves = field(default_factory=dict)
    preview: Path | None = None
    begun: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[CaseLine, ...] = ()
    compared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def can_go_on(self) -> bool:
        """Whether it was interrupted: there is a checkpoint and no outcome."""
        return self.has_checkpoint and not self.has_weights

    @property
    def is_lost(self) -> bool:
        """Whether it was interrupted before there was anything to go on from."""
        return bool(self.begun) and not self.has_checkpoint and not self.has_weights


Seen = Callable[[Left | None], object]


class TrainingFolder:
    """Below the program's own folder; nobody waits for what is asked of it."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self.path = preferences.folder / "training"
        self.weights = self.path / WEIGHTS

    def look(self, done: Seen, files: Mapping[str, str] | None = None) -> None:
        """Call `done` with what was left, None where the disk refuses; with `files` lines, too."""
        self._fetch(lambda: _read(self.path, files), done)

    def make_room(self, begun: Mapping[str, Any] | None, done: Seen, *, resume: bool) -> None:
        """Before a training: note what it is begun with; one that does not go on finds nothing."""

        def work() -> Left:
            if not resume:
                shutil.rmtree(self.path, ignore_errors=True)
            if begun is not None:
                write_wish(self.path, begun)
            return _read(self.path)

        self._fetch(work, done)

    def note(self, begun: Mapping[str, Any]) -> None:
        """Note anew what a training was begun with, and what came of it."""
        self._preferences.writer.put(lambda: write_wish(self.path, begun))

    def forget(self) -> None:
        """Let nothing be offered of it at the next start; what it made stays."""
        self._preferences.writer.put(lambda: forget_wish(self.path))

    def clear(self) -> None:
        """Delete it with all that is in it."""
        self._preferences.writer.put(lambda: shutil.rmtree(self.path, ignore_errors=True))

    def _fetch(self, work: Callable[[], Left], done: Seen) -> None:
        self._preferences.writer.fetch(work, done, lambda _: done(None))


def _has_checkpoint(folder: Path) -> bool:
    """Whether there is more than the note of what it was begun with, which comes first."""
    return folder.is_dir() and [path.name for path in folder.iterdir()] != [BEGUN_WITH]


def _read(folder: Path, files: Mapping[str, str] | None = None) -> Left:
    begun, compared = read_wish(folder), read_compared(folder)
    if files is None and compared:
        files = begun.get("found", {}).get("files")
    return Left(
        _has_checkpoint(folder / CHECKPOINTS),
        (folder / WEIGHTS).is_file(),
        curves_in(folder),
        newest_preview(folder),
        begun,
        case_lines(folder, files) if files is not None else (),
        compared,
    )
