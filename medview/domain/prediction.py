"""What a model said: all that window, report and result.json ever see of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medview.domain.overlay import ScalarMap
from medview.domain.volume import Note, Volume

Status = Literal["ok", "extrapolating", "not_available"]
Precision = Literal["float32", "bfloat16"]
MOST_SAMPLES = 100
"""Passes of a run. All draws of a volume are kept for the interval: 10 MB a slice with so many."""


@dataclass(frozen=True, slots=True)
class Score:
    """One number with its interval and meaning. `value` is None when not available."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    unit: str = "1"
    status: Status = "ok"
    meaning: str = ""


DOUBTS = ("OUTSIDE_TRAINING", "UNKNOWN_ORIENTATION")
"""Notes on an input that is unlike the training data, or not known to lie as they did."""


def with_doubts(scores: Sequence[Score], notes: Sequence[Note]) -> tuple[Score, ...]:
    """Scores, marked where a note says that the input is unlike the training data."""
    if any(note.code in DOUBTS for note in notes):
        return extrapolating(scores)
    return tuple(scores)


def extrapolating(scores: Sequence[Score]) -> tuple[Score, ...]:
    """The same of an input unlike the training data; what is not available stays so."""
    return tuple(
        replace(score, status="extrapolating") if score.status == "ok" else score
        for score in scores
    )


SMALLEST_ML = 0.2
"""A region that stands out is a finding from this volume on."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A connected region over the threshold. `slice` is the index k of its peak.

    Of `normals` normal brains left out in training `normals_as_high` hold a region with at least
    this peak; None where that is not known.
    """

    id: int
    map: str
    centroid_lps: tuple[float, float, float]
    slice: int
    volume_ml: float
    peak: float
    hidden_by_uncertainty: bool = False
    normals_as_high: int | None = None
    normals: int = 0


ZONES = "ABCDEF"
"""The Brixia zones of a film: upper, middle and lower of the patient's right lung, then of the
left one."""
ZONE_GRADES = "score brixia_zones"
GRADES, NO_GRADE = "0123", "-"
"""Brixia grades of a zone that a reader gives, and a zone without one."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a reader answered to a finding or a score of a model.

    `about` is "finding 3" or "score severe"; `verdict` "agree", "rejected" or "unsure"; `at` an
    ISO time. About ``ZONE_GRADES`` the verdict is a grade for each zone, such as "10230-".
    """

    about: str
    verdict: str
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class InputRef:
    """Which pixels the model was given; `sha256` is over them, `size` (column, row, slice).

    Of a table (role smri, fmri or series) `study` is empty, `sha256` is over the file and `size`
    (columns, rows, 1).
    """

    role: str
    study: str
    series: str
    stack: int
    sha256: str
    size: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SliceScore:
    """Figures of one slice, for the score strip and slices.csv.

    `position_mm` is the height of its middle, LPS z. `explained` is the share of its structure that
    the model reproduces; a slice of which it reproduces too little is not judged, and its other
    figures are NaN.
    """

    slice: int
    position_mm: float
    score: float
    residual: float
    epistemic: float
    aleatoric: float
    explained: float = math.nan


@dataclass(frozen=True, slots=True)
class PassScore:
    """The score and the mean epistemic variance of a volume after so many passes."""

    samples: int
    score: float
    epistemic: float


@dataclass(frozen=True, slots=True)
class SlicePass:
    """The score of one slice after so many passes; a line of passes.csv."""

    samples: int
    slice: int
    score: float


@dataclass(frozen=True, slots=True)
class TracePoint:
    """Risk of death after `hour` hours of a stay, with its interval.

    `observed_share` is the part of the values up to then that were measured, not imputed.
    """

    hour: float
    mortality: float
    low: float | None = None
    high: float | None = None
    observed_share: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A finished run of one model on one study."""

    model: str
    version: str
    weights_sha256: str
    code: str
    device: str
    dtype: str
    mode: str
    seed: int
    parameters: dict[str, object]
    seconds: float
    peak_memory_mb: float
    inputs: tuple[InputRef, ...]
    scores: tuple[Score, ...]
    maps: tuple[ScalarMap, ...] = ()
    findings: tuple[Finding, ...] = ()
    slices: tuple[SliceScore, ...] = ()
    preparation: tuple[str, ...] = ()
    warnings: tuple[Note, ...] = ()
    parent: str | None = None
    made_at: str = ""
    trace: tuple[TracePoint, ...] = ()
    passes: tuple[PassScore, ...] = ()
    slice_passes: tuple[SlicePass, ...] = ()

    @property
    def key(self) -> str:
        """Which version of which model it is of, "ID@VERSION": two versions stand side by side."""
        return f"{self.model}@{self.version}"

    def map(self, name: str) -> ScalarMap | None:
        """The map of that name, or None."""
        return next((m for m in self.maps if m.name == name), None)

    def score(self, name: str) -> Score | None:
        """The score of that name, or None."""
        return next((s for s in self.scores if s.name == name), None)


@dataclass(frozen=True, slots=True, eq=False)
class MapSlices:
    """A block of the map `name`, sent while a model runs.

    `array` (n, ., .) holds slices `first` to `first + n` along array axis `axis` of the volume
    (0 = k), that axis first and the other two in their order:
    ``np.moveaxis(whole, axis, 0)[first : first + n] = array``.
    """

    name: str
    first: int
    array: NDArray[np.float32]
    axis: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class RunRequest:
    """What a model is asked to do: one study, by role, with all that may change the answer.

    `volumes` and `tables` (paths of feature files and time series) together name the same roles
    as `inputs`. `samples` and `alpha` None mean the card's own.
    `weights` is the path of a weights file with its card beside it, or None for the shipped ones.
    `device` is "auto", "cpu" or "cuda[:N]". `film_hour` is the hour of the stay a film is from.
    `batch` is how many slices are computed at once, None the model's own number. With `slice` only
    that slice of the volume is wanted, its index along the array axis the model goes along; maps
    are as in a run of all slices there and may be empty elsewhere, scores are not to be used.
    `maps` are names of maps that are made only on demand. `notes` are what the headers say against
    the input; the result carries them.
    """

    model: str
    volumes: dict[str, Volume]
    inputs: tuple[InputRef, ...]
    samples: int | None = None
    alpha: float | None = None
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    precision: Precision = "float32"
    weights: str | None = None
    age_years: float | None = None
    sex: str | None = None
    site: str | None = None
    film_hour: float | None = None
    batch: int | None = None
    slice: int | None = None
    maps: tuple[str, ...] = ()
    tables: dict[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
