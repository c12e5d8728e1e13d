"""What is done with the maps on an image."""

from dataclasses import replace

import numpy as np
import pytest
from services.stubs import result_about

from medview.domain.overlay import LayerStyle
from medview.domain.volume import Window
from medview.imaging.frame import compose_frame
from medview.services.layouts import MAIN_PANE
from medview.services.overlaying import Overlaying
from medview.services.settings import Preferences
from medview.services.viewing import Viewing

NAMES = ("score", "residual", "epistemic", "aleatoric", "total", "seen")


@pytest.fixture
def with_result(session):
    about = session.volume_id
    session.predictions = {about: (result_about(about, names=NAMES),)}
    return session


@pytest.fixture
def maps(session):
    return Overlaying(session)


def test_what_is_done_to_an_overlay_leaves_every_view_alone(with_result, maps):
    viewing = Viewing(with_result)
    viewing.set_window(MAIN_PANE, Window(80, 40))
    viewing.zoom(MAIN_PANE, 3.0)
    viewing.scroll(MAIN_PANE, 4)
    views = with_result.views
    grey = compose_frame(with_result.volume, (), views[MAIN_PANE])
    maps.toggle_overlay()
    maps.change_opacity(-3)
    maps.cycle_map()
    assert with_result.views is views
    drawn = compose_frame(with_result.volume, with_result.layers, views[MAIN_PANE])
    assert len(drawn.tints) == 1
    assert np.array_equal(drawn.image, grey.image)
    assert (drawn.window, drawn.slice) == (grey.window, grey.slice)


def test_the_overlay_goes_off_and_on_exactly(with_result, maps):
    maps.change_opacity(-2)
    before = with_result.layers
    maps.toggle_overlay()
    maps.toggle_overlay()
    assert [layer.style for layer in with_result.layers] == [layer.style for layer in before]


@pytest.mark.parametrize("way", ["toggle_overlay", "cycle_map"])
def test_of_a_model_without_a_score_the_topmost_map_is_shown(session, maps, way):
    about = session.volume_id
    session.overlay_on = way != "toggle_overlay"
    session.predictions = {about: (result_about(about, names=("seen", "regions")),)}
    top = session.layers[-1].map.name
    getattr(maps, way)()
    assert [each.map.name for each in session.layers if each.style.visible] == [top]
    maps.cycle_map()
    assert session.map_name != top


def test_opacity_goes_by_tenths_from_none_to_all(with_result, maps):
    seen = []
    for steps in (1, 5, -1, -20, 1):
        maps.change_opacity(steps)
        seen.append(with_result.style("score").opacity)
    assert seen == [0.8, 1.0, 0.9, 0.0, 0.1]
    assert with_result.style("total").opacity == 0.7


def test_the_maps_go_round_in_their_order(with_result, maps):
    seen = []
    for _ in range(5):
        maps.cycle_map()
        seen.append(with_result.map_name)
    assert seen == ["residual", "epistemic", "aleatoric", "total", "score"]


def test_going_round_leaves_out_maps_that_are_not_there(session, maps):
    about = session.volume_id
    session.predictions = {about: (result_about(about, names=("score", "total")),)}
    maps.cycle_map()
    assert session.map_name == "total"
    maps.cycle_map()
    assert session.map_name == "score"


def test_what_the_model_saw_is_shown_by_name_and_left_by_going_round(with_result, maps):
    maps.show_map("seen")
    assert with_result.map_name == "seen"
    maps.cycle_map()
    assert with_result.map_name == "score"


def test_a_map_is_kept_beside_the_chosen_one_and_the_last_one_takes_the_overlay(with_result, maps):
    maps.keep_map("score", on=True)
    maps.keep_map("total", on=True)
    assert (with_result.overlay_on, set(with_result.maps_drawn)) == (True, {"score", "total"})
    maps.keep_map("score", on=False)
    assert (with_result.map_name, set(with_result.maps_drawn)) == ("total", {"total"})
    maps.keep_map("total", on=False)
    assert not with_result.overlay_on


def test_a_map_is_raised_and_lowered_and_the_ends_hold(with_result, maps):
    def order():
        return [layer.map.name for layer in with_result.layers]

    first = order()[0]
    maps.move_map(first, 1)
    assert order()[1] == first
    maps.move_map(first, 99)
    assert order()[-1] == first
    maps.move_map(first, -99)
    assert order()[0] == first
    maps.move_map("no such map", 1)
    assert order()[0] == first


def test_a_style_is_told_once_it_differs_and_never_of_a_map_that_is_not_there(with_result, maps):
    told = []
    maps.restyled = told.append
    style = with_result.style("score")
    maps.set_style("score", style)
    maps.set_style("no such map", LayerStyle(opacity=0.1))
    assert told == []
    maps.set_style("score", replace(style, opacity=0.1), "drag")
    assert [(step.map, step.gesture) for step in told] == [("score", "drag")]
    assert with_result.style("score").opacity == 0.1


def test_what_models_say_is_kept_back_until_the_reading_is_done(with_result, tmp_path):
    preferences = Preferences(tmp_path / "settings.json")
    maps = Overlaying(with_result, preferences)
    maps.set_first_reader(on=True)
    assert preferences.settings.first_reader
    assert with_result.layers == ()
    maps.finish_reading()
    assert with_result.read == {with_result.volume_id}
    assert len(with_result.layers) == len(NAMES)
