"""What stands in place of findings where there are none."""

from types import SimpleNamespace

import pytest

from medview.domain.prediction import Score
from medview.ui.panels.findings import none_words


def result(*values):
    """A result with these anomaly scores, at most one."""
    score = Score("anomaly", *values) if values else None
    return SimpleNamespace(score=lambda name: score)


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([result(0.3)], "No region is above the threshold"),
        ([result()], "No region is above the threshold"),
        ([result(None)], "did not recognise these images"),
        ([result(None), result(0.3)], "No region is above the threshold"),
    ],
)
def test_nothing_found_is_not_the_same_as_nothing_judged(results, words):
    assert words in none_words(results)
