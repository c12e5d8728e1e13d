"""What a run will take, told before it starts: from the last one here, or measured elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medview.io.result_index import Entry

_MEMORY = Path("/proc/meminfo")
# What the drivers of graphics processors, also those of a virtual machine, leave in the system.
_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
_FAR = 64
"""Runs on inputs that differ by more than so many times in size are not compared."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds and peak memory (MB) of a run; `is_own`: from a run on this machine."""

    seconds: float
    peak_memory_mb: float
    device: str
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class Take:
    """What a run took: `fixed_s`, and seconds for a million voxels, once and for each pass."""

    fixed_s: float
    once_s: float
    pass_s: float
    memory_mb: float


# On four quiet cores, start of the process apart, as the rows of ``medview bench infer --threads 2
# --device cpu`` measured films and stays (a stay with its film); heads from single runs of the demo
# head. Rough: a reader's own runs replace them.
TAKES: dict[str, Take] = {
    "anomaly": Take(0.5, 1.0, 0.36, 820.0),
    "brain-age": Take(2.0, 1.1, 0.0, 1150.0),
    "brain-age-armed": Take(0.1, 0.0, 0.0, 520.0),
    "cxr": Take(0.3, 0.0, 0.0, 520.0),
    "cxr-armed": Take(0.3, 0.0, 0.0, 520.0),
    "icu": Take(2.6, 0.0, 0.0, 680.0),
    "icu-armed": Take(0.7, 0.0, 0.0, 410.0),
}


def is_alike(entry: Entry, voxels: int) -> bool:
    """Whether an earlier run says something of one on so many voxels.

    A table of a few hundred figures says nothing of an image, nor the other way round.
    """
    return min(entry.voxels, voxels) * _FAR >= max(entry.voxels, voxels) > 0


def scaled(entry: Entry, voxels: int, samples: int) -> Estimate:
    """An earlier run brought to another size and number of passes."""
    share = voxels / entry.voxels
    take = TAKES.get(entry.model)
    if take is not None and samples and entry.samples:
        share = _seconds(take, voxels, samples) / _seconds(take, entry.voxels, entry.samples)
    return Estimate(entry.seconds * share, entry.peak_memory_mb, entry.device)


def measured(model: str, voxels: int, samples: int) -> Estimate | None:
    """What the model took on another machine; None where nobody has measured it."""
    take = TAKES.get(model)
    if take is None:
        return None
    return Estimate(_seconds(take, voxels, samples), take.memory_mb, "cpu", is_own=False)


def _seconds(take: Take, voxels: int, samples: int) -> float:
    return take.fixed_s + voxels / 1e6 * (take.once_s + take.pass_s * samples)


def may_have_gpu() -> bool:
    """Whether the system has a driver of a graphics processor that computes.

    Libraries of networks would know for sure; the window loads none of them.
    """
    return any(each.exists() for each in _DRIVERS)


def free_memory_mb() -> float | None:
    """Memory (MB) that programs can still have; None where the system does not say."""
    try:
        lines = _MEMORY.read_text("ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) / 1000
    return None
