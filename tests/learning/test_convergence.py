"""The score after each number of passes ends at the very score of the result."""

import numpy as np
import pytest
from throwaway import small_head, throwaway_weights

from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.learning import anomaly_run
from medview.learning.anomaly_scores import Drawn
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.convergence import MOST_POINTS, converge, numbers_of_passes
from medview.learning.predict import run

pytestmark = pytest.mark.usefixtures("narrow")


@pytest.mark.parametrize(
    ("samples", "points"),
    [(1, ()), (2, (2,)), (5, (2, 3, 4, 5)), (13, tuple(range(2, 14)))],
)
def test_every_number_of_passes_is_a_point_where_they_are_few(samples, points):
    assert numbers_of_passes(samples) == points


def test_of_many_passes_a_dozen_points_from_the_first_to_the_last():
    points = numbers_of_passes(100)
    assert (points[0], points[-1], len(points)) == (2, 100, MOST_POINTS)


def drawn(samples, noise):
    """Four brain slices; pictures that differ from pass to pass by `noise`."""
    rng = np.random.default_rng(0)
    brain = np.zeros((4, 128, 128), bool)
    brain[:, 30:90, 30:90] = True
    slices = np.where(brain, 0.5, 0).astype(np.float32)
    pictures = slices + rng.normal(0, noise, (samples, *slices.shape)).astype(np.float32)
    return Drawn(slices, brain, pictures, np.full(slices.shape, 0.01, np.float32))


def test_the_last_point_is_the_score_and_slices_keep_their_numbers():
    found, settings = drawn(6, 0.1), AnomalySettings()
    whole, single = converge(found, settings, (30, 20, 10, 0))
    assert whole[-1].score == found.volume_score(settings)
    last = {each.slice: each.score for each in single if each.samples == 6}
    scores = found.slice_scores(settings)
    assert last == dict(zip((30, 20, 10, 0), scores, strict=True))
    assert list(last) == [0, 10, 20, 30]


def test_passes_that_agree_have_no_spread_from_the_first_on():
    whole, _ = converge(drawn(5, 0.0), AnomalySettings(), range(4))
    assert {each.epistemic for each in whole} == {0.0}
    assert len({each.score for each in whole}) == 1


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(throwaway_weights(tmp_path_factory.mktemp("weights")))


def test_a_run_again_with_more_passes_finds_the_brain_once(weights, monkeypatch):
    calls, prepare = [], anomaly_run.prepare
    monkeypatch.setattr(anomaly_run, "prepare", lambda v: (calls.append(v), prepare(v))[1])
    anomaly_run._LAST.clear()

    def asked(samples, sha256="abc"):
        given = InputRef("t1", "1.2", "1.2.3", 0, sha256, (1, 1, 1))
        head = {"t1": small_head()}
        return RunRequest("anomaly", head, (given,), samples=samples, device="cpu", weights=weights)

    few, many = (run(Silent(), asked(samples)) for samples in (2, 4))
    assert len(calls) == 1
    assert [each.samples for each in few.passes] == [2]
    assert [each.samples for each in many.passes] == [2, 3, 4]
    assert many.passes[-1].score == many.score("anomaly").value
    run(Silent(), asked(2, "other pixels"))
    assert len(calls) == 2
