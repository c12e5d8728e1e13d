"""What a measurement of the chest model writes of films, and who is left out of a comparison."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from chest_said import case, said
from scipy.special import expit, logit

from medview.domain.ablation import AblateRequest
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Silent
from medview.learning import cxr_evaluate, cxr_study
from medview.learning.cxr_evaluate import said_of_films
from medview.learning.cxr_study import CxrStudy
from medview.learning.film_set import FilmSet
from medview.learning.site_effects import FIXED
from medview.learning.subset import LeftOut, Subset
from medview.learning.unseen import Unseen
from medview.models.mdmt import Mdmt, MdmtOptions
from medview.models.site_mdmt import SiteMdmt

ASKED = EvaluateRequest("cxr", (), "")
OPTIONS = MdmtOptions(features=3, adapter=2, severity="regression")


def films(n=18):
    rng = np.random.default_rng(0)
    cases = tuple(case(k, site="ab"[k % 2]) for k in range(n))
    return FilmSet(
        cases,
        rng.integers(0, 255, (n, 1, 8, 8)).astype(np.uint8),
        np.full((n, 1, 6, 8, 8), 1 / 6, np.float16),
        np.zeros((n, 1), np.bool_),
        np.ones(n, np.bool_),
    )


def asked(network):
    torch.manual_seed(0)
    model = network().eval()
    for part in model.parameters():
        torch.nn.init.normal_(part, std=0.2)
    grey = SimpleNamespace(normalised=lambda x: torch.stack([x, x**2, 1 - x], 1) * 4)
    card = SimpleNamespace(settings={"temperature": 2.5, "median_total": 7})
    return model, said_of_films(Silent(), model, grey, films(), card, "cpu")


def outcome(model, n):
    """The outcome of one film by hand, before its temperature."""
    x = torch.from_numpy(films().squares[n, 0]).float() / 255
    mean = torch.stack([x.mean(), (x**2).mean(), 1 - x.mean()]) * 4
    with torch.no_grad():
        logits = model(mean.expand(1, 7, 3))["prognosis"][0]
    return float(logits[1] - logits[0])


def test_what_is_said_of_many_films_is_what_is_said_of_each():
    model, found = asked(lambda: Mdmt(OPTIONS))
    wanted = [expit(outcome(model, n) / 2.5) for n in range(18)]
    assert found.severe == pytest.approx(wanted, rel=1e-4)
    assert np.isfinite(found.zones).all()
    assert set(found.median) == {7.0}
    assert found.baselines == {}


def test_a_site_adds_to_its_films_and_the_fixed_answer_has_the_same_temperature():
    model, found = asked(lambda: SiteMdmt(OPTIONS, None, ("b",)))
    wanted = [expit(outcome(model, n) / 2.5) for n in range(18)]
    assert found.baselines[FIXED] == pytest.approx(wanted, rel=1e-4)
    added = logit(found.severe) - logit(found.baselines[FIXED])
    assert added[::2] == pytest.approx(0, abs=1e-4)  # the weights do not know site a
    assert np.abs(added[1::2]).min() > 1e-3


def test_a_line_of_predictions_says_what_is_known_and_leaves_the_rest_empty():
    told = said([case(1, brixia="012321"), case(2, prognosis="MILD")], [0.3, 0.6],
                [[0, 1, 2, 3, 2, 1.5], [0] * 6])  # fmt: skip
    first, second = (cxr_evaluate._line(told, n, ASKED, None, {}) for n in (0, 1))
    assert (first["case"], first["severe"], first["severe_low"]) == ("c1", 0.3, None)
    assert [first[f"brixia_{zone}"] for zone in "ABCDEF"] == [0, 1, 2, 3, 2, 1.5]
    assert (first["brixia_total"], first["severity_class"]) == (9.5, 2)
    assert (first["true_brixia_total"], first["true_severe"]) == (9, None)
    assert (second["true_brixia_total"], second["true_severe"]) == (None, 0)
    assert "severe_fixed" not in first


def test_scores_of_zones_have_the_bounds_that_a_run_tells_of_them():
    told = said([case(1), case(2)], zones=[[0, 1, 2, 3, 2, 1.5], [np.nan] * 6])
    errors = {"zone_errors": [-0.5, 1.0], "total_errors": [-3.0, 4.0]}
    first, second = (cxr_evaluate._line(told, n, ASKED, None, errors) for n in (0, 1))
    bounds = [(first[f"brixia_{zone}_low"], first[f"brixia_{zone}_high"]) for zone in "ABD"]
    assert bounds == [(0, 1), (0.5, 2), (2.5, 3)]
    assert (first["brixia_total_low"], first["brixia_total_high"]) == (6.5, 13.5)
    assert second["brixia_total_low"] is None


def test_a_line_of_sites_has_a_mixed_answer_where_the_site_is_known():
    told = said([case(1, site="b"), case(2, site="x")], [0.3, 0.6])
    told = replace(told, baselines={FIXED: np.array([0.1, 0.6])})
    lines = [cxr_evaluate._line(told, n, ASKED, ("b",), {}) for n in (0, 1)]
    found = [(one["severe"], one["severe_fixed"], one["severe_mixed"]) for one in lines]
    assert found == [(0.3, 0.1, 0.3), (0.6, 0.6, None)]
    assert cxr_evaluate._site_notes(told, ("b",)) == [
        cxr_evaluate.SITE_NOTE,
        "sites that the weights do not know: x",
    ]
    assert cxr_evaluate._site_notes(told, None) == []


def test_films_of_known_and_of_other_sites_have_rows_of_their_own():
    cases = [case(n, site="ab"[n % 2], prognosis="SEVERE" if n < 6 else "MILD") for n in range(12)]
    told = said(cases, np.where(np.arange(12) % 2, 0.5, np.linspace(1, 0, 12)))
    rows = {
        row.group: row.value
        for row in cxr_evaluate._by_site_known(told, ("a",))
        if (row.predictor, row.name) == ("model", "roc_auc")
    }
    assert rows == {"sites seen": 1.0, "sites unseen": 0.5}
    assert list(cxr_evaluate._by_site_known(told, ("a", "b"))) == []
    assert list(cxr_evaluate._by_site_known(told, None)) == []


def test_each_set_has_figures_under_its_own_name():
    cases = [
        replace(case(n, prognosis=("MILD", "SEVERE")[n % 2], brixia="111111"), subset="xy"[n // 6])
        for n in range(12)
    ]
    told = said(cases, np.tile(np.linspace(0, 1, 6), 2), np.ones((12, 6)))
    figures = [(row.task, row.subset, row.n) for row in cxr_evaluate._figures(told)
               if (row.predictor, row.level, row.group) == ("model", "case", "all")]  # fmt: skip
    pooled = {("prognosis", "chest-outcome", 12), ("severity", "brixia-senior", 12)}
    own = {(task, name, 6) for task in ("prognosis", "severity") for name in "xy"}
    assert set(figures) == pooled | own
    alone = cxr_evaluate._figures(told.only(np.arange(12) < 6))
    assert {(row.task, row.subset) for row in alone} == {("prognosis", "x"), ("severity", "x")}
    assert len({(row.task, row.predictor, row.level, row.group, row.name) for row in alone}) == len(
        alone
    )
    assert {row.truth for row in alone} == {""}  # nobody says that a senior reader scored them


def test_a_line_of_data_counts_the_films_of_its_own_set():
    all_films = case(1, prognosis="MILD"), case(2, brixia="000000"), case(3), case(4, brixia="1")
    *own, other = (
        replace(one, subset=name)
        for one, name in zip(all_films, ("here", "here", "here", "elsewhere"), strict=True)
    )
    gone = LeftOut("c3", "MV-DAT-101", "damaged")
    subset = Subset("here", "cases", Path(), tuple(own))
    whole = replace(films(1), cases=(*own[:2], other), skipped=(gone, LeftOut("c4", "x", "y")))
    line = cxr_evaluate._data_line(Unseen(subset, tuple(own), (), 0), whole)
    assert (line["cases"], line["patients"]) == (2, 2)
    assert (line["with_outcome"], line["with_brixia"]) == (1, 1)
    assert len(line["skipped"]) == 1


# -- who is left out of a comparison -------------------------------------------------------------


@pytest.fixture
def study_of(monkeypatch):
    def study(cases, **asked):
        subset = SimpleNamespace(cases=tuple(cases))
        monkeypatch.setattr(cxr_study, "find_subsets", lambda data, model: [subset])
        return CxrStudy(Silent(), AblateRequest("cxr", (), "", {}, **asked))

    return study


def left_out(study, cases, fold):
    return study._left_out(SimpleNamespace(films=SimpleNamespace(cases=cases)), fold).tolist()


def test_a_site_is_left_out_with_all_films_of_its_patients(study_of):
    cases = [
        case(1, "p", site="a", prognosis="MILD"),
        case(2, "p", site="b", brixia="000000"),
        case(3, "q", site="b", prognosis="SEVERE"),
        case(4, "r", site="c", brixia="111111"),
        case(5, "s", site="d"),
    ]
    study = study_of(cases, leave_out="site")
    assert study.folds(0) == ("a", "b")  # c tells no outcome
    assert left_out(study, cases, "a") == [True, True, False, False, False]
    assert left_out(study, cases, "b") == [True, True, True, False, False]


def test_every_film_with_a_label_is_left_out_once_and_with_its_patient(study_of):
    cases = [case(n, f"p{n // 2}", prognosis=("MILD", "SEVERE")[n // 2 % 2]) for n in range(24)]
    study = study_of(cases, folds=3)
    assert study.folds(5) == ("1", "2", "3")
    parts = np.array([left_out(study, cases, fold) for fold in study.folds(0)])
    assert (parts.sum(0) == 1).all()
    assert (parts[:, ::2] == parts[:, 1::2]).all()


def test_variants_of_effects_need_two_sources_and_both_labels(study_of):
    both = [case(n, site="ab"[n % 2], prognosis="MILD") for n in range(4)]
    scored = [case(9, site="a", brixia="000000")]
    found = {
        "sites": study_of(both + scored).variants(),
        "one": study_of(both[::2] + scored).variants(),
        "outcome": study_of(both).variants(),
    }
    assert found["sites"][0] == found["one"][0] == "default"
    assert {"armed", "unified-labels"} <= set(found["sites"])
    assert "armed" not in found["one"]
    assert "unified-labels" in found["one"]
    assert set(found["outcome"]) == set(cxr_study.VARIANTS)


def test_what_runs_of_a_study_share_and_what_each_variant_changes(study_of, monkeypatch):
    cases = [case(n, site="ab"[n % 2], prognosis="MILD", brixia="000000") for n in range(8)]
    study, made, trained = study_of(cases, folds=2), [], []
    monkeypatch.setattr(cxr_study, "load_films", lambda job, *asked: made.append(asked[1:3]))
    whole = SimpleNamespace(films=SimpleNamespace(cases=tuple(cases)))
    monkeypatch.setattr(cxr_study, "make_given", lambda *asked: whole)
    monkeypatch.setattr(cxr_study, "encoder", lambda name: name)
    monkeypatch.setattr(cxr_study, "scored", lambda told, suffix="": [told])

    def keep(kind):
        def train(job, fold, *variant):
            trained.append((kind, *variant, fold))
            return kind

        return train

    monkeypatch.setattr(cxr_study, "train_and_predict", keep("plain"))
    monkeypatch.setattr(cxr_study, "unified_said", keep("unified"))

    def run(variant, fold="1", seed=0, **settings):
        study.run(Silent(), variant, settings, seed, fold)
        return trained[-1]

    first, second = run("default")[-1], run("ft")[-1]
    assert (first.recipe.method, second.recipe.method) == ("mdmt", "ft")
    assert first.known is second.known  # single-task networks are trained once
    assert first.train.tolist() == np.setdiff1d(np.arange(8), first.test).tolist()
    other = run("default", "2")[-1]
    assert other.known is not first.known
    assert sorted([*first.test, *other.test]) == list(range(8))
    assert run("default", "2", seed=1)[-1].known is not other.known
    loss = run("authors-loss", "2", seed=1)[-1].recipe
    assert (loss.prognosis_loss, loss.reduction) == ("mse_logits", "whole_batch")
    assert run("default", batch=32)[-1].recipe.batch == 32
    assert len(made) == 1  # films and their features hang on neither
    run("default", size=64)
    assert made == [(224, 3), (64, 3)]
    assert run("unified-labels")[:2] == ("unified", "unified-labels")
