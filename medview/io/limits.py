"""How much of this machine a file may claim, and values that fit into 16 bits."""

from __future__ import annotations

import psutil

MAX_PIXEL_BYTES = 8 * 2**30
MAX_SHARE_OF_FREE_MEMORY = 0.6


def memory_cap() -> int:
    """How many bytes of pixels may be held: 8 GiB, or 60 % of the free memory if less."""
    free = psutil.virtual_memory().available
    return int(min(MAX_PIXEL_BYTES, MAX_SHARE_OF_FREE_MEMORY * free))
