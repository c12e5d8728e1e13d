"""Old and new version on the same cases: pairs by name, figures by hand, worse is named."""

import csv

import numpy as np
import pytest

from medview.domain.comparison import CompareRequest
from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning import compare as module
from medview.learning.compare import compare, sites_in

N = 40
AGES = np.linspace(20, 80, N)


def write(folder, name, rows):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def ages(errors, cases=range(N)):
    return [
        {
            "case": f"c{n}",
            "patient": f"p{n}",
            "subset": "ixi",
            "age": AGES[n] + errors[n],
            "true_age": AGES[n] if n else "",
        }
        for n in cases
    ]


@pytest.fixture
def said(monkeypatch):
    """What each version is made to say: version -> rows of a table of its predictions."""
    tables = {}

    def fake(job, request):
        from pathlib import Path

        for file, rows in tables[Path(request.weights).name].items():
            write(Path(request.out), file, rows)
        assert request.split == "all"

    monkeypatch.setattr(module, "evaluate", fake)
    return tables


def compared(tmp_path):
    request = CompareRequest("brain-age", "old.st", "new.st", ("data",), str(tmp_path))
    return compare(Silent(), request)


def test_only_cases_of_both_with_a_truth_are_compared_and_the_worse_is_named(said, tmp_path):
    better, worse = np.full(N, 2.0), np.full(N, 5.0)
    said["old.st"] = {"predictions.csv": ages(better)}
    said["new.st"] = {"predictions.csv": ages(worse, range(10, N))[::-1]}
    body = compared(tmp_path)
    maes = {row["predictor"]: row for row in body["metrics"] if row["name"] == "mae"}
    assert (maes["old"]["value"], maes["new"]["value"]) == pytest.approx((2.0, 5.0))
    assert maes["old"]["n"] == maes["new"]["n"] == 30
    (apart,) = [one for one in body["differences"] if one["name"] == "mae"]
    assert apart["new_minus_old"] == pytest.approx(3.0)
    assert apart["low"] == pytest.approx(3.0)
    assert body["worse"] == ["mae", "rmse"]


def test_equal_versions_differ_in_nothing(said, tmp_path):
    rows = {"predictions.csv": ages(np.random.default_rng(0).normal(0, 3, N))}
    said |= {"old.st": rows, "new.st": rows}
    body = compared(tmp_path)
    assert {one["new_minus_old"] for one in body["differences"]} == {0.0}
    assert body["worse"] == []


def test_yes_and_no_is_compared_by_curves(said, tmp_path):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, N)

    def rows(noise):
        score = truth + noise * rng.normal(size=N)
        return {
            "predictions.csv": [
                {"case": n, "patient": n, "severe": s, "true_severe": int(t)}
                for n, (s, t) in enumerate(zip(score, truth, strict=True))
            ]
        }

    said |= {"old.st": rows(3.0), "new.st": rows(0.01)}
    body = compared(tmp_path)
    auc = {row["predictor"]: row["value"] for row in body["metrics"] if row["name"] == "roc_auc"}
    assert auc["new"] == 1.0
    assert auc["old"] < 0.9
    assert "roc_auc" not in body["worse"]


def test_slices_with_and_without_lesion_stand_for_the_anomaly_model(said, tmp_path):
    rows = [
        {"case": f"c{k // 4}", "slice": k % 4, "label": k % 2, "model": k % 2 + 0.01 * k}
        for k in range(40)
    ]
    tables = {"synthetic_slices.csv": rows, "predictions.csv": [{"case": "c0", "anomaly": 1}]}
    said |= {"old.st": tables, "new.st": tables}
    body = compared(tmp_path)
    assert {(row["level"], row["n"]) for row in body["metrics"]} == {("slice", 40)}


@pytest.mark.parametrize(
    ("table", "truth", "name", "figures"),
    [
        ("predictions.csv", "label", "anomaly", ("roc_auc", 1.0, 0.0)),
        ("slices.csv", "label", "score", ("roc_auc", 1.0, 0.0)),
        ("synthetic_slices.csv", "label", "model", ("roc_auc", 1.0, 0.0)),
        ("predictions.csv", "true_age", "age", ("mae", 0.5, 1.5)),
    ],
)
def test_each_set_has_the_figure_of_its_own_cases(table, truth, name, figures, said, tmp_path):
    """What is right in one set is wrong in the other; together they would be in between."""
    rows = []
    for n in range(24):
        right = n < 12
        of = n % 2 if truth == "label" else 40 + n % 5
        given = (of if right else 1 - of) if truth == "label" else of + (0.5 if right else 1.5)
        rows.append({
            "case": f"c{n}", "patient": f"p{n}", "subset": "one" if right else "two", "slice": n,
            truth: of, name: given,
        })  # fmt: skip
    made = {table: rows, "predictions.csv": rows}
    said |= {"old.st": made, "new.st": made}
    figure, *wanted = figures
    found = [row for row in compared(tmp_path)["metrics"] if row["name"] == figure]
    assert {row["subset"]: row["value"] for row in found} == pytest.approx(
        dict(zip(("one", "two"), wanted, strict=True))
    )


def test_without_a_known_truth_there_is_nothing_to_compare(said, tmp_path):
    rows = {"predictions.csv": [{"case": "a", "patient": "a", "age": 4.0, "true_age": ""}]}
    said |= {"old.st": rows, "new.st": rows}
    with pytest.raises(DataError, match="no case with a known truth"):
        compared(tmp_path)


def marked(*figures, first=0):
    return [
        {"case": f"c{n}", "patient": f"p{n}", "subset": "local", "pr_auc": one, "dice_best": 0.5}
        for n, one in enumerate(figures, first)
    ]


def test_marked_lesions_are_compared_by_how_well_the_maps_find_them(said, tmp_path):
    ours = [0.2 + 0.01 * n for n in range(8)]
    said["old.st"] = {"predictions.csv": [{"case": "c0"}], "pixels.csv": marked(*ours)}
    better = marked(*(one + 0.1 for one in ours), first=0)[1:]
    said["new.st"] = {"predictions.csv": [{"case": "c0"}], "pixels.csv": better}
    body = compared(tmp_path)
    (one,) = [row for row in body["differences"] if row["name"] == "pr_auc"]
    assert (one["level"], one["n"], one["group"]) == ("pixel", 7, "all")
    assert one["new_minus_old"] == pytest.approx(0.1)
    assert one["low"] == pytest.approx(0.1)
    values = {row["predictor"]: row["value"] for row in body["metrics"] if row["name"] == "pr_auc"}
    assert values == {"old": pytest.approx(0.24), "new": pytest.approx(0.34)}
    assert body["worse"] == []


def test_a_map_that_finds_less_is_worse(said, tmp_path):
    said["old.st"] = {"pixels.csv": marked(0.5, 0.6, 0.7, 0.5, 0.6, 0.7)}
    said["new.st"] = {"pixels.csv": marked(0.3, 0.4, 0.5, 0.3, 0.4, 0.5)}
    assert compared(tmp_path)["worse"] == ["pr_auc"]


def test_cases_with_and_without_a_lesion_are_compared_by_their_score(said, tmp_path):
    def rows(*scores):
        return [
            {"case": f"c{n}", "patient": f"p{n}", "subset": "local", "label": n % 2, "anomaly": one}
            for n, one in enumerate(scores)
        ]

    said["old.st"] = {"predictions.csv": rows(1, 3, 2, 4, 5, 0)}
    said["new.st"] = {"predictions.csv": rows(1, 3, 2, 4, 0, 5)}
    values = {
        row["predictor"]: row["value"]
        for row in compared(tmp_path)["metrics"]
        if (row["level"], row["name"]) == ("case", "roc_auc")
    }
    assert values == {"old": pytest.approx(4 / 9), "new": 1.0}
    assert {row["name"] for row in compared(tmp_path)["differences"]} == {"roc_auc", "pr_auc"}
    normal = {"predictions.csv": [{**row, "label": 0} for row in rows(1, 2, 3)]}
    said |= {"old.st": normal, "new.st": normal}
    with pytest.raises(DataError, match="no case with a known truth"):
        compared(tmp_path)


def test_each_of_several_sites_is_told_on_its_own_and_names_nothing_worse(said, tmp_path):
    """The small site is worse, the large one better: the whole decides."""

    def rows(small, large):
        made = ages([small if n % 4 == 0 else large for n in range(N)])
        return {"predictions.csv": [{**r, "site": "ab"[n % 4 > 0]} for n, r in enumerate(made)]}

    said |= {"old.st": rows(2.0, 6.0), "new.st": rows(5.0, 2.0)}
    alone = [{**each, "case": f"old{each['case']}", "site": "c"} for each in ages(np.zeros(N))]
    said["old.st"]["predictions.csv"] += alone  # of which the new one says nothing
    body = compared(tmp_path)
    found = {one["group"]: one for one in body["differences"] if one["name"] == "mae"}
    assert list(found) == ["all", "site:a", "site:b"]
    assert [found[g]["n"] for g in found] == [39, 9, 30]
    assert found["site:a"]["low"] == pytest.approx(3.0)
    assert found["site:b"]["high"] == pytest.approx(-4.0)
    assert body["worse"] == []
    assert {row["group"] for row in body["metrics"]} == set(found)


def test_a_site_needs_patients_and_a_second_one():
    def of(*sites):
        return [{"case": str(n), "patient": str(n), "site": each} for n, each in enumerate(sites)]

    assert sites_in(of(*"aaaaabbbbb")) == ("a", "b")
    assert sites_in(of(*"aaaaaabbb")) == ("a",)  # of three patients nothing is said
    assert sites_in(of(*"aaaaaa")) == ()
    assert sites_in(of(*[""] * 9)) == ()
    assert sites_in([{**each, "patient": "one"} for each in of(*"aaaaaabbbbbb")]) == ()


def test_intervals_of_ages_are_compared_by_coverage_and_width(said, tmp_path):
    def rows(half):
        made = ages(np.linspace(-9, 9, N))
        return {
            "predictions.csv": [
                {**r, "age_low": r["age"] - half, "age_high": r["age"] + half} for r in made
            ]
        }

    said |= {"old.st": rows(4.0), "new.st": rows(20.0)}
    body = compared(tmp_path)
    values = {(r["name"], r["predictor"]): r["value"] for r in body["metrics"]}
    assert values["coverage", "old"] == pytest.approx(18 / 39)
    assert values["coverage", "new"] == 1.0
    assert (values["interval_width", "old"], values["interval_width", "new"]) == (8.0, 40.0)
    apart = next(one for one in body["differences"] if one["name"] == "coverage")
    assert 0 < apart["low"] < apart["new_minus_old"] < apart["high"]
    assert body["worse"] == []  # wider intervals are no fault


def test_probabilities_that_are_too_sure_are_worse_by_their_calibration(said, tmp_path):
    rng = np.random.default_rng(0)
    chance = rng.uniform(0.1, 0.9, 300)
    truth = rng.random(300) < chance

    def rows(score):
        return {
            "predictions.csv": [
                {"case": n, "patient": n, "severe": s, "true_severe": int(t)}
                for n, (s, t) in enumerate(zip(score, truth, strict=True))
            ]
        }

    sure = 1 / (1 + (1 / chance - 1) ** 6)
    said |= {"old.st": rows(chance), "new.st": rows(sure)}
    body = compared(tmp_path)
    apart = next(one for one in body["differences"] if one["name"] == "ece")
    assert 0.05 < apart["low"] < apart["new_minus_old"] < apart["high"]
    assert body["worse"] == ["brier", "ece"]
    area = next(one for one in body["differences"] if one["name"] == "roc_auc")
    assert area["new_minus_old"] == pytest.approx(0)  # the order is the same
