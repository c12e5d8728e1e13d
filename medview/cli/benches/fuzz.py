"""``medview bench fuzz``: damaged files are loaded or refused in words, never anything else."""

from __future__ import annotations

import faulthandler
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from medview.cli.benches.mutants import Kind, mutant
from medview.cli.benches.rows import Row
from medview.cli.contract import Context
from medview.domain.errors import MedviewError, WorkerDied
from medview.domain.progress import Progress, Silent
from medview.io import readers

CASES: dict[Kind, int] = {"dicom": 20_000, "nifti": 5_000}
QUICK_CASES: dict[Kind, int] = {"dicom": 2_000, "nifti": 500}
SUFFIX: dict[Kind, str] = {"dicom": ".dcm", "nifti": ".nii"}

# What one damaged file may cost (processor time, so that a busy machine does not matter).
MOST_SECONDS = 2.0
MOST_MEMORY_MB = 256
# A file that takes longer hangs: the child is ended, and found dead.
HANG_S = 60
# Cases for one call of the child; a child that dies costs no more than the rest of these.
AT_ONCE = 500

WORK = "medview.cli.benches.fuzz:attack"


@dataclass(frozen=True, slots=True)
class Break:
    """A file that broke the contract: which it was, and how."""

    kind: Kind
    number: int
    how: str


@dataclass(slots=True)
class Outcomes:
    """What became of many files. Times are of the processor."""

    loaded: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    breaks: list[Break] = field(default_factory=list)
    slowest_s: float = 0.0

    def add(self, other: Outcomes) -> None:
        """Take in the outcomes of more files."""
        self.loaded += other.loaded
        self.refused.update(other.refused)
        self.breaks += other.breaks
        self.slowest_s = max(self.slowest_s, other.slowest_s)

    @property
    def cases(self) -> int:
        """How many files there were."""
        return self.loaded + self.refused.total() + len(self.breaks)


def measure(context: Context, quick: bool) -> list[Row]:
    """Give the row of each kind of file: how many broke the contract; the aim is none."""
    rows: list[Row] = []
    for kind, count in (QUICK_CASES if quick else CASES).items():
        began = time.perf_counter()
        outcomes = besiege(context, kind, range(count))
        for found in outcomes.breaks:
            context.say(f"{kind} {context.options.seed} {found.number}: {found.how}")
        what = f"{kind}, {outcomes.cases} damaged files, seed {context.options.seed}"
        spent = time.perf_counter() - began
        rows += [
            Row(f"{what}: contract broken", len(outcomes.breaks), "files", aim=0),
            Row(f"{what}: loaded", outcomes.loaded, "files"),
            Row(f"{what}: refused in words", outcomes.refused.total(), "files"),
            Row(f"{what}: slowest", outcomes.slowest_s, "s", aim=MOST_SECONDS),
            Row(f"{what}: whole run", spent, "s"),
        ]
    return rows


def besiege(context: Context, kind: Kind, numbers: range) -> Outcomes:
    """Try the damaged files of these numbers, each in the child for files."""
    total = Outcomes()
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        folder = Path(name)
        waiting = list(_parts(numbers))
        while waiting:
            part = waiting.pop(0)
            context.report(part.start - numbers.start, len(numbers), f"{kind} files")
            found, rest = _try(context, kind, part, folder)
            total.add(found)
            waiting[:0] = [rest] if rest else []
    return total


def _parts(numbers: range) -> Iterator[range]:
    for start in range(numbers.start, numbers.stop, AT_ONCE):
        yield range(start, min(start + AT_ONCE, numbers.stop))


def _try(context: Context, kind: Kind, part: range, folder: Path) -> tuple[Outcomes, range]:
    """Try some files in the child; when it dies, name the file and give what is left to try."""
    try:
        found = context.jobs.call("files", WORK, kind, context.options.seed, part, folder)
        return cast(Outcomes, found), range(0)
    except WorkerDied as error:
        # The file it died on still lies there; those before it were well, and are done again
        # only to be counted.
        culprit = next(folder.iterdir())
        number = int(culprit.stem)
        culprit.unlink()
        before = range(part.start, number)
        outcomes, _ = _try(context, kind, before, folder) if before else (Outcomes(), before)
        outcomes.breaks.append(Break(kind, number, f"{error.what}"))
        return outcomes, range(number + 1, part.stop)


def attack(job: Progress, kind: Kind, seed: int, numbers: range, folder: Path) -> Outcomes:
    """Work in the child: make each damaged file, scan it, load it, and judge what happened."""
    outcomes = Outcomes()
    # Of fuzzed headers, pydicom has much to say.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in numbers:
            job.check()
            path = folder / f"{number}{SUFFIX[kind]}"
            path.write_bytes(mutant(kind, seed, number))
            faulthandler.dump_traceback_later(HANG_S, exit=True)
            judge(outcomes, kind, number, path)
            faulthandler.cancel_dump_traceback_later()
            path.unlink()
    return outcomes


def judge(outcomes: Outcomes, kind: Kind, number: int, path: Path) -> None:
    """Scan and load a damaged file, and note what became of it."""
    memory, clock = _peak_mb(), time.process_time()
    broken: str | None = None
    refused = ""
    try:
        _scan_and_load(path)
    except MedviewError as error:
        refused = error.code
        broken = _fault_of(error, path)
    # The very thing that is looked for; a decoder in Rust panics below BaseException.
    except BaseException as error:
        broken = "".join(traceback.format_exception_only(error)).strip() + _where(error)
    spent = time.process_time() - clock
    outcomes.slowest_s = max(outcomes.slowest_s, spent)
    if broken is None and spent > MOST_SECONDS:
        broken = f"took {spent:.1f} s"
    if broken is None and _peak_mb() - memory > MOST_MEMORY_MB:
        broken = f"took {_peak_mb() - memory:.0f} MB"
    if broken is not None:
        outcomes.breaks.append(Break(kind, number, broken))
    elif refused:
        outcomes.refused[refused] += 1
    else:
        outcomes.loaded += 1


def _scan_and_load(path: Path) -> None:
    """List the file and read all that is offered, as the window would."""
    quiet = Silent()
    for series in readers.scan(quiet, (path,)).all_series():
        if series.geometry is not None:
            volume = readers.load(quiet, series)
            volume.array.max(initial=0)


def _fault_of(error: MedviewError, path: Path) -> str | None:
    """A refusal must say what is wrong and what to do, and must not give away the folder."""
    if not error.what or not error.do:
        return f"says too little: {error.as_dict()}"
    if str(path.parent) in str(error):
        return f"names the folder: {error}"
    return None


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames[-3:]]
    return " at " + " > ".join(places)


def _peak_mb() -> float:
    """Most memory that this process has ever had, MB; Linux counts in KB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
