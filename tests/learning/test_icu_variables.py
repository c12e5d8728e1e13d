"""Variable maps: the shipped ones hold, and a wrong one names what is wrong."""

import math

import pytest

from medview.domain.errors import DataError
from medview.learning.icu_variables import map_of, read_map, shipped_map

GOOD = {"variables": [{"name": "HR", "impute": 80, "columns": ["Heart Rate"]}]}


def test_the_shipped_maps_have_the_widths_of_their_networks():
    widths = {
        name: shipped_map(name).columns for name in ("benchmark", "physionet2012", "hannover")
    }
    assert widths == {"benchmark": 76, "physionet2012": 266, "hannover": 24}


def test_a_level_is_known_by_its_other_spellings():
    eye = shipped_map("benchmark").variables[3]
    assert eye.number("4 Spontaneously") == eye.number("4") == eye.number("4.0") == 3
    assert math.isnan(eye.number("7"))
    total = shipped_map("benchmark").variables[5]
    assert total.levels[int(total.number("15.0"))] == "15"


def test_names_of_other_sets_lead_to_the_same_variable():
    challenge = shipped_map("physionet2012")
    assert challenge.codes["heart rate"] == challenge.codes["hr"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"variables": [{"impute": 1}]}, "has no name"),
        ({"variables": [{"name": "HR"}]}, "HR does not say what to impute"),
        ({"variables": [{"name": "HR", "impute": 1, "klip": [0, 1]}]}, "klip"),
        ({"variables": [{"name": "HR", "impute": 1, "clip": [0]}]}, "clip of HR"),
        ({"variables": [{"name": "HR", "impute": 1}] * 2}, "HR is given twice"),
        ({"variables": [{"name": "E", "levels": ["a"], "impute": "b"}]}, "no level"),
        ({"features": ["observed"]}, "features begin with value"),
        ({"time": {"unit": "weeks"}}, "weeks"),
        ({"bin_hours": 0}, "bin_hours"),
        ({"variables": 3}, 'no list called "variables"'),
    ],
)
def test_a_wrong_map_names_what_is_wrong(change, said):
    with pytest.raises(DataError, match=said):
        map_of(GOOD | change)


def test_a_file_that_is_no_yaml_is_refused(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("a: [1")
    with pytest.raises(DataError, match="cannot be read as YAML"):
        read_map(path)


def test_a_map_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match=r"mine\.yaml: does not exist"):
        read_map(tmp_path / "mine.yaml")
