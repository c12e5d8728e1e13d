"""``medview bench load``: how soon a series is on screen, beside SimpleITK and pydicom."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psutil

from medview.cli.benches.memory import PeakMemory
from medview.cli.benches.rows import Row
from medview.cli.benches.viewer import viewer_rows
from medview.cli.contract import Context
from medview.domain.errors import ReadError
from medview.domain.study import Catalogue, Series
from medview.domain.volume import Volume
from medview.imaging.frame import View, compose_frame
from medview.io.limits import is_too_large
from medview.services.jobs import Job, Jobs
from medview.services.library import LOAD_AND_IDENTIFY, SCAN

# What the whole series may take, as a share of SimpleITK's time.
WHOLE_AIMS = {"raw": 0.5, "JPEG 2000": 0.85, "JPEG-LS": 0.45, "RLE": 0.12}
SYNTAXES = ("raw", "JPEG 2000", "JPEG-LS", "RLE", "JPEG lossless", "HTJ2K")
FIRST_S = 0.5
LONG_FIRST_S = 1.0
LONG_WHOLE_S = 6.0
HEADERS_PER_S = 1000.0
# A volume of 4 GiB: slices of so many rows and columns; the aim is for all of it.
HUGE_SIDE, HUGE_MB = 1024, 6 * 1024

_BENCHES = "medview.cli.benches"
_MAKE = f"{_BENCHES}.ct_series:make"
_SIMPLEITK = f"{_BENCHES}.peers:simpleitk_series"
_PYDICOM = f"{_BENCHES}.peers:pydicom_loop"
_MAKE_HUGE = {"DICOM": f"{_BENCHES}.huge:dicom", "NIfTI": f"{_BENCHES}.huge:nifti"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is to read: slices of a series, of a long one, files to scan, rounds."""

    slices: int = 400
    long: int = 2000
    files: int = 10_000
    rounds: int = 3
    huge: int = 2048


QUICK = Sizes(slices=40, long=200, files=1000, rounds=1, huge=32)


@dataclass(frozen=True, slots=True)
class Reading:
    """A series read once: seconds from the drop to the first image, and to read it whole."""

    first_s: float
    whole_s: float
    pixels_mb: float


@dataclass(slots=True)
class _Watch:
    """Notes when the parts of a series arrive, on the lane's thread.

    Each is the volume as far as it is filled, from slice `wanted` outward; the last is whole.
    """

    wanted: int
    first: float | None = None
    whole: float | None = None
    pixels_mb: float = 0.0

    def arrived(self, part: object) -> None:
        """Show the first part as a pane would."""
        if not isinstance(part, Volume):
            return
        if self.first is None:
            middle = part.geometry.to_mm((self.wanted, *(n // 2 for n in part.geometry.shape[1:])))
            compose_frame(part, (), View(point_lps=(middle[0], middle[1], middle[2])))
            self.first = time.perf_counter()
        self.whole = time.perf_counter()
        self.pixels_mb = part.array.nbytes / 2**20


def measure(context: Context, quick: bool) -> list[Row]:
    """Give the rows of every syntax, of a long series, of a scan, and of the window itself."""
    sizes = QUICK if quick else Sizes()
    rows: list[Row] = []
    with Jobs(lambda call: call()) as ours, Jobs(lambda call: call()) as others:
        # Both are warm: the program runs, and what it needs is loaded.
        ours.warm("files", "medview.services.loading").settled.wait()
        others.warm("files", f"{_BENCHES}.peers", f"{_BENCHES}.ct_series").settled.wait()
        bench = _Bench(context, ours, others, sizes)
        for syntax in SYNTAXES:
            rows += bench.syntax_rows(syntax)
        rows += bench.long_rows()
        rows += bench.huge_rows()
        rows += bench.scan_rows()
    return [*rows, *viewer_rows(context, quick)]


@dataclass(frozen=True, slots=True)
class _Bench:
    context: Context
    ours: Jobs
    others: Jobs
    sizes: Sizes

    def syntax_rows(self, syntax: str) -> list[Row]:
        """One series in one syntax, read in turn by all three."""
        count, rounds = self.sizes.slices, range(self.sizes.rounds)
        with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
            folder = self._make(Path(name), count, 512, syntax)
            readings, itk, loop = [], [], []
            for _ in rounds:
                readings.append(read(self.ours, folder))
                itk.append(self._peer(_SIMPLEITK, folder))
                loop.append(self._peer(_PYDICOM, folder))
            with PeakMemory(os.getpid(), _child(self.ours)) as peak:
                again = read(self.ours, folder)
        first, whole = (min(getattr(r, n) for r in readings) for n in ("first_s", "whole_s"))
        what = f"{syntax}, {count} slices"
        aim = WHOLE_AIMS.get(syntax)
        return [
            Row(f"{what}: drop to first image", first, "s", aim=FIRST_S),
            Row(f"{what}: read whole", whole, "s", "SimpleITK series reader", _best(itk), aim),
            Row(f"{what}: read whole", whole, "s", "plain pydicom loop", _best(loop)),
            Row(f"{what}: peak of both processes", peak.mb, "MiB", aim=_most_mb(again.pixels_mb)),
        ]

    def long_rows(self) -> list[Row]:
        """One long series of raw pixels."""
        count = self.sizes.long
        with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
            folder = self._make(Path(name), count, 512, "raw")
            best = min((read(self.ours, folder) for _ in range(2)), key=lambda r: r.whole_s)
            with PeakMemory(os.getpid(), _child(self.ours)) as peak:
                read(self.ours, folder)
        what, share = f"raw, {count} slices", count / Sizes().long
        return [
            Row(f"{what}: drop to first image", best.first_s, "s", aim=LONG_FIRST_S),
            Row(f"{what}: read whole", best.whole_s, "s", aim=LONG_WHOLE_S * share),
            Row(f"{what}: peak of both processes", peak.mb, "MiB", aim=_most_mb(best.pixels_mb)),
        ]

    def huge_rows(self) -> list[Row]:
        """A volume of 4 GiB, from many files and from one; left out where there is no room."""
        count = self.sizes.huge
        pixels_mb = count * HUGE_SIDE**2 * 2 / 2**20
        if not is_room(pixels_mb):
            self.context.say(f"no room for a volume of {pixels_mb:.0f} MiB: its rows are left out")
            return []
        rows = []
        for kind, work in _MAKE_HUGE.items():
            with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
                folder = Path(name) / "huge"
                self.others.call("files", work, folder, count, HUGE_SIDE)
                with (
                    Jobs(lambda call: call()) as fresh,
                    PeakMemory(os.getpid(), _child(fresh)) as peak,
                ):
                    reading = read(fresh, folder)
            what = f"{kind}, {reading.pixels_mb / 1024:.2g} GiB in one volume"
            most = max(HUGE_MB * count / Sizes().huge, _most_mb(reading.pixels_mb))
            rows += [
                Row(f"{what}: read whole", reading.whole_s, "s"),
                Row(f"{what}: peak of both processes", peak.mb, "MiB", aim=most),
            ]
        return rows

    def scan_rows(self) -> list[Row]:
        """Headers of very many small files."""
        count = self.sizes.files
        with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
            folder = self._make(Path(name), count, 32, "raw")
            spent = [self._scan(folder) for _ in range(self.sizes.rounds)]
            peers = (f"{_BENCHES}.peers:{name}_scan" for name in ("pydicom", "simpleitk"))
            pydicom_rate, itk_rate = (self._rate(peer, folder) for peer in peers)
        wall, processor = (count / min(times) for times in zip(*spent, strict=True))
        what, unit = f"headers of {count} files", "files/s"
        return [
            Row(f"{what}, by core", processor, unit, aim=HEADERS_PER_S, at_least=True),
            Row(f"{what}, by the clock", wall, unit, "pydicom, headers only", pydicom_rate),
            Row(f"{what}, by the clock", wall, unit, "SimpleITK series finder", itk_rate),
        ]

    def _make(self, parent: Path, count: int, size: int, syntax: str) -> Path:
        folder = parent / "series"
        progress = self.context.report
        self.others.call("files", _MAKE, folder, count, size, syntax, progress=progress)
        return folder

    def _peer(self, work: str, folder: Path) -> float | None:
        """Seconds that a peer takes; None if it cannot read this at all."""
        return cast(float | None, self.others.call("files", work, folder))

    def _rate(self, work: str, folder: Path) -> float:
        return self.sizes.files / cast(float, self.others.call("files", work, folder))

    def _scan(self, folder: Path) -> tuple[float, float]:
        """Seconds by the clock and of the processor for one scan."""
        child = psutil.Process(_child(self.ours))
        began, used = time.perf_counter(), sum(child.cpu_times()[:2])
        self.ours.call("files", SCAN, (folder,))
        return time.perf_counter() - began, sum(child.cpu_times()[:2]) - used


def read(jobs: Jobs, folder: Path) -> Reading:
    """Open a folder as the window does, and show what arrives."""
    began = time.perf_counter()
    series = cast(Catalogue, jobs.call("files", SCAN, (folder,))).all_series()[0]
    chosen = time.perf_counter()
    watch = _Watch(wanted=series.size[2] // 2)
    job = _wait(jobs, series, watch)
    if job.error is not None:
        raise job.error
    if watch.first is None or watch.whole is None:
        raise ReadError("gave no volume", file=folder.name, do="Report this.")
    return Reading(watch.first - began, watch.whole - chosen, watch.pixels_mb)


def _wait(jobs: Jobs, series: Series, watch: _Watch) -> Job:
    over = threading.Event()
    job = jobs.run(
        "files",
        LOAD_AND_IDENTIFY,
        series,
        0,
        watch.wanted,
        partial=watch.arrived,
        done=lambda _: over.set(),
        failed=lambda _: over.set(),
    )
    over.wait()
    return job


def is_room(pixels_mb: float) -> bool:
    """Say whether a volume of this size may be held here, with some memory left for others."""
    needed = int(pixels_mb * 2**20)
    return not is_too_large(needed) and 1.5 * needed < psutil.virtual_memory().available


def _child(jobs: Jobs) -> int:
    """Process id of the child for files."""
    job = jobs.warm("files")
    job.settled.wait()
    return job.pid or 0


def _best(times: list[float | None]) -> float | None:
    """The shortest of several times; None where the peer could not."""
    return min((t for t in times if t is not None), default=None)


def _most_mb(pixels_mb: float) -> float:
    """What both processes may take at most for a series of this size, MiB."""
    return 1.3 * pixels_mb + 200
