from dataclasses import replace

import numpy as np
import pytest
from phantoms import MARK_LPS, ORIENTATIONS, geometry_of, phantom_on
from PySide6.QtCore import QRect

from medview.domain.geometry import Plane
from medview.domain.overlay import ScalarMap
from medview.domain.volume import Volume
from medview.services.layouts import LAYOUTS
from medview.services.session_values import Unfinished
from medview.ui.pane_grid import _places


def test_three_panes_share_the_room_without_overlap():
    places = _places(QRect(0, 0, 1000, 800), LAYOUTS["mpr"], 3)
    assert places[0].width() > places[1].width()
    assert places[0].height() == pytest.approx(800, abs=8)
    for a in range(3):
        for b in range(a):
            assert not places[a].intersects(places[b])


def test_before_anything_is_open_the_pane_says_what_to_do(bench):
    bench.settle()
    assert [pane.key for pane in bench.window.grid.visible_panes] == ["main"]
    assert "Ctrl+O" in bench.pane().dress.note


def test_three_planes_of_one_point(head):
    planes = {key: view.plane for key, view in head.session.views.items()}
    assert set(planes.values()) == {Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL}
    head.app.viewing.set_point(MARK_LPS)
    values = {head.frame(key).values["image"] for key in planes}
    assert values == {1000.0}


@pytest.mark.parametrize("code", ORIENTATIONS[::7])
def test_left_is_left_however_the_file_is_stored(bench, code):
    bench.show(phantom_on(geometry_of(code, (30, 30, 30), (4.0, 4.0, 4.0))))
    bench.app.viewing.set_point(MARK_LPS)
    main = bench.frame("main")
    assert (main.labels.left, main.labels.right, main.labels.top) == ("R", "L", "A")
    bright = np.argwhere(main.image == main.image.max()).mean(axis=0)
    rows, columns = main.image.shape
    assert bright[1] > columns / 2
    assert bright[0] < rows / 2


def test_the_probe_reads_the_same_millimetres_in_every_pane(head):
    head.app.viewing.set_point(MARK_LPS)
    for key in head.session.views:
        pane = head.pane(key)
        head.settle()
        at = pane.pixel_of(*head.frame(key).cursor)
        assert pane.to_lps(at.x(), at.y()) == pytest.approx(MARK_LPS, abs=1.6)


def test_a_film_has_one_pane(bench):
    array = np.arange(600, dtype=np.int16).reshape(1, 20, 30)
    bench.show(Volume(array, geometry_of("LPS", (1, 20, 30), (1.0, 1.0, 1.0)), modality="DX"))
    assert [pane.key for pane in bench.window.grid.visible_panes] == ["main"]
    assert bench.frame().image.shape == (20, 30)
    assert not bench.frame().crosshair


def test_a_colour_image_is_shown_as_it_is(bench):
    array = np.zeros((1, 4, 6, 3), np.uint8)
    array[0, 1, 2] = (200, 10, 20)
    grid = geometry_of("LPS", (1, 4, 6), (1.0, 1.0, 1.0))
    bench.show(Volume(array, grid, modality="US"))
    assert tuple(bench.frame().image[1, 2]) == (200, 10, 20)


def test_lengths_on_a_film_are_those_at_the_detector(bench):
    grid = geometry_of("LPS", (1, 20, 30), (1.0, 1.0, 1.0))
    bench.show(Volume(np.zeros((1, 20, 30), np.int16), replace(grid, spacing_kind="detector")))
    assert (bench.pane().dress.has_scale, bench.pane().dress.scale_note) == (True, "at detector")


def test_the_corner_says_whose_image_it_is(head):
    head.settle()
    assert head.pane().dress.corners.top_left[0] == "A, B"
    assert head.pane().dress.corners.top_left[1] == "F · 76 y · 21 Nov 2026"
    assert head.pane("upper").dress.corners.top_right == ("A, B",)


def test_private_hides_name_age_and_date_everywhere(head):
    head.press("Ctrl+Shift+P")
    corners = [head.pane(key).dress.corners for key in head.session.views]
    text = " ".join(line for c in corners for line in (*c.top_left, *c.top_right))
    assert "9f2c41aa" in text
    for secret in ("A, B", "P1", "2026", "76"):
        assert secret not in text


def test_the_pane_names_the_map_the_model_and_that_it_is_for_research(head):
    head.add_result("score")
    assert head.frame() is not None
    lines = head.pane().dress.corners.bottom_right
    assert lines[-1] == "research use only"
    assert "Anomaly 1.0" in lines[0]


def test_the_strip_belongs_to_the_pane_that_steps_through_the_slices(head):
    head.add_result("score")
    strips = {key: len(head.frame(key).strip) for key in head.session.views}
    axial = next(k for k, v in head.session.views.items() if v.plane is Plane.AXIAL)
    assert strips[axial] == head.frame(axial).slices
    assert all(count == 0 for key, count in strips.items() if key != axial)


def test_zooming_composes_no_new_frame(head):
    frame = head.frame()
    head.app.viewing.zoom("main", 2.0)
    assert head.frame() is frame
    head.app.viewing.scroll("main", 1)
    assert head.frame() is not frame


def test_many_changes_are_drawn_once(head, qtbot):
    drawn = []
    head.window.grid.drawn.connect(lambda: drawn.append(1))
    for _ in range(5):
        head.app.viewing.scroll("main", 1)
    qtbot.waitUntil(lambda: bool(drawn))
    assert len(drawn) == 1


def test_a_growing_map_is_drawn_one_pane_a_turn_and_whole_where_something_else_changes(
    head, qtbot, monkeypatch
):
    grid, drawn, turns = head.window.grid, [], []
    draw = type(grid)._draw
    monkeypatch.setattr(
        type(grid),
        "_draw",
        lambda self, pane, keys: (drawn.append(pane.key), draw(self, pane, keys)),
    )
    grow(head, 1.0)
    head.session.overlay_on = True
    head.settle()
    drawn.clear()
    grow(head, 5.0)
    for turn in range(4):
        grid._draw_next()
        turns.append(len(drawn))
        if turn == 0:
            grow(head, 9.0)
    assert drawn == ["main", "upper", "lower", "main"]
    assert turns == [1, 2, 3, 4]
    assert head.pane().frame_shown.values["score"] == 9.0
    drawn.clear()
    grow(head, 7.0)
    head.app.viewing.scroll("main", 1)
    qtbot.waitUntil(lambda: len(drawn) >= 3)
    qtbot.wait(20)
    assert drawn == ["main", "upper", "lower"]


def grow(head, value):
    """A running model has sent more of its score."""
    about, volume = head.session.volume_id, head.session.volume
    array = np.full(volume.geometry.shape, value, np.float32)
    score = ScalarMap("score", array, volume.geometry, range=(0.0, 18.0))
    head.session.unfinished = Unfinished(about, "anomaly", (score,))


def test_missing_slices_are_hatched_and_said(bench):
    volume = phantom_on(geometry_of("LPS", (20, 20, 24), (3.0, 4.0, 4.0)), missing_slices=(10,))
    bench.show(volume)
    bench.app.viewing.go_to("main", 10)
    assert bench.frame().missing
    bench.app.viewing.go_to("main", 11)
    assert not bench.frame().missing


def test_as_long_as_slices_are_to_come_the_whole_image_is_shown(bench):
    grid = geometry_of("LPS", (40, 60, 60), (3.0, 3.0, 3.0))
    whole = phantom_on(grid)
    bench.show(replace(whole, slices_to_come=(1, 2, 3)))
    part = bench.pane().px_per_mm()
    bench.show(whole, uid="1.2")
    assert bench.pane().px_per_mm() > part * 1.2
