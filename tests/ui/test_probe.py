from dataclasses import replace

import numpy as np
import pytest
from phantoms import MARK_LPS, geometry_of, map_of, phantom
from services.stubs import on_screen, result_about

from medview.domain.volume import Volume
from medview.services.session import Session
from medview.ui.pointer import Pointer
from medview.ui.probe import (
    Value,
    label_of,
    probe,
    probe_lines,
    probe_under,
    short_text,
    value_at,
    value_text,
)


def read_at(point, **fields):
    session = Session()
    on_screen(session, volume=phantom(**fields))
    return probe(session, point)


def test_the_value_is_that_of_the_voxel_that_holds_the_point():
    assert read_at(MARK_LPS).values[0].value == 1000
    assert read_at((0.0, 0.0, 0.0)).values[0].value == 300


def test_every_layer_has_its_own_value():
    session = Session()
    shown = on_screen(session)
    result = result_about(shown.id, shown.volume, names=("score", "total"))
    session.predictions = {shown.id: (result,)}
    values = {v.name: v.value for v in probe(session, MARK_LPS).values}
    assert values == {"image": 1000, "score": 0, "total": 0}


def test_figures_are_read_before_masks_and_what_a_model_was_given():
    session = Session()
    shown = on_screen(session)
    result = result_about(shown.id, shown.volume, names=("score", "seen", "brain", "total"))
    kinds = {"seen": "image", "brain": "mask"}
    maps = tuple(replace(each, kind=kinds.get(each.name, each.kind)) for each in result.maps)
    session.predictions = {shown.id: (replace(result, maps=maps),)}
    names = [value.name for value in probe(session, MARK_LPS).values]
    assert set(names[1:3]) == {"score", "total"}
    assert set(names[3:]) == {"seen", "brain"}


def test_outside_there_is_nothing_to_read():
    assert read_at((500.0, 0.0, 0.0)) is None
    assert probe(Session(), (0.0, 0.0, 0.0)) is None


def test_not_a_number_is_no_value():
    volume = phantom()
    array = np.full(volume.geometry.shape, np.nan, np.float32)
    assert value_at(array, volume.geometry, MARK_LPS) is None


def test_a_colour_image_has_no_single_value():
    session = Session()
    grid = geometry_of("LPS", (1, 4, 6), (1.0, 1.0, 1.0))
    on_screen(session, volume=Volume(np.zeros((1, 4, 6, 3), np.uint8), grid))
    assert probe(session, (0.0, 0.0, 0.0)).values[0].value is None


def test_a_colour_image_says_red_green_and_blue_under_the_mouse():
    session = Session()
    shown = on_screen(session)
    array = np.zeros((*shown.volume.array.shape, 3), np.uint8)
    array[..., 0], array[..., 1] = 255, 7
    on_screen(session, volume=replace(shown.volume, array=array))
    read = probe(session, (0.0, 0.0, 0.0))
    assert read.values[0].value is None
    assert probe_lines(read)[1].endswith("RGB 255 7 0")
    assert short_text(replace(read.values[0], title="")) == "RGB 255 7 0"


def test_the_lines_say_place_value_and_unit():
    lines = probe_lines(read_at(MARK_LPS, quantity="HU"))
    assert lines[0] == "L 20.0  A 25.0  H 15.0 mm"
    assert lines[1].endswith("1000 HU")


def test_the_value_is_told_behind_a_name_from_right_to_left():
    read = Value("image", "T1 محوري", 300.0, "a.u.")
    assert short_text(read) == value_text(read) == "\u2068T1 محوري\u2069 300"


def test_without_a_known_orientation_the_place_is_column_and_row():
    film = geometry_of("LPS", (1, 40, 60), (1.0, 1.0, 1.0))
    session = Session()
    unknown = replace(film, orientation_known=False, spacing_kind=None)
    on_screen(session, volume=Volume(np.ones((1, 40, 60), np.int16), unknown))
    x, y, z = (float(v) for v in unknown.to_mm((0, 11, 29)))
    assert probe(session, (x, y, z)).where == "column 30, row 12"


def test_numbers_without_a_unit_have_none():
    read = read_at(MARK_LPS)
    assert value_text(read.values[0], titled=False) == "1000"


def test_the_place_is_that_of_the_mouse_and_else_of_the_crosshair():
    session = Session()
    assert probe_under(session, None) is None
    on_screen(session)
    crosshair = session.views[session.active_pane].point_lps
    mouse = (crosshair[0] + 4, crosshair[1], crosshair[2])
    here = Pointer(session.active_pane, 1, 1, mouse)
    beside = Pointer("empty", 1, 1, None)
    places = [probe_under(session, at).point_lps for at in (here, beside, None)]
    assert places == [mouse, crosshair, crosshair]


@pytest.mark.parametrize("name", ["score"])
def test_a_map_on_the_grid_reads_like_the_image(name):
    volume = phantom()
    assert value_at(map_of(volume, name).array, volume.geometry, MARK_LPS) == 1000


REGIONS = ("right thalamus", "left thalamus")


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "none"), (2.0, REGIONS[1]), (3.0, ""), (1.5, ""), (None, "")]
)
def test_a_value_of_a_map_of_labels_has_a_name(value, text):
    found = map_of(phantom(), "score")
    assert label_of(replace(found, kind="labels", labels=REGIONS), value) == text
    assert label_of(found, value) == ""


def test_the_name_stands_in_place_of_the_number():
    session = Session()
    shown = on_screen(session)
    result = result_about(shown.id, shown.volume, names=("regions",))
    (found,) = result.maps
    named = replace(found, array=np.ones_like(found.array), kind="labels", labels=REGIONS)
    session.predictions = {shown.id: (replace(result, maps=(named,)),)}
    read = probe(session, MARK_LPS).values[1]
    assert value_text(read, titled=False) == REGIONS[0]
    assert short_text(read) == "regions right thalamus"
