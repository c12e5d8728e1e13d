"""The regions a model found: jump to one, and say whether the reader agrees."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QHeaderView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.domain.prediction import SMALLEST_ML, Finding, Prediction
from medview.services.report_result import places_of
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.panels.answers import ANSWERS, said_by
from medview.ui.theme import current
from medview.ui.words import number, sides, tr

# A row of two lines, and what a third one adds.
_ROW_PX, _LINE_PX = 42, 16
_MOST_ROWS = 6
# As far as the style sheet insets other cells of the list.
_INSET_PX = 3
_HIDDEN = "hidden by uncertainty"

_Index = QModelIndex | QPersistentModelIndex


class FindingsList(QWidget):
    """One row a finding; the row, the crosshair and the key N always agree."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app
        self._known: tuple[Prediction | None, dict[int, str]] = (None, {})
        self.tree = QTreeWidget()
        self.tree.setAllColumnsShowFocus(True)
        name(self.tree, "findings", tr("Findings of the model"))
        self.tree.setToolTip(tr("Click to go there (N and Shift+N go round)"))
        self.tree.setProperty("look", "rows")
        self.tree.setColumnCount(4)
        self.tree.setHeaderHidden(True)
        self.tree.setItemDelegateForColumn(1, PlaceDelegate(self.tree))
        self.tree.setRootIsDecorated(False)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        for column, mode in enumerate(_MODES):
            header.setSectionResizeMode(column, mode)
        self.tree.itemSelectionChanged.connect(self._on_selected)
        self._buttons = [self._answer(*each) for each in ANSWERS]
        self._answers = Row(*self._buttons)
        self._none = label("", "quiet", wraps=True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 4, 0, 0)
        rows.addWidget(self._none)
        rows.addWidget(self.tree)
        rows.addWidget(self._answers)
        self._who = label("", "quiet")
        name(self._who, "verdict_who", tr("Who answered, and when"))
        rows.addWidget(self._who)
        for field in ("predictions", "volume_id", "first_reader", "read", "map_name"):
            getattr(app.session.events, field).connect(self.refresh)
        app.session.events.finding.connect(self._select)
        app.reading.changed.connect(self._show_verdicts)
        self.refresh()

    def refresh(self) -> None:
        """List the findings of the results on screen."""
        findings, places = self._app.session.findings, self._places()
        volume = self._app.session.volume
        is_axial = volume is None or volume.geometry.axis_of[2] == 0
        self.tree.blockSignals(True)
        self.tree.clear()
        for each in findings:
            self.tree.addTopLevelItem(_row(each, places.get(each.id, ""), is_axial=is_axial))
        self.tree.blockSignals(False)
        self.tree.setFixedHeight(sum(map(_height, findings[:_MOST_ROWS])) + 4)
        self.tree.setVisible(bool(findings))
        self._answers.setVisible(bool(findings))
        looked = [each for each in self._app.session.results if each.map("score") is not None]
        self._none.setText(none_words(looked))
        self._none.setVisible(bool(looked) and not findings)
        self._show_verdicts()
        self._select()

    def _places(self) -> dict[int, str]:
        """Where in the brain each finding lies; looked up once a result."""
        finder = self._app.session.finder
        if self._known[0] is not finder:
            self._known = (finder, places_of(finder) if finder is not None else {})
        return self._known[1]

    @property
    def _chosen(self) -> int | None:
        found = self._app.session.finding
        return found.id if found is not None else None

    def _select(self) -> None:
        self.tree.blockSignals(True)
        self.tree.clearSelection()
        for row in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(row)
            if item is not None and _id_of(item) == self._chosen:
                item.setSelected(True)
                self.tree.scrollToItem(item)
        self.tree.blockSignals(False)
        self._show_answers()

    def _show_verdicts(self) -> None:
        verdicts = self._app.reading.words.verdicts
        for row in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(row)
            if item is not None:
                item.setText(3, tr(verdicts.get(_id_of(item), "")) or "—")
        self._show_answers()

    def _show_answers(self) -> None:
        chosen = self._chosen
        verdict = self._app.reading.words.verdicts.get(chosen or 0, "")
        for (value, _), made in zip(ANSWERS, self._buttons, strict=True):
            made.setEnabled(chosen is not None)
            made.setChecked(value == verdict)
        session = self._app.session
        finder = session.finder.key if session.finder is not None else ""
        words = said_by(session.opinion(finder, f"finding {chosen}"))
        self._who.setText(words)
        self._who.setVisible(bool(words))

    def _answer(self, value: str, text: str) -> QPushButton:
        made = button(
            tr(text), f"verdict_{value}", tip=tr("{answer} with this finding", answer=tr(text))
        )
        made.setCheckable(True)
        made.clicked.connect(lambda on: self._on_answered(value if on else ""))
        return made

    def _on_answered(self, verdict: str) -> None:
        if self._chosen is not None:
            self._app.reading.judge(self._chosen, verdict)

    def _on_selected(self) -> None:
        chosen = self.tree.selectedItems()
        wanted = _id_of(chosen[0]) if chosen else None
        for each in self._app.session.findings:
            if each.id == wanted:
                self._app.viewing.go_to_finding(each)


class PlaceDelegate(QStyledItemDelegate):
    """Where a finding lies in the first line, and what else is said of it quietly below.

    That it is hidden by uncertainty has the colour of what needs attention.
    """

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw the ground as every row has it, then the lines in their colours."""
        full = QStyleOptionViewItem(option)
        self.initStyleOption(full, index)
        lines, full.text = str(index.data()).split("\n"), ""
        style = full.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, full, painter, full.widget)
        area: QRect = full.rect.adjusted(_INSET_PX, 0, -_INSET_PX, 0)
        theme, size = current(), full.fontMetrics
        top = area.center().y() - size.lineSpacing() * len(lines) // 2 + 1
        painter.save()
        painter.setFont(full.font)
        for row, line in enumerate(lines):
            is_hidden = line == tr(_HIDDEN)
            colour = theme.strong if row == 0 else theme.attention if is_hidden else theme.quiet
            painter.setPen(QColor(colour))
            box = QRect(area.left(), top + row * size.lineSpacing(), area.width(), size.height())
            fitted = size.elidedText(line, Qt.TextElideMode.ElideRight, area.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, fitted)
        painter.restore()


def none_words(results: Sequence[Prediction]) -> str:
    """Why there is no finding: nothing stood out, or nothing could be judged."""
    scores = [score for each in results if (score := each.score("anomaly")) is not None]
    if scores and all(score.value is None for score in scores):
        return tr("Nothing is marked: the model did not recognise these images.")
    return tr("No region of {ml} ml or more is above the threshold.", ml=f"{SMALLEST_ML:g}")


_FIT, _STRETCH = QHeaderView.ResizeMode.ResizeToContents, QHeaderView.ResizeMode.Stretch
_MODES = (_FIT, _STRETCH, _FIT, _FIT)


def _row(found: Finding, place: str, *, is_axial: bool) -> QTreeWidgetItem:
    """Where in words, as the report has it; in mm where the brain is not known.

    Side and depth in one line; how high it lies says the slice. Of a stack that is not axial the
    number of the slice says it not, and is not that of the plane on screen: there it is told in mm.
    """
    where = " ".join(f"{side} {mm:.0f}" for side, mm in sides(found.centroid_lps))
    short = tr(place.partition(",")[0])
    side, mm = sides(found.centroid_lps)[2]
    high = f"{side} {mm:.0f} mm"
    which = tr("slice {n}", n=found.slice + 1) if is_axial else high
    peak = tr("peak {value} · {which}", value=number(found.peak), which=which)
    lines = [short or where, peak]
    tip = f"{where} mm, {peak}"
    if found.hidden_by_uncertainty:
        # In a line of its own: beside the slice it had no room.
        lines = [lines[0], tr(_HIDDEN), which]
    elif found.normals_as_high is not None:
        count, of = found.normals_as_high, found.normals
        # No longer than beside a volume and "rejected" there is room for.
        lines.append(tr("like {count}/{of} normals", count=count, of=of))
        tip += "\n" + tr(
            "{count} of {of} normal brains left out in training have a region as high",
            count=count,
            of=of,
        )
    texts = [str(found.id), "\n".join(lines), tr("{n} ml", n=f"{found.volume_ml:.1f}"), ""]
    item = QTreeWidgetItem(texts)
    item.setData(0, Qt.ItemDataRole.UserRole, found.id)
    item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setSizeHint(0, QSize(24, _height(found)))
    item.setToolTip(1, tip)
    return item


def _height(found: Finding) -> int:
    three = found.hidden_by_uncertainty or found.normals_as_high is not None
    return _ROW_PX + (_LINE_PX if three else 0)


def _id_of(item: QTreeWidgetItem) -> int:
    return int(item.data(0, Qt.ItemDataRole.UserRole))
