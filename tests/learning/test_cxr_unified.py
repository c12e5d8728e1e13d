"""One joined label set: which films are given which outcome."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from chest_given import RECIPE, given

from medview.domain.progress import Silent
from medview.learning import cxr_unified
from medview.learning.cxr_phase import Fitted
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.cxr_unified import (
    BY_TOTAL,
    CUTS,
    SCALE,
    TAUGHT,
    ZONES,
    by_total,
    fit_unified,
    taught_by,
)

TRAIN, VAL = np.arange(60), np.arange(60, 80)


def test_films_to_train_on_are_severe_from_a_total_on():
    films = given()
    before, totals = films.labels["prognosis"], films.labels["zones"].sum(1)
    after = by_total(films, TRAIN, 8).labels["prognosis"]
    known = before.isfinite()
    assert torch.equal(after[known], before[known])
    assert torch.equal(after[60:].isnan(), before[60:].isnan())
    new = ~known[:60]
    assert torch.equal(after[:60][new], (totals[:60][new] >= 8).float())
    assert torch.equal(films.labels["prognosis"].isnan(), ~known)  # what was given stays


def test_a_taught_outcome_is_taken_only_where_it_is_sure(monkeypatch):
    films = given()
    severe = np.linspace(0, 1, len(TRAIN))
    monkeypatch.setattr(cxr_unified, "predict", lambda *_: {"severe": severe})
    after = taught_by(SimpleNamespace(model=None), films, TRAIN).labels["prognosis"][:60]
    free = films.labels["prognosis"][:60].isnan().numpy()
    assert np.isnan(after.numpy()[free & (severe > 0.21) & (severe < 0.79)]).all()
    assert (after.numpy()[free & (severe > 0.81)] == 1).all()
    assert (after.numpy()[free & (severe < 0.19)] == 0).all()


@pytest.mark.parametrize(("val", "tried", "best"), [(VAL, CUTS, 10), (VAL[:0], (10,), 10)])
def test_the_total_is_chosen_by_the_films_of_validation(monkeypatch, val, tried, best):
    films, seen = given(), []

    def fitted(_job, recipe, joined, _parts, _seed):
        assert recipe.method == "stl-prognosis"
        counts = [int(by_total(films, TRAIN, cut).labels["prognosis"].nansum()) for cut in CUTS]
        cut = CUTS[counts.index(int(joined.labels["prognosis"].nansum()))]
        seen.append(cut)
        lines = ((1, "val", "prognosis", 0.0), (2, "val", "prognosis", abs(cut - 9)))
        return Fitted(cut, 2, 2, "epochs", lines if len(val) else ())

    monkeypatch.setattr(cxr_unified, "fit_method", fitted)
    found = fit_unified(Silent(), CxrRecipe(), films, (TRAIN, val), 0, {}, BY_TOTAL)
    assert tuple(seen) == tried
    assert found.model == best


def test_the_teacher_is_the_single_task_network_of_the_same_films():
    known = {}
    recipe = CxrRecipe(**{**RECIPE, "epochs": 2})
    found = fit_unified(Silent(), recipe, given(), (TRAIN, VAL), 0, known, TAUGHT)
    assert set(known) == {"stl-prognosis"}
    assert set(found.model.heads) == {"prognosis"}
    assert found is not known["stl-prognosis"]


@pytest.mark.parametrize(("variant", "more"), [(SCALE, set()), (ZONES, {"zones"})])
def test_on_one_scale_the_outcome_is_the_chance_of_the_upper_two_classes(variant, more):
    films, val = given(240), np.arange(160, 240)
    recipe = CxrRecipe(**{**RECIPE, "epochs": 30})
    found = fit_unified(Silent(), recipe, films, (np.arange(160), val), 0, {}, variant)
    with torch.no_grad():
        said = found.model(films.pooled[val, 0])
    upper = said["severity"].softmax(1)[:, 2:].sum(1)
    assert torch.allclose(said["prognosis"].softmax(1)[:, 1], upper, atol=1e-6)
    names = {name for _, part, name, _ in found.history if part == "train"}
    assert names == {"loss", "prognosis", "severity"} | more
    outcome = films.labels["prognosis"][val]
    assert upper[outcome == 1].mean() > upper[outcome == 0].mean() + 0.05
