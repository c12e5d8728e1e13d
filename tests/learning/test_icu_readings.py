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


OF_AMOUNTS = {
    "Albumin": ([38, 41], 0.1), "Cholesterol": ([3.9, 5.2], 38.665), "HCT": ([0.28, 0.4], 100),
    "Creatinine": ([62, 380], 0.011312), "Glucose": ([5.5, 24], 18.016), "WBC": ([4e3, 3e4], 1e-3),
    "Platelets": ([2e4, 4e5], 1e-3), "PaO2": ([9, 40], 7.50062), "PaCO2": ([4.5, 11], 7.50062),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_AMOUNTS)
def test_a_column_that_can_only_be_in_another_unit_is_known_as_such(name):
    values, scale = OF_AMOUNTS[name]
    rule = reading_of(name, CHALLENGE).guessed(np.array([*values, np.nan], np.float32), CHALLENGE)
    assert rule is not None
    assert rule.scale == pytest.approx(scale)
    usual = (np.array(values) * scale).astype(np.float32)
    assert reading_of(name, CHALLENGE).guessed(usual, CHALLENGE) is None


@pytest.mark.parametrize(
    ("column", "values"),
    [
        *(("Creatinine", [1.2, 138]), ("Creatinine", [np.nan]), ("Creatinine (mg/dl)", [138])),
        *(("Glucose", [18, 30]), ("Glucose", [5.5, 90]), ("PaCO2", [12, 18]), ("BUN", [9])),
        *(("WBC", [170]), ("Platelets", [1400]), ("Mood", [5]), ("PaO2", [18, 40])),
    ],
)
def test_values_that_may_be_of_the_usual_unit_are_not_guessed_at(column, values):
    found = reading_of(column, CHALLENGE).guessed(np.array(values, np.float32), CHALLENGE)
    assert found is None
