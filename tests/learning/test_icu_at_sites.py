"""What networks with effects of sites say of stays, at sites that they know and at others."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from armed_stays import SITES
from icu_minis import challenge

from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Silent
from medview.learning.evaluate import evaluate
from medview.learning.icu_at_sites import at_sites, notes, site_rows
from medview.learning.icu_fit import StaySet
from medview.learning.icu_measure import Said
from medview.learning.icu_model import Cut, Part, load_armed_icu
from medview.learning.site_effects import FIXED, SEEN, UNSEEN, GivenSite

pytestmark = pytest.mark.usefixtures("seeded")
PLACES = (SITES[0], SITES[3], "Atlantis", "")


@pytest.fixture
def asked(armed_icu):
    """The model, with effects that can be seen, and what it says of four stays."""
    model, _ = load_armed_icu(armed_icu)
    with torch.no_grad():
        for net in model.whole("mortality"):
            net.intercept.mu[:] = torch.tensor([[-2.0], [0.0], [0.0], [2.0]])
    dice = torch.Generator().manual_seed(3)
    series = torch.randn(4, 6, model.variables.columns, generator=dice)
    present = torch.tensor([[True, False]]).expand(4, -1)
    given = StaySet(series, torch.full((4,), 6), present, torch.zeros(4, 1))
    return model, given, at_sites(model, "mortality", given, PLACES)


def test_a_known_site_moves_the_risk_and_an_unknown_one_leaves_the_fixed_effects(asked):
    _, _, found = asked
    assert found.known.tolist() == [True, True, False, False]
    assert found.mixed[0] < found.fixed[0]
    assert found.mixed[1] > found.fixed[1]
    assert np.isnan(found.mixed[2:]).all()
    assert np.array_equal(found.best, np.where(found.known, found.mixed, found.fixed))


def test_without_a_known_site_the_spread_holds_what_each_of_them_would_add(asked):
    model, given, found = asked
    nowhere = at_sites(model, "mortality", given, ("",) * 4)
    assert (np.ptp(nowhere.ends, axis=0)[:2] > np.ptp(found.ends, axis=0)[:2]).all()
    assert np.array_equal(nowhere.ends, nowhere.ends_fixed)


def test_a_column_of_the_site_changes_nothing_but_the_site_does(asked):
    model, given, found = asked
    other = given.series.clone()
    start = sum(v.width for v in model.variables.variables) - 4
    other[:, :, start : start + 4] = 7.0
    again = at_sites(model, "mortality", StaySet(other, given.lengths, given.present, given.labels),
                     PLACES)  # fmt: skip
    assert np.array_equal(found.best, again.best)


def test_columns_of_the_predictions_are_empty_where_there_is_no_effect(asked):
    found = asked[2]
    known, unknown = (found.columns("mortality", row) for row in (0, 2))
    names = [f"mortality_{which}{end}" for which in ("fixed", "mixed") for end in
             ("", "_low", "_high")]  # fmt: skip
    assert list(known) == list(unknown) == names
    assert known["mortality_mixed_low"] <= known["mortality_mixed"] <= known["mortality_mixed_high"]
    assert unknown["mortality_fixed"] == found.fixed[2]
    assert unknown["mortality_mixed"] is unknown["mortality_mixed_low"] is None


def test_a_part_speaks_elsewhere_under_its_other_cut():
    part = Part("mortality", ("mortality",), (), None, 0.4, None, 1.5, ("A",), Cut(0.2, 2.0))
    assert part.at(GivenSite("A", part.sites)) is part
    other = part.at(GivenSite("B", part.sites))
    assert (other.threshold, other.temperature) == (0.2, 2.0)


def test_known_and_unknown_sites_have_rows_of_their_own():
    sites = tuple(GivenSite(name, ("A",)) for name in ["A"] * 20 + ["B"] * 20)
    known = np.array([site.is_known for site in sites])
    truth = np.arange(40) % 2 == 1
    best = np.where(known, np.where(truth, 0.8, 0.2), 0.5)
    found = SimpleNamespace(sites=sites, known=known, best=best, fixed=np.full(40, 0.5))
    said = Said(truth, best, [str(n) for n in range(40)], "mortality", "here")
    rows = {(r.predictor, r.name, r.group): r.value for r in site_rows(said, found)}
    assert rows["model", "roc_auc", SEEN] == 1
    assert rows["model", "roc_auc", UNSEEN] == rows[FIXED, "roc_auc", SEEN] == 0.5
    assert rows["model", "roc_auc_difference", f"all, against:{FIXED}"] > 0.2
    assert notes([found])[1:] == ["sites that the weights do not know: B"]
    assert notes([]) == []


def test_an_evaluation_tells_the_answers_apart_and_names_odd_sites(
    armed_icu, tmp_path, monkeypatch
):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    data = challenge(tmp_path / "new", 24, seed=4)
    evaluate(
        Silent(),
        EvaluateRequest("icu-armed", (str(data),), str(tmp_path / "out"), str(armed_icu),
                        include_seen=True, threads=1),
    )  # fmt: skip
    body = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert body["model"] == "icu-armed"
    assert {row["predictor"] for row in body["metrics"]} >= {"model", FIXED, "logistic"}
    assert not any("do not know" in note for note in body["notes"])
    with (tmp_path / "out" / "predictions.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 24
    assert all(line["mortality"] == line["mortality_mixed"] for line in lines)
    assert any(line["mortality"] != line["mortality_fixed"] for line in lines)
