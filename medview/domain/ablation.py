"""What a comparison of variants of a model is asked for, and what one of its runs found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class AblateRequest:
    """What ``medview ablate`` was asked for; paths are strings, as they were given.

    Parameters
    ----------
    recipe : Mapping[str, Any]
        Settings that all variants start from.
    variants : tuple[str, ...]
        Names of variants; empty takes all that the model has. `against` is always among them.
    sweeps : Mapping[str, tuple[Any, ...]]
        Settings with several values: each value is one more variant, "KEY=VALUE".
    folds : int
        Number of folds; 0 where `leave_out` says what is left out.
    leave_out : str
        "site" leaves one site out at a time.
    seeds : int
        How many seeds, from `seed` on.
    against : str
        The variant that the others are compared with.
    private : bool
        What is kept of finished runs names nobody and no set.
    """

    model: str
    data: tuple[str, ...]
    out: str
    recipe: Mapping[str, Any]
    variants: tuple[str, ...] = ()
    sweeps: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    folds: int = 5
    leave_out: str = ""
    seeds: int = 1
    max_minutes: float | None = None
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    against: str = "default"
    private: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """What one run said of the cases that it had not been trained on, for one task.

    `truth` and `score` belong to `cases`; `names` are the figures to make of them: those of
    ``medview.learning.ablation_figures``, or any other name for the mean of `score` (`truth` is
    then ignored). Tasks with the same word in `mean_of` are also averaged, under that word.
    """

    task: str
    names: tuple[str, ...]
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    truth: tuple[float, ...]
    score: tuple[float, ...]
    subset: str = ""
    level: str = "case"
    mean_of: str = ""
