from dataclasses import replace
from pathlib import Path

import pytest
from phantoms import phantom
from services.stubs import (
    catalogue_of,
    finding_at,
    on_screen,
    result_about,
    scalar_map,
    series_of,
)

from medview.domain.overlay import LayerStyle
from medview.domain.prediction import InputRef, Opinion
from medview.imaging.frame import compose_frame
from medview.services.session import Session
from medview.services.session_values import Shown, TableFile, Unfinished, VolumeId


@pytest.fixture
def session():
    return Session()


def test_a_change_is_told_once_with_its_new_value(session):
    heard = []
    session.events.map_name.connect(heard.append)
    session.map_name = "total"
    session.map_name = "total"
    assert heard == ["total"]


def test_a_result_is_drawn_on_the_very_pixels_it_is_about(session):
    shown = on_screen(session)
    session.predictions = {shown.id: (result_about(shown.id),)}
    assert [layer.map.name for layer in session.layers] == ["score"]


def test_changes_made_together_are_told_when_all_are_made(session):
    heard = []
    session.events.map_name.connect(lambda name: heard.append((name, session.time)))
    session.events.time.connect(lambda time: heard.append((session.map_name, time)))
    with session.together():
        session.map_name = "total"
        session.time = 3
        assert heard == []
    assert heard == [("total", 3)] * 2


@pytest.mark.parametrize(
    "other", [VolumeId("1.1#0", "another hash"), VolumeId("9.9#0", "abc"), VolumeId("1.1#1", "abc")]
)
def test_a_result_is_never_drawn_on_other_pixels(session, other):
    on_screen(session)
    session.predictions = {other: (result_about(other),)}
    session.unfinished = Unfinished(other, "anomaly", result_about(other).maps)
    assert session.layers == session.results == session.maps == ()


def test_nothing_is_drawn_while_the_pixels_are_not_known_by_their_hash(session):
    shown = on_screen(session)
    session.predictions = {shown.id: (result_about(shown.id),)}
    session.volume_id = None
    assert session.layers == ()


def test_only_the_chosen_map_is_visible_and_only_with_the_overlay_on(session):
    shown = on_screen(session)
    session.predictions = {shown.id: (result_about(shown.id, names=("score", "total")),)}
    assert not any(layer.style.visible for layer in session.layers)
    session.overlay_on = True
    assert [layer.map.name for layer in session.layers if layer.style.visible] == ["score"]
    session.map_name = "total"
    assert [layer.map.name for layer in session.layers if layer.style.visible] == ["total"]


def test_maps_of_a_running_model_stand_before_those_of_an_older_run(session):
    shown = on_screen(session)
    session.predictions = {shown.id: (result_about(shown.id, names=("score", "total")),)}
    fresh = scalar_map("score", shown.volume)
    session.unfinished = Unfinished(shown.id, "anomaly", (fresh,))
    assert session.map("score") is fresh
    assert {found.name for found in session.maps} == {"score", "total"}


def test_a_map_fades_by_another_map_of_the_same_pixels(session):
    shown = on_screen(session)
    session.predictions = {shown.id: (result_about(shown.id, names=("score", "total")),)}
    session.styles = {"score": LayerStyle(fade_by="total")}
    layer = next(layer for layer in session.layers if layer.map.name == "score")
    assert layer.fade is session.map("total")


def test_the_first_style_follows_from_what_the_map_is(session):
    shown = on_screen(session)
    names = ("score", "residual", "epistemic")
    session.predictions = {shown.id: (result_about(shown.id, names=names),)}
    styles = {name: session.style(name) for name in names}
    assert [style.colour_map for style in styles.values()] == ["inferno", "inferno", "viridis"]
    assert [style.threshold for style in styles.values()] == [6.0, 0.02, pytest.approx(0.018)]
    assert styles["score"].range == (0.0, 18.0)


def test_a_map_that_is_zero_outside_the_brain_leaves_the_rest_of_the_pane_grey(session):
    shown = on_screen(session)
    session.predictions = {shown.id: (result_about(shown.id, names=("total",)),)}
    session.map_name, session.overlay_on = "total", True
    frame = compose_frame(shown.volume, session.layers, session.views["main"])
    assert len(frame.tints) == 1
    assert not frame.tints[0][..., 3].any()


def test_a_trace_that_prints_the_session_does_not_print_who_is_open(session):
    session.catalogue = catalogue_of(series_of("1.1"))
    assert "A^B" in repr(session.catalogue)
    assert "A^B" not in repr(session)


def test_findings_are_those_of_the_pixels_on_screen(session):
    shown = on_screen(session)
    here, there = finding_at(1, (0, 0, 0), 3), finding_at(1, (5, 5, 5), 4)
    other = VolumeId("9.9#0", "abc")
    session.predictions = {
        shown.id: (result_about(shown.id, findings=[here]),),
        other: (result_about(other, phantom(), findings=[there]),),
    }
    assert session.findings == (here,)


def test_a_result_of_another_table_is_not_shown_beside_this_one(session):
    shown = on_screen(session)

    def table(sha256):
        given = InputRef("series", "", "2.25.1", 0, sha256, (3, 4, 1))
        return {"series": TableFile("series", Path("stay.csv"), given, None)}

    made = result_about(shown.id, model="icu", names=())
    of_a = replace(made, inputs=(*made.inputs, table("aa")["series"].given))
    plain = result_about(shown.id)
    session.predictions = {shown.id: (of_a, plain)}
    assert session.results == (of_a, plain)
    session.tables = table("bb")
    assert session.results == (plain,)
    # In another pane lie other pixels, and the table is not theirs.
    other = VolumeId("9.9#0", "abc")
    session.predictions |= {other: (of_a,)}
    assert session.results_about(other) == (of_a,)
    session.tables = table("aa")
    assert session.results == (of_a, plain)


def test_an_answer_is_that_to_the_very_thing_and_version_on_these_pixels(session):
    shown, other = on_screen(session), VolumeId("9.9#0", "abc")
    said = tuple(Opinion(about, word) for about, word in (("finding 1", "agree"), ("severe", "no")))
    session.opinions = {
        (shown.id, "anomaly@1.0"): said,
        (shown.id, "anomaly@1.1"): (Opinion("finding 1", "unsure"),),
        (other, "anomaly@1.0"): (Opinion("finding 2", "rejected"),),
    }
    asked = ("finding 1", "severe", "finding 2")
    assert [session.opinion("anomaly@1.0", about) for about in asked] == [*said, None]
    assert session.opinion("anomaly@1.1", "finding 1").verdict == "unsure"
    session.volume_id = None
    assert session.opinion("anomaly@1.0", "finding 1") is None


def test_a_pane_holds_what_was_put_into_it_and_an_empty_one_nothing(session):
    shown = on_screen(session)
    main = session.content("main")
    assert (main.series, main.volume, main.id) == (session.series, session.volume, shown.id)
    assert session.content("nowhere") is None
    other = Shown(series_of("9.9"), phantom(), 2)
    session.views |= dict.fromkeys(("right", "empty"), session.views["main"])
    session.active_pane, session.shown = "main", {"main": main, "right": other}
    assert [session.content(pane) for pane in ("right", "empty")] == [other, None]
    assert session.panes_of("9.9#0") == ("right",)
