"""What a model said, found by name; out of its data every number says so."""

from dataclasses import replace

import numpy as np
import pytest
from result_phantom import head, prediction_on

from medview.domain.prediction import MapSlices, Score, extrapolating, with_doubts
from medview.domain.volume import Note


@pytest.fixture(scope="module")
def prediction():
    return prediction_on(head())


def test_two_versions_of_a_model_have_two_keys(prediction):
    assert prediction.key == "anomaly@1.2"
    assert replace(prediction, version="ward").key == "anomaly@ward"


def test_maps_and_scores_are_found_by_their_whole_name(prediction):
    for item in prediction.maps:
        assert prediction.map(item.name) is item
    for score in prediction.scores:
        assert prediction.score(score.name) is score
    assert prediction.score("anomaly").value == 1.834
    for name in ("", "Score", "scor", "anomaly_"):
        assert prediction.map(name) is None
        assert prediction.score(name) is None


def test_what_is_out_of_the_training_data_says_so_and_what_is_not_there_stays_away():
    given = (
        Score("age", 41.0, 35.0, 47.0),
        Score("sex_male", None, status="not_available"),
        Score("gap", 2.0, status="extrapolating"),
    )
    told = extrapolating(given)
    assert [score.status for score in told] == ["extrapolating", "not_available", "extrapolating"]
    # Nothing but the status is touched, and saying it twice changes nothing.
    assert [replace(score, status="ok") for score in told] == [
        replace(score, status="ok") for score in given
    ]
    assert extrapolating(told) == told
    assert extrapolating(()) == ()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_blocks_of_a_map_fill_it_as_their_text_says(axis):
    wanted = np.random.default_rng(axis).random((4, 5, 6)).astype(np.float32)
    whole = np.zeros_like(wanted)
    for first in range(0, wanted.shape[axis], 2):
        turned = np.moveaxis(wanted, axis, 0)[first : first + 2]
        part = MapSlices("score", first, turned, axis)
        place = np.moveaxis(whole, part.axis, 0)
        place[part.first : part.first + len(part.array)] = part.array
    assert np.array_equal(whole, wanted)


def test_scores_of_an_input_that_lies_nobody_knows_how_are_not_called_ok():
    scores = (Score("a", 1.0), Score("b", None, status="not_available"))
    lost = [Note("UNKNOWN_ORIENTATION", "the file does not say where left and right are")]
    doubted = with_doubts(scores, lost)
    assert [score.status for score in doubted] == ["extrapolating", "not_available"]
    sure = [Note("MODALITY_DOUBTFUL", "taken for t1")]
    assert with_doubts(scores, sure) == scores
