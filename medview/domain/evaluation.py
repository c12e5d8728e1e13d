"""What a measurement of a model is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Split = Literal["test", "all"]


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What ``medview evaluate`` was asked for; paths are strings, as they were given.

    Parameters
    ----------
    data : tuple[str, ...]
        Data sets, each ``[LAYOUT=]PATH``.
    out : str
        The folder to write into.
    weights : str | None
        A weights file with its card beside it, or None for the shipped ones.
    samples : int | None
        Draws of the model; None means the card's own.
    split : Split
        "test" leaves out cases marked train or val.
    include_seen : bool
        Measure also patients that the weights were trained on.
    private : bool
        Write a hash instead of the patient's name.
    variables : str | None
        Map of variables of a folder of tables, for models of time series.
    """

    model: str
    data: tuple[str, ...]
    out: str
    weights: str | None = None
    samples: int | None = None
    split: Split = "test"
    include_seen: bool = False
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    private: bool = False
    variables: str | None = None
