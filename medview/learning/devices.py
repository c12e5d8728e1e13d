"""Where networks run, and what that takes."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping

import torch

from medview.domain.errors import ModelInputError
from medview.domain.prediction import Precision
from medview.domain.progress import Progress


def devices_here(job: Progress) -> tuple[tuple[str, str], ...]:
    """Name every device of this machine: what a request calls it, and what a reader does."""
    job.check()
    found = [("cpu", name_of("cpu"))]
    for number in range(torch.cuda.device_count()):
        found.append((f"cuda:{number}", name_of(f"cuda:{number}")))
    return tuple(found)


def name_of(device: str) -> str:
    """What a reader calls a device: "CPU", or the name of the GPU."""
    return "CPU" if device == "cpu" else torch.cuda.get_device_name(device)


def choose_device(wanted: str) -> str:
    """Resolve "auto", "cpu" or "cuda[:N]" to a device that is there.

    Raises
    ------
    ModelInputError
        If there is no such GPU.
    """
    if wanted == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda"):
        number = int(wanted.partition(":")[2] or 0)
        if number >= torch.cuda.device_count():
            which = f"GPU {number}" if torch.cuda.is_available() else "GPU"
            raise ModelInputError(
                f"no {which} is available here", do="Choose the CPU.", code="MV-MOD-003"
            )
    return wanted


def multiplies_bfloat16(device: str) -> bool:
    """Whether a device has bfloat16 products of its own.

    A processor without them imitates them, which takes ten times as long as float32. Older
    versions of torch cannot tell, and count as if it had none.
    """
    if device != "cpu":
        return True
    told: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(told.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def precision_here(wanted: Precision, device: str) -> Precision:
    """What a device computes in when it is asked for a precision: float32 where that is faster."""
    return wanted if multiplies_bfloat16(device) else "float32"


def peak_memory_mb() -> float:
    """The most memory that this process has held since it began, MB (10^6 bytes)."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most * (1 if sys.platform == "darwin" else 1024) / 1e6)
