"""Variants with effects of clusters: effects of sources are found, and unknown ones have none."""

import numpy as np
import pytest
from chest_given import RECIPE, cases, given
from chest_phantom import case_list

from medview.domain.ablation import AblateRequest
from medview.domain.progress import Silent
from medview.learning import cxr_compared
from medview.learning.cxr_armed import clusters_of, source_of
from medview.learning.cxr_compared import ARMED, armed_said, view_of
from medview.learning.cxr_folds import Fold, train_and_predict
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.cxr_study import AVERAGE, CxrStudy
from medview.learning.metrics import roc_auc
from medview.models.armed import LossWeights

HALF = np.arange(160), np.arange(160, 240)


def said(variant="armed", parts=HALF, **changes):
    recipe = CxrRecipe(**{**RECIPE, **changes})
    return armed_said(Silent(), Fold(recipe, given(240), *parts, 1), variant)


def area(found):
    known = [n for n, case in enumerate(found.cases) if "prognosis" in case.cells]
    truth = np.array([found.cases[n].cells["prognosis"] == "SEVERE" for n in known])
    return roc_auc(truth, found.severe[known])


def test_what_a_source_adds_is_found_and_told_apart_from_the_film():
    found = said(epochs=15)
    assert area(found.own) > area(found.average) + 0.05
    assert found.effects["a", "added_log_odds"] < -0.2
    assert found.effects["b", "added_log_odds"] > 0.2
    assert found.effects["clusters", "commonest_unit"] == pytest.approx(0.5)
    assert np.isfinite(found.own.zones).all()


def test_films_of_a_source_that_was_left_out_get_no_effect():
    films = given(240)
    left = np.array([case.site == "b" for case in films.films.cases])
    parts = np.flatnonzero(~left), np.flatnonzero(left)
    found = said(parts=parts, epochs=2)
    assert set(found.effects) == {("a", "random_intercept")}
    assert not np.allclose(found.own.severe, found.average.severe, atol=1e-6)


def test_without_adversary_and_effects_it_is_the_shipped_recipe(monkeypatch):
    monkeypatch.setitem(cxr_compared.ARMED, "armed", (LossWeights(0.0, 1.0, 0.0, 0.0), source_of))
    plain = train_and_predict(Silent(), Fold(CxrRecipe(**RECIPE), given(240), *HALF, 1))
    assert said().own.severe == pytest.approx(plain.severe, abs=1e-6)
    monkeypatch.undo()
    assert said().own.severe != pytest.approx(plain.severe, abs=1e-3)


def test_a_cluster_is_the_source_or_the_source_and_the_projection():
    films = cases(16, view=True)
    assert clusters_of(films, source_of) == ["a", "b"]
    assert clusters_of(films, view_of) == ["a, PA", "a, bedside", "b, PA", "b, bedside"]
    assert clusters_of(cases(16), view_of) == ["a", "b"]
    assert {cluster_of for _, cluster_of in ARMED.values()} == {source_of, view_of}


@pytest.mark.parametrize("leave_out", ["", "site"])
def test_effects_are_offered_where_there_are_two_clusters(tmp_path, leave_out):
    request = AblateRequest("cxr", (str(case_list(tmp_path)),), "", {}, leave_out=leave_out)
    found = CxrStudy(Silent(), request).variants()
    assert len(set(found) & set(ARMED)) == 3
    assert "armed-view" not in found  # no projection is known: its clusters would be the sources
    assert "unified-labels" in found


def test_variants_of_clusters_and_of_one_label_set_are_scored(tmp_path):
    recipe = {**RECIPE, "size": 64, "epochs": 1, "steps": 1}
    path = case_list(tmp_path, 24)
    study = CxrStudy(Silent(), AblateRequest("cxr", (str(path),), "", recipe, folds=2))
    armed = study.run(Silent(), "armed", {}, 0, "1")
    subsets = {one.subset for one in armed if one.task == "prognosis"}
    assert {"all", "all" + AVERAGE} <= subsets
    assert {one.task for one in armed} >= {"prognosis", "severity", "clusters"}
    unified = study.run(Silent(), "unified-labels", {}, 0, "1")
    assert {one.task for one in unified} == {"prognosis"}
    own, theirs = (found[0] for found in (armed, unified))
    assert own.cases == theirs.cases
    assert own.score != theirs.score
