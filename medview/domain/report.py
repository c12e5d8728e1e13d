"""The content of a report, not its looks: io/pdf.py lays it out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

NOT_AVAILABLE = "not available"

Paper = Literal["a4", "letter"]
Side = Literal["", "left", "right"]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A drawing on a picture; all places are parts of its width and height, 0 to 1.

    The points of each of `paths` are joined in order; `words` stand below each other at `at`.
    """

    paths: tuple[tuple[tuple[float, float], ...], ...]
    words: tuple[str, ...] = ()
    at: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An RGB picture (h, w, 3) uint8 with its alternative text and what is written on it.

    `letters` stand at the left, right, top and bottom edge, `corners` at top left, top right,
    bottom left and bottom right. `scale` is the length of the scale bar in mm and the part of the
    picture's width it takes; None where millimetres are unknown. `strokes` are drawn over it.
    """

    rgb: NDArray[np.uint8]
    alt: str
    letters: tuple[str, str, str, str] = ("", "", "", "")
    corners: tuple[str, str, str, str] = ("", "", "", "")
    scale: tuple[float, float] | None = None
    strokes: tuple[Stroke, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ColourBar:
    """Colours from low to high, (n, 3) uint8, with the numbers beside them.

    One colour alone is that of a mask, which has a name and no numbers; `is_label` says that it
    is that of one label among those of its map.
    """

    colours: NDArray[np.uint8]
    low: float
    high: float
    threshold: float | None
    unit: str
    title: str
    is_label: bool = False

    @property
    def is_swatch(self) -> bool:
        """Whether it is the colour of a mask."""
        return len(self.colours) == 1


@dataclass(frozen=True, slots=True, eq=False)
class FigureRow:
    """Pictures side by side with one caption, and below each picture its colour bar or None.

    `note` says how to read them; it stands beside the colour bars. `abreast` is for how many
    pictures the row has room; fewer leave the rest of it empty. Two `half` rows that follow each
    other stand side by side.
    """

    pictures: tuple[Picture, ...]
    caption: str
    colour_bars: tuple[ColourBar | None, ...] = ()
    note: str = ""
    abreast: int = 3
    half: bool = False


@dataclass(frozen=True, slots=True)
class StripChart:
    """One bar per slice, in slice order; NaN where there is none.

    `marks` are the slices that are pictured, as (index, letter); `low` and `high` are the bounds
    of the value axis.
    """

    values: tuple[float, ...]
    marks: tuple[tuple[int, str], ...]
    low: float
    high: float
    ends: tuple[str, str]
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing over two axes; everything in the units of the axes.

    `x` and `y` are the bounds of the axes, `labels` their names. `dots` are other people, `line`
    is a course with its `band` as (x, low, high), `guide` is dashed, `mark` a dashed place on the
    x axis, `patient` one point with its interval (x, y, low, high).
    """

    x: tuple[float, float]
    y: tuple[float, float]
    labels: tuple[str, str]
    caption: str
    alt: str
    dots: tuple[tuple[float, float], ...] = ()
    line: tuple[tuple[float, float], ...] = ()
    band: tuple[tuple[float, float, float], ...] = ()
    guide: tuple[tuple[float, float], ...] = ()
    mark: float | None = None
    patient: tuple[float, float, float | None, float | None] | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure between 0 and 1 (or -1 and 1) with its interval, and how it is written."""

    label: str
    value: float
    low: float | None
    high: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Figures as horizontal bars on one axis; `x` are the bounds of the axis."""

    rows: tuple[Bar, ...]
    x: tuple[float, float]
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One variable of a stay: what was measured, and what was only carried on, as (hour, value)."""

    name: str
    measured: tuple[tuple[float, float], ...]
    carried: tuple[tuple[float, float], ...]
    words: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """Variables of a stay below each other on one time axis from 0 to `hours`.

    `mark` is the hour of the film, None without one; `unit` is what the axis counts: hours, or
    days of long stays.
    """

    rows: tuple[Lane, ...]
    hours: float
    mark: float | None
    caption: str
    alt: str
    unit: str = "hours"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; without headings a two-column list of names and values."""

    rows: tuple[tuple[str, ...], ...]
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One part of the page: a heading and what stands under it, in order.

    `result` is the bold one-line result, `text` what is said below it, or plain text where there
    is no result. A `narrow` one can do with half of a line; sections with a `side` stand below
    each other there, beside those of the other side. A `small` one is set in small print.
    """

    title: str
    text: str = ""
    result: str = ""
    table: Table | None = None
    figures: tuple[FigureRow, ...] = ()
    charts: tuple[StripChart, ...] = ()
    plots: tuple[Plot, ...] = ()
    bars: tuple[Bars, ...] = ()
    lanes: tuple[Lanes, ...] = ()
    narrow: bool = False
    side: Side = ""
    small: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A whole report. Dates are written out ("21 Nov 2026"); empty facts say "not available".

    `identity` is who it is about, one line each, repeated in short on every page.
    `manifest` is attached to the PDF as JSON.
    """

    title: str
    identity: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    report_id: str
    status: str = "DRAFT"
    made_at: str = ""
    content_sha256: str = ""
    manifest: dict[str, object] = field(default_factory=dict)


def content_sha256(report: Report) -> str:
    """SHA-256 over all that a report says and shows, without its id, time and manifest.

    Two reports of one state have the same hash.
    """
    content = [
        report.title,
        report.identity,
        report.facts,
        report.status,
        [_section(section) for section in report.sections],
    ]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _section(section: Section) -> list[object]:
    table = section.table or Table(())
    return [
        section.title,
        section.text,
        section.result,
        table.headings,
        table.rows,
        [_figure(figure) for figure in section.figures],
        [[repr(c.values), c.marks, c.ends, c.caption] for c in section.charts],
        [[repr(plot), plot.caption] for plot in section.plots],
        [repr(bars) for bars in section.bars],
        [repr(lanes) for lanes in section.lanes],
    ]


def _figure(figure: FigureRow) -> list[object]:
    bars = [b and (b.low, b.high, b.threshold, b.unit, b.title) for b in figure.colour_bars]
    pictures = [
        (
            *(p.rgb.shape, hashlib.sha256(p.rgb.tobytes()).hexdigest()),
            *(p.letters, p.corners, p.scale, repr(p.strokes)),
        )
        for p in figure.pictures
    ]
    return [figure.caption, figure.note, pictures, bars]
