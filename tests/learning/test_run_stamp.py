"""A prediction says where it comes from."""

import time
from datetime import UTC, datetime

from medview import __version__
from medview.domain.prediction import InputRef, RunRequest, Score
from medview.domain.resources import resource
from medview.io.cards import read_card
from medview.learning.run_stamp import stamped


def test_scores_come_with_model_weights_program_inputs_and_time():
    card = read_card(resource("weights", "icu-hannover", "card.json"))
    inputs = tuple(
        InputRef(role, "1.2", "1.3", 0, "0" * 64, (1, 1, 1)) for role in ("film", "series", "t1")
    )
    scores = (Score("mortality", 0.5),)
    began = time.perf_counter() - 2
    request = RunRequest("icu", {}, inputs, seed=7)
    made = stamped(card, request, began, scores, {"samples": 3}, {"film", "series"}, mode="whole")
    assert (made.key, made.weights_sha256) == (f"{card.id}@{card.version}", card.weights_sha256)
    assert made.parent == card.parent
    assert (made.code, made.device, made.dtype) == (__version__, "cpu", "float32")
    assert (made.mode, made.seed, made.parameters) == ("whole", 7, {"samples": 3})
    assert [one.role for one in made.inputs] == ["film", "series"]
    assert made.scores == scores
    assert 2 <= made.seconds < 60
    age = datetime.now(UTC) - datetime.fromisoformat(made.made_at)
    assert -1 < age.total_seconds() < 60
    assert not made.maps
    assert not made.warnings
