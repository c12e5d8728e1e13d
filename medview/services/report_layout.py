"""Which sections of a report stand beside each other; what is in them stays as it is."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.report import FigureRow, Section, Side

READING = ("Findings by the reader", "Impression")
_OF = ": "
_FILM = "Film"
# More words than these would make a column longer than the tables beside it.
_SHORT_WORDS = 700
# Columns of more words than these would leave much of a page empty.
_MANY_WORDS = 1500
_COURSES = ("Risk over the stay", "Record of the stay")
RESTS_ON = "What the risk rests on"


def of_model(title: str, model: str) -> str:
    """The title of a section that says of which model it is."""
    return f"{title or 'Key slices'}{_OF}{model}"


def _kind(section: Section) -> str:
    """The title of a section, whichever model it is of."""
    return section.title.partition(_OF)[0]


def arranged(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Give sections their sides.

    The reader's words stand beside the narrow sections before them, or beside each other where
    there are none or the words are more; many words have the whole line. A film stands beside the
    course of the stay.
    """
    return _words(_film(sections))


def _words(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    places = [n for n, each in enumerate(sections) if _kind(each) in READING]
    if len(places) != len(READING):
        return sections
    words = sum(len(sections[n].text) for n in places)
    if words > _MANY_WORDS:
        return sections
    start = first = places[0]
    while start and sections[start - 1].narrow and not sections[start - 1].side:
        start -= 1
    sides: dict[int, Side] = {places[0]: "left", places[1]: "right"}
    if start < first and words <= _SHORT_WORDS:
        sides = {n: "right" if n in places else "left" for n in (*range(start, first), *places)}
    return _sided(sections, sides)


def _film(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """A film and its map below each other, beside them what the stay looked like by the hour.

    Below a film without a map there is room for what the risk rests on. Without a film the risk
    stands beside the record; so it does where several results show the film, each in a low row:
    the high block would not fit below the lines of all of them, and leave the first page empty.
    """
    titles = [_kind(each) for each in sections]
    courses = [n for n, title in enumerate(titles) if title in _COURSES]
    if titles.count(_FILM) != 1:
        return _courses_alone(sections, courses)
    if not courses:
        return sections
    at = titles.index(_FILM)
    rows = tuple(single for row in sections[at].figures for single in _one_below_another(row))
    film = replace(sections[at], figures=rows, side="left")
    rests_on = [n for n, title in enumerate(titles) if title == RESTS_ON and len(rows) == 1]
    below = [replace(sections[n], side="left") for n in rests_on]
    beside = [replace(sections[n], side="right") for n in courses]
    moved = {at, *courses, *rests_on}
    left = [(n, each) for n, each in enumerate(sections) if n not in moved]
    before = [each for n, each in left if n < at]
    after = [each for n, each in left if n > at]
    return (*before, film, *below, *beside, *after)


def _courses_alone(sections: tuple[Section, ...], courses: list[int]) -> tuple[Section, ...]:
    """Record and risk beside each other, where both are there and follow each other."""
    if len(courses) != len(_COURSES) or courses[1] != courses[0] + 1:
        return sections
    return _sided(sections, {courses[0]: "left", courses[1]: "right"})


def _one_below_another(row: FigureRow) -> tuple[FigureRow, ...]:
    """Each picture of a row in a row of its own."""
    count = len(row.pictures)
    bars = row.colour_bars or (None,) * count
    parts = zip(row.pictures, bars, _captions(row.caption, count), strict=True)
    return tuple(
        replace(row, pictures=(made,), colour_bars=(bar,) if bar else (), abreast=1, caption=words)
        for made, bar, words in parts
    )


def _captions(caption: str, count: int) -> tuple[str, ...]:
    """The caption below the last of several pictures, which it is about together."""
    return ("",) * (count - 1) + (caption,)


def _sided(sections: tuple[Section, ...], sides: dict[int, Side]) -> tuple[Section, ...]:
    return tuple(
        replace(each, side=sides[n]) if n in sides else each for n, each in enumerate(sections)
    )
