from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from services.stubs import CARD, result_about

from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Score
from medview.services.session_values import VolumeId
from medview.services.telling import (
    figure_text,
    interval_text,
    main_score,
    result_line,
    score_text,
    titled,
    titles_of,
    value_text,
    zone_texts,
    zones_line,
)


def result(model, *scores):
    made = result_about(VolumeId("1.1#0", "abc"), model=model, names=())
    return replace(made, scores=scores)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("gap_corrected", 5.06, "+5.1"),
        ("gap_raw", -0.04, "0.0"),
        ("gap_raw", -3.26, "\u22123.3"),
        ("attention_film", 0.29, "0.29"),
        ("shapley_film", 0.05, "0.05"),
        ("shapley_series", -0.191, "\u22120.19"),
        ("severe", 0.309, "0.31"),
        ("severe", 0.0003, "< 0.01"),
        ("severe_fixed", 0.309, "0.31"),
        ("mortality_mixed", 0.0003, "< 0.01"),
        ("mortality", 0.9996, "> 0.99"),
        ("mortality", 0.0, "0.00"),
        ("brixia_A", 2.0, "2"),
        ("brixia_total", 9.73, "9.7"),
        ("phenotype_03", 0.5, "0.50"),
        ("anomaly", 1.834, "1.83"),
    ],
)
def test_a_figure_has_the_digits_that_mean_something(name, value, text):
    assert figure_text(value, name) == text


def test_the_line_names_score_interval_and_model():
    gap = Score("gap_corrected", 5.1, -1.0, 11.2, unit="years")
    made = result("brain-age", Score("age", 67.2, unit="years"), gap)
    assert result_line(made, {}) == "Gap +5.1 y [\u22121.0 to +11.2] · brain-age 1.0"
    both = result("brain-age", gap, Score("gap_raw", 6.8, unit="years"))
    said = "Gap +5.1 y [\u22121.0 to +11.2] corrected, +6.8 y raw · brain-age 1.0"
    assert result_line(both, {}) == said
    titles = {"brain-age": "Age of a brain"}
    assert result_line(made, titles).endswith(" · Age of a brain 1.0")


def test_of_cards_with_one_id_each_version_has_its_own_title_and_others_the_first():
    cards = (CARD, replace(CARD, version="1.0-ward", title="Ward"))
    titles = titles_of(cards)
    named = [titled(replace(result("anomaly"), version=v), titles) for v in ("1.0-ward", "2.0")]
    assert named == ["Ward 1.0-ward", f"{CARD.title} 2.0"]


def test_of_several_results_with_zones_it_is_said_whose_are_drawn():
    grid = geometry_of(shape=(1, 20, 24))
    lungs = ScalarMap("lungs", np.ones(grid.shape, np.float32), grid, "mask")
    one = replace(result("cxr", Score("brixia_A", 1.0)), maps=(lungs,))
    plain = result("icu")
    assert zones_line((one, plain), {}) == ()
    assert zones_line((one, replace(one, version="2.0"), plain), {}) == ("Zones: cxr 2.0",)


def test_without_a_gap_the_age_is_told_and_without_anything_nothing():
    gone = Score("gap_corrected", None, status="not_available", meaning="no age")
    age = Score("age", 67.2, unit="years", status="extrapolating")
    assert result_line(result("brain-age", gone, age), {}) == (
        "Brain age 67.2 y (outside training) · brain-age 1.0"
    )
    assert result_line(result("brain-age", gone), {}) == ""
    assert main_score(result("brain-age", gone)) == gone


def test_an_interval_without_one_end_is_none():
    assert interval_text(Score("severe", 0.3, 0.1, None)) == ""


def test_brixia_figures_that_stand_together_have_as_many_decimals():
    total = Score("brixia_total", 4.66, 0.0, 12.1)
    assert (score_text(total), interval_text(total)) == ("4.7 / 18", "0.0 – 12.1")
    assert value_text(Score("brixia_total", 9.0, 2.1, 16.8)) == "9.0"
    nearly = Score("brixia_B", 1.02, 0.0, 2.96)  # none of the three ends in a tenth but .0
    assert (score_text(nearly), interval_text(nearly)) == ("1.0", "0.0 – 3.0")
    assert value_text(Score("brixia_total", None)) == "–"
    zones = (Score("brixia_A", 0.7), Score("brixia_C", 1.0), Score("brixia_F", None))
    assert zone_texts(result("cxr", *zones)) == {"A": "0.7", "C": "1.0"}
    whole = (Score("brixia_A", 2.0), Score("brixia_C", 1.0))
    assert zone_texts(result("cxr", *whole)) == {"A": "2", "C": "1"}
