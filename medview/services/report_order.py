"""What goes to the child that lays out pages, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.prediction import Prediction
from medview.domain.report import Paper
from medview.domain.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Heavy:
    """The volume on screen and what models said of it, with all maps."""

    volume: Volume | None
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """How a report is wanted: which template ("" the one that fits), paper, and under which id."""

    template: str = ""
    paper: Paper = "a4"
    report_id: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The pages as pictures, RGB (height, width, 3), and what the report would be."""

    pages: tuple[NDArray[np.uint8], ...]
    status: str
    title: str


@dataclass(frozen=True, slots=True)
class Copied:
    """The words of a report, plain and as HTML without any picture."""

    plain: str
    html: str
    status: str


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written; `written_at` (ns) tells the file from one written over it."""

    pages: int
    report_id: str
    content_sha256: str
    status: str
    written_at: int = 0
