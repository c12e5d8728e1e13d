"""What readers answered and drew, as cells of a case list, in words, and as a mask."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom
from services.stubs import finding_at, result_about

from medview.domain.measurement import Measurement
from medview.domain.prediction import ZONE_GRADES, Opinion, Score
from medview.services.local_labels import Labelled, label_of_brain, label_of_film, mask_of
from medview.services.session_values import VolumeId

ABOUT = VolumeId("1.1#0", "abc")
AT = "2026-03-14T09:00:00+00:00"
REGION = Measurement(1, "ellipse", ((-10, -10, 2.5), (10, 10, 2.5)), (1, 0, 0), (0, 1, 0))
TWO = (finding_at(1, (0.0, 0.0, 0.0), 8), finding_at(2, (5.0, 0.0, 0.0), 9))


def film(value=0.7):
    made = result_about(ABOUT, model="cxr", names=())
    return replace(made, scores=(Score("severe", value),))


def brain(*findings):
    return result_about(ABOUT, findings=findings)


def said(about, verdict, at=AT, by="Dr Grey"):
    return Opinion(about, verdict, by, at)


@pytest.mark.parametrize(
    ("opinions", "states", "cells", "words"),
    [
        ((said(ZONE_GRADES, "012301"),), False, {"brixia": "012301"}, "zones 012301"),
        (
            (said(ZONE_GRADES, "012301"), said("score severe", "agree")),
            True,
            {"brixia": "012301", "prognosis": "SEVERE"},
            "zones 012301, outcome SEVERE",
        ),
        ((said("score severe", "rejected"),), True, {"prognosis": "MILD"}, "outcome MILD"),
        ((said("score severe", "agree"),), False, {}, "an answer, but not known as the outcome"),
        ((said(ZONE_GRADES, "01"),), True, {}, "not all six zones are graded"),
        ((said("score severe", "unsure"),), True, {}, "no answer to outcome or zones"),
        ((), True, {}, "no answer to outcome or zones"),
    ],
)
def test_a_film_is_labelled_by_zones_and_by_what_became_of_the_patient(
    opinions, states, cells, words
):
    made = label_of_film(film(), opinions, states=states)
    assert made.cells == cells
    assert made.words.startswith(words)
    assert ("Dr Grey" in made.words) == bool(cells)


def test_the_newest_answer_is_told_with_who_gave_it():
    old, new = said(ZONE_GRADES, "012301", by="A"), said("score severe", "agree", "2026-05-01", "B")
    assert "(B" in label_of_film(film(), (new, old), states=True).words


def test_without_a_result_zones_can_still_be_graded():
    made = label_of_film(None, (said(ZONE_GRADES, "000000"), said("score severe", "agree")),
                         states=True)  # fmt: skip
    assert made.cells == {"brixia": "000000"}


@pytest.mark.parametrize(
    ("verdicts", "drawn", "states", "label"),
    [
        (("agree", "rejected"), (), False, "1"),
        (("rejected", "rejected"), (), False, "0"),
        (("rejected", "unsure"), (), False, None),
        (("rejected", "rejected"), (REGION,), False, "0"),
        (("rejected", "rejected"), (REGION,), True, "1"),
        ((), (REGION,), True, "1"),
        ((), (REGION,), False, None),
    ],
)
def test_a_brain_is_labelled_by_answers_and_by_what_was_drawn(verdicts, drawn, states, label):
    opinions = [said(f"finding {n}", verdict) for n, verdict in enumerate(verdicts, 1)]
    made = label_of_brain(brain(*TWO), opinions, drawn, states=states)
    assert made.cells.get("label") == label
    assert made.drawn == (drawn if states else ())
    if drawn:
        assert ("not known as lesions" in made.words) is not states


def test_what_is_open_beside_a_lesion_is_doubtful():
    made = label_of_brain(brain(*TWO), [said("finding 1", "agree")], (), states=False)
    assert [[one.id for one in each] for each in (made.lesions, made.doubtful)] == [[1], [2]]


def test_a_mask_has_the_lesion_and_says_nothing_of_slices_without_an_outline():
    grid = geometry_of()
    mask = mask_of(Labelled("", {"label": "1"}, drawn=(REGION,)), None, grid)
    assert mask.shape == grid.shape
    axis = grid.axis_of[2]
    slices = np.moveaxis(mask, axis, 0)
    here = [k for k in range(len(slices)) if (slices[k] == 1).any()]
    assert len(here) == 1
    assert (slices[here[0]] >= 0).all()
    others = [k for k in range(len(slices)) if k != here[0]]
    assert (slices[others] == -1).all()


def test_the_lesion_of_a_finding_is_where_its_map_is_high():
    volume = phantom()
    made = result_about(ABOUT, volume, findings=TWO[:1])
    grid = volume.geometry
    k, j, i = (round(float(n)) for n in grid.to_index(TWO[0].centroid_lps))
    array = np.zeros(grid.shape, np.float32)
    array[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2] = 9.0
    made = replace(made, maps=(replace(made.maps[0], array=array),))
    mask = mask_of(Labelled("", {"label": "1"}, TWO[:1]), made, grid)
    assert mask[k, j, i] == 1
    assert mask[0, 0, 0] == 0


def test_where_nothing_is_marked_there_is_no_mask():
    assert mask_of(Labelled("normal", {"label": "0"}), brain(), geometry_of()) is None
