import re
from dataclasses import asdict

import pytest
from PySide6.QtGui import QColor, QFontInfo
from PySide6.QtWidgets import QToolButton

from medview.domain.resources import resource
from medview.ui.theme import DARK, LIGHT, THEMES, base_font, icon, picture, style_sheet, theme_named


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_every_colour_is_one(theme):
    wrong = [k for k, v in asdict(theme).items() if k != "name" and not QColor(v).isValid()]
    assert wrong == []


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_no_name_is_left_in_the_style_sheet(theme):
    assert re.findall(r"@\w+", style_sheet(theme)) == []


def test_pictures_the_style_sheet_names_exist():
    named = re.findall(r'url\("@icons/([^"]+)"\)', resource("style.qss").read_text("utf-8"))
    assert named
    assert [each for each in named if not resource("icons", each).is_file()] == []


def luminance(colour):
    shares = [v / 255 for v in QColor(colour).getRgb()[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    """Contrast ratio of WCAG 2.2, 1.4.3."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
@pytest.mark.parametrize("text", ["text", "strong", "quiet", "accent", "attention", "good"])
@pytest.mark.parametrize(
    "back",
    ["window", "panel", "card", "bar", "field", "hover", "chosen", "note_back", "attention_back"],
)
def test_text_can_be_read_on_what_it_stands_on(theme, text, back):
    assert contrast(getattr(theme, text), getattr(theme, back)) >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_the_button_that_matters_can_be_read_and_seen_to_have_the_keyboard(theme):
    assert contrast("#ffffff", theme.action) >= 4.5
    assert contrast("#ffffff", theme.action_hover) >= 4.5
    assert contrast(theme.strong, theme.action) >= 3.0


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_what_has_the_keyboard_has_a_frame_that_stands_out(theme):
    rules = re.findall(r":focus[^{]*\{[^}]*border-color: (#\w+)", style_sheet(theme))
    assert len(rules) > 5
    assert all(contrast(each, theme.card) >= 3.0 for each in rules)


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_what_cannot_be_chosen_now_can_still_be_read_and_looks_fainter(theme):
    assert contrast(theme.faint, theme.window) >= 2.5
    assert contrast(theme.faint, theme.window) < 0.8 * contrast(theme.quiet, theme.window)


def test_the_font_is_inter_with_its_real_weight(qapp):
    info = QFontInfo(base_font())
    assert info.family() == "Inter"
    assert info.pixelSize() == 13


def test_an_icon_takes_the_colour_asked_for(qapp):
    image = picture("circle-half", "#ff0000", 32).toImage()
    solid = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
    drawn = [c for c in solid if c.alpha() > 200]
    assert drawn
    assert all(c.red() > 200 and c.green() < 60 for c in drawn)


def test_no_icon_without_a_name(qapp):
    assert icon("", DARK).isNull()
    assert not icon("hand", LIGHT).isNull()


def test_an_unknown_theme_is_the_dark_one():
    assert theme_named("purple") is DARK
    assert theme_named("light") is LIGHT


def test_the_window_changes_theme_at_once(bench):
    before = bench.window.studies.grab().toImage().pixelColor(3, 500)
    bench.press("Ctrl+Shift+L")
    after = bench.window.studies.grab().toImage().pixelColor(3, 500)
    bench.press("Ctrl+Shift+L")
    assert before == QColor(DARK.panel)
    assert after == QColor(LIGHT.panel)


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_the_icon_on_the_coloured_button_is_white_and_the_same_command_in_a_menu_is_not(
    bench, theme
):
    bench.app.preferences.change(theme=theme.name)
    button, own = bench.find(QToolButton, "bar_analysis.run"), bench.window.table["analysis.run"]
    assert colours_of(button.icon()) == {"#ffffff"}
    assert colours_of(own.icon()) == {theme.text}
    assert button.isEnabled() == own.isEnabled()
    own.setEnabled(not own.isEnabled())
    assert button.isEnabled() == own.isEnabled()
    assert button.toolTip() == own.toolTip()


def colours_of(icon):
    image = icon.pixmap(32, 32).toImage()
    every = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return {each.name() for each in every if each.alpha() == 255}


def test_no_rule_is_for_every_widget():
    """Colour and size of text are palette and font: such a rule costs a fifth of a change."""
    assert (
        re.findall(r"^\s*(?:QWidget|\*)\s*\{", resource("style.qss").read_text("utf-8"), re.M) == []
    )
