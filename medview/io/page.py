"""A report as one HTML page: every text escaped, every drawing inside it, pictures named."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import chain, groupby

import numpy as np

from medview import RESEARCH_USE, __version__
from medview.domain.report import ColourBar, FigureRow, Picture, Report, Section, StripChart, Table
from medview.domain.wording import number, time_words
from medview.io.lanes import bars_html, lanes_html
from medview.io.pdf_pictures import address_of
from medview.io.plots import plot_html
from medview.io.strokes import strokes_html

# More letters of identity than these need a second line, smaller on the following pages.
_ENDS = 0.14
"""Share of a strip beside each of its ends where letters would lie on the words there."""
_LONG_LINE = 52
_LONG_IDENTITY = 90
_HUGE_IDENTITY = 250
# A table of more rows beside other sections may go on overleaf.
_LONG_TABLE = 8
# A list of more letters may do so where it ends the report; below that it is a third of a page.
_LONG_LIST = 1500
# Parts of a list that are shorter are kept on one line; columns of facts are narrow.
_SHORT = 40
_SHORT_FACT = 20
_SHORT_CELL = 14
_UID = re.compile(r"\d+(\.\d+){5,}")
# What a result is beside its figure: intervals and counts, in quieter letters.
_BESIDE = re.compile(r"(\([^()]*\)\.?)")
# An interval however it is written: "[0.04, 0.09]", "1.6 – 2.1", "-0.009 to +0.012".
_FIGURE = r"[-+\u2212]?\d[\d.\u202f]*(?:\s?%)?"
_INTERVAL = rf"\[{_FIGURE}, {_FIGURE}\]|(?<![\w.]){_FIGURE} (?:–|to) {_FIGURE}"
# A count and a unit belong to their figure: "n 1680", "1.5 mm".
_COUNT = r"\bn \d[\d\u202f]*"
_JOINED = {ord(" "): "\u00a0", ord("–"): "–\u2060"}
"""A dash may end a line even before a blank that does not break; not before a word joiner."""
_MEASURE = r"\d (?:%|mm|cm|ml|MB|SD|s|°C)(?!\w)"
_UNBROKEN = re.compile(rf"(?:{_INTERVAL}|{_COUNT})(?: (?:%|mm|cm|ml)(?!\w))?|{_MEASURE}")


def html_of(report: Report) -> str:
    """Lay a report out as HTML for ``resources/report/report.css``.

    Pictures are named by the addresses of ``pictures_in``.

    The title of the document is "Report" whatever the report is called: titles are metadata and
    metadata carries no identity.
    """
    parts = (
        f"medview {__version__}",
        f"Report {report.report_id}",
        time_words(report.made_at),
        f"content {report.content_sha256[:12]}",
        "page ",
    )
    foot = " · ".join(part for part in parts if part)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Report</title>'
        f'<meta name="dcterms.created" content="{escape(report.made_at)}"></head>'
        f'<body class="{_length(report)}" data-caution="{RESEARCH_USE}" data-foot="{escape(foot)}">'
        f"{_running_head(report)}{_head(report)}{_facts(report)}"
        f"{''.join(_blocks(report.sections))}</body></html>"
    )


def _head(report: Report) -> str:
    who = "".join(f"<div>{_cell(line)}</div>" for line in report.identity)
    wide = " wide" if any(_width(line) > _LONG_LINE for line in report.identity) else ""
    title = f"<h1>{escape(report.title)}{_badge(report)}</h1>"
    return f'<header>{title}<div class="who{wide}">{who}</div></header>'


def _running_head(report: Report) -> str:
    """Who and what, for the head of every page but the first."""
    who = " · ".join(report.identity)
    what = f"{escape(report.title)}{_badge(report)}"
    return (
        f'<div class="again {_length(report)}"><span class="what">{what}</span>'
        f'<span class="whom"><bdi>{escape(who)}</bdi></span></div>'
    )


def _length(report: Report) -> str:
    # A longer badge leaves less of the line, and is set wider than other words.
    badge = 2 * max(0, len(report.status) - len("DRAFT"))
    width = _width(" · ".join(report.identity)) + badge
    return "huge long" if width > _HUGE_IDENTITY else "long" if width > _LONG_IDENTITY else "short"


def _width(text: str) -> int:
    """How many Latin letters wide a text is; Chinese and such take two each."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _direction(text: str) -> str:
    """The attribute that makes a text run from the right if its first letter does."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("L", "R", "AL"):
            return "" if kind == "L" else ' class="rtl"'
    return ""


def _badge(report: Report) -> str:
    return (
        f' <span class="badge">{escape(report.status)}</span>' if report.status != "FINAL" else ""
    )


def _facts(report: Report) -> str:
    cells = "".join(
        f"<td><div>{escape(name)}</div><p>{_cell(value, _SHORT_FACT)}</p></td>"
        for name, value in report.facts
    )
    return f'<table class="facts"><tr>{cells}</tr></table>' if cells else ""


def _blocks(sections: tuple[Section, ...]) -> list[str]:
    """Sections one below the other, those with a side in two columns."""
    blocks: list[str] = []
    columns: dict[str, list[Section]] = {"left": [], "right": []}
    for section in sections:
        begins = section.side == "left" and columns["right"]
        if begins or not section.side:
            blocks += _columns(columns)
            columns = {"left": [], "right": []}
        if section.side:
            columns[section.side].append(section)
        else:
            blocks.append(_section(section))
    return blocks + _columns(columns)


def _columns(columns: Mapping[str, list[Section]]) -> list[str]:
    """A table of two cells for what stands side by side; nothing for nothing."""
    if not any(columns.values()):
        return []
    kind = "halves filmed" if any(each.figures for each in columns["left"]) else "halves"
    tables = (each.table for each in columns["left"] if each.table)
    if any(len(table.rows) > _LONG_TABLE for table in tables):
        kind += " long"
    left, right = ("".join(map(_section, columns[side])) for side in ("left", "right"))
    return [f'<table class="{kind}"><tr><td>{left}</td><td>{right}</td></tr></table>']


def _section(section: Section) -> str:
    kind = "pictured" if section.figures or section.plots else "small" * section.small or "plain"
    table = section.table
    if table and not table.headings and len("".join(chain(*table.rows))) <= _LONG_LIST:
        kind += " kept"
    heading = f"<h2>{escape(section.title)}</h2>" if section.title else ""
    return (
        f'<section class="{kind}">{heading}{_words(section)}'
        f"{_figures(section.figures)}{''.join(_chart(chart) for chart in section.charts)}"
        f"{''.join(plot_html(plot, half=bool(section.side)) for plot in section.plots)}"
        f"{''.join(bars_html(bars, half=bool(section.side)) for bars in section.bars)}"
        f"{''.join(lanes_html(lanes, half=bool(section.side)) for lanes in section.lanes)}"
        f"{_table(table) if table else ''}</section>"
    )


def _words(section: Section) -> str:
    parts = (part for part in section.text.splitlines() if part)
    text = "".join(f"<p{_direction(part)}><bdi>{_told(part)}</bdi></p>" for part in parts)
    if section.table and text:
        text = f'<div class="lead">{text}</div>'
    if not section.result:
        return text
    line = _BESIDE.sub(r'<span class="beside">\1</span>', _told(section.result))
    return f'<div class="result"><p class="line">{line}</p>{text}</div>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.headings)
    if not table.headings:
        entries = (list(rows) for _, rows in groupby(table.rows, lambda row: row[0]))
        kinds = groupby(entries, lambda entry: len(entry) > 1)
        return "".join(_list(is_long, some) for is_long, some in kinds)
    rows = "".join(
        f"<tr>{''.join(f'<td{_kind(cell)}>{_cell(cell)}</td>' for cell in row)}</tr>"
        for row in table.rows
    )
    return f'<table class="grid"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _list(is_long: bool, entries: Iterable[Sequence[tuple[str, ...]]]) -> str:
    """Part of a list: entries of one row each in one table, longer ones in a table each."""
    if is_long:
        return "".join(map(_entry, entries))
    rows = "".join(_row(cells) for entry in entries for cells in entry)
    return f'<table class="list"><tbody>{rows}</tbody></table>'


def _entry(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of a list that have one name, which heads them on each page that they are on.

    None of them stands alone on a page.
    """
    name = f"<td><div>{_cell(rows[0][0])}</div></td>"
    head = f"<thead><tr>{name}{'<td></td>' * (len(rows[0]) - 1)}</tr></thead>"
    near = (1, len(rows) - 1)
    made = "".join(
        _row(("", *rest), f"more{' near' * (place in near)}" if place else "")
        for place, (_, *rest) in enumerate(rows)
    )
    return f'<table class="list entry">{head}<tbody>{made}</tbody></table>'


def _row(cells: Sequence[str], kind: str = "") -> str:
    said = f' class="{kind}"' if kind else ""
    return f"<tr{said}>{''.join(f'<td>{_cell(cell)}</td>' for cell in cells)}</tr>"


def _kind(cell: str) -> str:
    if _UID.match(cell):
        return ' class="uid"'
    return ' class="whole"' if len(cell) <= _SHORT_CELL else ""


def _cell(text: str, short: int = _SHORT) -> str:
    """The text of a cell; lists with dots between are broken at the dots only."""
    parts = text.split(" · ")
    if len(parts) == 1:
        return f"<bdi>{_told(text)}</bdi>"
    return "\u00a0· ".join(  # a dot ends a line, and begins none
        f'<span class="whole">{escape(part)}</span>' if len(part) < short else _told(part)
        for part in parts
    )


def _told(text: str) -> str:
    """A text with each interval in one line: of a broken one half is read as a figure.

    By blanks that do not break: a part of a line that may not break at all can end the line
    after the first word of its paragraph.
    """
    return _UNBROKEN.sub(lambda found: found[0].translate(_JOINED), escape(text))


def _figures(figures: tuple[FigureRow, ...]) -> str:
    """Rows of pictures below each other, halves of a row beside each other."""
    made: list[str] = []
    for half, group in groupby(figures, lambda figure: figure.half):
        rows = [_figure(figure) for figure in group]
        if not half:
            made += rows
            continue
        for left, right in zip(rows[::2], [*rows[1::2], ""], strict=False):
            made.append(f'<table class="paired"><tr><td>{left}</td><td>{right}</td></tr></table>')
    return "".join(made)


def _figure(figure: FigureRow) -> str:
    empty = "<td></td>" * (figure.abreast - len(figure.pictures))
    pictures = "".join(f"<td>{_picture(each)}</td>" for each in figure.pictures)
    legends = [_colour_bar(bar) if bar else "" for bar in figure.colour_bars]
    if figure.note and legends and not legends[0]:
        legends[0] = f'<p class="note">{escape(figure.note)}</p>'
    bars = "".join(f"<td>{legend}</td>" for legend in legends)
    below = f'<table class="pictures bars"><tr>{bars}{empty}</tr></table>' if bars else ""
    return (
        f'<figure><table class="pictures"><tr>{pictures}{empty}</tr></table>'
        f"{_caption(figure.caption)}{below}</figure>"
    )


def _caption(text: str) -> str:
    return f"<figcaption>{_told(text)}</figcaption>" if text else ""


def _picture(picture: Picture) -> str:
    places = ("left", "right", "top", "bottom")
    letters = "".join(
        f'<span class="letter {place}">{escape(letter)}</span>'
        for place, letter in zip(places, picture.letters, strict=True)
        if letter
    )
    places = ("tl", "tr", "bl", "br")
    corners = "".join(
        f'<span class="corner {place}">{escape(text)}</span>'
        for place, text in zip(places, picture.corners, strict=True)
        if text
    )
    image = f'<img alt="{escape(picture.alt)}" src="{address_of(picture.rgb)}">'
    drawn = strokes_html(picture)
    return f'<div class="picture">{image}{drawn}{letters}{corners}{_scale(picture)}</div>'


def _scale(picture: Picture) -> str:
    if picture.scale is None:
        return ""
    mm, part = picture.scale
    length = f"{mm / 10:g} cm" if mm >= 10 else f"{mm:g} mm"
    return f'<span class="scale" style="width: {100 * part:.2f}%">{length}</span>'


def _colour_bar(bar: ColourBar) -> str:
    if bar.is_swatch:
        red, green, blue = bar.colours[0]
        patch = f"background: #{red:02x}{green:02x}{blue:02x}; flex: none; width: 4mm"
        return f'<div class="bar"><span style="{patch}"></span>{escape(bar.title)}</div>'
    stops = bar.colours[np.linspace(0, len(bar.colours) - 1, 24).round().astype(int)]
    colours = ", ".join(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in stops)
    gradient = f"background: linear-gradient(to right, {colours})"
    unit = "" if bar.unit in ("", "1") else f" ({bar.unit})"
    title = f"{bar.title}{unit}"
    tick = ""
    if bar.threshold is not None and bar.low < bar.threshold < bar.high:
        place = 100 * (bar.threshold - bar.low) / (bar.high - bar.low)
        tick = f'<i style="left: {place:.2f}%"></i>'
        title += f", shown from {_short(bar.threshold)}"
    return (
        f'<div class="bar"><b>{_short(bar.low)}</b><span style="{gradient}">{tick}</span>'
        f"<b>{_short(bar.high)}</b></div><div>{escape(title)}</div>"
    )


def _short(value: float) -> str:
    text = number(value, 2)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _chart(chart: StripChart) -> str:
    """Bars as vector drawing: one unit a slice wide, 100 units high."""
    span = (chart.high - chart.low) or 1.0
    marked = dict(chart.marks)
    count = len(chart.values)
    bars = []
    for index, value in enumerate(chart.values):
        if not np.isfinite(value):
            continue
        height = 100 * min(1.0, max(0.0, (value - chart.low) / span))
        colour = "#2f6ea5" if index in marked else "#b9c6d3"
        bars.append(
            f'<rect x="{index + 0.1:.2f}" y="{100 - height:.2f}" width="0.8" '
            f'height="{height:.2f}" fill="{colour}"/>'
        )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {count} 100" '
        f'preserveAspectRatio="none">{"".join(bars)}</svg>'
    )
    source = f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
    letters = "".join(
        f'<i style="left: {100 * (index + 0.5) / max(1, count):.2f}%">{escape(letter)}</i>'
        for index, letter in chart.marks
    )
    start, end = chart.ends
    near = any(not _ENDS < (index + 0.5) / max(1, count) < 1 - _ENDS for index, _ in chart.marks)
    row = "ends below" if near else "ends"
    return (
        f'<figure class="strip"><img alt="{escape(chart.alt)}" src="{source}">'
        f'<div class="marks">{letters}</div>'
        f'<div class="{row}"><span>{escape(start)}</span><span>{escape(end)}</span></div>'
        f"<figcaption>{escape(chart.caption)}</figcaption></figure>"
    )
