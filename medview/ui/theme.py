"""How the window looks: two tables of colours, one style sheet, icons and the font."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QIcon,
    QImage,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from medview.domain.resources import resource


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by what they are for, as #rrggbb."""

    name: str
    window: str
    panel: str
    bar: str
    card: str
    border: str
    field: str
    hover: str
    text: str
    strong: str
    quiet: str
    faint: str
    accent: str
    action: str
    action_hover: str
    chosen: str
    chosen_border: str
    attention: str
    attention_back: str
    good: str
    good_back: str
    note_back: str


DARK = Theme(
    name="dark",
    window="#0f1114",
    panel="#14171b",
    bar="#171a1f",
    card="#191d23",
    border="#252b33",
    field="#1b2027",
    hover="#20262e",
    text="#d5d9df",
    strong="#eef1f5",
    quiet="#8c95a1",
    faint="#59626d",
    accent="#5aa9e6",
    action="#2c79bb",
    action_hover="#276da9",
    chosen="#1e2c3a",
    chosen_border="#2f5577",
    attention="#e8a33d",
    attention_back="#33270f",
    good="#7fd0a1",
    good_back="#15291d",
    note_back="#1c2938",
)

LIGHT = Theme(
    name="light",
    window="#e9ecf0",
    panel="#f6f7f9",
    bar="#ffffff",
    card="#ffffff",
    border="#d8dde3",
    field="#ffffff",
    hover="#eaeef3",
    text="#2b323a",
    strong="#1b1f24",
    quiet="#5d6773",
    faint="#8a939e",
    accent="#2f6ea5",
    action="#2f6ea5",
    action_hover="#296293",
    chosen="#e3edf7",
    chosen_border="#9fc0de",
    attention="#925f0a",
    attention_back="#fbf0da",
    good="#1e7747",
    good_back="#e1f3e8",
    note_back="#e3eef8",
)

THEMES: tuple[Theme, ...] = (DARK, LIGHT)

# Images are read on black, whatever the theme of the window.
PANE_BACK = "#000000"
PANE_STRONG = "#eef1f5"
PANE_QUIET = "#9aa3af"
PANE_ACTIVE = "#e8a33d"
PANE_ACCENT = "#5aa9e6"

_FONT_FILES = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf", "Inter-Bold.otf")
_BASE_PX = 13
_ICON_PX = (16, 32)  # at scale 1 and 2


def theme_named(name: str) -> Theme:
    """The theme of that name; the dark one when there is none."""
    return next((theme for theme in THEMES if theme.name == name), DARK)


_in_force: list[Theme] = [DARK]


def current() -> Theme:
    """The theme that was applied last."""
    return _in_force[0]


def apply(app: QApplication, theme: Theme) -> None:
    """Dress the whole application: style, palette, font and style sheet."""
    sheet = style_sheet(theme)
    if app.styleSheet() == sheet:
        return
    _in_force[0] = theme
    # Each of these dresses every widget anew; with a sheet in force, style and font are ours.
    if not app.styleSheet():
        app.setStyle("Fusion")
        app.setFont(base_font())
    app.setPalette(_palette(theme))
    app.setStyleSheet(sheet)


def base_font() -> QFont:
    """Inter at 13 px with figures of equal width; the system's sans where it is missing."""
    font = QFont(_family())
    font.setPixelSize(_BASE_PX)
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def style_sheet(theme: Theme) -> str:
    """The style sheet with the colours of `theme` put in for its @names."""
    text = resource("style.qss").read_text(encoding="utf-8")
    colours = {key: str(value) for key, value in asdict(theme).items() if key != "name"}
    for name in sorted(colours, key=len, reverse=True):
        text = text.replace(f"@{name}", colours[name])
    return text.replace("@icons", resource("icons").as_posix())


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    pairs: tuple[tuple[QPalette.ColorRole, str], ...] = (
        (role.Window, theme.panel),
        (role.WindowText, theme.text),
        (role.Base, theme.field),
        (role.AlternateBase, theme.card),
        (role.Text, theme.text),
        (role.Button, theme.card),
        (role.ButtonText, theme.text),
        (role.BrightText, theme.strong),
        (role.ToolTipBase, theme.card),
        (role.ToolTipText, theme.text),
        (role.PlaceholderText, theme.quiet),  # unlike what does stand in a field
        (role.Highlight, theme.action),
        (role.HighlightedText, "#ffffff"),
        (role.Link, theme.accent),
        (role.Mid, theme.border),
        (role.Dark, theme.border),
        (role.Light, theme.hover),
    )
    for which, colour in pairs:
        palette.setColor(which, QColor(colour))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.quiet))
    return palette


@lru_cache(maxsize=1)
def _family() -> str:
    for name in _FONT_FILES:
        path = resource("fonts", name)
        if path.is_file():
            QFontDatabase.addApplicationFont(str(path))
    return "Inter" if "Inter" in QFontDatabase.families() else ""


@lru_cache(maxsize=128)
def _outline(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def _drawn(name: str, colour: str, size: int) -> QImage:
    renderer = QSvgRenderer(QByteArray(_outline(name).replace("currentColor", colour).encode()))
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


def picture(name: str, colour: str, size: int) -> QPixmap:
    """The icon of that name as a square of `size` pixels in one colour, on nothing."""
    return QPixmap.fromImage(_drawn(name, colour, size))


@lru_cache(maxsize=512)
def icon(name: str, theme: Theme, *, colour: str = "") -> QIcon:
    """The icon of that name in the theme's colours; an empty name gives an empty icon."""
    made = QIcon()
    if not name:
        return made
    looks = (
        (QIcon.Mode.Normal, QIcon.State.Off, colour or theme.text),
        (QIcon.Mode.Normal, QIcon.State.On, colour or theme.strong),
        (QIcon.Mode.Disabled, QIcon.State.Off, theme.quiet),
    )
    for mode, state, shade in looks:
        for size in _ICON_PX:
            made.addPixmap(picture(name, shade, size), mode, state)
    return made
