"""Result cards of brain age, chest film and stay: scenarios A12, A13 and A14."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QPushButton,
    QScrollArea,
    QWidget,
)
from services.stubs import CARD, result_about
from ui.fakes import make_bench, type_key
from ui.painted import lit
from ui.stray_windows import Windows

from medview.domain.card import Figure, InputSpec, OutputSpec
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import ZONE_GRADES, InputRef, Score, TracePoint
from medview.domain.record import Record, Strip
from medview.domain.volume import Note, Volume
from medview.services.session_values import TableFile
from medview.ui.eliding import ElidedLabel
from medview.ui.panels.chest_card import measured
from medview.ui.panels.icu_card import Phenotypes
from medview.ui.panels.plots import CohortPlot, ShareBar
from medview.ui.panels.result_card import Badge, ResultCard
from medview.ui.record_pane import Strips

COHORT = [[60.0 + n / 10, 60.0 + n / 10 + (n % 7) - 3] for n in range(40)]
FILM_INPUT = InputSpec("film", "a frontal chest film", modalities=("CR", "DX"))
AGE = replace(
    CARD,
    id="brain-age-armed",
    title="Brain age",
    inputs=(InputSpec("t1", "a T1 volume"), InputSpec("smri", "structural features"),
            InputSpec("fmri", "functional features")),
    settings={"sites": ["HH", "Guys"], "reference": COHORT},
)  # fmt: skip
CHEST = replace(
    CARD,
    id="cxr",
    title="MDMT",
    inputs=(FILM_INPUT,),
    limits=("detects a patient who may already be in intensive care",),
    measured=(Figure("accuracy", 0.8, "hannover", 0.71, 0.87, 61),),
    outputs=(OutputSpec("severe", "score"), OutputSpec("occlusion", "map")),
)
STAY = replace(
    CARD,
    id="icu",
    title="fusion",
    inputs=(InputSpec("series", "a record of the stay", required=True), FILM_INPUT),
)
GRID = Geometry.from_ijk_affine((1, 40, 48), np.diag([0.8, 0.8, 1, 1]).tolist())
AGES = (
    Score("age", 67.2, 61.0, 73.4, unit="years"),
    Score("gap_raw", 6.2, unit="years"),
    Score("gap_corrected", 5.1, -1.0, 11.2, unit="years"),
)


@pytest.fixture
def bench(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("medview.ui.closing.ask", lambda *_: True)
    made = make_bench(tmp_path, CARD, AGE, CHEST, STAY)
    qtbot.addWidget(made.window)
    made.window.show()
    return made


def file(bench, model, scores, **fields):
    """A result of a model about what is on screen."""
    about = bench.session.volume_id
    made = result_about(about, bench.session.volume, model=model, names=())
    made = replace(made, **{"scores": scores, "parameters": {}} | fields)
    others = bench.session.predictions.get(about, ())
    bench.session.predictions = {**bench.session.predictions, about: (*others, made)}
    bench.settle()
    return made


def said(bench):
    line = bench.window.findChild(QLabel, "result_value").parentWidget()
    card = line.parentWidget()
    return " | ".join(each.text() for each in card.findChildren(QLabel) if not each.isHidden())


def film(bench, modality="DX"):
    pixels = np.zeros((1, 40, 48), np.int16)
    bench.show(Volume(pixels, GRID, modality=modality), uid="1.3", modality=modality)


# -- brain age ---------------------------------------------------------------------------------


def test_age_and_both_gaps_stand_together(bench):
    bench.show()
    file(bench, "brain-age-armed", AGES, parameters={"age_years": 61.0})
    assert bench.find(QLabel, "result_value").text() == "67.2 y"
    assert bench.find(QLabel, "result_rest").text() == "61.0\u00a0–\u2060\u00a073.4 · age 61 y"
    assert bench.find(QLabel, "row_gap_corrected").text() == "+5.1 y  (−1.0\u00a0to\u00a0+11.2)"
    assert bench.find(QLabel, "row_gap_raw").text() == "+6.2 y"


def test_the_patient_stands_in_the_cohort_with_a_percentile(bench):
    bench.show()
    file(bench, "brain-age-armed", AGES, parameters={"age_years": 61.0})
    plot = bench.window.findChild(CohortPlot)
    assert len(plot.cohort) == 40
    at, line = plot.place(61.0, 67.2), plot.place(61.0, 61.0)
    assert at.y() < line.y()
    near = [p - a for a, p in COHORT if abs(a - 61.0) <= 5]
    share = 100 * sum(gap < 6.2 for gap in near) / len(near)
    words = bench.find(QLabel, "cohort_words").text()
    assert f"above that of {share:.0f} % of {len(near)} people" in words


def test_an_age_from_an_image_is_not_held_against_people_told_from_features(bench):
    bench.show()
    told = {"age_years": 61.0, "route": "t1"}
    file(bench, "brain-age-armed", AGES, parameters=told)
    assert bench.window.findChild(CohortPlot) is None
    words = bench.find(QLabel, "cohort_words").text()
    assert words == "No percentile: the reference cohort has tables of regions, no images."


def test_without_people_of_that_age_there_is_no_percentile(bench):
    bench.show()
    file(bench, "brain-age-armed", AGES, parameters={"age_years": 30.0})
    words = bench.find(QLabel, "cohort_words").text()
    assert words.startswith("Nobody of the reference cohort")
    assert "no percentile" in words


def test_without_a_birth_date_there_is_no_gap_and_the_age_is_asked_for(bench):
    bench.show()
    gone = Score("gap_corrected", None, status="not_available", meaning="no age given")
    file(bench, "brain-age-armed", (AGES[0], gone))
    assert bench.window.findChild(QLabel, "row_gap_raw") is None
    run = bench.find(QPushButton, "age_run")
    assert not run.isEnabled()
    given = bench.find(QDoubleSpinBox, "age_given")
    assert given.text() == "not given"
    given.setValue(61.5)
    assert given.text() == "61.5 y"
    run.click()
    assert bench.jobs.running("predict:run")[0].args[0].age_years == 61.5


def test_site_known_unknown_and_another_one(bench):
    bench.show()
    mixed = Score("age_mixed", 67.2, unit="years")
    file(bench, "brain-age-armed", (*AGES, mixed), parameters={"age_years": 61.0, "site": "HH"})
    assert "site known" in said(bench)
    box = bench.find(QComboBox, "site")
    assert box.currentText() == "HH"
    box.setCurrentText("unknown")
    box.textActivated.emit("unknown")
    assert bench.jobs.running("predict:run")[0].args[0].site == ""  # unknown, whatever a table says


def test_an_unseen_site_is_a_badge(bench):
    bench.show()
    gone = Score("age_mixed", None, status="not_available", meaning="site not in training")
    file(bench, "brain-age-armed", (*AGES, gone), parameters={"age_years": 61.0})
    assert "unseen site: fixed effects only" in said(bench)
    # Beside so long a badge nothing would be left of the model: it has a line of its own.
    assert bench.find(ElidedLabel, "result_by").text() == "Brain age 1.0 · CPU"


def test_outside_the_training_ages_the_number_is_grey(bench):
    bench.show()
    far = replace(AGES[0], status="extrapolating")
    file(bench, "brain-age-armed", (far, *AGES[1:]), parameters={"age_years": 82.0})
    assert bench.find(QLabel, "result_value").property("look") == "result-doubtful"
    assert "outside training ages" in said(bench)


def test_a_missing_table_is_a_badge(bench):
    bench.show()
    only = (InputRef("smri", "", "2.25.1", 0, "aa", (10, 1, 1)),)
    file(bench, "brain-age-armed", AGES, parameters={"age_years": 61.0}, inputs=only)
    assert "sMRI only" in said(bench)


@pytest.mark.parametrize(("recorded", "is_said"), [("F", True), ("M", False), (None, False)])
def test_the_sex_head_only_checks_the_input(bench, recorded, is_said):
    bench.show()
    scores = (*AGES, Score("sex_male", 0.9))
    file(bench, "brain-age-armed", scores, parameters={"age_years": 61.0, "sex": recorded})
    assert (bench.window.findChild(QLabel, "sex_check") is not None) == is_said


def given_as(role):
    """What a result says of the input that it was made from."""
    return (InputRef(role, "", "2.25.1", 0, "aa", (10, 1, 1)),)


@pytest.mark.parametrize(
    ("role", "share", "recorded", "words"),
    [
        ("smri", 0.77, "F", "the features look male (77 %), recorded is female"),
        ("t1", 0.1, "M", "the images look female (90 %), recorded is male"),
    ],
)
def test_another_sex_is_said_of_what_was_looked_at(bench, role, share, recorded, words):
    bench.show()
    told = {"age_years": 61.0, "sex": recorded}
    scores = (*AGES, Score("sex_male", share))
    file(bench, "brain-age-armed", scores, parameters=told, inputs=given_as(role))
    said = bench.find(QLabel, "sex_check").text()
    assert said == f"Input check: {words}. Check whose they are."


def test_with_a_table_the_card_says_that_the_images_were_not_used(bench):
    bench.show()
    file(bench, "brain-age-armed", AGES, parameters={"age_years": 61.0}, inputs=given_as("smri"))
    assert "Told from the table; the images were not used." in said(bench)


def test_from_images_alone_no_table_is_spoken_of(bench):
    bench.show()
    file(bench, "brain-age-armed", AGES, parameters={"age_years": 61.0}, inputs=given_as("t1"))
    assert "not used" not in said(bench)


@pytest.mark.parametrize(
    ("roles", "why"),
    [(("t1", "fmri"), "run again to use them"), (("t1",), "this version has not learnt from them")],
)
def test_features_beside_the_images_that_were_not_used_are_told(bench, roles, why, monkeypatch):
    card = replace(AGE, inputs=tuple(each for each in AGE.inputs if each.role in roles))
    monkeypatch.setattr(bench.app.analysis, "card_of", lambda _: card)
    bench.show()
    file(bench, "brain-age-armed", AGES, parameters={"age_years": 61.0}, inputs=given_as("t1"))
    assert "not used" not in said(bench)
    table = TableFile("fmri", Path("conn.npy"), given_as("fmri")[0], None)
    bench.session.tables = {"fmri": table}
    bench.settle()
    assert f"Open, but not used: functional features; {why}." in said(bench)
    bench.session.tables = {}
    bench.settle()
    assert "not used" not in said(bench)


# -- chest film --------------------------------------------------------------------------------


def chest(bench, others=("occlusion",)):
    film(bench)
    zones = np.zeros((1, 40, 48), np.float32)
    for side in range(2):
        for third in range(3):
            zones[0, 5 + 10 * third : 13 + 10 * third, 4 + 22 * side : 20 + 22 * side] = (
                1 + 3 * side + third
            )
    evidence = np.zeros((1, 40, 48), np.float32)
    evidence[0, 10:20, 10:20] = 0.9
    scores = [Score("severe", 0.31, 0.18, 0.47)]
    scores += [Score(f"brixia_{zone}", float(n)) for zone, n in zip("ABCDEF", (1, 2, 3, 0, 2, 2))]  # noqa: B905
    scores.append(Score("brixia_total", 10.0))
    maps = (
        ScalarMap("lungs", zones, GRID, "labels", range=(0.0, 6.0)),
        ScalarMap("evidence", evidence, GRID, "evidence"),
        *(ScalarMap(kind, evidence, GRID, "evidence") for kind in others),
        ScalarMap("seen", evidence + 1, GRID, "image"),
    )
    return file(bench, "cxr", tuple(scores), maps=maps)


def test_no_part_of_a_card_is_a_window_for_a_moment(bench, qapp):
    watch = Windows()
    qapp.installEventFilter(watch)
    chest(bench)
    qapp.removeEventFilter(watch)
    assert watch.stray == []


def test_one_line_with_the_accuracy_beside_it_and_evidence_closed(bench):
    chest(bench)
    assert bench.find(QLabel, "result_value").text() == "0.31"
    line = bench.find(QLabel, "result_rest").text()
    course = "probability of a severe course · class mild (below 0.5)"
    assert line == f"0.18\u00a0–\u2060\u00a00.47 · {course}"
    assert (
        "0.80 (0.71\u00a0–\u2060\u00a00.87), n = 61, on hannover"
        in bench.find(QLabel, "model_accuracy").text()
    )
    assert "may already be in intensive care" in said(bench)
    assert bench.find(QLabel, "brixia_total").text() == "10 / 18"
    # Where most of it lies outside of the zones, that must not be overlooked.
    share = bench.find(QLabel, "evidence_share")
    assert (share.text(), share.property("look")) == ("80\u00a0%", "value")
    assert bench.frame().tints == ()


def test_a_film_without_an_interval_says_so_beside_its_class(bench):
    film(bench)
    file(bench, "cxr", (Score("severe", 0.5),))
    line = bench.find(QLabel, "result_rest").text()
    assert line.endswith("class severe (from 0.5 on) · interval not available")


def test_six_zones_lie_on_the_film_with_their_scores(bench):
    chest(bench)
    marks = bench.frame().marks
    assert [mark.text for mark in marks] == ["A 1", "B 2", "C 3", "D 0", "E 2", "F 2"]
    left, top, right, bottom = marks[0].place
    assert (left, top, right, bottom) == pytest.approx((3.5, 4.5, 19.5, 12.5))
    bench.find(QPushButton, "show_zones").click()
    assert bench.frame().marks == ()


def test_grades_of_the_zones_are_the_readers_own_and_kept(bench):
    chest(bench)
    bench.app.preferences.change(reader="A. Reader")
    fields = [bench.find(QComboBox, f"zone_grade_{zone}") for zone in "ABCDEF"]
    assert [field.currentText() for field in fields] == ["–"] * 6
    bench.find(QPushButton, "zone_grades_same").click()
    fields[0].setCurrentIndex(fields[0].findData("0"))
    fields[0].activated.emit(1)
    opinion = bench.session.opinion("cxr@1.0", ZONE_GRADES)
    assert (opinion.verdict, opinion.by) == ("023022", "A. Reader")
    for field in fields:
        field.setCurrentIndex(0)
    fields[0].activated.emit(0)
    assert bench.session.opinion("cxr@1.0", ZONE_GRADES) is None


def test_zones_follow_the_film_when_it_is_mirrored(bench):
    chest(bench)
    bench.press("H")
    left, _, right, _ = bench.frame().marks[0].place
    assert (left, right) == pytest.approx((47 - 19.5, 47 - 3.5))


def test_evidence_and_what_the_model_saw_open_on_demand(bench):
    chest(bench)
    bench.find(QPushButton, "show_evidence").click()
    assert (bench.session.overlay_on, bench.session.map_name) == (True, "evidence")
    assert bench.frame().tints
    bench.find(QPushButton, "show_occlusion").click()
    assert bench.session.map_name == "occlusion"
    bench.find(QPushButton, "show_seen").click()
    assert bench.session.map_name == "seen"
    assert not bench.find(QPushButton, "show_evidence").isChecked()
    bench.find(QPushButton, "show_seen").click()
    assert not bench.session.overlay_on


def test_a_map_that_takes_long_is_made_when_its_button_is_pressed(bench):
    made = chest(bench, others=())
    button = bench.find(QPushButton, "show_occlusion")
    button.click()
    [run] = bench.jobs.running("predict:run")
    assert run.args[0].maps == ("occlusion",)
    assert not button.isEnabled()
    assert not button.isChecked()
    late = ScalarMap("occlusion", made.map("evidence").array, GRID, "evidence")
    run.finish(replace(made, maps=(*made.maps, late)))
    bench.settle()
    assert (bench.session.overlay_on, bench.session.map_name) == (True, "occlusion")
    again = bench.find(QPushButton, "show_occlusion")
    assert again.isEnabled()
    assert again.isChecked()
    again.click()
    assert not bench.session.overlay_on
    assert not bench.jobs.running("predict:run")


def test_a_map_that_a_model_cannot_make_has_no_button(bench):
    film(bench)
    file(bench, "cxr-armed", (Score("severe", 0.5),))
    assert bench.find(QPushButton, "show_occlusion").isHidden()


def test_an_accuracy_that_nobody_measured_is_said(bench):
    film(bench)
    bench.app.analysis.cards()
    file(bench, "cxr-armed", (Score("severe", 0.5),))
    assert "not measured" in bench.find(QLabel, "model_accuracy").text()


def test_the_accuracy_told_is_not_one_of_variants():
    of_variants = Figure("accuracy", 0.9, "a", extra={"runs": 3})
    own = Figure("roc_auc", 0.7, "a")
    assert measured((of_variants, own)) == own
    assert measured((of_variants,)) is None


# -- stay --------------------------------------------------------------------------------------


def record():
    return Record(
        (
            Strip("Heart Rate", "1/min", (0.5, 1.5, 5.5), (80.0, 90.0, 100.0)),
            Strip("Temperature", "°C", (2.5,), (38.5,)),
        ),
        last=8.0,
        ignored=("Note",),
    )


def stay(bench, *, roles=("series", "film"), notes=()):
    film(bench)
    given = {
        "series": InputRef("series", "", "2.25.1", 0, "aa", (3, 4, 1)),
        "film": InputRef("film", "1.2", "1.3", 0, "sha1.3", (48, 40, 1)),
    }
    table = TableFile("series", Path("stay.csv"), given["series"], record())
    bench.session.tables = {"series": table}
    risks = tuple(TracePoint(float(h), h / 20, h / 30, h / 10, 0.5) for h in range(1, 9))
    scores = [Score("mortality", 0.34, 0.22, 0.48)]
    for n, share in enumerate((0.1, 0.62, 0.3, None), 1):
        status = "ok" if share is not None else "not_available"
        meaning = f"disease {n}: {'as coded' if share else 'fewer than 20 cases'}"
        scores.append(Score(f"phenotype_{n:02d}", share, status=status, meaning=meaning))
    scores += [Score("attention_series", 0.71), Score("attention_film", 0.29)]
    scores += [Score("shapley_series", 0.19), Score("shapley_film", 0.05)]
    scores.append(Score("imputed_share", 0.23))
    return file(
        bench,
        "icu",
        tuple(scores),
        trace=risks,
        inputs=tuple(given[role] for role in roles),
        parameters={"film_hour": 5.0},
        warnings=tuple(Note("UNIT", text) for text in notes),
    )


def test_risk_shares_and_phenotypes_from_the_likeliest_on(bench):
    stay(bench)
    assert bench.find(QLabel, "result_value").text() == "0.34"
    assert bench.find(QLabel, "row_attention").text() == "71 % / 29 %"
    assert bench.find(QLabel, "row_shapley").text() == "+0.19 / +0.05"
    assert bench.find(QLabel, "row_imputed_values").text() == "23 %"
    found = bench.window.findChild(Phenotypes)
    assert [score.name for score in found.sorted] == [
        "phenotype_02", "phenotype_03", "phenotype_01",
    ]  # fmt: skip
    assert "1 not available: fewer than 20 cases." in said(bench)


def test_the_film_can_be_switched_off_and_the_result_says_so(bench):
    stay(bench)
    bench.find(QPushButton, "icu_inputs_series").click()
    request = bench.jobs.running("predict:run")[0].args[0]
    assert [each.role for each in request.inputs] == ["series"]
    assert request.volumes == {}
    assert request.tables.keys() == {"series"}
    bench.session.predictions = {}
    stay(bench, roles=("series",))
    assert "film off" in said(bench)


def test_weights_that_take_no_film_do_not_say_it_was_left_out(bench, monkeypatch):
    alone = replace(STAY, inputs=STAY.inputs[:1])
    monkeypatch.setattr(bench.app.analysis, "card_of", lambda made: alone)
    stay(bench, roles=("series",))
    assert "film off" not in said(bench)
    # Nor do they share anything with one: no rows that say "not available" twice.
    assert "series / film" not in said(bench)


def test_the_keyboard_comes_back_to_where_it_was_after_another_run(bench):
    made = stay(bench)
    bench.window.activateWindow()
    bench.find(QPushButton, "icu_inputs_series").setFocus()
    bench.session.predictions = {}
    bench.settle()
    assert bench.window.focusWidget().objectName() == "analysis_more"
    bench.session.predictions = {bench.session.volume_id: (made,)}
    bench.settle()
    assert bench.window.focusWidget().objectName() == "icu_inputs_series"


def test_a_head_with_long_badges_is_no_wider_than_the_card(bench):
    made = stay(bench)
    card = ResultCard(bench.app, made, STAY)
    card.add_head("Mortality", Badge("48 h", "tag"), Badge("unseen site: fixed effects only"))
    assert card.minimumSizeHint().width() <= 306
    card.deleteLater()


def test_the_hour_of_the_film_fits_beside_the_scroll_bar_of_a_small_window(bench):
    stay(bench)
    row = bench.find(QPushButton, "film_hour_run").parentWidget()
    assert row.minimumSizeHint().width() <= 280


def test_the_hour_of_the_film_can_be_told(bench):
    stay(bench)
    field, go = bench.find(QDoubleSpinBox, "film_hour"), bench.find(QPushButton, "film_hour_run")
    assert (field.value(), go.isEnabled()) == (5.0, False)
    field.setValue(30.5)
    go.click()
    assert bench.jobs.running("predict:run")[0].args[0].film_hour == 30.5
    bench.find(QDoubleSpinBox, "run_film_hour").setValue(12.0)
    assert bench.window.side.shown.analysis.options.value().film_hour == 12.0


def test_the_time_cursor_reads_every_row_and_the_risk(bench):
    stay(bench)
    strips = bench.window.findChild(Strips)
    assert strips.isVisible()
    assert strips.value_texts() == {"Heart Rate": "100", "Temperature": "38.5", "mortality": "0.40"}
    bench.app.records.look_at(strips.axis.hour_at(strips.axis.x_of(2.0)))
    assert strips.value_texts() == {"Heart Rate": "90", "Temperature": "–", "mortality": "0.10"}
    assert strips.film_hour == 5.0
    stay(bench, roles=("film",))  # a run without the record puts the film nowhere in it
    assert strips.film_hour is None


def test_the_keyboard_moves_the_time_cursor_and_what_is_read_aloud_follows(bench):
    stay(bench)
    strips = bench.window.findChild(Strips)
    strips.setFocus()
    session = bench.session
    for which, hour in (
        (Qt.Key.Key_Left, 7.0),
        (Qt.Key.Key_Left, 6.0),
        (Qt.Key.Key_Right, 7.0),
        (Qt.Key.Key_Home, 0.0),
        (Qt.Key.Key_End, 8.0),
        (Qt.Key.Key_Right, 8.0),
    ):
        type_key(strips, which)
        assert session.hour == hour
    assert strips.accessibleDescription() == (
        "hour 8, Heart rate 100, Temperature 38.5, Mortality 0.40"
    )
    assert session.views["main"].zoom == 1.0


def test_only_a_film_with_an_hour_is_in_the_legend(bench):
    made = stay(bench)
    foot = bench.find(QWidget, "record").findChild(QLabel)
    assert foot.text().startswith("filled: measured   hollow: carried on   dashed: film   ·")
    untold = replace(made, parameters={})
    bench.session.predictions = {bench.session.volume_id: (untold,)}
    assert foot.text().startswith("filled: measured   hollow: carried on   ·")


def test_the_hours_stay_in_sight_while_the_rows_scroll(bench):
    stay(bench)
    strips, record_ = bench.find(QWidget, "strips"), bench.find(QWidget, "record")
    assert strips.axis_top == strips.height() - 22  # all rows have room: below the last one
    rows = tuple(Strip(f"V{n}", "", (0.5,), (1.0,)) for n in range(40))
    strips.show_record(Record(rows, last=8.0), None)
    bench.settle()
    bar = record_.findChild(QScrollArea).verticalScrollBar()
    assert bar.maximum() > 300
    for at in (0, 150, bar.maximum()):
        bar.setValue(at)
        bench.settle()
        assert strips.axis_top == at + bar.pageStep() - 22
        seen = strips.grab(QRect(0, strips.axis_top, strips.width(), 22)).toImage()
        assert lit(seen, (160, 2, strips.width(), 20))


@pytest.mark.parametrize(
    ("doubt", "tag"),
    [
        ("46 values look like degrees Fahrenheit", "looks like °F"),
        ("1 value is not within 25 to 45", "odd values"),
        ("looks like kPa, not mmHg", "another unit?"),
    ],
)
def test_what_speaks_against_a_unit_is_a_tag_before_any_model_ran(bench, doubt, tag):
    strips = bench.window.findChild(Strips)
    assert strips._unit_tag(Strip("Temp", "°C", (0.5,), (98.6,), doubt)) == tag


def test_a_changed_unit_is_a_tag_at_its_row(bench):
    stay(bench, notes=("Temperature was in Fahrenheit; turned into °C",))
    strips = bench.window.findChild(Strips)
    assert strips._unit_tag(record().strips[1]) == "°F, converted"
    assert strips._unit_tag(record().strips[0]) == ""
    # The newest result says nothing of it, and the one before holds.
    told = bench.session.results
    quiet = replace(told[-1], version="other", warnings=())
    bench.session.predictions = {bench.session.volume_id: (*told, quiet)}
    assert strips._unit_tag(record().strips[1]) == "°F, converted"
    # Its letters stand in "Fahrenheit", and nothing was said of it.
    assert strips._unit_tag(Strip("HR", "1/min", (0.5,), (80.0,))) == ""


def test_the_record_has_room_beside_the_film_and_more_without_one(bench):
    stay(bench)
    pane = bench.find(QWidget, "record")
    beside = pane.parentWidget()
    assert pane.width() == pytest.approx(0.46 * beside.width(), abs=4)
    with bench.session.together():
        bench.session.volume, bench.session.volume_id = None, None
    assert pane.width() == pytest.approx(0.7 * beside.width(), abs=4)


def test_the_trace_says_what_it_is_a_risk_of(bench):
    made = stay(bench)
    strips = bench.find(QWidget, "strips")
    assert strips._title == "Mortality"
    first = replace(made.scores[0], name="icu_admission")
    strips.show_record(record(), replace(made, scores=(first, *made.scores[1:])))
    assert strips._title == "ICU admission"


@pytest.mark.parametrize("site", ["ICU type 2", None])
def test_a_risk_with_effects_of_sites_says_which_answer_it_is(qtbot, tmp_path, monkeypatch, site):
    monkeypatch.setattr("medview.ui.closing.ask", lambda *_: True)
    card = replace(STAY, id="icu-armed", title="ICU", settings={"sites": ["ICU type 2"]})
    bench = make_bench(tmp_path, CARD, card)
    qtbot.addWidget(bench.window)
    bench.show()
    mixed = 0.34 if site else None
    scores = (Score("mortality", mixed or 0.3), Score("mortality_fixed", 0.3),
              Score("mortality_mixed", mixed, status="ok" if site else "not_available"),
    )  # fmt: skip
    given = InputRef("series", "", "2.25.1", 0, "aa", (3, 4, 1))
    bench.session.tables = {"series": TableFile("series", Path("stay.csv"), given, record())}
    told = {"site": site} if site else {}
    file(bench, "icu-armed", scores, parameters=told, inputs=(given,))
    text = said(bench)
    assert ("site known" in text) == bool(site)
    assert ("unseen site: fixed effects only" in text) == (not site)
    assert "Without site | 0.30" in text
    assert ("With site | 0.34" in text) == bool(site)
    box = bench.find(QComboBox, "site")
    assert box.currentText() == (site or "unknown")
    other = "unknown" if site else "ICU type 2"
    box.setCurrentText(other)
    box.textActivated.emit(other)
    assert bench.jobs.running("predict:run")[0].args[0].site == ("" if site else other)


def test_no_name_of_a_phenotype_lies_under_its_bar(bench):
    stay(bench)
    rows = bench.find(QWidget, "phenotypes")
    for bar in rows.findChildren(ShareBar):
        named = [each for each in rows.findChildren(ElidedLabel) if each.y() <= bar.y() + 7]
        assert bar.x() >= max(named, key=lambda each: each.y()).geometry().right()


def test_the_record_goes_when_its_table_is_removed(bench):
    stay(bench)
    bench.find(QPushButton, "table_remove_series").click()
    assert not bench.window.findChild(Strips).isVisible()
    bench.app.analysis.run("icu")
    assert "needs a record of the stay" in bench.session.message.text


def test_weights_for_another_outcome_say_which(bench):
    film(bench)
    scores = (
        Score("mortality", None, status="not_available", meaning="no such head"),
        Score("icu_admission", 0.9968, 0.99, 1.0),
    )
    file(bench, "icu", scores)
    assert bench.find(QLabel, "result_value").text() == "> 0.99"
    assert "ICU admission" in said(bench)
    assert "risk of intensive care" in said(bench)


# -- first reader ------------------------------------------------------------------------------


def test_the_first_reader_sees_nothing_of_a_model_until_the_own_read_is_done(bench):
    chest(bench)
    bench.app.viewing.maps.set_first_reader(on=True)
    frame = bench.frame()
    assert (bench.session.results, frame.marks, frame.tints) == ((), (), ())
    assert not any("0.31" in line for line in frame.corners.top_right)
    assert "1 result waits" in bench.find(QLabel, "first_reader_text").text()
    assert bench.app.reading.material.outcomes == ()
    bench.find(QPushButton, "read_done").click()
    assert len(bench.session.results) == 1
    assert len(bench.frame().marks) == 6


def test_an_answer_to_a_score_is_kept_with_name_and_time(bench):
    chest(bench)
    bench.app.preferences.change(reader="A. Reader")
    bench.find(QPushButton, "say_cxr_score_severe_rejected").click()
    said_ = bench.session.opinion("cxr@1.0", "score severe")
    assert (said_.verdict, said_.by) == ("rejected", "A. Reader")
    assert bench.app.reading.material.outcomes[0].opinions == (said_,)
    bench.find(QPushButton, "say_cxr_score_severe_rejected").click()
    assert bench.session.opinion("cxr@1.0", "score severe") is None


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Septicemia (except in labor)", "Septicemia"),
        ("Fluid and electrolyte disorders", "Fluid and electrolyte"),
        ("Shock", "Shock"),
    ],
)
def test_a_long_phenotype_is_called_by_its_first_words(qtbot, name, seen):
    made = Phenotypes([Score("phenotype_01", 0.42, meaning=name)])
    qtbot.addWidget(made)
    made.resize(300, 120)
    made.show()
    (line,) = made.findChildren(ElidedLabel)
    assert line.text() == seen
    assert line.accessibleName() == name
    assert line.toolTip() == ("" if seen == name else name)


def left_ink(picture, top, bottom):
    """The first column of a picture in which anything stands out from its ground."""
    ground = picture.pixelColor(2, top).lightness()
    for x in range(2, picture.width()):
        for y in range(top, bottom):
            if abs(picture.pixelColor(x, y).lightness() - ground) > 60:
                return x
    return None


def test_links_begin_where_the_text_above_them_begins(bench):
    bench.show()
    file(bench, "brain-age-armed", AGES, parameters={"age_years": 61.0})
    panel = bench.find(QPushButton, "result_behind").parentWidget()
    while not panel.objectName().startswith("result_brain"):
        panel = panel.parentWidget()
    picture = panel.grab().toImage()
    link = bench.find(QPushButton, "result_behind")
    words = bench.find(QLabel, "row_gap_raw").parentWidget().findChildren(QLabel)[0]
    columns = []
    for each in (link, words):
        top = each.mapTo(panel, each.rect().topLeft()).y()
        columns.append(left_ink(picture.copy(4, top, 200, each.height()), 0, each.height()))
    assert None not in columns
    assert abs(columns[0] - columns[1]) <= 1
