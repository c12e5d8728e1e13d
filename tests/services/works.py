"""Small works that the tests have done in child processes."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.errors import ReadError
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import MapSlices, Prediction, RunRequest
from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.io.atomic import whole_file, whole_folder


class Panic(BaseException):
    """As a decoder written in Rust raises it: no child of Exception."""


def double(job: Progress, number: int) -> int:
    return 2 * number


def who(job: Progress) -> int:
    return os.getpid()


def end_while_writing_a_file(job: Progress, *given: object) -> None:
    path = next(each for each in given if isinstance(each, Path))
    with whole_file(path) as draft:
        draft.write_bytes(b"half")
        os._exit(9)


def end_while_filling_a_folder(job: Progress, *given: object) -> None:
    path = [each for each in given if isinstance(each, Path)][-1]
    with whole_folder(path) as draft:
        (draft / "half").write_bytes(b"half")
        os._exit(9)


def find_the_disk_full(job: Progress, *given: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "scores_sr.dcm")


def setting(job: Progress, name: str) -> str | None:
    return os.environ.get(name)


def has_imported(job: Progress, module: str) -> bool:
    return module in sys.modules


def note(job: Progress, path: Path, text: str, seconds: float = 0.0) -> None:
    """Append a line before and after some time: shows in which order works ran."""
    with path.open("a") as file:
        file.write(f"{text} begins\n")
    time.sleep(seconds)
    with path.open("a") as file:
        file.write(f"{text} ends\n")


def refuse(job: Progress) -> None:
    raise ReadError("ends early", code="MV-IO-103", file="IM12.dcm", skipped=1, do="Copy it again.")


def stumble(job: Progress, secret: str) -> None:
    raise ValueError(f"cannot do {secret}")


def leave_the_interpreter(job: Progress) -> None:
    raise SystemExit(3)


def panic(job: Progress) -> None:
    raise Panic("index out of range")


def segfault(job: Progress) -> None:
    ctypes.string_at(0)


def abort(job: Progress) -> None:
    os.abort()


def kill_itself(job: Progress) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_deaf(job: Progress, seconds: float = 3600.0) -> None:
    """Sleep without ever asking whether to stop."""
    job.report(1, 2, "asleep")
    time.sleep(seconds)


def sleep_polite(job: Progress, seconds: float = 3600.0) -> None:
    """Hold 200 MB and sleep in small pieces, asking each time."""
    held = np.ones(25_000_000)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        job.report(1, 2, "awake")
        time.sleep(0.01)
    del held


def hoard(job: Progress, megabytes: int) -> int:
    return len(np.ones(megabytes << 20, dtype=np.uint8))


def invert(job: Progress, array: NDArray[np.generic]) -> NDArray[np.generic]:
    return -array


def ones(job: Progress, megabytes: int) -> NDArray[np.uint8]:
    return np.ones(megabytes << 20, dtype=np.uint8)


def is_writable(job: Progress, array: NDArray[np.generic]) -> bool:
    return array.flags.writeable


def report_often(job: Progress, times: int, pause: float) -> None:
    for n in range(times):
        job.report(n + 1, times, f"step {n + 1}")
        time.sleep(pause)


def report_and_sleep(job: Progress, times: int, total: int, pause: float) -> None:
    """Get so far, and no further."""
    for n in range(times):
        job.report(n + 1, total, f"step {n + 1}")
        time.sleep(pause)
    while True:
        job.check()
        time.sleep(0.01)


def slices(job: Progress, count: int) -> str:
    for k in range(count):
        job.partial((k, np.full((64, 64), k, dtype=np.float32)))
    return "all sent"


def unsendable(job: Progress) -> object:
    return lambda: None


def chatter(job: Progress, text: str) -> None:
    print(text)
    os.write(2, text.encode())


def limits(job: Progress) -> dict[str, object]:
    import resource

    libc = ctypes.CDLL(None)
    return {
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "memory": resource.getrlimit(resource.RLIMIT_AS)[0],
        "dumpable": libc.prctl(3),
        "nice": os.nice(0),
    }


class Hinted:
    """The progress of a job whose first part is looked at, and answered, before it goes on."""

    def __init__(self, job: Progress) -> None:
        self._job, self._is_first = job, True
        self.report, self.check, self.room, self.hint = job.report, job.check, job.room, job.hint

    def partial(self, part: object) -> None:
        self._job.partial(part)
        while self._is_first and self.hint() is None:
            time.sleep(0.001)
        self._is_first = False


def load_when_hinted(job: Progress, series: Series, wanted: int) -> str:
    """Read a volume with two workers, and hand over every slice as it comes."""
    from medview.io import dicom
    from medview.services.loading import load_and_identify

    dicom.SHOW_EVERY_S, os.cpu_count = 0.0, lambda: 2
    return load_and_identify(Hinted(job), series, 0, wanted)


def with_grandchild(job: Progress) -> None:
    """Start a child of its own, tell its id and sleep."""
    import subprocess

    child = subprocess.Popen(["sleep", "3600"])
    job.partial(child.pid)
    time.sleep(3600)


def predict(job: Progress, request: RunRequest) -> Prediction:
    """A model that marks its own input: every voxel of its score is the first of the volume."""
    (volume,) = request.volumes.values()
    mark = float(volume.array.flat[0])
    array = np.full(volume.geometry.shape, mark, dtype=np.float32)
    for k in range(len(array)):
        job.report(k, len(array), f"slice {k + 1} / {len(array)}")
        job.partial(MapSlices("score", k, array[k : k + 1]))
        time.sleep(request.seed / 1000)
    return Prediction(
        model=request.model,
        version="1.0",
        weights_sha256="",
        code="",
        device="cpu",
        dtype="float32",
        mode="batched",
        seed=request.seed,
        parameters={"threshold": 6.0},
        seconds=0.0,
        peak_memory_mb=0.0,
        inputs=request.inputs,
        scores=(),
        maps=(ScalarMap("score", array, volume.geometry),),
    )


def predict_or_fail(job: Progress, request: RunRequest) -> Prediction:
    """The same, but hangs after its first slices with K = 13, and is killed with K = 99."""
    if request.samples in (13, 99):
        (volume,) = request.volumes.values()
        first = np.full((1, *volume.geometry.shape[1:]), -1, dtype=np.float32)
        job.partial(MapSlices("score", 0, first))
        if request.samples == 13:
            sleep_deaf(job)
        kill_itself(job)
    return predict(job, request)


def make_weights(job: Progress, folder: Path, card: ModelCard) -> None:
    """Write an untrained anomaly network: it says nothing, but takes as long as a trained one."""
    from medview.learning.weights import save
    from medview.models.anomaly_vae import AnomalyVae

    save(AnomalyVae(), card, folder)
