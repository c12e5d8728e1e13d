"""Units of tables: many spellings, one meaning, and none that is guessed."""

import pytest

from medview.domain.lab_units import named_unit, turned, with_unit

THOUSANDS = (
    *("1000/ul", "x10^3/uL", "K/uL", "k/µL", "k/μl", "10*3/uL", "10**3/uL", "10E3/uL", "10³/µl"),
    *("× 10³ / mm³", "K/mm3", "thou/mcL", "Tsd./ul", "/nl", "10^3 cells/uL"),
    *("G/l", "G/L", "g/l", "10^9/L", "10⁹/l", "x 10*9/liter"),
)


@pytest.mark.parametrize("told", THOUSANDS)
def test_thousands_of_cells_have_many_names(told):
    assert turned(told, "1000/ul", "WBC") == (1, 0)
    assert turned(told, "G/l", "WBC") == (1, 0)


@pytest.mark.parametrize(
    ("told", "wanted", "variable", "of_ten"),
    [
        *(("cells/ul", "1000/ul", "WBC", 0.01), ("10^6/ul", "1000/ul", "Platelets", 10_000)),
        *(("g/l", "g/dl", "Albumin", 1), ("mg/dl", "mg/l", "crp", 100), ("%", "", "FiO2", 0.1)),
        *(("ng/ml", "ug/l", "TroponinI", 10), ("ng/l", "ug/l", "TroponinT", 0.01)),
        *(("mmol/l", "mg/dl", "Glucose", 180.16), ("µmol/L", "mg/dl", "Creatinine", 0.11312)),
        *(("mEq/l", "mmol/l", "K", 10), ("mEq/l", "mmol/l", "Mg", 5), ("IU/L", "U/l", "ldh", 10)),
        *(("mg/dl", "mmol/l", "Lactate", 1.1101), ("mg/dl", "mmol/l", "Mg", 4.1144)),
        *(("kPa", "mmHg", "PaO2", 75.0062), ("l", "ml", "Urine", 10_000), ("lb", "kg", "", 4.5359)),
        *(("m", "cm", "Height", 1000), ("bpm", "1/min", "HR", 10), ("share", "%", "SaO2", 1000)),
        *(("°F", "°C", "Temp", -12.2222), ("Fahrenheit", "°C", "Temp", -12.2222)),
        *(("K", "°C", "Temp", -263.15), ("deg C", "°C", "Temp", 10)),
    ],
)
def test_ten_of_one_unit_is_so_much_of_another(told, wanted, variable, of_ten):
    scale, shift = turned(told, wanted, variable)
    assert 10 * scale + shift == pytest.approx(of_ten, rel=1e-4)


@pytest.mark.parametrize(
    ("told", "wanted", "variable"),
    [
        *(("foo", "1000/ul", "WBC"), ("mg/dl", "1000/ul", "WBC"), ("q/ul", "1000/ul", "WBC")),
        *(("mmol/l", "mg/l", "crp"), ("mmHg", "°C", "Temp"), ("monitor", "1/min", "HR")),
        *(("g/l", "mmHg", "MAP"), ("mg/l FEU", "mg/l", "d-dimer")),
    ],
)
def test_what_is_not_known_is_not_guessed(told, wanted, variable):
    assert turned(told, wanted, variable) is None


@pytest.mark.parametrize(
    ("column", "parts"),
    [
        *(("WBC (K/uL)", ("WBC", "K/uL")), ("Heart Rate[ bpm ]", ("Heart Rate", "bpm"))),
        *(("WBC", ("WBC", "")), ("WBC ()", ("WBC ()", "")), ("(K/uL)", ("(K/uL)", ""))),
    ],
)
def test_a_unit_stands_in_brackets_behind_the_name(column, parts):
    assert named_unit(column) == parts


def test_a_name_gets_its_unit_in_brackets_where_it_has_one():
    assert (with_unit("WBC", "G/l"), with_unit("WBC", " ")) == ("WBC (G/l)", "WBC")
