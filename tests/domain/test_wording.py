import math

import pytest

from medview.domain.wording import (
    counted,
    date_words,
    duration_words,
    interval,
    lead,
    legible,
    number,
    place_words,
    sentence,
    time_words,
    typeset,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.834, "1.83"),
        (14.06, "14.1"),
        (0.000123, "0.000123"),
        (6.0, "6.00"),
        (1234.6, "1\u202f235"),
        (-4.4, "\u22124.40"),
        (0.0, "0"),
        (math.nan, "not a number"),
    ],
)
def test_a_number_has_three_figures_that_say_something(value, text):
    assert number(value) == text


def test_one_is_no_plural():
    assert [counted(n, "case") for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]


def test_an_interval_needs_both_bounds():
    assert interval(1.61, 2.1) == "1.61 – 2.10"
    assert interval(None, 2.1) == ""


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ((0.012, 0.001, 0.023), "ahead by 0.012 (difference +0.001 to +0.023)"),
        ((-0.07, -0.12, -0.02), "behind by 0.070 (difference -0.120 to -0.020)"),
        ((-0.0004, -0.01, 0.01), "level (difference -0.010 to +0.010)"),
        ((-0.2, None, None), "behind by 0.200"),
    ],
)
def test_a_lead_below_zero_is_said_to_be_behind(found, text):
    assert lead(*found) == text


def test_dates_are_written_out():
    assert date_words("2026-11-21") == "21 Nov 2026"
    assert date_words("2026-03-04T10:41:00+00:00") == "04 Mar 2026"
    assert date_words("19") == ""
    assert time_words("2026-03-04T10:41:00+00:00") == "04 Mar 2026 10:41 UTC"
    assert time_words("2026-03-04T10:41:00") == "04 Mar 2026 10:41"
    assert time_words("") == ""


def test_durations_use_the_unit_that_fits():
    assert duration_words(6.23) == "6.2 s"
    assert duration_words(31.2) == "31 s"
    assert duration_words(190) == "3 min 10 s"
    assert duration_words(4320) == "1 h 12 min"


def test_a_place_is_told_with_letters_never_with_bare_signs():
    assert place_words((31.2, 62.0, 18.4)) == "L 31, P 62, H 18 mm"
    assert place_words((-12.0, -20.5, -3.0)) == "R 12, A 20, F 3 mm"


@pytest.mark.parametrize(
    ("text", "told"), [(" few brains", "Few brains."), ("Why?", "Why?"), ("", ".")]
)
def test_a_sentence_begins_large_and_ends_with_a_stop(text, told):
    assert sentence(text) == told


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1.61, 2.1, "1.61 – 2.10"),
        (-0.4, -0.2, "\u22120.400 to \u22120.200"),
        (-1.0, 2.0, "\u22121.00 to 2.00"),
    ],
)
def test_a_dash_never_stands_before_a_minus(low, high, said):
    assert interval(low, high) == said


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("by -0.04 [-0.06, -0.02]", "by \u22120.04 [\u22120.06, \u22120.02]"),
        ("(difference -.012 to +0.012)", "(difference \u2212.012 to +0.012)"),
        ("ages 23-51, T1-2, 2026-11-21, --resume, top-5", None),
        ("160 x 208 x 160 mm, 64 x 64", "160 \u00d7 208 \u00d7 160 mm, 64 \u00d7 64"),
        ("factor x 2, 4 xyz", None),
        ("of 3,396 stays, 0,1234 or 1,2", "of 3\u202f396 stays, 0,1234 or 1,2"),
    ],
)
def test_a_hyphen_before_a_figure_becomes_a_minus_and_an_x_between_two_a_sign(typed, set_):
    assert typeset(typed) == (set_ or typed)


@pytest.mark.parametrize(
    ("name", "text"),
    [("M\udcfcller", "M\ufffdller"), ("a\nb\x1b[31m", "a b [31m"), ("Ödem 1", "Ödem 1")],
)
def test_names_of_files_become_one_line_of_text(name, text):
    assert legible(name) == text
