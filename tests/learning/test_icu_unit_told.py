"""The unit in a column of the table of a stay: it is the site, unless another one is named."""

import csv
import json

import pytest
from armed_stays import SITES, risk_at

from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Silent
from medview.learning.evaluate import evaluate
from medview.learning.icu_series import read_series
from medview.learning.icu_unit_told import unit_told
from medview.learning.icu_variables import shipped_map
from medview.learning.site_effects import UNKNOWN_SITE

pytestmark = pytest.mark.usefixtures("seeded")
CHALLENGE = shipped_map("physionet2012")


def stay(folder, unit, later=""):
    """A stay of 20 hours whose table tells the unit in its first row, perhaps another one later."""
    rows = [f"{hour},{80 + hour},{unit if hour == 0 else later}" for hour in range(20)]
    path = folder / "stay.csv"
    path.write_text("\n".join(["Hours,HR,ICUType", *rows]) + "\n")
    return path


def notes_of(found):
    return {note.code: note.text for note in found.warnings}


@pytest.mark.parametrize("cell", ["2", "2.0", "CSRU"])
def test_a_run_takes_the_unit_of_the_table_as_the_site(armed_icu, tmp_path, cell):
    table = stay(tmp_path, cell)
    found, named = risk_at(armed_icu, table, None), risk_at(armed_icu, table, SITES[1])
    assert found.scores == named.scores
    assert found.parameters["site"] == "ICU type 2"
    assert "site: ICU type 2, as the table says" in found.preparation
    assert UNKNOWN_SITE not in notes_of(found)
    assert not any(line.startswith("site:") for line in named.preparation)


def test_a_site_that_is_named_or_taken_away_counts_more_than_the_table(armed_icu, tmp_path):
    table = stay(tmp_path, "2")
    other, nowhere = risk_at(armed_icu, table, SITES[3]), risk_at(armed_icu, table, "")
    assert other.parameters["site"] == SITES[3]
    assert other.score("mortality").value != risk_at(armed_icu, table, None).scores[0].value
    assert nowhere.score("mortality").value == nowhere.score("mortality_fixed").value
    assert "no site was given" in notes_of(nowhere)[UNKNOWN_SITE]


@pytest.mark.parametrize(
    ("unit", "later", "called"),
    [
        ("7", "", "ICU type 7 is none of the sites"),
        ("Neuro", "", "Neuro is none of the sites"),
        ("1", "3", "ICU type 1 and ICU type 3 is none of the sites"),
    ],
)
def test_a_unit_without_an_effect_is_told_and_the_rest_is_used(
    armed_icu, tmp_path, unit, later, called
):
    found = risk_at(armed_icu, stay(tmp_path, unit, later), None)
    assert called in notes_of(found)[UNKNOWN_SITE]
    assert found.score("mortality").value == found.score("mortality_fixed").value
    assert found.score("mortality_mixed").status == "not_available"
    ignored = notes_of(found).get("IGNORED_COLUMNS", "")
    assert ignored == ("" if later else f"not used: ICUType {unit}")


def test_weights_of_other_sites_have_no_use_for_the_column(tmp_path):
    told = unit_told(read_series(stay(tmp_path, "2"), CHALLENGE), CHALLENGE)
    assert told.sites == ("ICU type 2",)
    assert told.among(("Bern", "Basel")) is None
    assert told.among(("ICU type 1",)) == "ICU type 2"


def test_a_measurement_says_of_a_list_what_a_run_says_of_its_tables(
    armed_icu, tmp_path, monkeypatch
):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    units = {"a": "1", "b": "4", "c": "Neuro", "d": ""}
    for name, unit in units.items():
        stay(tmp_path, unit).rename(tmp_path / f"{name}.csv")
    lines = [f"{name},{name}.csv,{n % 2}" for n, name in enumerate(units)]
    (tmp_path / "cases.csv").write_text("\n".join(["case,series,mortality", *lines]) + "\n")
    evaluate(
        Silent(),
        EvaluateRequest("icu-armed", (str(tmp_path / "cases.csv"),), str(tmp_path / "out"),
                        str(armed_icu), threads=1),
    )  # fmt: skip
    with (tmp_path / "out" / "predictions.csv").open() as file:
        said = {line["case"]: line for line in csv.DictReader(file)}
    assert list(said) == list(units)
    for name in units:
        alone = risk_at(armed_icu, tmp_path / f"{name}.csv", None)
        for score in ("mortality", "mortality_fixed", "mortality_mixed"):
            value, cell = alone.score(score).value, said[name][score]
            assert (cell == "") == (value is None)
            assert value is None or float(cell) == pytest.approx(value, abs=1e-6)
    body = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert any("do not know: Neuro, not given" in note for note in body["notes"])
