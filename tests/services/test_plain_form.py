"""Records as plain values and back: what does not fit is refused."""

import json
from dataclasses import dataclass

import pytest

from medview.domain.geometry import Plane
from medview.domain.measurement import Measurement
from medview.domain.overlay import LayerStyle
from medview.domain.volume import Window
from medview.imaging.view import View
from medview.services.plain_form import from_plain, to_plain

RULER = Measurement(1, "length", ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), (1.0, 0, 0), (0, 1.0, 0))


@dataclass(frozen=True)
class Bare:
    needed: int
    pair: tuple[int, str] = (1, "a")


@pytest.mark.parametrize(
    "value", [View(Plane.CORONAL, (1.0, 2.0, 3.0), Window(3.0, 4.0)), RULER, LayerStyle(), Bare(3)]
)
def test_records_come_back_from_their_plain_form(value):
    assert from_plain(type(value), json.loads(json.dumps(to_plain(value)))) == value


def test_what_is_not_there_has_its_default():
    assert from_plain(LayerStyle, {"opacity": 0.25}) == LayerStyle(opacity=0.25)


def test_a_whole_number_does_for_a_float_and_an_unknown_field_for_nothing():
    style = from_plain(LayerStyle, {"opacity": 1, "of a later version": [1, 2]})
    assert (style, type(style.opacity)) == (LayerStyle(opacity=1.0), float)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (View, {"zoom": "2"}),
        (View, {"plane": "oblique"}),
        (View, {"pan_mm": [1.0]}),
        (View, {"zoom": float("nan")}),
        (View, {"zoom": 10**400}),
        (View, {"zoom": True}),
        (View, {"slab_mode": "sum"}),
        (View, 7),
        (Bare, {}),
        (Bare, {"needed": 1.0}),
        (Bare, {"needed": True}),
        (Bare, {"needed": 1, "pair": "ab"}),
        (Bare, {"needed": 1, "pair": [1, "a", 2]}),
    ],
)
def test_what_does_not_fit_is_refused(kind, body):
    with pytest.raises(ValueError):  # noqa: PT011  # the message is of no use to anyone
        from_plain(kind, body)


def test_what_has_no_plain_form_is_a_mistake():
    with pytest.raises(TypeError, match="set has no plain form"):
        to_plain({1, 2})
