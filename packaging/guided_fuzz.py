"""Search for files that break a reader, led by the steps through its code that they reach.

    python packaging/guided_fuzz.py FOLDER [--minutes 10] [--seed 0] [--kind dicom|nifti|both]

Begins with the small valid files of ``medview bench fuzz`` and with what earlier runs kept in
FOLDER. A damaged file that takes a step from one line to another which no file took before is
kept there and damaged further. A file that breaks the contract (anything but an image or a
refusal in words, more than 256 MB, more than 20 s while it is traced) is kept as ``break-*``
and said. Ends with 1 when there was one.

Only Python's own tracing is used, so nothing need be installed. What it can lead: the lines of
``medview/io``. What it cannot: compiled decoders, whose branches it does not see; they only get
whatever damage the readers let through. The search runs in a process of its own, so a decoder
that dies or hangs for a minute is found, too.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any

from medview import io
from medview.cli.benches import fuzz
from medview.cli.benches.fuzz import HANG_S, SUFFIX, Outcomes, judge
from medview.cli.benches.mutants import Kind, damaged
from medview.cli.benches.seeds import dicom_seeds, nifti_seeds

# Tracing makes a file take about ten times as long as it does in the bench.
TRACED_SECONDS = 20.0
READERS = str(Path(io.__file__).parent)
# How often a new file grows from one of those that were kept last.
RECENT, RECENT_SHARE = 20, 0.5
# A file that is being tried lies here; it is still there when its process has died.
UNDER_TRIAL = "trial"

Step = tuple[CodeType, int, int]


class Steps:
    """Collects the steps from line to line of the readers, in every thread."""

    def __init__(self) -> None:
        self.taken: set[Step] = set()

    def during(self, work: Callable[[], None]) -> set[Step]:
        """The steps that some work takes."""
        self.taken = set()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        try:
            work()
        finally:
            sys.settrace(None)
            threading.settrace(None)
        return self.taken

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(READERS):
            return None
        before = code.co_firstlineno

        def line(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal before
            if event == "line":
                self.taken.add((code, before, frame.f_lineno))
                before = frame.f_lineno
            return line

        return line


@dataclass(slots=True)
class Search:
    """One kind of file, the files to grow from, and what was reached and broken."""

    kind: Kind
    folder: Path
    dice: Random
    corpus: list[bytes] = field(default_factory=list)
    known: set[Step] = field(default_factory=set)
    outcomes: Outcomes = field(default_factory=Outcomes)
    first: int = 0

    def begin(self) -> None:
        """Learn what valid files, and those that earlier runs kept, reach."""
        seeds = dicom_seeds() if self.kind == "dicom" else nifti_seeds()
        kept = [path.read_bytes() for path in sorted(self.folder.glob(f"kept-*{self._suffix}"))]
        for data in (*seeds, *kept):
            self.known |= self.steps_of(data)
            self.corpus.append(data)
        self.first = len(self.known)

    def once(self) -> bool:
        """Try one more file; say whether it was kept."""
        data = self._grown()
        new = self.steps_of(data) - self.known
        if not new:
            return False
        self.known |= new
        self.corpus.append(data)
        self._keep("kept", data)
        return True

    def steps_of(self, data: bytes) -> set[Step]:
        """Open a file as the bench does; a break is kept and said."""
        path = self.folder / f"{UNDER_TRIAL}{self._suffix}"
        path.write_bytes(data)
        broken = len(self.outcomes.breaks)
        steps = Steps().during(lambda: judge(self.outcomes, self.kind, self.outcomes.cases, path))
        path.unlink()
        for found in self.outcomes.breaks[broken:]:
            print(f"{self._keep('break', data)}: {found.how}", flush=True)
        return steps

    def _grown(self) -> bytes:
        """One of the files with new damage, or the head of one with the tail of another."""
        recent = self.dice.random() < RECENT_SHARE
        choice = self.corpus[-RECENT:] if recent else self.corpus
        data = bytearray(self.dice.choice(choice))
        if self.dice.random() < 0.1:
            other = self.dice.choice(self.corpus)
            at = self.dice.randrange(len(data) + 1)
            data[at:] = other[min(at, len(other)) :]
        return damaged(self.kind, self.dice, data)

    def _keep(self, word: str, data: bytes) -> str:
        name = f"{word}-{hashlib.sha256(data).hexdigest()[:16]}{self._suffix}"
        (self.folder / name).write_bytes(data)
        return name

    @property
    def _suffix(self) -> str:
        return SUFFIX[self.kind]


def search(kind: Kind, folder: Path, seed: str, seconds: float) -> Search:
    """Search for so long, in this process."""
    found = Search(kind, folder, Random(seed))
    fuzz.MOST_SECONDS = TRACED_SECONDS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.begin()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            signal.alarm(HANG_S)
            found.once()
        signal.alarm(0)
    print(
        f"{kind}: {found.outcomes.cases} files, {found.outcomes.loaded} loaded, "
        f"{found.outcomes.refused.total()} refused in words, {len(found.outcomes.breaks)} broke "
        f"the contract; steps reached {found.first} -> {len(found.known)}, "
        f"{len(found.corpus)} files to grow from",
        flush=True,
    )
    return found


def _apart(kind: Kind, folder: Path, seed: str, seconds: float) -> None:
    sys.exit(bool(search(kind, folder, seed, seconds).outcomes.breaks))


def search_apart(kind: Kind, folder: Path, seed: int, seconds: float) -> bool:
    """Search in a process of its own, a new one when it dies; say whether anything broke."""
    until, broken, tries = time.monotonic() + seconds, False, 0
    while (left := until - time.monotonic()) > 0:
        words = (kind, folder, f"{kind} {seed} {tries}", left)
        child = multiprocessing.get_context("spawn").Process(target=_apart, args=words)
        child.start()
        child.join()
        if child.exitcode in (0, 1):
            return broken or child.exitcode == 1
        broken, tries = True, tries + 1
        trial = folder / f"{UNDER_TRIAL}{SUFFIX[kind]}"
        if not trial.exists():
            print(f"{kind}: the search itself ended with {child.exitcode}", flush=True)
            return True
        name = f"break-{hashlib.sha256(trial.read_bytes()).hexdigest()[:16]}{SUFFIX[kind]}"
        trial.rename(folder / name)
        print(f"{name}: its process ended with {child.exitcode}", flush=True)
    return broken


def main(words: list[str]) -> int:
    """Search among the kinds of files, one after the other."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path, help="what reached new code and what broke is kept")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=("dicom", "nifti", "both"), default="both")
    asked = parser.parse_args(words)
    asked.folder.mkdir(parents=True, exist_ok=True)
    kinds: tuple[Kind, ...] = ("dicom", "nifti") if asked.kind == "both" else (asked.kind,)
    seconds = 60 * asked.minutes / len(kinds)
    broken = [search_apart(kind, asked.folder, asked.seed, seconds) for kind in kinds]
    return int(any(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
