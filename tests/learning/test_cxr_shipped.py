"""The shipped chest weights on real films, where these are there."""

from pathlib import Path

import numpy as np
import pytest

from medview.domain.errors import ModelInputError
from medview.domain.progress import Silent
from medview.io.tables import columns_of
from medview.learning.chest_sets import LATERAL, load_hannover, load_lung_films
from medview.learning.cxr_evidence import (
    TITLES,
    kinds_to_show,
    likeness_under_shuffled_heads,
)
from medview.learning.cxr_weights import load_cxr
from medview.learning.film import as_grey, prepare_film
from medview.learning.images import read_image
from medview.learning.lungs import label_zones, lung_mask

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "cxr"


@pytest.fixture(scope="module")
def films():
    """Eight frontal films of different patients."""
    if not columns_of(DATA / "hannover" / "metadata.csv"):
        pytest.skip("the Hannover films are not here")
    cases = {case.patient: case for case in load_hannover(DATA / "hannover").cases}
    return [prepare_film(read_image(case.image)) for case in list(cases.values())[:8]]


def test_the_shipped_card_says_first_what_is_detected():
    _, card, _ = load_cxr(None)
    assert "already is in intensive care" in card.limits[0]
    assert "non-commercial" in card.licence
    assert all(figure.command and figure.n for figure in card.measured)
    assert all(len(mark) == 16 for mark in card.seen_patients)
    shortcuts = {figure.predictor for figure in card.measured}
    assert shortcuts >= {"model", "film_count", "bedside_share", "source", "junior_reader"}
    assert shortcuts >= {"mdmt", "armed", "armed_view", "one_label_by_total", "one_scale"}


def test_two_lungs_with_six_zones_are_found_in_real_films(films):
    assert all(film.found for film in films)
    assert all(set(np.unique(film.lungs)) == set(range(7)) for film in films)


@pytest.mark.slow
def test_every_map_that_is_shown_depends_on_the_head(films):
    """Adebayo and others 2018: under a shuffled head the map must become another one."""
    model, card, backbone = load_cxr(None)
    size = int(str(card.settings["size"]))
    found = likeness_under_shuffled_heads(Silent(), model, backbone, films, size)
    shown = kinds_to_show(card.settings)
    assert shown
    assert all(abs(np.mean(found[kind])) < 0.3 for kind in shown)


def test_the_card_says_how_like_each_map_is_to_that_of_a_shuffled_head():
    _, card, _ = load_cxr(None)
    measured = card.settings["map_likeness"]
    assert set(measured) == set(TITLES)
    assert kinds_to_show(card.settings) == tuple(k for k in TITLES if abs(measured[k]) < 0.3)


def test_zones_of_a_real_film_move_with_it_and_swap_in_its_mirror():
    """The lungs of this film, not of a fixed grid, say where the zones are."""
    if not columns_of(DATA / "hannover" / "metadata.csv"):
        pytest.skip("the Hannover films are not here")
    volume = read_image(load_hannover(DATA / "hannover").cases[0].image)
    plain = label_zones(lung_mask(as_grey(volume)))
    step = 30
    moved = label_zones(lung_mask(np.roll(as_grey(volume), step, axis=1)))
    mirrored = label_zones(lung_mask(as_grey(volume)[:, ::-1]))[:, ::-1]
    for zone in range(1, 7):
        here, there = (np.argwhere(found == zone).mean(0) for found in (plain, moved))
        assert there - here == pytest.approx([0, step], abs=12)
        other = zone + 3 if zone < 4 else zone - 3
        both = (plain == zone) & (mirrored == other)
        either = (plain == zone) | (mirrored == other)
        assert both.sum() > 0.6 * either.sum()


def test_lateral_films_are_refused():
    table = DATA / "covid-chestxray" / "metadata.csv"
    if not columns_of(table):
        pytest.skip("covid-chestxray is not here")
    laterals = [case for case in load_lung_films(table.parent).cases if case.mask is None]
    assert len(laterals) == 36, LATERAL
    refused = 0
    for case in laterals[::6]:
        try:
            prepare_film(read_image(case.image))
        except ModelInputError as error:
            refused += error.code == "MV-MOD-024"
    assert refused >= 5  # of six; the network has seen these patients
