"""The content of a report, not its looks: io/pdf.py lays it out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An RGB picture (h, w, 3) uint8 with its alternative text and a short title in it."""

    rgb: NDArray[np.uint8]
    alt: str
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FigureRow:
    """Pictures side by side with one caption below, and a colour bar if one applies."""

    pictures: tuple[Picture, ...]
    caption: str
    colour_bar: ColourBar | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ColourBar:
    """Colours from low to high, (n, 3) uint8, with the numbers beside them."""

    colours: NDArray[np.uint8]
    low: float
    high: float
    threshold: float | None
    unit: str
    title: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings; `wide` is a two-column name/value list."""

    rows: tuple[tuple[str, ...], ...]
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One part of the page: a heading and what stands under it, in order.

    `result` is the bold one-line result; `half` sections stand two beside each other.
    """

    title: str
    text: str = ""
    result: str = ""
    table: Table | None = None
    figures: tuple[FigureRow, ...] = ()
    half: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A whole report. Dates are written out ("21 Nov 2026"); empty facts say "not available"."""

    title: str
    identity: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    report_id: str
    status: str = "DRAFT"
    made_at: str = ""
    content_sha256: str = ""
    manifest: dict[str, object] = field(default_factory=dict)
