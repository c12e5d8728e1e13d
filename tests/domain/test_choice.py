"""What a model is least sure of, and why."""

import pytest

from medview.domain.choice import doubt_of


@pytest.mark.parametrize(
    ("model", "score", "value", "why"),
    [
        ("cxr", (0.5,), 1.0, "severe 0.50, 0.00 from even"),
        ("cxr-armed", (0.9,), 0.2, "severe 0.90, 0.40 from even"),
        ("cxr", (0.9,), 0.2, "severe 0.90, 0.40 from even"),
        ("icu", (0.3, 0.1, 0.6), 0.5, "networks say 0.10 to 0.60"),
        ("anomaly", (4.0, 3.0, 5.0), 2.0, "draws say 3.00 to 5.00"),
    ],
)
def test_doubt_is_nearness_to_even_or_how_far_answers_are_apart(model, score, value, why):
    found = doubt_of(model, *score)
    assert (found.value, found.why) == (pytest.approx(value), why)


@pytest.mark.parametrize(
    ("model", "score"),
    [
        ("brain-age", (50.0, 40.0, 60.0)),
        ("cxr", (None,)),
        ("icu", (0.3,)),
        ("anomaly", (1.0, None, 2.0)),
    ],
)
def test_where_a_model_tells_no_doubt_there_is_none(model, score):
    assert doubt_of(model, *score) is None
