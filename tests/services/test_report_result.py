from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from result_phantom import exam, head, prediction_on

from medview.domain.geometry import Geometry
from medview.domain.prediction import Score
from medview.domain.volume import Volume
from medview.services import report_pictures, report_result
from medview.services.report_lines import score_words
from medview.services.report_result import certainty_rank, where_words
from medview.services.report_text import ReaderText


@pytest.fixture(scope="module")
def volume() -> Volume:
    return head()


@pytest.fixture(scope="module")
def prediction(volume):
    return prediction_on(volume)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((40, 60, 40), "left posterior, high"),
        ((-40, -60, -40), "right anterior, low"),
        ((2, 0, 0), "midline central, mid-height"),
        ((-12, 0, 30), "right central, high"),
        ((4, 0, 0), "midline central, mid-height"),
        ((-6, 0, 0), "right central, mid-height"),
    ],
)
def test_where_is_told_by_side_depth_and_height(prediction, place, words):
    assert where_words(replace(prediction.findings[0], centroid_lps=place), prediction) == words


@pytest.mark.parametrize("code", ["RAI", "LAS", "RPS"])
def test_where_does_not_depend_on_how_the_slices_lie(code):
    made = prediction_on(head(geometry_of(code, (36, 48, 40), (4.0, 4.0, 4.0))))
    finding = replace(made.findings[0], centroid_lps=(40, 60, 40))
    assert where_words(finding, made) == "left posterior, high"


def test_without_orientation_only_the_slice_is_told(prediction):
    grid = prediction.maps[0].geometry
    unknown = Geometry(grid.shape, grid.affine, orientation_known=False)
    lost = replace(prediction, maps=tuple(replace(m, geometry=unknown) for m in prediction.maps))
    assert where_words(prediction.findings[0], lost) == "slice 21"
    assert where_words(prediction.findings[0], replace(prediction, maps=())) == "slice 21"


def test_the_line_names_the_most_unusual_region_and_the_text_says_how_sure_it_is(prediction):
    section = report_result.result(exam(), prediction)
    said = "2 unusual regions; the most unusual: left posterior, mid-height, 3.2 ml."
    assert section.result == said
    assert "Anomaly score 1.83 (95 % interval 1.61 – 2.10, 5 samples)" in section.text
    assert "Uncertainty there is" in section.text
    assert "1 more region is hidden by uncertainty" in section.text
    assert "about the input" not in section.text
    told = report_result.result(exam(), prediction, None, ("thick slices", "a slice is missing"))
    assert told.text.endswith("2 warnings about the input: see input quality.")


def test_one_region_and_none_have_their_own_words(prediction):
    one = replace(prediction, findings=prediction.findings[1:2])
    assert report_result.result(exam(), one).result.startswith("Unusual region: right central,")
    none = replace(prediction, findings=(), warnings=())
    section = report_result.result(exam(), none)
    assert section.result == "No region of 0.2 ml or more above the threshold."
    assert "hidden" not in section.text
    assert "warning" not in section.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "; higher than in 98 % of 14 normal brains. "),
        ({"meaning": ""}, "; 98 % (percentile among training normals). "),
        ({"meaning": "rank", "unit": "1", "value": 0.5}, "; 0.50 (rank). "),
        ({"value": None, "status": "not_available"}, ". "),
    ],
)
def test_the_rank_of_a_score_is_told_in_the_words_of_its_card(fields, words, prediction):
    scores = (prediction.scores[0], replace(prediction.scores[1], **fields))
    made = report_result.result(exam(), replace(prediction, scores=scores))
    assert f"1.61 – 2.10, 5 samples){words}Uncertainty there" in made.text


@pytest.mark.parametrize(
    ("higher", "level"),
    [(0.0, "low"), (0.3, "low"), (0.6, "ordinary"), (0.85, "ordinary"), (0.95, "high: read it")],
)
def test_how_sure_the_model_is_is_told_against_the_rest_of_the_brain(higher, level, prediction):
    # This share of the brain has less uncertainty than the finding's region.
    region = prediction.map("score").array >= 6
    brain = prediction.map("brain").array > 0
    ranks = np.arange(brain.sum()) / brain.sum() < higher
    total = np.zeros(brain.shape)
    total[brain] = np.where(ranks, 1.0, 3.0)
    total[region] = 2.0
    maps = tuple(replace(m, array=total) if m.name == "total" else m for m in prediction.maps)
    text = report_result.result(exam(), replace(prediction, maps=maps)).text
    assert f"Uncertainty there is {level}" in text
    assert " % of the brain)." in text
    unknown = replace(prediction, maps=tuple(m for m in maps if m.kind != "uncertainty"))
    assert "Uncertainty there" not in report_result.result(exam(), unknown).text


def test_a_synthetic_lesion_is_called_synthetic(prediction):
    shown = replace(exam(), series_description="T1 with synthetic lesion")
    assert "The lesion in this study is synthetic" in report_result.result(shown, prediction).text
    # "Synthetic" alone is a way of acquiring MR.
    shown = replace(exam(), series_description="Synthetic T1 map")
    assert "synthetic" not in report_result.result(shown, prediction).text


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (
            Score("age", 67.2, 61.0, 73.4, unit="years"),
            "age 67.2 years (95 % interval 61.0 – 73.4)",
        ),
        (Score("gap_raw", -6.8, unit="years"), "gap raw \u22126.8 years"),
        (
            Score("age", None, status="not_available", meaning="no age given"),
            "age not available: no age given",
        ),
        (
            Score("severe", 0.41, 0.3, 0.5, 0.9, status="extrapolating"),
            "severe 0.41 (90 % interval 0.30 – 0.50), outside the range of the training data",
        ),
    ],
)
def test_a_score_has_unit_interval_and_state(score, words):
    assert score_words(score) == words


def test_another_model_gets_its_first_score_as_the_line(prediction):
    scores = (Score("age", 67.2, 61.0, 73.4, unit="years"), Score("gap_raw", 6.8, unit="years"))
    other = replace(prediction, model="brain-age", scores=scores, findings=(), maps=())
    section = report_result.result(exam(), other)
    assert section.result == "Brain age 67.2 years (95 % interval 61.0 – 73.4); gap raw +6.8 years."
    unknown = report_result.result(exam(), replace(other, model="mine"))
    assert unknown.result == "Age 67.2 years (95 % interval 61.0 – 73.4)."
    assert unknown.text.startswith("gap raw +6.8 years.")
    silent = report_result.result(exam(), replace(other, model="mine", scores=()))
    assert silent.result == "No score."


def test_the_rank_of_certainty_compares_a_region_with_the_brain(prediction):
    finding = prediction.findings[0]
    total = prediction.map("total")
    doubled = total.array.copy()
    k, j, i = (int(n) for n in total.geometry.to_index(finding.centroid_lps).round())
    doubled[k - 4 : k + 5, j - 4 : j + 5, i - 4 : i + 5] = 1.0
    unsure = replace(
        prediction,
        maps=tuple(replace(m, array=doubled) if m.name == "total" else m for m in prediction.maps),
    )
    assert certainty_rank(finding, unsure) > 0.95
    assert "high: read it with care" in report_result.result(exam(), unsure).text
    assert certainty_rank(finding, prediction) == pytest.approx(0.5, abs=0.3)
    assert certainty_rank(finding, replace(prediction, maps=())) is None


def test_the_table_says_where_how_large_and_what_the_reader_said(prediction):
    reader = ReaderText(verdicts={1: "agree", 3: "rejected: vessel"})
    table = report_result.findings(prediction, reader).table
    assert table.headings == ("No.", "Where", "Centre", "Volume", "Peak", "Reader")
    assert [row[0] for row in table.rows] == ["1", "2", "3"]
    assert table.rows[0][2:4] == ("L 20, P 30, H 12 mm", "3.2 ml")
    assert [row[5] for row in table.rows] == ["agree", "not reviewed", "rejected: vessel"]
    assert report_result.findings(prediction, reader).text == ""
    assert table.rows[2][4].startswith("residual 0.00")
    assert table.rows[2][4].endswith(", hidden")


def test_a_finding_that_was_compared_says_how_many_normal_brains_hold_one_as_high(prediction):
    first, *rest = prediction.findings
    compared = replace(prediction, findings=(replace(first, normals_as_high=2, normals=14), *rest))
    table = report_result.findings(compared, ReaderText(verdicts={1: "agree"})).table
    assert table.headings[4:] == ("Peak", "As high in normal brains", "Reader")
    assert [row[5] for row in table.rows] == ["2 of 14", "not known", "not known"]
    assert table.rows[0][6] == "agree"
    assert {len(row) for row in table.rows} == {len(table.headings)}


def test_a_long_list_is_cut_but_keeps_what_the_reader_answered(prediction):
    many = tuple(replace(prediction.findings[0], id=n) for n in range(1, 16))
    section = report_result.findings(
        replace(prediction, findings=many), ReaderText(verdicts={12: "agree"})
    )
    assert [row[0] for row in section.table.rows] == [*"123456", "12"]
    assert section.text == "8 more of the 15 regions are listed in the attached manifest."


def unjudged(prediction):
    """A study that the model did not recognise."""
    reason = "the model did not recognise these images, so there is no score"
    scores = tuple(
        replace(each, value=None, low=None, high=None, status="not_available", meaning=reason)
        for each in prediction.scores
    )
    maps = tuple(
        replace(each, array=np.zeros_like(each.array)) if each.name != "brain" else each
        for each in prediction.maps
    )
    return replace(prediction, scores=scores, findings=(), maps=maps)


def test_a_study_that_was_not_judged_is_not_called_normal(volume, prediction):
    made = report_result.result(exam(), unjudged(prediction))
    assert made.result == "Not judged: the model did not recognise these images."
    assert made.text.startswith("No score: the model did not recognise these images")
    shown = report_pictures.pictures(volume, unjudged(prediction))
    assert all("Nothing is marked here" in row.caption for row in shown.figures)
    assert shown.text == ""
