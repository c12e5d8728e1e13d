"""Curves of an evaluation: in metrics.json always, drawn where there are cases enough."""

import numpy as np
import pytest

from medview.learning.reliability import Curve, draw, told
from medview.learning.temperature import reliability


def curve(n, subset="set"):
    said = np.linspace(0, 1, n)
    return Curve(subset, "mortality", reliability(said, said > 0.5))


@pytest.mark.parametrize(("n", "drawn"), [(40, True), (29, False)])
def test_enough_cases_are_drawn_and_all_are_told(tmp_path, n, drawn):
    curves = [curve(n), Curve("other", "mortality", [])]
    draw(curves, tmp_path)
    assert (tmp_path / "reliability-set-mortality.svg").is_file() == drawn
    (line,) = told(curves)
    assert (line["subset"], line["score"]) == ("set", "mortality")
    assert sum(point["n"] for point in line["points"]) == n


@pytest.mark.parametrize(
    ("seen", "words"), [(False, "had not learnt from"), (True, "may have learnt from")]
)
def test_the_drawing_says_whether_its_cases_may_have_been_seen(tmp_path, seen, words):
    draw([curve(40)], tmp_path, seen=seen)
    text = (tmp_path / "reliability-set-mortality.svg").read_text("utf-8")
    assert words in " ".join(text.replace("</text>", " ").split())
