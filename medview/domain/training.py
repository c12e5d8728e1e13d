"""What a training is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What ``medview train`` was asked for; paths are strings, as they were given.

    Parameters
    ----------
    data : tuple[str, ...]
        Data sets, each ``[LAYOUT=]PATH``.
    out : str
        The folder to write into.
    recipe : Mapping[str, Any]
        Settings of the recipe as plain values; what it does not say is the recipe's default.
    device : str
        "auto", "cpu" or "cuda[:N]".
    init : str | None
        Weights to start from, with their card beside them.
    resume : bool
        Go on from the checkpoint in `out`, if there is one.
    max_minutes : float | None
        Stop training after so long, all folds together, and finish with what there is.
    private : bool
        Write no patient's name, only its hash.
    """

    data: tuple[str, ...]
    out: str
    recipe: Mapping[str, Any]
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    init: str | None = None
    resume: bool = False
    max_minutes: float | None = None
    private: bool = False
