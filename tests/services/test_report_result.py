from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from result_phantom import exam, head, prediction_on

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding, Prediction, Score
from medview.domain.volume import Volume
from medview.services import report_result
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


def test_the_line_names_the_largest_region_and_the_text_says_how_sure_it_is(prediction):
    section = report_result.result(exam(), prediction)
    assert section.result == "2 unusual regions; the largest left posterior, mid-height, 3.2 ml."
    assert "Anomaly score 1.83 (95 % interval 1.61 – 2.10, 5 samples)" in section.text
    assert "Uncertainty there is" in section.text
    assert "1 more region is hidden by uncertainty" in section.text
    assert "1 warning about the input" in section.text


def test_one_region_and_none_have_their_own_words(prediction):
    one = replace(prediction, findings=prediction.findings[1:2])
    assert report_result.result(exam(), one).result.startswith("Unusual region: right central,")
    none = replace(prediction, findings=(), warnings=())
    section = report_result.result(exam(), none)
    assert section.result == "No region above the threshold."
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


def test_a_long_list_is_cut_but_keeps_what_the_reader_answered(prediction):
    many = tuple(replace(prediction.findings[0], id=n) for n in range(1, 16))
    section = report_result.findings(
        replace(prediction, findings=many), ReaderText(verdicts={12: "agree"})
    )
    assert [row[0] for row in section.table.rows] == [*"123456", "12"]
    assert section.text == "8 more of the 15 regions are listed in the attached manifest."


def test_three_pictures_are_large_once_and_small_at_two_more_levels(volume, prediction):
    section = report_result.pictures(volume, prediction)
    assert [len(row.pictures) for row in section.figures] == [3, 3, 3]
    assert [len(row.colour_bars) for row in section.figures] == [3, 0, 0]
    assert [row.half for row in section.figures] == [False, True, True]
    large, small = (row.pictures[0].rgb.shape[1] for row in section.figures[:2])
    assert large > 1.5 * small
    none, score, total = section.figures[0].colour_bars
    assert none is None
    assert (score.title, total.title) == ("anomaly score", "total uncertainty")
    assert section.figures[0].caption.startswith("A: Finding 1 at its peak (L ")
    assert "hidden by uncertainty" in section.figures[2].caption
    assert [row.pictures[0].corners[0] for row in section.figures] == ["A", "B", "C"]
    # Every picture of a small row has its scale; window and names are those of the row above.
    assert all(each.scale for row in section.figures for each in row.pictures)
    assert section.figures[1].pictures[1].corners == ("",) * 4


def test_two_levels_are_both_large(volume, prediction):
    score = prediction.map("score")
    few = np.where(np.isin(np.arange(36), (14, 20))[:, None, None], score.array, 0.0)
    maps = tuple(replace(m, array=few) if m.name == "score" else m for m in prediction.maps)
    made = report_result.pictures(volume, replace(prediction, findings=(), maps=maps))
    assert [row.half for row in made.figures] == [False, False]


def test_the_strip_marks_the_slices_that_are_pictured(volume, prediction):
    (strip,) = report_result.pictures(volume, prediction).charts
    assert len(strip.values) == 36
    assert dict(strip.marks) == {20: "A", 14: "B", 25: "C"}
    assert strip.ends == ("slice 1, feet", "slice 36, head")
    assert strip.values[20] == prediction.slices[20].score


def test_a_stack_from_head_to_feet_has_its_ends_turned():
    upside_down = head(geometry_of("LPI", (36, 48, 40), (4.0, 4.0, 4.0)))
    (strip,) = report_result.pictures(upside_down, prediction_on(upside_down)).charts
    assert strip.ends == ("slice 1, head", "slice 36, feet")


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
    shown = report_result.pictures(volume, unjudged(prediction))
    assert all("Nothing is marked here" in row.caption for row in shown.figures)
    assert shown.text == ""


def test_a_slot_without_a_score_is_left_out_with_a_sentence(volume, prediction):
    score = prediction.map("score")
    few = np.where(np.arange(36)[:, None, None] == 20, score.array, 0.5 * (score.array > 0))
    maps = tuple(replace(m, array=few) if m.name == "score" else m for m in prediction.maps)
    made = report_result.pictures(volume, replace(prediction, findings=(), maps=maps))
    assert len(made.figures) == 1
    assert made.text.startswith("One slice is shown: in no other")
    low = tuple(replace(m, array=0 * few + 1) if m.name == "score" else m for m in prediction.maps)
    below = report_result.pictures(volume, replace(prediction, findings=(), maps=low))
    assert below.text == "The score stays below its threshold everywhere, or nearly."
    assert len(below.figures) == 1
    assert report_result.pictures(volume, prediction).text == ""


def test_without_a_result_the_images_stand_alone(volume):
    section = report_result.pictures(volume, None)
    assert section.title == "Key slices"
    assert [len(row.pictures) for row in section.figures] == [3]
    assert section.charts == ()


def test_a_peak_on_a_slice_that_is_not_there_does_not_stop_the_report(volume, prediction):
    odd = Finding(1, "score", (0.0, 0.0, 0.0), 400, 1.0, 9.0)
    section = report_result.pictures(volume, replace(prediction, findings=(odd,)))
    assert len(section.figures) == 3


def chest_result() -> tuple[Volume, Prediction]:
    """A film with the zones of two lungs, their scores and what speaks for the result."""
    grid = geometry_of("LPS", (1, 60, 50), (1.0, 1.0, 1.0))
    lungs = np.zeros(grid.shape, np.uint8)
    for zone, (row, column) in enumerate(((r, c) for c in (5, 30) for r in (5, 20, 35)), start=1):
        lungs[0, row : row + 14, column : column + 14] = zone
    evidence = np.linspace(0, 4, lungs.size, dtype=np.float32).reshape(lungs.shape)
    maps = (
        ScalarMap("evidence", evidence, grid, "evidence", "1", (0.0, 4.0), "evidence"),
        ScalarMap("lungs", lungs, grid, "labels", "1", (0.0, 6.0), "zones"),
    )
    film = Volume((lungs * 30).astype(np.int16), grid, modality="CR")
    scores = (Score("severe", 0.4), Score("brixia_A", 1.0))
    made = prediction_on(head())
    return film, replace(made, model="cxr", maps=maps, findings=(), slices=(), scores=scores)


def test_a_film_is_shown_once_with_its_zones_and_once_with_the_evidence():
    section = report_result.pictures(*chest_result())
    (row,) = section.figures
    assert len(row.pictures) == row.abreast == 2
    assert row.caption == "The film with zones A to F and the Brixia score of each; evidence."
    assert [bar and bar.title for bar in row.colour_bars] == [None, "evidence"]
    film, _ = chest_result()
    (plain,) = report_result.pictures(film, None).figures
    assert (plain.caption, plain.colour_bars, plain.abreast) == ("The film.", (), 2)
    assert plain.pictures[0].strokes == ()
    lost = replace(film, geometry=replace(film.geometry, orientation_known=False))
    (plain,) = report_result.pictures(lost, None).figures
    assert plain.caption == "The film. The file does not tell left from right."
    words = [each.words[0] for each in row.pictures[0].strokes]
    assert [text[0] for text in words] == sorted(text[0] for text in words)  # zones, A first
    assert all(0 <= x <= 1 for each in row.pictures[0].strokes for x, _ in each.paths[0])
    assert section.charts == ()


def test_regions_are_shown_in_colour_below_the_image(volume, prediction):
    brain = prediction.map("brain")
    regions = replace(brain, name="regions", kind="labels", title="brain regions")
    section = report_result.pictures(volume, replace(prediction, maps=(regions,), findings=()))
    plain, tinted = section.figures
    assert len(plain.pictures) == len(tinted.pictures) == 3
    assert np.ptp(plain.pictures[1].rgb.astype(int), axis=-1).max() == 0
    assert np.ptp(tinted.pictures[1].rgb.astype(int), axis=-1).max() > 30
