import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtGui import QTextLayout

from medview.ui import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (14.1234, "14.1"),
        (1.834, "1.83"),
        (0.021345, "0.0213"),
        (0.0, "0"),
        (980.4, "980"),
        (1234567.0, "1234567"),
        (-3.456, "\u22123.46"),
        (0.00000012, "0.000000"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_figure_has_three_significant_digits(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(18.0, "18"), (7.95, "7.95"), (6.0, "6"), (0.5, "0.5")]
)
def test_a_figure_on_a_scale_has_no_zeros_at_its_end(value, text):
    assert words.short(value) == text


def test_a_place_has_letters_instead_of_signs():
    assert words.place((4.0, -46.0, 12.0)) == "L 4.0  A 46.0  H 12.0 mm"
    assert words.place((-4.0, 46.0, -12.25)) == "R 4.0  P 46.0  F 12.2 mm"


@pytest.mark.parametrize(
    ("iso", "text"),
    [("2026-03-14", "14 Mar 2026"), ("", ""), ("2026-13-01", "2026-13-01"), ("then", "then")],
)
def test_a_date_is_written_out(iso, text):
    assert words.date(iso) == text


@pytest.mark.parametrize(
    ("born", "at", "text"),
    [
        ("1950-11-21", "2026-11-21", "76 y"),
        ("1950-11-22", "2026-11-21", "75 y"),
        (None, "2026-11-21", ""),
        ("1950-11-22", "", ""),
        ("2030-01-01", "2026-11-21", ""),
    ],
)
def test_an_age_counts_full_years(born, at, text):
    assert words.age(born, at) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "1 s left"), (8.4, "8 s left"), (125, "2 min left"), (7300, "2 h left")],
)
def test_time_left_in_the_unit_that_fits(seconds, text):
    assert words.time_left(seconds) == text


def test_a_translation_keeps_the_named_places(qapp):
    class Longer(QTranslator):
        def translate(self, context, source, disambiguation=None, n=-1):
            return f"«{source}»"

        def isEmpty(self):  # noqa: N802  # Qt's hook
            return False

    made = Longer()
    QCoreApplication.installTranslator(made)
    try:
        assert words.tr("{n} s left", n=8) == "«8 s left»"
    finally:
        QCoreApplication.removeTranslator(made)


def test_figures_to_be_compared_have_as_many_decimals():
    assert words.alike(-0.5951, -0.0832) == ("\u22120.595", "\u22120.083")
    assert words.alike(12.34, 9.8) == ("12.3", "9.8")
    assert words.alike(None, 0.0) == ("–", "0.00")


def test_a_hash_may_be_broken_and_other_words_are_not():
    text = "abc " + "0123456789abcdef" * 4
    assert words.breakable(text) == "abc " + "\u200b".join(["0123456789abcdef"] * 4)
    assert words.breakable("facade of 12 mm") == "facade of 12 mm"


def test_only_long_words_may_go_on_in_the_next_line():
    assert words.foldable("MR head, 181 × 217 × 106") == "MR head, 181 × 217 × 106"
    long = "wolfeschlegelsteinhausenbergerdorff"
    assert words.foldable(f"a {long}") == f"a {long[:12]}\u200b{long[12:24]}\u200b{long[24:]}"


@pytest.mark.usefixtures("qapp")
def test_an_interval_stays_in_one_line_however_narrow_the_room():
    text = f"accuracy 0.84 ({words.interval(0.78, 0.9)}), of 121"
    assert text.replace("\u2060", "") == "accuracy 0.84 (0.780\u00a0–\u00a00.900), of 121"
    for room in range(20, 400, 10):
        layout = QTextLayout(text)
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(room)
            part = text[line.textStart() : line.textStart() + line.textLength()]
            assert ("0.780" in part) == ("0.900" in part)
        layout.endLayout()


def test_a_name_with_hyphens_breaks_behind_them_and_nowhere_else():
    name_ = "Hohenstein-Waldenburg-Bartenstein"
    assert words.foldable(name_) == name_
    tail = "-00110-000-0123456789-01234"
    assert "\u200b" in words.foldable(tail)


def test_a_figure_stays_behind_a_name_that_runs_from_right_to_left(qapp):
    assert words.isolated("T1 axial") == "T1 axial"
    layout = QTextLayout(f"{words.isolated('T1 محوري')} 300")
    layout.beginLayout()
    line = layout.createLine()
    layout.endLayout()
    text = layout.text()
    name_, figure = (line.cursorToX(text.index(each))[0] for each in ("T1", "300"))
    letters = [line.cursorToX(n)[0] for n, each in enumerate(text) if each in "محوري"]
    assert name_ < min(letters) <= max(letters) <= figure
