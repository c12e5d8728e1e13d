"""What a comparison of two versions of a model is asked for."""

from __future__ import annotations

from dataclasses import dataclass

COMPARED_ON = {"reference": "the locked set", "validation": "the patients held out"}
"""What a version and the one it was made from are compared on, in words."""


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What ``medview compare`` was asked for; paths are strings, as they were given.

    Parameters
    ----------
    old, new : str
        Weights files with their cards beside them.
    data : tuple[str, ...]
        Data sets, each ``[LAYOUT=]PATH``.
    out : str
        The folder to write into: what each version says of each case.
    samples : int | None
        Draws of the model; None means each card's own.
    include_seen : bool
        Also patients that one of the two was trained on.
    """

    model: str
    old: str
    new: str
    data: tuple[str, ...]
    out: str
    samples: int | None = None
    include_seen: bool = False
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    private: bool = False
