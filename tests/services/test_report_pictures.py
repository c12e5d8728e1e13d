"""The pictures of a result in a report: how many, how large, and what stands beside them."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from result_phantom import head, prediction_on

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding, Prediction, Score
from medview.domain.volume import Volume
from medview.services import report_pictures


@pytest.fixture(scope="module")
def volume() -> Volume:
    return head()


@pytest.fixture(scope="module")
def prediction(volume):
    return prediction_on(volume)


def test_three_pictures_are_large_once_and_small_at_two_more_levels(volume, prediction):
    section = report_pictures.pictures(volume, prediction)
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
    made = report_pictures.pictures(volume, replace(prediction, findings=(), maps=maps))
    assert [row.half for row in made.figures] == [False, False]


def test_the_strip_marks_the_slices_that_are_pictured(volume, prediction):
    (strip,) = report_pictures.pictures(volume, prediction).charts
    assert len(strip.values) == 36
    assert dict(strip.marks) == {20: "A", 14: "B", 25: "C"}
    assert strip.ends == ("slice 1, feet", "slice 36, head")
    assert strip.values[20] == prediction.slices[20].score


def test_a_stack_from_head_to_feet_has_its_ends_turned():
    upside_down = head(geometry_of("LPI", (36, 48, 40), (4.0, 4.0, 4.0)))
    (strip,) = report_pictures.pictures(upside_down, prediction_on(upside_down)).charts
    assert strip.ends == ("slice 1, head", "slice 36, feet")


def test_a_slot_without_a_score_is_left_out_with_a_sentence(volume, prediction):
    score = prediction.map("score")
    few = np.where(np.arange(36)[:, None, None] == 20, score.array, 0.5 * (score.array > 0))
    maps = tuple(replace(m, array=few) if m.name == "score" else m for m in prediction.maps)
    made = report_pictures.pictures(volume, replace(prediction, findings=(), maps=maps))
    assert len(made.figures) == 1
    assert made.text.startswith("One slice is shown: in no other")
    low = tuple(replace(m, array=0 * few + 1) if m.name == "score" else m for m in prediction.maps)
    below = report_pictures.pictures(volume, replace(prediction, findings=(), maps=low))
    assert below.text == "The score stays below its threshold everywhere, or nearly."
    assert len(below.figures) == 1
    assert report_pictures.pictures(volume, prediction).text == ""


def test_without_a_result_the_images_stand_alone(volume):
    section = report_pictures.pictures(volume, None)
    assert section.title == "Key slices"
    assert [len(row.pictures) for row in section.figures] == [3]
    assert section.charts == ()


def test_a_peak_on_a_slice_that_is_not_there_does_not_stop_the_report(volume, prediction):
    odd = Finding(1, "score", (0.0, 0.0, 0.0), 400, 1.0, 9.0)
    section = report_pictures.pictures(volume, replace(prediction, findings=(odd,)))
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
    section = report_pictures.pictures(*chest_result())
    (row,) = section.figures
    assert len(row.pictures) == row.abreast == 2
    assert row.caption == "The film with zones A to F and the Brixia score of each; evidence."
    assert [bar and bar.title for bar in row.colour_bars] == [None, "evidence"]
    film, prediction = chest_result()
    (plain,) = report_pictures.pictures(film, None).figures
    assert (plain.caption, plain.colour_bars, plain.abreast) == ("The film.", (), 2)
    assert plain.pictures[0].strokes == ()
    lost = replace(film, geometry=replace(film.geometry, orientation_known=False))
    (plain,) = report_pictures.pictures(lost, None).figures
    assert plain.caption == "The film. The file does not tell left from right."
    (zoned,) = report_pictures.pictures(lost, prediction).figures
    assert zoned.caption.endswith("from right; A to C are taken for the right lung.")
    words = [each.words[0] for each in row.pictures[0].strokes]
    assert [text[0] for text in words] == sorted(text[0] for text in words)  # zones, A first
    assert all(0 <= x <= 1 for each in row.pictures[0].strokes for x, _ in each.paths[0])
    assert section.charts == ()


def test_regions_are_shown_in_colour_below_the_image(volume, prediction):
    brain = prediction.map("brain")
    regions = replace(brain, name="regions", kind="labels", title="brain regions")
    section = report_pictures.pictures(volume, replace(prediction, maps=(regions,), findings=()))
    plain, tinted = section.figures
    assert len(plain.pictures) == len(tinted.pictures) == 3
    assert np.ptp(plain.pictures[1].rgb.astype(int), axis=-1).max() == 0
    assert np.ptp(tinted.pictures[1].rgb.astype(int), axis=-1).max() > 30
