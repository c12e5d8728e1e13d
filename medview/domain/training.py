"""What a training is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Method = Literal["full", "head", "adapter", "site-effects", "calibrate"]


FOLLOWS = "follows"
"""In the answer of a process that trained along with another one, which has the answer."""

CHECKPOINTS = "checkpoint"
"""The folder, in that of a training, of what it can go on from."""

BEGUN_WITH = "begun_with.json"
"""The note, beside a checkpoint, of what must be the same to go on from it."""

NETWORK_MB = {"anomaly": 1500, "region-net": 800}
"""Models whose networks train side by side on a processor, and what each takes, MB (10^6 bytes)."""

FINDERS: dict[str, str] = {
    "anomaly": "medview.learning.rate_steps:anomaly",
    "brain-age": "medview.learning.rate_steps:brain_age",
    "brain-age-armed": "medview.learning.rate_steps:armed_age",
    "cxr": "medview.learning.rate_steps:cxr",
    "cxr-armed": "medview.learning.rate_steps:cxr_armed",
    "icu": "medview.learning.rate_steps:icu",
    "icu-armed": "medview.learning.rate_steps:armed_icu",
}
"""Models for which a learning rate can be searched, each with the "module:function" that makes the
step of its training: a rate in, the loss of a batch out."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a training runs: "CPU" with so many threads, or the name of a GPU."""

    name: str
    threads: int


@dataclass(frozen=True, slots=True)
class Rounds:
    """How many epochs a training has in all, where several networks learn one after the other."""

    epochs: int


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
    variables : str | None
        Map of the variables of a CSV folder (YAML), for models of time series.
    method : Method
        What of the network learns: "full" all of it, "head" only what makes the answer of what
        the rest has found, "adapter" thin matrices beside its weights, "site-effects" only the
        effects of sites; with "calibrate" nothing is trained and probabilities and intervals
        are fitted to local cases.
    held_out : tuple[str, ...]
        Hashes of patients (``learning.patients.patient_hash``) that are kept for validation.
    preview : bool
        Leave the weights as they are after each validation in ``preview/``, for the reader to
        look at.
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
    variables: str | None = None
    method: Method = "full"
    held_out: tuple[str, ...] = ()
    preview: bool = False

    @property
    def is_fit(self) -> bool:
        """Whether nothing learns: only a calibration is fitted."""
        return self.method == "calibrate"


@dataclass(frozen=True, slots=True)
class FinetuneRequest:
    """What ``medview finetune`` was asked for: a training from a version, and its comparison.

    Parameters
    ----------
    model : str
        Id of the model.
    train : TrainRequest
        The training; its `init` are the weights to start from.
    reference : tuple[str, ...]
        Data sets that both versions are compared on beside what is held out.
    """

    model: str
    train: TrainRequest
    reference: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChoicePlan:
    """A trial of the order of labelling: so many patients first, so many more each round.

    The whole is repeated from other starts.
    """

    start: int = 12
    step: int = 8
    rounds: int = 5
    repeats: int = 10
