"""The page of shortcuts and the page about the program."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from medview import RESEARCH_USE, __version__
from medview.domain.card import ModelCard
from medview.domain.wording import typeset
from medview.services.settings import Settings
from medview.ui.actions import ACTIONS
from medview.ui.containers import Column, Row
from medview.ui.controls import button, label, name
from medview.ui.gestures import mouse_rows, with_own
from medview.ui.shortcuts import key_text, keys_in_force, profile_of
from medview.ui.words import tr


def shortcut_rows(settings: Settings) -> dict[str, list[tuple[str, str]]]:
    """Keys and what they do, by menu, as they are in force; the mouse comes first."""
    table = with_own(profile_of(settings).mouse, settings)
    rows: dict[str, list[tuple[str, str]]] = {
        "Mouse": [(tr(way), tr(does)) for way, does in mouse_rows(table)]
    }
    in_force = keys_in_force(settings, ACTIONS)
    for each in ACTIONS:
        keys = in_force[each.id]
        if keys:
            line = (key_text(keys, ", "), tr(each.text))
            rows.setdefault(each.menu.partition("/")[0], []).append(line)
    return rows


def show_shortcuts(parent: QWidget, settings: Settings, change: Callable[[], object]) -> QDialog:
    """Open the page of mouse gestures and keys; it does not block the window."""
    other = button(tr("Change keys …"), "shortcuts_change")
    other.clicked.connect(change)
    profile = label(tr("Profile: {title}", title=tr(profile_of(settings).title)), "quiet")
    title, size = tr("Mouse and keys"), (900, 820)
    dialog, rows = _dialog(parent, "shortcuts", title, size, other, profile)
    page = Column("shortcuts_page", tr("Mouse and keys"))
    holder = QWidget()
    columns = QHBoxLayout(holder)
    columns.setSpacing(36)
    for sections in _halves(shortcut_rows(settings)):
        column = QVBoxLayout()
        columns.addLayout(column, 1)
        column.setSpacing(18)
        for title, lines in sections:
            column.addWidget(_section(title, lines))
        column.addStretch(1)
    page.add(holder)
    rows.insertWidget(0, page, 1)
    dialog.show()
    return dialog


def show_about(parent: QWidget, cards: tuple[ModelCard, ...]) -> QDialog:
    """Open the page about version, models and what this is not for."""
    dialog, rows = _dialog(parent, "about", tr("About medview"), (520, 420))
    page = Column("about_page", tr("About medview"))
    page.add(label(f"medview {__version__}", "result"))
    page.add(label(tr(RESEARCH_USE), "research"))
    page.add(label(tr("Apache License 2.0"), "quiet"))
    for card in cards:
        page.add(label(f"{card.title} {card.version} ({card.id})", "strong"))
        page.add(label(card.intended_use, "", wraps=True))
        for limit in card.limits:
            page.add(label(f"• {typeset(limit)}", "quiet", wraps=True))
        page.add(label(tr("Weights: {licence}", licence=card.licence), "quiet", wraps=True))
    rows.insertWidget(0, page, 1)
    dialog.show()
    return dialog


def _dialog(
    parent: QWidget, key: str, title: str, size: tuple[int, int], *foot: QWidget
) -> tuple[QDialog, QVBoxLayout]:
    """A dialog with Close at the end of its last row, after the parts of `foot`."""
    dialog = QDialog(parent)
    name(dialog, key, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.resize(*size)
    rows = QVBoxLayout(dialog)
    rows.setContentsMargins(12, 8, 12, 12)
    close = button(tr("Close"), f"{key}_close")
    close.clicked.connect(dialog.close)
    rows.addWidget(Row(*foot, 1, close))
    close.setFocus()  # Enter closes a page that was read
    return dialog, rows


def _section(title: str, lines: list[tuple[str, str]]) -> QWidget:
    holder = QWidget()
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(5)
    grid.setHorizontalSpacing(12)
    grid.addWidget(label(tr(title).upper(), "heading"), 0, 0, 1, 2)
    for row, (keys, text) in enumerate(lines, 1):
        keys_label = label(keys, "strong")
        keys_label.setMinimumWidth(110)
        grid.addWidget(keys_label, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label(text, wraps=True), row, 1)
    grid.setColumnStretch(1, 1)
    return holder


def _halves(
    rows: dict[str, list[tuple[str, str]]],
) -> tuple[list[tuple[str, list[tuple[str, str]]]], ...]:
    """Two columns of about the same height, in the order of the table."""
    halves: tuple[list[tuple[str, list[tuple[str, str]]]], ...] = ([], [])
    heights = [0, 0]
    for title, lines in rows.items():
        shorter = heights.index(min(heights))
        halves[shorter].append((title, lines))
        heights[shorter] += len(lines) + 2
    return halves
