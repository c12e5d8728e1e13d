"""Variants of the ICU model on the same folds."""

from dataclasses import replace

import pytest
from icu_minis import challenge, hannover, table

from medview.domain.ablation import AblateRequest
from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.learning import ablation_figures
from medview.learning.ablation import ablate
from medview.learning.icu_ablation import FILM_CHANGES, study
from medview.learning.icu_training import fit
from medview.services.recipes import read_recipe


@pytest.mark.parametrize(("leave_out", "folds"), [("", 2), ("site", 0)])
def test_ways_to_fuse_are_compared_on_the_same_stays(tmp_path, monkeypatch, leave_out, folds):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    folder = challenge(tmp_path / "set", 16)
    small = ("hidden=8", "width=8", "heads=2", "feed_forward=8", "epochs=1", "batch=8")
    request = AblateRequest(
        "icu", (str(folder),), str(tmp_path / "out"), read_recipe("icu", None, small),
        variants=("concat", "armed", "no-type"), folds=folds, leave_out=leave_out, threads=1,
    )  # fmt: skip
    body = ablate(Silent(), request)
    assert body["finished"]
    assert {row["variant"] for row in body["rows"]} == {"default", *request.variants}
    assert {"roc_auc", "pr_auc", "brier"} <= {row["name"] for row in body["rows"]}
    effects = {(row["task"], row["variant"]) for row in body["rows"] if row["level"] == "effect"}
    assert {(f"ICU type {n}", "armed") for n in (1, 2, 3, 4)} <= effects
    averaged = [row for row in body["rows"] if row["subset"].endswith("average over units")]
    assert {row["variant"] for row in averaged} == {"armed"}


def test_hidden_variables_are_tried_on_whole_tables_and_on_those_without_bedside_values(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    folder = challenge(tmp_path / "set", 16)
    small = ("hourly_hidden=8", "width=8", "hourly_epochs=2", "batch=8", "hourly_rate=2e-2")
    request = AblateRequest(
        "icu", (str(folder),), str(tmp_path / "out"), read_recipe("icu", None, small),
        variants=("hourly-hidden",), against="hourly", folds=2, threads=1,
    )  # fmt: skip
    brier = {
        (row["variant"], row["subset"].partition(", ")[2]): row["mean"]
        for row in ablate(Silent(), request)["rows"]
        if row["name"] == "brier"
    }
    bare = "without bedside values"
    assert set(brier) == {(v, s) for v in ("hourly", "hourly-hidden") for s in ("", bare)}
    assert len(set(brier.values())) == 4


def test_labels_of_one_network_are_weighed_in_six_ways(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ablation_figures, "REPEATS", 10)
    folder = tmp_path / "set"
    rows = [(f"c{n}", f"s{n}.csv", int(n % 4 == 0), n % 2, int(n % 3 == 0)) for n in range(40)]
    table(folder / "cases.csv", "case,series,mortality,phenotype_01,phenotype_02", *rows)
    for _, series, *sick in rows:
        beats = [(hour, 70 + 20 * sum(sick) + hour) for hour in range(4)]
        table(folder / series, "Hours,HR", *beats)
    small = ("hidden=8", "width=8", "hourly_hidden=8", "hourly_epochs=3", "joint=true",
             "fewest_positives=5")  # fmt: skip
    recipe = read_recipe("icu", None, small)
    names = ("default", "counts", "dwa", "gradnorm", "pcgrad")
    request = AblateRequest(
        "icu", (str(folder / "cases.csv"),), str(tmp_path / "out"), recipe, variants=names, folds=2,
        threads=1, against="bce",
    )  # fmt: skip
    body = ablate(Silent(), request)
    found = {(row["task"], row["variant"]): row["mean"] for row in body["rows"]}
    for task in ("mortality", "phenotype_01", "phenotype_02", "mean of the phenotypes"):
        assert {variant for one, variant in found if one == task} == {"bce", *names}
    assert len({found["mortality", variant] for variant in ("bce", "default", "pcgrad")}) > 1
    # All three labels are known of every stay: counted, they weigh alike.
    assert found["mortality", "counts"] == found["mortality", "bce"]
    with pytest.raises(DataError, match="joint = true makes no version"):
        fit(
            Silent(),
            TrainRequest((str(folder / "cases.csv"),), str(tmp_path / "no"), recipe, threads=1),
        )


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
