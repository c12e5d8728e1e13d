"""Variants of the ICU model on the same folds."""

from dataclasses import replace

import pytest
from icu_minis import challenge, hannover

from medview.domain.ablation import AblateRequest
from medview.domain.progress import Silent
from medview.learning import ablation_figures
from medview.learning.ablation import ablate
from medview.learning.icu_ablation import FILM_CHANGES, study
from medview.services.recipes import read_recipe


@pytest.mark.parametrize(("leave_out", "folds"), [("", 2), ("site", 0)])
def test_ways_to_fuse_are_compared_on_the_same_stays(tmp_path, monkeypatch, leave_out, folds):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    folder = challenge(tmp_path / "set", 16)
    small = ("hidden=8", "width=8", "heads=2", "feed_forward=8", "epochs=1", "batch=8")
    request = AblateRequest(
        "icu", (str(folder),), str(tmp_path / "out"), read_recipe("icu", None, small),
        variants=("concat",), folds=folds, leave_out=leave_out, threads=1,
    )  # fmt: skip
    body = ablate(Silent(), request)
    assert body["finished"]
    assert {row["variant"] for row in body["rows"]} == {"default", "concat"}
    assert {"roc_auc", "pr_auc", "brier"} <= {row["name"] for row in body["rows"]}


def test_what_series_and_film_are_worth_is_asked_where_there_are_films(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    folder = hannover(tmp_path / "films", 8)
    small = (
        "hidden=8", "width=8", "heads=2", "feed_forward=8", "epochs=8", "batch=8", "members=1",
        "hourly_members=0", "variables=hannover", "film=features", "rate=1e-2",
        "column_dropout=0.0",
    )  # fmt: skip
    recipe = read_recipe("icu", None, small)
    names = ("series-only", "film-only", "clahe")
    request = AblateRequest(
        "icu", (str(folder),), str(tmp_path / "out"), recipe, variants=names, folds=2, threads=1
    )
    made = study(Silent(), request)
    assert set(FILM_CHANGES) <= set(made.variants())
    body = ablate(Silent(), request)
    assert body["runs_done"] == body["runs_planned"] == 8
    assert {row["variant"] for row in body["rows"]} == {"default", *names}
    blind = made.run(Silent(), "series-only", {}, 0, "1")[0]
    other = replace(made, works=tuple(
        replace(work, stays=[replace(stay, film=None) for stay in work.stays])
        for work in made.works
    ))  # fmt: skip
    again = other.run(Silent(), "series-only", {}, 0, "1")[0]
    assert blind.score == pytest.approx(again.score)  # no film is looked at


def test_without_films_there_are_no_variants_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    recipe = read_recipe("icu", None, ())
    folder = challenge(tmp_path / "set", 16)
    made = study(Silent(), AblateRequest("icu", (str(folder),), str(tmp_path / "out"), recipe))
    assert not set(FILM_CHANGES) & set(made.variants())
