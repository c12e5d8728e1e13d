"""A report in words alone, for the clipboard: as rich text and as plain text."""

from __future__ import annotations

from html import escape

from medview import RESEARCH_USE
from medview.domain.report import Report, Section, Table
from medview.services.report_order import Copied

# Sections of a template that say something without a picture; origin and limits stay in the PDF.
SPOKEN = ("question", "result", "findings", "reading")


def in_words(report: Report) -> Copied:
    """Title, identity, comparison and the spoken sections, ended by what it is not for.

    Programs that take rich text get headings and tables, others the same with tabs.
    """
    facts = [(name, value) for name, value in report.facts if name == "Comparison"]
    sections = [*(Section(name, value) for name, value in facts), *report.sections]
    title = f"{report.title} ({report.status})"
    end = f"{RESEARCH_USE} Report {report.report_id}."
    plain = [title, *report.identity, *map(_plain, sections), end]
    rich = [
        f"<h2>{escape(title)}</h2><p>{'<br>'.join(map(escape, report.identity))}</p>",
        *map(_rich, sections),
        f"<p><b>{escape(end)}</b></p>",
    ]
    return Copied("\n\n".join(each for each in plain if each), "".join(rich), report.status)


def _plain(section: Section) -> str:
    lines = [section.title.upper(), section.result, section.text]
    if section.table is not None:
        lines += ["\t".join(row) for row in _rows(section.table)]
    return "\n".join(each for each in lines if each)


def _rich(section: Section) -> str:
    parts = [f"<h3>{escape(section.title)}</h3>" if section.title else ""]
    parts.append(f"<p><b>{escape(section.result)}</b></p>" if section.result else "")
    parts += [f"<p>{escape(line)}</p>" for line in section.text.splitlines()]
    if section.table is not None:
        rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in _rows(section.table))
        parts.append(f"<table border='1'>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>")
    return "".join(parts)


def _rows(table: Table) -> tuple[tuple[str, ...], ...]:
    return (table.headings, *table.rows) if table.headings else table.rows
