"""Variants on the same folds: planned together, kept, compared case by case."""

import csv
import itertools
import json
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from medview.domain.ablation import AblateRequest, Scored
from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Silent
from medview.domain.training import CHECKPOINTS
from medview.learning import ablation
from medview.learning.ablation import ablate

TRUTH = np.linspace(20, 80, 40)
CASES = tuple(f"c{n}" for n in range(40))


class Guess:
    """A study whose "bad" variant errs by 3 years more; each run is counted."""

    made: ClassVar[list[tuple[object, ...]]] = []

    def variants(self):
        return ("default", "bad", "same")

    def folds(self, seed):
        return ("1", "2")

    def run(self, job, variant, settings, seed, fold):
        self.made.append((variant, tuple(settings.items()), seed, fold))
        here = slice(0, 20) if fold == "1" else slice(20, 40)
        rng = np.random.default_rng(7 * seed + int(fold))
        error = rng.normal(0, 1, 20) + settings.get("shift", 3 if variant == "bad" else 0)
        score = tuple(map(float, TRUTH[here] + error))
        cases = CASES[here]
        return (Scored("age", ("mae", "rmse"), cases, cases, tuple(TRUTH[here]), score, "made-up"),)


@pytest.fixture
def request_of(tmp_path, monkeypatch):
    Guess.made = []
    monkeypatch.setitem(ablation.ABLATIONS, "guess", f"{__name__}:study")
    monkeypatch.setattr(ablation, "study_of", lambda job, request: Guess())
    return AblateRequest("guess", ("d",), str(tmp_path / "out"), {}, folds=2)


def rows(body, name="mae"):
    return {row["variant"]: row for row in body["rows"] if row["name"] == name}


def test_a_worse_variant_is_found_and_an_equal_one_is_not(request_of):
    body = ablate(Silent(), replace(request_of, seeds=2))
    assert (body["finished"], body["runs_done"], body["runs_planned"]) == (True, 12, 12)
    found = rows(body)
    assert found["default"]["difference"] is None
    assert found["default"]["n"] == 40
    assert found["default"]["runs"] == 4
    assert found["default"]["value_low"] < found["default"]["mean"] < found["default"]["value_high"]
    assert found["bad"]["difference"] == pytest.approx(
        found["bad"]["mean"] - found["default"]["mean"]
    )
    assert found["bad"]["low"] > 1.5
    # The least p of 1000 draws, twice as large by Holm for two variants.
    assert found["bad"]["p"] == pytest.approx(0.002)
    assert found["same"]["difference"] == 0
    assert found["same"]["p"] == 1.0


def test_the_figures_of_each_run_stand_in_the_table(request_of, tmp_path):
    body = ablate(Silent(), request_of)
    with (tmp_path / "out" / "ablation.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 3 * 2 * 2
    assert set(lines[0]) == {
        *("variant", "seed", "fold", "subset"),
        *("task", "level", "name", "value"),
    }
    kept = json.loads((tmp_path / "out" / "ablation.json").read_text())
    assert kept["schema"] == "medview.ablation/1"
    assert kept["rows"] == body["rows"]
    mean = np.mean(
        [float(x["value"]) for x in lines if (x["variant"], x["name"]) == ("bad", "mae")]
    )
    assert rows(body)["bad"]["mean"] == pytest.approx(mean)


def test_the_same_runs_are_compared_with_another_variant(request_of):
    by_default = rows(ablate(Silent(), request_of))
    body = ablate(Silent(), replace(request_of, against="bad", variants=("default",)))
    assert len(Guess.made) == 6  # nothing is trained again
    found = rows(body)
    assert list(found) == ["bad", "default"]
    assert body["against"] == "bad"
    assert found["default"]["difference"] == pytest.approx(-by_default["bad"]["difference"])
    with pytest.raises(UsageError, match="no variant good"):
        ablate(Silent(), replace(request_of, against="good"))


def test_finished_runs_are_not_made_again(request_of):
    first = ablate(Silent(), replace(request_of, variants=("bad",)))
    assert len(Guess.made) == 4
    again = ablate(Silent(), replace(request_of, variants=("bad",), seeds=2))
    assert len(Guess.made) == 8
    assert (first["runs_planned"], again["runs_planned"]) == (4, 8)


def test_when_time_is_up_all_variants_have_the_same_folds(request_of):
    body = ablate(Silent(), replace(request_of, max_minutes=1e-9))
    assert not body["finished"]
    assert (body["runs_done"], body["runs_planned"]) == (1, 6)
    assert [made[3] for made in Guess.made] == ["1"]


@pytest.mark.parametrize(("minutes", "runs"), [(3.5, 2), (1.5, 1)])
def test_time_is_up_after_so_many_minutes(minutes, runs, request_of, monkeypatch):
    clock = itertools.count(1000.0, 100.0)  # seconds; the first look at it is the begin
    monkeypatch.setattr(ablation.time, "perf_counter", lambda: next(clock))
    body = ablate(Silent(), replace(request_of, max_minutes=minutes))
    assert body["runs_done"] == runs
    assert body["seconds"] == 700.0


def test_the_picture_of_the_comparison_lies_beside_its_figures(request_of, tmp_path):
    ablate(Silent(), request_of)
    drawn = (tmp_path / "out" / "ablation.svg").read_text()
    assert "6 of 6 runs" in drawn
    assert all(name in drawn for name in ("bad", "same"))


def test_a_value_that_is_a_path_is_kept_below_one_folder(request_of, tmp_path):
    swept = replace(request_of, sweeps={"shift": (1.5,), "weights": ("../a/b.bin",)})
    body = ablate(Silent(), swept)
    assert "weights=../a/b.bin" in rows(body)
    kept = {path.name for path in (tmp_path / "out" / CHECKPOINTS).iterdir()}
    assert {"shift=1.5-0-1.json", "weights=.._a_b.bin-0-1.json", "request.json"} < kept
    assert len(kept) == 3 * 2 + 1


def test_each_value_of_a_sweep_is_a_variant(request_of):
    body = ablate(Silent(), replace(request_of, sweeps={"shift": (0, 5)}))
    assert list(rows(body)) == ["default", "shift=0", "shift=5"]
    assert rows(body)["shift=5"]["mean"] > 4


def test_runs_of_other_data_are_not_mixed(request_of):
    ablate(Silent(), request_of)
    with pytest.raises(DataError, match="other data, settings or folds"):
        ablate(Silent(), replace(request_of, data=("e",)))


def test_kept_runs_name_nobody_where_that_is_asked(request_of, tmp_path):
    private = replace(request_of, data=("/x/made-up.csv",), private=True)
    body = ablate(Silent(), private)
    open_body = ablate(Silent(), replace(private, out=str(tmp_path / "open"), private=False))
    for name in ("mae", "rmse"):
        kept, told = rows(body, name)["bad"], rows(open_body, name)["bad"]
        assert (kept["mean"], kept["n"]) == (told["mean"], told["n"])
    left = "".join(path.read_text() for path in (tmp_path / "out").rglob("*.*"))
    assert not any(name in left for name in ("made-up", '"c0"', '"c39"'))
    assert "made-up" not in str(body)
    Guess.made.clear()
    ablate(Silent(), private)
    assert not Guess.made


def test_an_unknown_variant_or_model_is_wrong_use(request_of, monkeypatch):
    with pytest.raises(UsageError, match="no variant tea"):
        ablate(Silent(), replace(request_of, variants=("tea",)))
    monkeypatch.undo()
    with pytest.raises(UsageError, match="no variants of a model called tea"):
        ablation.study_of(Silent(), replace(request_of, model="tea"))
