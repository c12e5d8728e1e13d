"""The texts in the four corners of a pane, and what becomes of them where there is little room."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from medview.imaging.frame import RESEARCH_ONLY, Corners
from medview.ui.pane_text import BESIDE, LINE, MARGIN, fitted, width_of, write
from medview.ui.theme import PANE_QUIET, PANE_STRONG

_MIDDLE = 16.0
# So many lines of a corner are as high as the letter between them.
_LETTER_LINES = 1
_INTERVAL = " ["


def draw_corners(
    painter: QPainter, area: QRectF, corners: Corners, *, lifted: bool = False
) -> None:
    """The texts of the four corners; the first line of each is the strong one.

    `lifted` says that the lower letter stands above them and leaves them the middle.
    """
    top, bottom = area.top() + MARGIN - 3, area.bottom() - MARGIN + 1
    left, right = area.left() + MARGIN - 2, area.right() - MARGIN + 2
    low_left, low_right = _low_left(corners, area.width(), lifted=lifted), corners.bottom_right
    high_right = _results_whole(corners.top_right, corners.top_left, area.width())
    high_left = _with_dates_whole(corners.top_left, high_right, area.width())
    sides = (
        (high_left, high_right, left, top, "left"),
        (high_right, high_left, right, top, "right"),
        (low_left, low_right, left, bottom - LINE * len(low_left), "left"),
        (low_right, low_left, right, bottom - LINE * len(low_right), "right"),
    )
    for lines, across, x, y, align in sides:
        for row, text in enumerate(lines):
            room = _half(area.width())
            if (lifted and y != top) or (y == top and row >= _LETTER_LINES):
                # Below, lines stand beside each other counted from the last one.
                level = row if y == top else row - len(lines) + len(across)
                room = _room_beside(across, level, area.width())
            colour = PANE_QUIET if row else PANE_STRONG
            at = QPointF(x, y + row * LINE)
            # Series of a study are called alike at first: what tells them apart comes last.
            is_series = lines is high_left and row > 0
            shorter = fitted(text, room, ends_matter=is_series)
            write(painter, at, shorter, colour=colour, align=align)


def lines_below_letter(corners: Corners, width: float) -> int:
    """How many lines the lower corners have where the lower letter is lifted above them."""
    return max(len(_low_left(corners, width, lifted=True)), len(corners.bottom_right))


def _low_left(corners: Corners, width: float, *, lifted: bool) -> tuple[str, ...]:
    whole = _with_warnings_whole(corners.bottom_left, width)
    return _above_caution(whole, corners.bottom_right, width) if lifted else whole


def _half(width: float) -> float:
    """The middle belongs to the letters, but for lines that stand below the upper one."""
    return width / 2 - MARGIN - _MIDDLE


def _room_beside(across: Sequence[str], level: int, width: float) -> float:
    """What the line of the other corner at that height leaves."""
    beside = width_of(across[level]) if 0 <= level < len(across) else 0.0
    return max(_half(width), width - 3 * MARGIN - beside)


def _with_dates_whole(lines: Sequence[str], across: Sequence[str], width: float) -> tuple[str, ...]:
    """The upper left lines; what has no room in one goes on in the next.

    Last in a line stands what tells studies or planes apart: the date, or how deep a plane lies.
    """
    laid: list[str] = []
    for text in lines:
        row = len(laid)
        room = _room_beside(across, row, width) if row >= _LETTER_LINES else _half(width)
        head, _, tail = text.rpartition(BESIDE)
        laid += [head, tail] if head and fitted(text, room) != text else [text]
    return tuple(laid)


def _with_warnings_whole(lines: Sequence[str], width: float) -> tuple[str, ...]:
    """The lower left lines; of several warnings without room in one line each has its own."""
    half = _half(width)
    parts = (text.split(BESIDE) if fitted(text, half) != text else [text] for text in lines)
    return tuple(part for line in parts for part in line)


def _above_caution(lines: Sequence[str], across: Sequence[str], width: float) -> tuple[str, ...]:
    """The lower left lines, one line higher where "research use only" has no room beside them."""
    if not lines or RESEARCH_ONLY not in across[-1:]:
        return tuple(lines)
    room = _room_beside(lines, len(lines) - 1, width)
    return (*lines, "") if fitted(RESEARCH_ONLY, room) != RESEARCH_ONLY else tuple(lines)


def _results_whole(lines: Sequence[str], across: Sequence[str], width: float) -> tuple[str, ...]:
    """The upper right lines; of a result without room in one the interval and the model go below.

    What was found is never cut; the name of a model may be where a line of its own is too narrow.
    """
    laid: list[str] = []
    for text in lines:
        told, beside, model = text.partition(BESIDE)
        value, bracket, interval = told.partition(_INTERVAL)
        line = value
        for part in filter(None, (bracket + interval, beside + model)):
            row = len(laid)
            room = _room_beside(across, row, width) if row >= _LETTER_LINES else _half(width)
            if fitted(line + part, room) == line + part:
                line += part
            else:
                laid.append(line)
                line = part.removeprefix(BESIDE).strip()
        laid.append(line)
    return tuple(laid)
