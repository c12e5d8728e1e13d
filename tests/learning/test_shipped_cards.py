"""The shipped cards: what a reader must know first, and how it was made, apart and as trained."""

import json
import re

import pytest

from medview.domain.resources import resource
from medview.io.cards import card_dict, read_card
from medview.io.hashing import file_sha256
from medview.learning import anomaly_card, cxr_card, icu_card, icu_site_card
from medview.learning.anomaly_recipe import Recipe as AnomalyRecipe
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.cxr_recipe import CxrRecipe, SiteRecipe
from medview.learning.icu_model import load_armed_icu, load_icu
from medview.learning.icu_variables import shipped_map
from medview.learning.weights import load_anomaly, shipped

NAMES = [path.parent.name for path in sorted(resource("weights").glob("*/card.json"))]
OF_METHOD = ("planned runs", "refit on all", "--resume", "averaged over", "where the paper has")
LONGEST, MOST = 300, 11


def card(name):
    return read_card(resource("weights", name, "card.json"))


@pytest.mark.parametrize("name", NAMES)
def test_limits_are_few_and_short_and_the_method_stands_apart(name):
    shipped = card(name)
    by_route = [shipped.limits_on(None), shipped.limits_on("t1")]
    assert all(len(lines) <= MOST for lines in by_route)
    assert all(len(line) <= LONGEST for line in (*shipped.limits, *shipped.method))
    assert not [line for line in shipped.limits for mark in OF_METHOD if mark in line]
    assert not set(shipped.limits) & set(shipped.method)
    assert shipped.method
    assert shipped.trained_at.startswith("20")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_card_is_written_as_the_program_writes_it(name):
    path = resource("weights", name, "card.json")
    text = json.dumps(card_dict(read_card(path)), indent=1, ensure_ascii=False) + "\n"
    assert text == path.read_text("utf-8")


FIGURE = r"[-+]?\d*\.\d+"
INTERVAL = re.compile(rf"(?<![\w.])({FIGURE})(?: years)?,? ?\(?\[({FIGURE}), ({FIGURE})\]")
WITHOUT_A_ROW = (
    *("+0.034", "+0.050", "-0.018 [-0.060", "-0.08 [-0.15", "+0.08 [-0.17", "-0.06 [-0.11"),
    *("-0.05 [-0.09", "-0.02 [-0.04, -0.01]", "+0.04 [-0.06"),
)
"""Of benches and comparisons that keep no rows on the card."""


def said_of(row):
    """Value and bounds of a row, and of its difference from what it is compared with."""
    bounds = ("against_default_low", "against_default_high")
    apart = (row.extra.get("difference"), *map(row.extra.get, bounds))
    return [all_ for all_ in ((row.value, row.low, row.high), apart) if None not in all_]


def rounds_to(numbers, texts):
    """Whether these are the figures, on either side of zero."""
    low, high = sorted(numbers[1:])
    turned = (-numbers[0], -high, -low)
    return any(
        all(abs(a - float(b)) <= 0.5001 * 10 ** -len(b.partition(".")[2]) for a, b in pairs)
        for pairs in (tuple(zip(n, texts, strict=True)) for n in (numbers, turned))
    )


@pytest.mark.parametrize("name", NAMES)
def test_intervals_in_sentences_are_those_of_the_rows(name):
    shipped = card(name)
    known = [numbers for row in shipped.measured for numbers in said_of(row)]
    lost = [
        found[0]
        for line in (*shipped.limits, *shipped.method)
        for found in INTERVAL.finditer(line)
        if not found[0].startswith(WITHOUT_A_ROW)
        and not any(rounds_to(numbers, found.groups()) for numbers in known)
    ]
    assert lost == []


@pytest.mark.parametrize("name", ["icu", "icu-armed", "icu-hannover"])
def test_the_people_of_the_sets_are_those_learnt_from(name):
    shipped = card(name)
    assert sum(one.n_patients for one in shipped.trained_on) == len(shipped.seen_patients)
    assert f"Trained on {len(shipped.seen_patients):,} patients." in shipped.limits


@pytest.mark.parametrize("name", ["icu", "icu-armed", "icu-hannover"])
def test_weights_read_tables_by_the_map_that_ships(name):
    kept = card(name).settings["variables"]
    assert kept == shipped_map(kept["name"]).body


TOLD_APART = ("task", "ci", "route", "settings")


@pytest.mark.parametrize("name", NAMES)
def test_no_figure_stands_twice(name):
    rows = [
        (row.predictor, row.level, row.name, row.on, row.group, *map(row.extra.get, TOLD_APART))
        for row in card(name).measured
    ]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_a_comparison_of_variants_are_told_from_those_of_the_weights(name):
    for row in card(name).measured:
        assert row.is_of_variants == row.command.startswith("medview ablate "), row


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_without_an_interval_names_none(name):
    assert not [row for row in card(name).measured if row.low is None and row.extra.get("ci")]


def test_the_next_training_says_of_the_same_figures_what_the_chest_card_says():
    shipped = card("cxr")
    assert cxr_card._limits(shipped.measured) == shipped.limits
    recipe = CxrRecipe(**shipped.settings["recipe"])
    assert set(cxr_card._method(recipe, shipped.measured)) <= set(shipped.method)


def test_and_what_the_chest_card_with_site_effects_says():
    shipped = card("cxr-armed")
    assert cxr_card._site_limits(shipped.measured, shipped.settings) == shipped.limits
    recipe = SiteRecipe(**shipped.settings["recipe"])
    said = (
        *cxr_card._site_method(shipped.measured, shipped.settings),
        *cxr_card._method(recipe, shipped.measured),
    )
    assert said == shipped.method


def test_and_what_the_anomaly_card_says():
    shipped = card("anomaly")
    figures, brains = shipped.measured, range(len(shipped.seen_patients))
    made = (
        *anomaly_card._limits(brains, figures, AnomalySettings.from_card(shipped.settings)),
        *anomaly_card.findings_in_words(figures),
        *anomaly_card.weak_spots(figures),
        *anomaly_card.judged_in_words(figures),
    )
    assert set(made) <= set(shipped.limits)
    recipe = AnomalyRecipe.of(
        {**shipped.settings["recipe"], "network": shipped.settings["network"]}
    )
    settings = AnomalySettings.from_card(shipped.settings)
    assert set(anomaly_card._method(figures, recipe, settings)) <= set(shipped.method)


def test_and_what_the_card_of_film_and_stay_says():
    model, shipped = load_icu(resource("weights", "icu-hannover", "weights.safetensors"))
    people = range(len(shipped.seen_patients))
    assert set(icu_card._limits(model, people, shipped.measured)) <= set(shipped.limits)


def test_and_what_the_card_of_stays_with_site_effects_says():
    model, shipped = load_armed_icu(None)
    figures = [one for one in shipped.measured if one.command.startswith("medview train")]
    limits = (
        *icu_site_card.site_limits(model, figures),
        *icu_card._limits(model, range(len(shipped.seen_patients)), figures),
    )
    assert set(limits) <= set(shipped.limits)
    effects = shipped.settings["site_effects"]
    assert set(icu_site_card.site_method(figures, effects)) <= set(shipped.method)


@pytest.mark.parametrize("name", ["icu", "icu-armed"])
def test_what_the_first_lines_say_of_the_mimic_demo_is_what_was_measured_on_it(name):
    (line,) = [one for one in card(name).limits if "MIMIC-III demo" in one]
    rows = [row for row in card(name).measured if row.on == "mimic3-demo" and row.group == "all"]
    of_death = [row for row in rows if row.extra["task"] == "mortality"]
    areas = {row.predictor: row for row in of_death if row.name == "roc_auc"}
    model = areas["model"]
    assert f"On {model.n} stays" in line
    assert f"{model.value:.3f} [{model.low:.3f}, {model.high:.3f}]" in line
    for who in ("logistic", "boosting"):
        assert f"{who} {areas[who].value:.3f}" in line


def test_the_shipped_weights_are_what_their_card_says():
    path = shipped("anomaly")
    model, card, settings = load_anomaly(None)
    assert (
        file_sha256(path)
        == card.weights_sha256
        == read_card(path.with_name("card.json")).weights_sha256
    )
    assert sum(value.numel() for value in model.parameters()) == 14_345_830
    assert settings.samples == 5
    assert card.limits
    assert len(card.settings["normal_scores"]) > 5
    assert json.loads(path.with_name("card.json").read_text())["licence"] == card.licence


def test_the_weights_that_ship_are_small():
    files = list(shipped("anomaly").parents[1].rglob("*.safetensors"))
    sizes = [file.stat().st_size / 1e6 for file in files]
    assert max(sizes, default=0) <= 50
    assert sum(sizes) <= 120
