from dataclasses import replace

import numpy as np
import pytest

from medview.domain.report import ColourBar, FigureRow, Picture, Section
from medview.services.report_layout import READING, arranged, of_model

BLACK = Picture(np.zeros((4, 6, 3), np.uint8), "")
BAR = ColourBar(np.zeros((4, 3), np.uint8), 0.0, 1.0, None, "", "evidence")
WORDS = tuple(Section(title, "words") for title in READING)
TABLE = Section("Volumes", "x", narrow=True)


def sides(*sections):
    return [each.side for each in arranged(sections)]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ((), ["left", "right"]),
        ((Section("Findings of the model"),), ["", "left", "right"]),
        ((TABLE,), ["left", "right", "right"]),
        ((TABLE, TABLE), ["left", "left", "right", "right"]),
        ((TABLE, Section("Film")), ["", "", "left", "right"]),
    ],
)
def test_words_stand_beside_what_is_narrow_and_else_beside_each_other(before, expected):
    assert sides(*before, *WORDS, Section("Origin")) == [*expected, ""]


@pytest.mark.parametrize(
    ("count", "expected"), [(50, ["left", "right", "right"]), (100, ["", "left", "right"])]
)
def test_more_words_stand_beside_each_other_and_many_have_the_whole_line(count, expected):
    long = tuple(replace(each, text="word " * count) for each in WORDS)
    assert sides(TABLE, *long) == expected
    assert sides(TABLE, *(replace(each, text="word " * 200) for each in WORDS)) == [""] * 3


def test_findings_and_impression_in_one_stay_as_they_are():
    assert sides(TABLE, Section("Findings and impression", "x")) == ["", ""]


def test_a_film_stands_beside_the_course_of_the_stay_with_its_map_below():
    row = FigureRow((BLACK, BLACK), "The film; evidence.", (None, BAR), abreast=2)
    parts = (
        Section("Result"),
        Section("Film", figures=(row,)),
        Section("Risk over the stay"),
        Section("What the risk rests on", narrow=True),
        Section("Record of the stay"),
        *WORDS,
    )
    made = arranged(parts)
    assert [(each.title, each.side) for each in made] == [
        ("Result", ""),
        ("Film", "left"),
        ("Risk over the stay", "right"),
        ("Record of the stay", "right"),
        ("What the risk rests on", "left"),
        (READING[0], "right"),
        (READING[1], "right"),
    ]
    film, shown = made[1].figures
    assert (film.abreast, film.caption, film.colour_bars) == (1, "", ())
    assert (shown.caption, shown.colour_bars) == ("The film; evidence.", (BAR,))


def test_below_a_film_without_a_map_stands_what_the_risk_rests_on():
    film = Section("Film", figures=(FigureRow((BLACK,), "The film."),))
    rests = Section("What the risk rests on", narrow=True)
    made = arranged((film, Section("Risk over the stay"), rests, *WORDS))
    assert [each.side for each in made] == ["left", "left", "right", "left", "right"]
    assert made[1].title == "What the risk rests on"


def test_without_a_film_the_risk_stands_beside_the_record():
    risk, record = Section("Risk over the stay"), Section("Record of the stay")
    assert sides(risk, record, TABLE, *WORDS) == ["left", "right", "left", "right", "right"]
    assert sides(risk, TABLE) == ["", ""]


def test_a_film_without_a_stay_has_the_whole_line():
    film = Section("Film", figures=(FigureRow((BLACK, BLACK), "x"),))
    assert arranged((film, TABLE)) == (film, TABLE)


def test_films_of_several_results_stand_in_low_rows_and_the_risk_beside_the_record():
    film = Section("Film", figures=(FigureRow((BLACK, BLACK), "x"),))
    films = tuple(replace(film, title=of_model("Film", name)) for name in ("A 1.0", "B 1.0"))
    courses = [Section(f"{each}: C 1.0") for each in ("Risk over the stay", "Record of the stay")]
    made = arranged((Section("Result: A 1.0"), *films, *courses, *WORDS))
    assert made[1:3] == films
    assert [each.side for each in made] == ["", "", "", "left", "right", "left", "right"]


def test_one_film_among_several_results_stands_beside_the_course_all_the_same():
    row = FigureRow((BLACK, BLACK), "The film; evidence.", (None, BAR), abreast=2)
    film = Section(of_model("Film", "A 1.0"), figures=(row,))
    made = arranged((film, Section(of_model("Risk over the stay", "B 1.0"))))
    assert [each.side for each in made] == ["left", "right"]
