"""Columns of records in words."""

import pytest
import yaml

from medview.domain.resources import resource
from medview.domain.variable_names import unit_name, variable_name


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("HR", "Heart rate"),
        ("Glascow coma scale motor response", "GCS, motor"),
        ("Glasgow Coma Scale Total", "GCS"),
        ("NIDiasABP", "Diastolic, cuff"),
        ("DiasABP", "Diastolic, art."),
        ("Diastolic blood pressure", "Diastolic BP"),
        ("crp", "CRP"),
        ("factor_xii", "Factor XII"),
        ("pH", "pH"),
        ("Procalcitonin", "Procalcitonin"),
        ("some other_value", "Some other value"),
    ],
)
def test_a_column_is_called_by_its_name(column, words):
    assert variable_name(column) == words


@pytest.mark.parametrize(
    ("unit", "words"),
    [("1000/ul", "1000/µl"), ("ug/l", "µg/l"), ("mmol/l", "mmol/l"), ("U/l", "U/l"), ("", "")],
)
def test_a_unit_is_written_with_its_prefix(unit, words):
    assert unit_name(unit) == words


@pytest.mark.parametrize("table", ["benchmark", "physionet2012", "hannover"])
def test_variables_of_a_model_have_names_of_their_own_that_are_short(table):
    known = yaml.safe_load(resource("variables", f"{table}.yaml").read_text("utf-8"))
    names = [variable_name(each["name"]) for each in known["variables"]]
    assert len(set(names)) == len(names)
    assert [name for name in names if "_" in name or len(name) > 16] == []
