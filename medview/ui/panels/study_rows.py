"""How the rows of the study list are drawn: patient, study, and series with its thumbnail."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from medview.ui.theme import Theme, current

_ROLE = int(Qt.ItemDataRole.UserRole)
KIND, SECOND, RIGHT, TAG, THUMB, SERIES, WARNS, FIND, ORDER = (_ROLE + n for n in range(1, 10))

_HEIGHTS = {"patient": 40, "study": 28, "series": 58}
_THUMB_PX = 44
_SMALL_PX = 12
_BESIDE = " · "

_Index = QModelIndex | QPersistentModelIndex


class StudyDelegate(QStyledItemDelegate):
    """Paints rows in the theme's colours; the tree's own look is not used."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: N802  # Qt's hook
        """A height for each kind of row."""
        return QSize(120, _HEIGHTS.get(str(index.data(KIND)), 28))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        draw = {"patient": _patient, "study": _study, "series": _series}.get(str(index.data(KIND)))
        if draw is not None:
            draw(painter, option, index, current())
        if option.state & QStyle.StateFlag.State_HasFocus:
            is_series = str(index.data(KIND)) == "series"
            box = _box(option) if is_series else QRectF(_area(option)).adjusted(1, 1, 0, -1)
            _rounded(painter, box, "transparent", current().accent)
        painter.restore()


def _patient(painter: QPainter, option: QStyleOptionViewItem, index: _Index, theme: Theme) -> None:
    area = _area(option)
    _text(painter, option, area.adjusted(0, 2, 0, 0), str(index.data()), theme.strong, bold=True)
    _text(
        painter,
        option,
        area.adjusted(0, 20, 0, 0),
        str(index.data(SECOND)),
        theme.quiet,
        small=True,
    )


def _study(painter: QPainter, option: QStyleOptionViewItem, index: _Index, theme: Theme) -> None:
    area = _area(option).adjusted(6, 5, 0, 0)
    right = str(index.data(RIGHT) or "")
    wide = QFontMetrics(option.font).horizontalAdvance(right)
    _text(painter, option, area.adjusted(0, 0, -wide - 8, 0), str(index.data()), theme.text)
    _text(painter, option, area, right, theme.quiet, small=True, right=True)


def _series(painter: QPainter, option: QStyleOptionViewItem, index: _Index, theme: Theme) -> None:
    box = _box(option)
    state = option.state
    if state & QStyle.StateFlag.State_Selected:
        _rounded(painter, box, theme.chosen, theme.chosen_border)
    elif state & QStyle.StateFlag.State_MouseOver:
        _rounded(painter, box, theme.hover, theme.hover)
    thumb = QRect(int(box.left()) + 6, int(box.top()) + 5, _THUMB_PX, _THUMB_PX)
    _thumb(painter, thumb, index.data(THUMB), theme)
    text = QRect(thumb.right() + 10, thumb.top() + 3, int(box.right()) - thumb.right() - 14, 20)
    tag = str(index.data(TAG) or "")
    room = text.adjusted(0, 0, -_tag_width(option, tag), 0)
    colour = theme.text if index.flags() & Qt.ItemFlag.ItemIsEnabled else theme.quiet
    used = _text(painter, option, room, str(index.data()), colour, middle=True)
    if tag:
        _tag(painter, option, text.left() + used + 8, text.top(), tag, theme)
    warns = bool(index.data(WARNS))
    second = f"⚠ {index.data(SECOND)}" if warns else str(index.data(SECOND))
    shade = theme.attention if warns else theme.quiet
    below = text.translated(0, 20)
    metrics = QFontMetrics(_font(option, small=True, bold=False))
    _text(painter, option, below, whole_parts(second, metrics, below.width()), shade, small=True)


def whole_parts(text: str, metrics: QFontMetrics, room: int) -> str:
    """As many whole parts ("155 · 1.0 mm · axial") as there is room for, the first one at least.

    A part of a word says less than no word; the tip of the row has all of it.
    """
    parts = text.split(_BESIDE)
    while len(parts) > 1 and metrics.horizontalAdvance(_BESIDE.join(parts)) > room:
        parts.pop()
    return _BESIDE.join(parts)


def _box(option: QStyleOptionViewItem) -> QRectF:
    """The card of a series."""
    return QRectF(_area(option).adjusted(6, 1, 0, -3))


def _area(option: QStyleOptionViewItem) -> QRect:
    return QRect(option.rect).adjusted(0, 0, -4, 0)


def _font(option: QStyleOptionViewItem, *, small: bool, bold: bool) -> QFont:
    font = QFont(option.font)
    if small:
        font.setPixelSize(_SMALL_PX)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font


def _text(
    painter: QPainter,
    option: QStyleOptionViewItem,
    area: QRect,
    text: str,
    colour: str,
    *,
    small: bool = False,
    bold: bool = False,
    right: bool = False,
    middle: bool = False,
) -> int:
    """Write one line, cut short with "…" where it must; return how wide it came out."""
    font = _font(option, small=small, bold=bold)
    metrics = QFontMetrics(font)
    cut = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
    fitted = metrics.elidedText(text, cut, max(area.width(), 0))
    painter.setFont(font)
    painter.setPen(QColor(colour))
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(area, side | Qt.AlignmentFlag.AlignTop, fitted)
    return metrics.horizontalAdvance(fitted)


def _rounded(painter: QPainter, box: QRectF, fill: str, border: str) -> None:
    path = QPainterPath()
    path.addRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    painter.fillPath(path, QColor(fill))
    painter.setPen(QColor(border))
    painter.drawPath(path)


def _thumb(painter: QPainter, box: QRect, picture: QPixmap | None, theme: Theme) -> None:
    painter.fillRect(box, QColor("#000000"))
    if isinstance(picture, QPixmap):
        painter.drawPixmap(box, picture)
        return
    painter.setPen(QColor(theme.border))
    painter.drawRect(box.adjusted(0, 0, -1, -1))


def _tag_width(option: QStyleOptionViewItem, tag: str) -> int:
    if not tag:
        return 0
    return QFontMetrics(_font(option, small=True, bold=False)).horizontalAdvance(tag) + 20


def _tag(
    painter: QPainter, option: QStyleOptionViewItem, left: int, top: int, tag: str, theme: Theme
) -> None:
    font = _font(option, small=True, bold=False)
    font.setPixelSize(_SMALL_PX - 1)
    wide = QFontMetrics(font).horizontalAdvance(tag) + 10
    box = QRectF(left, top, wide, 17)
    _rounded(painter, box, theme.chosen, theme.chosen)
    painter.setFont(font)
    painter.setPen(QColor(theme.accent))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tag)
