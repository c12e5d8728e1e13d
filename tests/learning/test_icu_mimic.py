"""MIMIC-IV as it is published, in both generations of its folders."""

import pytest
from icu_minis import by_name, cxr, found, mimic4

from medview.domain.progress import Silent
from medview.learning.icu_stays import to_bins
from medview.learning.icu_variables import shipped_map

BENCH = shipped_map("benchmark")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("generation", [1, 2])
def test_mimic4_of_both_generations_with_films(tmp_path, generation):
    mimic4(tmp_path / "iv", generation)
    cxr(tmp_path / "films")
    subset = found(tmp_path / "iv")
    cases = by_name(subset)
    assert set(cases) == {"101", "102"}
    assert [(one.case, one.what) for one in subset.skipped] == [("103", "the patient is no adult")]
    long, short = cases["101"], cases["102"]
    assert (long.cells["mortality"], long.cells["phenotype_25"]) == ("1", "1")
    assert "mortality" not in short.cells
    assert short.cells["phenotype_14"] == "1"
    # The last AP film of the first 48 hours, not the one of day 3, the PA one or the one before.
    assert long.images["film"].name == "a.jpg"
    assert float(long.cells["film_hour"]) == pytest.approx(6.5, abs=0.01)
    (stay, _), _ = to_bins(Silent(), subset.cases, BENCH)
    value = dict(zip([v.name for v in BENCH.variables], stay.grid.values[-1], strict=True))
    assert value["Heart Rate"] == 88
    assert value["Temperature"] == pytest.approx(37.0, abs=0.01)
    assert value["Weight"] == pytest.approx(220 * 0.453592, abs=0.01)
    assert value["pH"] == pytest.approx(7.31)
    assert (
        BENCH.variables[3].levels[int(value["Glascow coma scale eye opening"])] == "Spontaneously"
    )
