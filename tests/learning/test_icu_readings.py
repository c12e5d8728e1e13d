"""Which variable a column is of, and in which unit."""

import numpy as np
import pytest

from medview.learning.icu_readings import reading_of
from medview.learning.icu_variables import shipped_map

BENCH, CHALLENGE = shipped_map("benchmark"), shipped_map("physionet2012")


@pytest.mark.parametrize(
    ("column", "variables", "name", "is_other"),
    [
        *(("HR", CHALLENGE, "HR", False), ("heart rate (bpm)", CHALLENGE, "HR", False)),
        *(("WBC (G/l)", CHALLENGE, "WBC", False), ("Temp (°F)", CHALLENGE, "Temp", True)),
        *(
            ("heart_rate", CHALLENGE, "HR", False),
            ("Mean_Blood_Pressure", CHALLENGE, "NIMAP", False),
        ),
        ("FiO2 [%]", BENCH, "Fraction inspired oxygen", True),
    ],
)
def test_a_column_is_known_by_its_name_with_and_without_a_unit(column, variables, name, is_other):
    found = reading_of(column, variables)
    assert (variables.variables[found.place].name, found.is_other) == (name, is_other)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [("Mood", None), ("Mood (%)", None), ("WBC (foo)", "1000/ul"), ("GCS (points)", "")],
)
def test_a_column_of_no_known_variable_or_unit_has_no_place(column, wanted):
    found = reading_of(column, CHALLENGE)
    assert (found.place, found.wanted) == (-1, wanted)


def test_no_value_that_was_turned_passes_for_one_of_another_unit():
    """0.5 mmol/l of glucose are 9 mg/dl, which without a unit would be taken for mmol/l."""
    reading = reading_of("Glucose (mmol/l)", CHALLENGE)
    found = reading.turned(np.array([0.5, 5, 30], np.float32), CHALLENGE)
    assert found == pytest.approx([20, 90.08, 540.48])
