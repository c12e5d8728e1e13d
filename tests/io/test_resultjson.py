"""A prediction as JSON and back: the keys of the contract, and nothing lost but the maps."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import geometry_of
from result_phantom import SHA, head, prediction_on

from medview.domain.prediction import PassScore, Prediction, Score
from medview.io import resultjson
from medview.io.resultjson import grid_dict, map_file, prediction_of, result_dict

CONTRACT = (
    *("schema", "model", "version", "weights_sha256", "parent", "code", "device", "dtype"),
    *("mode", "seed", "parameters", "seconds", "peak_memory_mb", "inputs", "scores", "maps"),
    *("findings", "preparation", "warnings"),
)


@pytest.fixture(scope="module")
def prediction():
    passes = (PassScore(2, 1.9, 1e-3), PassScore(3, 1.834, 1.2e-3))
    return replace(prediction_on(head()), passes=passes)


def test_the_dictionary_has_every_key_of_the_contract(prediction):
    body = result_dict(prediction)
    assert set(CONTRACT) <= set(body)
    assert body["schema"] == "medview.result/1"
    assert body["weights_sha256"] == SHA
    assert body["inputs"][0] == {
        "role": "t1", "study": "1.2.3", "series": "1.2.3.4.55667788", "stack": 0,
        "sha256": "ab" * 32, "size": [40, 48, 36],
    }  # fmt: skip
    assert body["scores"][0] == {
        "name": "anomaly", "value": 1.834, "low": 1.61, "high": 2.1, "level": 0.95,
        "method": "5 samples", "unit": "1", "status": "ok", "meaning": "against normals",
    }  # fmt: skip
    assert body["maps"][0].items() >= {
        "name": "score", "file": "maps/score.nii.gz", "kind": "anomaly", "unit": "1",
    }.items()  # fmt: skip
    assert set(body["findings"][0]) == {
        "id", "map", "centroid_lps", "slice", "volume_ml", "peak", "hidden_by_uncertainty",
        "normals_as_high", "normals",
    }  # fmt: skip
    assert body["findings"][2]["hidden_by_uncertainty"] is True
    assert body["warnings"][0]["code"] == "OUTSIDE_TRAINING"
    assert body["passes"][0] == {"samples": 2, "score": 1.9, "epistemic": 1e-3}


def test_what_is_not_a_number_becomes_null(prediction):
    body = result_dict(
        replace(
            prediction,
            scores=(Score("anomaly", None, status="not_available", meaning="no brain"),),
            parameters={"alpha": float("nan"), "steps": (1, np.float32(2.5))},
            seconds=float("inf"),
        )
    )
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert body["scores"][0]["value"] is None
    assert body["parameters"] == {"alpha": None, "steps": [1, 2.5]}
    assert body["seconds"] is None


def test_what_the_numbers_of_a_map_stand_for_is_told_from_one_on(prediction):
    regions = replace(prediction.maps[0], labels=("left", "right"))
    told = result_dict(replace(prediction, maps=(regions, prediction.maps[1]), passes=()))
    assert told["maps"][0]["labels"] == {"1": "left", "2": "right"}
    assert "labels" not in told["maps"][1]
    assert "passes" not in told


def through_text(body):
    return json.loads(json.dumps(body))


def test_all_but_maps_and_slices_comes_back_through_text(prediction):
    again = prediction_of(through_text(result_dict(prediction)))
    apart = ("maps", "slices", "slice_passes", "trace")
    for field in fields(Prediction):
        if field.name not in apart:
            assert getattr(again, field.name) == getattr(prediction, field.name), field.name
    assert again.maps == again.slices == ()


def test_keys_of_a_later_version_are_passed_over_and_missing_ones_are_not(prediction):
    body = through_text(result_dict(prediction))
    body["scores"][0]["colour"] = "green"
    assert prediction_of({**body, "weather": "fine"}).scores == prediction.scores
    with pytest.raises(ValueError, match="the schema is"):
        prediction_of({**body, "schema": "medview.result/2"})
    for name in ("model", "scores", "inputs", "warnings"):
        with pytest.raises((KeyError, TypeError)):
            prediction_of({key: value for key, value in body.items() if key != name})


@given(
    code=st.sampled_from(("LPS", "RAS", "PSR", "AIL", "SLA")),
    shape=st.tuples(*[st.integers(1, 500)] * 3),
    spacing=st.tuples(*[st.floats(0.01, 20)] * 3),
)
def test_a_grid_comes_back_to_the_last_bit(code, shape, spacing):
    grid = geometry_of(code, shape, spacing)
    again = resultjson.geometry_of(through_text(grid_dict(grid)))
    assert np.array_equal(again.affine, grid.affine)
    kept = ("shape", "frame_of_reference", "orientation_known", "spacing_kind")
    assert [getattr(again, name) for name in kept] == [getattr(grid, name) for name in kept]


def test_maps_lie_in_a_folder_of_their_own():
    assert map_file("score") == "maps/score.nii.gz"


WRONG = (
    ("seconds", "x"), ("model", 5), ("version", None), ("parameters", [1]),
    ("preparation", [1]), ("mode", {}),
    ("scores", [{"name": "age", "value": "high"}]), ("scores", [{"name": "age", "low": [1]}]),
    ("scores", [{"name": "age", "value": 1.0, "unit": 1}]), ("warnings", [{"code": 1, "text": ""}]),
    ("findings", [{"id": 1, "map": "score", "centroid_lps": [0, 0], "slice": 1, "volume_ml": 1.0,
                   "peak": 2.0}]),
    ("findings", [{"id": 1, "map": "score", "centroid_lps": [0, 0, 0], "slice": 1,
                   "volume_ml": float("nan"), "peak": 2.0}]),
    ("inputs", [{"role": "t1", "study": "1", "series": "2", "stack": 0, "sha256": "a",
                 "size": "x"}]),
)  # fmt: skip


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_what_is_of_another_kind_than_it_should_be_is_no_prediction(prediction, key, value):
    """Whoever reads it need not ask again."""
    with pytest.raises((TypeError, ValueError, KeyError)):
        prediction_of(result_dict(prediction) | {key: value})


def test_a_warning_of_the_length_of_a_book_is_cut(prediction):
    body = result_dict(prediction) | {"warnings": [{"code": "X", "text": "y" * 100_000}]}
    (note,) = prediction_of(body).warnings
    assert (len(note.text), note.text[-5:]) == (2004, "y ...")
