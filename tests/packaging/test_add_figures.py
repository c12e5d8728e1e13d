"""Rows of an ablation on a card: beside its own figures, with their command."""

import json
import runpy
import shutil
import sys

import pytest
from age_weights import write_age_weights

from medview.io.cards import read_card

ROW = {
    **{"variant": "default", "subset": "abide", "task": "brain-age", "level": "case"},
    **{"name": "mae", "mean": 2.6, "sd": 0.1, "runs": 5, "n": 771},
    **{"value_low": 2.4, "value_high": 2.8},
    **{"difference": None, "low": None, "high": None, "p": None, "test": ""},
}
WORSE = ROW | {
    "variant": "ridge",
    "mean": 3.2,
    "difference": 0.6,
    "low": 0.4,
    "high": 0.7,
    "p": 0.01,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_age_weights(tmp_path_factory.mktemp("w"))[0].with_name("card.json")


@pytest.fixture
def card(trained, tmp_path):
    return shutil.copy(trained, tmp_path / "card.json")


def added(card, tmp_path, rows, monkeypatch, *more):
    table = tmp_path / "ablation.json"
    table.write_text(json.dumps({"rows": rows}))
    words = ["add_figures.py", str(card), str(table), "--command", "medview ablate x", *more]
    monkeypatch.setattr(sys, "argv", words)
    runpy.run_path("packaging/add_figures.py", run_name="__main__")
    return read_card(card)


def test_rows_stand_on_the_card_once_with_command_and_difference(card, tmp_path, monkeypatch):
    rows = [ROW, WORSE, ROW | {"name": "pearson_r"}]
    words = ("--limit", "It is weak.", "--method", "Six folds.")
    first = added(card, tmp_path, rows, monkeypatch, *words)
    again = added(card, tmp_path, rows, monkeypatch, *words)
    assert first == again
    ours, ridge = (figure for figure in again.measured if figure.command == "medview ablate x")
    assert (ours.predictor, ours.on, ours.value, ours.low, ours.n) == (
        *("model, trained in these folds", "abide", 2.6, 2.4, 771),
    )
    assert ours.command == "medview ablate x"
    assert (ridge.predictor, ridge.extra["against_default_low"]) == ("ridge", 0.4)
    assert again.limits.count("It is weak.") == again.method.count("Six folds.") == 1


def test_figures_of_sites_left_out_are_a_group_of_their_own(card, tmp_path, monkeypatch):
    sites = ("--command", "medview ablate x --leave-out site")
    added(card, tmp_path, [ROW], monkeypatch)
    made = added(card, tmp_path, [ROW], monkeypatch, *sites).measured
    assert [figure.group for figure in made[-2:]] == ["all", "unseen-site:all"]


def test_the_same_figure_under_other_settings_is_told_apart(card, tmp_path, monkeypatch):
    pairs = ("--command", "medview ablate x --set rows=pairs --set 'target=log age' --variants a")
    added(card, tmp_path, [ROW], monkeypatch)
    made = added(card, tmp_path, [ROW | {"mean": 3.0}], monkeypatch, *pairs).measured
    assert [figure.extra.get("settings") for figure in made[-2:]] == [
        *(None, "rows=pairs, target=log age"),
    ]


def test_a_row_that_two_commands_measure_stands_once(card, tmp_path, monkeypatch):
    added(card, tmp_path, [ROW], monkeypatch)
    other = ("--command", "medview ablate x --variants b")
    made = added(card, tmp_path, [ROW, WORSE], monkeypatch, *other).measured
    assert [(figure.predictor, figure.command) for figure in made[-2:]] == [
        ("model, trained in these folds", "medview ablate x"),
        ("ridge", "medview ablate x --variants b"),
    ]


def test_one_subset_alone_can_be_taken(card, tmp_path, monkeypatch):
    rows = [ROW, ROW | {"subset": "abide:case"}]
    made = added(card, tmp_path, rows, monkeypatch, "--subset", "abide:case").measured
    assert [figure.on for figure in made if figure.command == "medview ablate x"] == ["abide:case"]
