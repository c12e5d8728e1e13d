from dataclasses import dataclass
from enum import Enum

import pytest

from medview.cli.contract import Reply
from medview.cli.output import Voice, in_words, one_line, plain
from medview.domain.errors import ReadError


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


def test_records_and_choices_become_their_fields_and_values():
    assert plain({"p": Point(1.0, float("nan")), "c": Colour.RED, 3: {1}}) == {
        "p": {"x": 1.0, "y": None},
        "c": "red",
        "3": [1],
    }


def test_nothing_that_a_terminal_obeys_is_printed(capfd):
    voice = Voice.for_words([])
    assert voice.answer(Reply({}, "a\x1b[2Jb\x9b31m\tc\nd", 0)) == 0
    assert voice.failed(ReadError("ends early", file="x\x1b]0;y\x07.dcm", do="Copy it.")) == 3
    told = capfd.readouterr()
    assert told.out == "a\ufffd[2Jb\ufffd31m\tc\nd\n"
    assert told.err == "medview: x\ufffd]0;y\ufffd.dcm: ends early. Copy it.\n"


def test_what_has_no_place_in_json_is_a_mistake_of_the_program():
    with pytest.raises(TypeError, match="object has no place"):
        plain({"what": object()})


def test_letters_of_all_languages_stay_as_they_are():
    assert one_line({"name": "Müller"}) == '{"name": "Müller"}'


def test_an_outline_indents_lists_and_leaves_the_schema_out():
    body = {
        "schema": "medview.x/1",
        "size": [256, 256, 176],
        "lossy": False,
        "spacing_mm": 0.123456789,
        "parent": None,
        "scores": [{"name": "age", "value": 41.0}, {"name": "gap", "value": None}],
    }
    assert in_words(body).splitlines() == [
        "size: 256, 256, 176",
        "lossy: no",
        "spacing mm: 0.123457",
        "parent: -",
        "scores:",
        "  - name: age",
        "    value: 41",
        "  - name: gap",
        "    value: -",
    ]
