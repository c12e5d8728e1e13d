"""What is told of one film: zones by their side, bounds in range, doubts, and fresh weights."""

import os

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.card import ModelCard
from medview.domain.errors import ModelInputError
from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent
from medview.domain.volume import Note, Volume
from medview.learning import cxr_run
from medview.learning.cxr_run import Answer
from medview.learning.film import Film
from medview.learning.film_lie import Lie
from medview.learning.site_effects import Both

ERRORS = {"zone_errors": [-0.5, 1.0], "total_errors": [-3.0, 4.0], "temperature": 1.2}
FLAT = Volume(np.zeros((1, 8, 9), np.float32), geometry_of("LPS", (1, 8, 9)), modality="CR")


def card(**settings):
    return ModelCard(*("cxr", "1", "t", "s", (), (), (), "u", ("l",), "l", "s"), settings=settings)


def film(*, found=True, mirrored=False):
    lungs = np.zeros((8, 9), np.int8)
    lungs[2:6, 1:3] = 1
    lies = Lie(mirrored=mirrored)
    return Film(np.zeros((8, 9), np.float32), lungs, (0.0, 0.0, 8.0), lies, found, ("step",))


def zones_of(values, settings, **more):
    said = Answer(None, np.array(values, dtype=np.float64), {})
    return cxr_run._zones(said, film(**more), card(**settings), "ok")


def test_zones_are_named_by_lung_and_height_and_their_sum_is_the_total():
    scores = zones_of((0, 1, 2, 3, 0.5, 1.5), ERRORS)
    assert [(one.name, one.value, one.meaning.split(",")[0]) for one in scores] == [
        ("brixia_A", 0.0, "upper zone of the right lung"),
        ("brixia_B", 1.0, "middle zone of the right lung"),
        ("brixia_C", 2.0, "lower zone of the right lung"),
        ("brixia_D", 3.0, "upper zone of the left lung"),
        ("brixia_E", 0.5, "middle zone of the left lung"),
        ("brixia_F", 1.5, "lower zone of the left lung"),
        ("brixia_total", 8.0, "sum of the six zones"),
    ]
    bounds = [(one.low, one.high) for one in scores]
    assert bounds == [(0, 1), (0.5, 2), (1.5, 3), (2.5, 3), (0, 1.5), (1, 2.5), (5, 12)]


@pytest.mark.parametrize(("each", "low", "high"), [(0.1, 0, 4.6), (2.9, 14.4, 18)])
def test_the_interval_of_the_total_stays_between_nothing_and_eighteen(each, low, high):
    total = zones_of([each] * 6, ERRORS)[-1]
    assert (total.low, total.high) == pytest.approx((low, high))


def test_without_errors_of_left_out_films_no_bounds_are_told_and_a_fixed_grid_is_named():
    scores = zones_of([1] * 6, {"zone_errors": [0.1]}, found=False)
    assert {(one.low, one.high) for one in scores} == {(None, None)}
    assert all("a fixed grid was used" in one.meaning for one in scores)


@pytest.mark.parametrize(
    ("settings", "method"),
    [
        ({}, "not calibrated"),
        ({"temperature": 1.2}, "temperature from films left out in training"),
        ({"temperature": 1.2, "calibrated": []}, "temperature fitted to local cases"),
    ],
)
def test_what_a_probability_was_calibrated_on_is_told(settings, method):
    said = Answer(Both(0.4, None), None, {})
    (severe,) = cxr_run._severe(said, card(**settings), "ok", None)
    assert (severe.value, severe.method, severe.status) == (0.4, method, "ok")


@pytest.mark.parametrize(
    ("texts", "status"),
    [((), "ok"), (("is it cut?",), "extrapolating"), (("small", "odd"), "extrapolating")],
)
def test_a_film_that_is_odd_is_outside_the_training(texts, status, monkeypatch):
    monkeypatch.setattr(cxr_run, "oddities", lambda film: texts)
    said = Answer(Both(0.4, None), np.ones(6), {})
    scores = cxr_run._scores(said, film(), card(), None)
    assert {one.status for one in scores} == {status}
    notes = cxr_run._warnings(film(), FLAT, card(), ())
    assert [(note.code, note.text) for note in notes] == [
        ("OUTSIDE_TRAINING", text) for text in texts
    ]


def test_what_the_reader_said_of_the_volume_and_maps_that_are_not_shown_are_told(monkeypatch):
    monkeypatch.setattr(cxr_run, "oddities", lambda film: ())
    monkeypatch.setattr(cxr_run, "kinds_to_show", lambda settings: ("evidence",))
    doubt = Note("X", "of the file")
    volume = Volume(FLAT.array, FLAT.geometry, modality="CR", warnings=(doubt,))
    first, second = cxr_run._warnings(film(), volume, card(), ("evidence", "occlusion"))
    assert first == doubt
    assert second.code == "MAP_NOT_SHOWN"
    assert second.text.startswith("the map occlusion stays")


def test_maps_lie_as_the_film_does_and_show_only_what_speaks_for_a_severe_course():
    evidence = np.zeros((8, 8), np.float32)
    evidence[0, 0], evidence[7, 7] = 4.0, -9.0
    said = Answer(None, None, {"evidence": evidence})
    for mirrored in (False, True):
        shown, lungs, _ = cxr_run._maps(said, film(mirrored=mirrored), FLAT, 8)
        assert shown.array.min() == 0
        assert shown.range == (0.0, float(shown.array.max()))
        side = -1 if mirrored else 0
        assert shown.array[0, 0, side] == shown.array.max() > 0
        columns = np.flatnonzero(lungs.array[0].any(axis=0)).tolist()
        assert columns == ([6, 7] if mirrored else [1, 2])


def test_without_a_film_it_is_asked_for():
    with pytest.raises(ModelInputError, match="needs a film"):
        cxr_run.run_cxr(Silent(), RunRequest("cxr", {}, ()))


def test_weights_that_were_written_anew_are_read_anew(tmp_path, monkeypatch):
    asked = []

    def read(*words):
        asked.append(words)
        raise ModelInputError("read", do="", code="MV-MOD-004")

    def once(seconds):
        os.utime(weights, (seconds, seconds))
        request = RunRequest("cxr", {"film": FLAT}, (), device="cpu", weights=str(weights))
        with pytest.raises(ModelInputError, match="read"):
            cxr_run.run_cxr(Silent(), request)
        return asked[-1]

    weights = tmp_path / "w"
    weights.touch()
    monkeypatch.setattr(cxr_run, "_loaded", read)
    assert once(1000) == once(1000) != once(2000)
