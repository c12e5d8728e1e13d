from dataclasses import dataclass

import numpy as np
import pytest

from medview.io.plain import plain, record_of


@dataclass(frozen=True)
class Pair:
    """A record for these tests."""

    name: str
    places: tuple[float, ...] = ()


def test_records_become_dictionaries_and_tuples_lists():
    assert plain(Pair("a", (1.0, 2.0))) == {"name": "a", "places": [1.0, 2.0]}


def test_numpy_becomes_plain_and_what_is_no_number_becomes_none():
    assert plain({1: np.float32(0.5), "b": np.array([1, 2])}) == {"1": 0.5, "b": [1, 2]}
    assert plain([float("nan"), float("inf"), np.float64("nan"), 1.0]) == [None, None, None, 1.0]
    assert plain((True, None, "x", 3)) == [True, None, "x", 3]


def test_a_record_is_made_again_and_unknown_keys_are_ignored():
    assert record_of(Pair, {"name": "a", "places": [1.0], "more": 2}) == Pair("a", (1.0,))
    assert record_of(Pair, {"name": "a"}) == Pair("a")


def test_a_record_that_lacks_a_field_is_refused():
    with pytest.raises(TypeError):
        record_of(Pair, {})
