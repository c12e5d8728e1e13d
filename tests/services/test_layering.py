"""Which maps lie over an image: keys, order, and how they are drawn at first."""

from dataclasses import replace
from typing import get_args

import pytest
from phantoms import phantom
from services.stubs import result_about, scalar_map

from medview.domain.overlay import LayerStyle, MapKind
from medview.services.layering import (
    KINDS,
    Known,
    Renamed,
    base_name,
    bottom_up,
    first_style,
    known_maps,
    laid_style,
    layers_of,
    short_name,
)
from medview.services.session_values import VolumeId

ABOUT = VolumeId("1.1#0", "abc")
VOLUME = phantom()
NOTHING_BEGUN = ((), {})


def by_id(made):
    return f"{made.model} {made.version}"


def result(version="1.0", names=("score",), model="anomaly"):
    return replace(result_about(ABOUT, VOLUME, model=model, names=names), version=version)


def known(*results, begun=NOTHING_BEGUN, renamed=None):
    return known_maps(results, begun, renamed or Renamed(by_id))


def test_the_newest_result_keeps_the_name_and_others_are_told_by_version():
    old, new = result("1.0", ("score", "residual")), result("2.0")
    found = known(old, new)
    assert set(found) == {"score", "residual", "score|anomaly@1.0"}
    assert found["score"].map is new.maps[0]
    assert found["score|anomaly@1.0"].map.title == "score, anomaly 1.0"
    assert found["residual"].owner is old


def test_a_map_under_a_longer_name_is_made_once_and_let_go_with_its_result():
    old, new, renamed = result("1.0"), result("2.0"), Renamed(by_id)
    first = known(old, new, renamed=renamed)["score|anomaly@1.0"].map
    assert known(old, new, renamed=renamed)["score|anomaly@1.0"].map is first
    renamed.keep((new,))
    assert known(old, new, renamed=renamed)["score|anomaly@1.0"].map is not first


def test_what_a_model_fills_now_stands_before_what_was_said_before():
    filling = scalar_map("score", VOLUME)
    found = known(result(names=("score", "residual")), begun=((filling,), {"threshold": 3.0}))
    assert found["score"] == Known(filling, {"threshold": 3.0}, None)
    assert set(found) == {"score", "residual"}


def test_maps_lie_by_kind_until_the_reader_orders_them():
    found = known(result(names=("score", "epistemic")))
    mask = replace(scalar_map("score", VOLUME), name="brain", kind="mask")
    found["brain"] = Known(mask, {}, None)
    assert bottom_up(found, ()) == ["epistemic", "brain", "score"]
    assert bottom_up(found, ("score", "epistemic")) == ["brain", "score", "epistemic"]
    assert bottom_up(found, ("gone", "brain")) == ["epistemic", "score", "brain"]


def test_layers_are_seen_where_they_are_drawn_and_styled_as_the_reader_said():
    found = known(result(names=("score", "epistemic")))
    mine = LayerStyle(opacity=0.2, fade_by="epistemic")
    layers = layers_of(found, {"score": mine}, (), {"score"})
    assert [(layer.map.name, layer.style.visible) for layer in layers] == [
        ("epistemic", False),
        ("score", True),
    ]
    assert layers[1].style == replace(mine, visible=True)
    assert layers[1].fade is found["epistemic"].map
    assert layers[0].fade is None


def test_a_map_is_faded_by_the_one_of_its_own_result():
    found = known(result("1.0", ("score", "total")), result("2.0", ("score", "total")))
    style = LayerStyle(fade_by="total")
    key = "score|anomaly@1.0"
    (layer,) = (each for each in layers_of(found, {key: style}, (), ()) if each.map.name == key)
    assert layer.fade is found["total|anomaly@1.0"].map
    del found["total|anomaly@1.0"]
    (layer,) = (each for each in layers_of(found, {key: style}, (), ()) if each.map.name == key)
    assert layer.fade is found["total"].map


@pytest.mark.parametrize(
    ("key", "base", "short"),
    [("score", "score", "score"), ("score|anomaly@2.1", "score", "score (2.1)")],
)
def test_a_key_is_said_short(key, base, short):
    assert (base_name(key), short_name(key)) == (base, short)


@pytest.mark.parametrize(
    ("name", "kind", "settings", "threshold", "colours"),
    [
        ("score", "anomaly", {"threshold": 6.0}, 6.0, "inferno"),
        ("score|anomaly@1.0", "anomaly", {"threshold": 6.0}, 6.0, "inferno"),
        ("residual", "anomaly", {"threshold": 6.0, "residual_threshold": 2.0}, 2.0, "inferno"),
        ("score", "anomaly", {}, 0.5, "inferno"),
        ("total", "uncertainty", {"threshold": 6.0}, 0.01, "viridis"),
        ("t2", "image", {}, 0.0, "gray"),
    ],
)
def test_a_map_is_first_drawn_from_its_own_threshold(name, kind, settings, threshold, colours):
    shown = replace(scalar_map("score", VOLUME), name=name, kind=kind, range=(0.0, 10.0))
    style = first_style(shown, settings)
    assert style.threshold == pytest.approx(threshold)
    assert (style.colour_map, style.range, style.visible) == (colours, (0.0, 10.0), False)


def test_every_kind_of_map_has_its_place_and_look():
    assert set(KINDS) == set(get_args(MapKind))


def test_labels_are_drawn_from_the_first_on_and_let_the_image_be_seen():
    shown = replace(scalar_map("regions", VOLUME), kind="labels", range=(0.0, 40.0))
    style = first_style(shown, {})
    assert (style.threshold, style.opacity, style.range) == (0.5, 0.4, (0.0, 40.0))


def test_masks_of_others_have_a_colour_each_and_let_the_image_be_seen():
    mask = replace(scalar_map("score", VOLUME), kind="mask", range=(0.0, 1.0))
    styles = [laid_style(mask, place) for place in range(7)]
    assert len({(style.colour_map, style.range) for style in styles[:6]}) == 6
    assert styles[6] == styles[0]
    assert {(style.threshold, style.opacity) for style in styles} == {(0.5, 0.5)}
    plain = replace(mask, kind="anomaly")
    assert laid_style(plain, 3) == first_style(plain, {})
