"""The slices that are compared, and the model as one scorer among others."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from brains import normal_case

from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_scores import volume_score
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.lesions import draw_lesion
from medview.learning.scoring import (
    Said,
    Slices,
    ask_model,
    counted,
    model_scorer,
    model_scores,
    protocol_rows,
    slices_of,
    stacked,
    trivial_scorer,
)
from medview.models.anomaly_vae import AnomalyVae, VaeOptions

pytestmark = pytest.mark.usefixtures("narrow")


def ball(count: int, side: int = 40) -> Slices:
    """Slices through a ball whose widest slice is a disc of `side` pixels radius."""
    height = np.linspace(0, 1, count)
    reach = side * np.sqrt(np.clip(1 - (2 * height - 1) ** 2, 0, 1))
    rows, columns = np.indices((128, 128)) - 63.5
    brain = np.hypot(rows, columns)[None] < reach[:, None, None]
    return Slices(brain.astype(np.float32) * 0.5, brain, np.arange(count), height, total=count)


def test_a_volume_of_many_slices_gives_those_of_49_heights():
    rows = protocol_rows(ball(129, side=60))
    assert len(rows) == 49
    assert rows[0] / 128 == pytest.approx(10 / 64, abs=1 / 128)
    assert rows[-1] / 128 == pytest.approx(58 / 64, abs=1 / 128)


def test_the_height_is_that_in_the_whole_brain_though_its_ends_are_not_scored(tmp_path):
    prepared = normal_case(tmp_path, 0).prepared
    brain = np.flatnonzero(prepared.brain.any(axis=(1, 2)))
    whole = slices_of(prepared)
    assert brain[0] < whole.index[0]
    assert whole.index[-1] < brain[-1]
    expected = (whole.index - brain[0]) / (brain[-1] - brain[0])
    assert whole.height == pytest.approx(expected)


def test_thick_slices_are_used_once_each():
    whole = ball(12, side=60)
    rows = protocol_rows(whole)
    assert len(set(rows)) == len(rows) <= 12


def test_slices_with_little_brain_are_left_out():
    whole = ball(129, side=20)
    rows = protocol_rows(whole)
    assert whole.area[rows].min() > 800
    assert 0 < len(rows) < 49


def test_a_single_slice_has_no_height_and_is_compared_all_the_same():
    one = ball(3).take(np.array([1]))
    one = replace(one, height=np.array([np.nan]))
    assert list(protocol_rows(one)) == [0]
    assert np.isnan(trivial_scorer(one)["slice_height"].per_slice).all()


def test_trivial_scores_by_hand():
    whole = ball(5)
    found = trivial_scorer(whole)
    assert list(found["brain_area"].per_slice) == list(whole.area)
    assert found["slice_height"].per_slice.argmax() == 2
    assert found["intensity"].per_slice[2] == pytest.approx(0.5)
    peak = np.unravel_index(found["middle"].pixels[2].argmax(), (128, 128))
    assert all(place in (63, 64) for place in peak)


def test_a_volume_is_the_mean_of_its_slices_by_area():
    assert volume_score(np.array([1.0, 4.0, np.nan]), np.array([1.0, 2.0, 9.0])) == 3.0
    assert np.isnan(volume_score(np.array([np.nan]), np.array([1.0])))


def test_what_is_not_judged_counts_as_an_average_normal_of_the_model_alone():
    given = np.array([2.0, np.nan, -1.0])
    assert list(counted("model", given)) == [2.0, 0.0, -1.0]
    assert np.isnan(counted("slice_height", given)[1])


@pytest.mark.parametrize("step_mm", [None, 2.0])
def test_an_empty_reconstruction_scores_nothing_anywhere(step_mm):
    whole = ball(4)
    noise = np.random.default_rng(0).random(whole.pictures.shape).astype(np.float32)
    said = Said(np.zeros((3, *whole.pictures.shape), np.float32), 0 * noise + 0.01)
    shown = whole.showing(noise * whole.brain)
    found = model_scores(shown, said, AnomalySettings(floor=0.1), step_mm=step_mm)
    assert np.isnan(found["model"].per_slice).all()
    assert not found["model"].pixels.any()
    assert not found["model:residual"].pixels.any()


def test_cases_of_different_height_are_not_stacked():
    with pytest.raises(ValueError, match="equally many slices"):
        stacked([ball(3), ball(4)])


@pytest.fixture(scope="module")
def engine():
    torch.manual_seed(0)
    return Engine(AnomalyVae(VaeOptions(attention=False)).eval())


def test_a_slice_with_a_lesion_differs_from_its_twin_in_the_lesion_only(tmp_path, engine):
    whole = slices_of(normal_case(tmp_path, 0).prepared)
    row = len(whole) // 2
    one = whole.take(np.array([row]))
    lesion = draw_lesion(whole.brain[row], np.random.default_rng(0))
    shown = one.showing(lesion.paste(one.pictures[0], one.brain[0])[None])
    settings = AnomalySettings(samples=2)
    scorer = model_scorer(engine, settings)
    again = scorer(one)["model"].per_slice
    assert scorer(one)["model"].per_slice == again
    assert scorer(shown)["model"].per_slice != again
    # The noise belongs to the slice, not to its place in a batch.
    among = scorer(whole.take(np.array([row - 1, row])))["model"].per_slice[1]
    assert among == pytest.approx(again[0], rel=1e-4)


def test_stacked_cases_are_told_the_same_as_alone(engine):
    parts = [replace(ball(1), height=np.array([np.nan])) for _ in range(3)]
    parts = [replace(p, brain=ball(3).brain[1:2]) for p in parts]
    parts[1] = parts[1].showing(parts[1].brain.astype(np.float32) * 0.9)
    together = ask_model(engine, stacked(parts), samples=2)
    alone = ask_model(engine, parts[1], samples=2)
    assert together.pictures[:, 1:2] == pytest.approx(alone.pictures, abs=1e-5)
