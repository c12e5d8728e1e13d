"""How much of this machine a file may claim."""

from __future__ import annotations

import os

import psutil

from medview.domain.errors import ReadError
from medview.io.codes import Code

MAX_PIXEL_BYTES = 8 * 2**30
MAX_SHARE_OF_FREE_MEMORY = 0.6
# What is smaller than this is there on any machine that runs the program at all.
ALWAYS_THERE = 64 * 2**20


def memory_cap() -> int:
    """How many bytes of pixels may be held: 8 GiB, or 60 % of the free memory if less."""
    free = psutil.virtual_memory().available
    return int(min(MAX_PIXEL_BYTES, MAX_SHARE_OF_FREE_MEMORY * free))


def is_too_large(size: int) -> bool:
    """Say whether so many bytes of pixels are more than may be held."""
    return size > ALWAYS_THERE and size > memory_cap()


def refuse_too_large(size: int, file: str) -> None:
    """Refuse so many bytes of pixels where they are more than may be held.

    Raises
    ------
    ReadError
        Saying how much they are.
    """
    if is_too_large(size):
        raise ReadError(
            f"needs {size / 2**30:.1f} GiB, more than may be used here",
            code=Code.TOO_LARGE,
            file=file,
            do="Close other programs and try again.",
        )


def networks_at_once(each_mb: float, threads: int | None, device: str) -> int:
    """How many networks of so many MB (10^6 bytes) train side by side, on one thread each.

    As many as threads were asked for (None: as there are), and as memory is there for: one where
    the processor does not train, or where torchrun lets several processes train one network.
    """
    if device != "cpu" or int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return 1
    free = MAX_SHARE_OF_FREE_MEMORY * psutil.virtual_memory().available
    return max(1, min(threads or os.cpu_count() or 1, int(free / (each_mb * 1e6))))
