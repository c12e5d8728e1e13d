from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import MARK_LPS, ORIENTATIONS, geometry_of, phantom, phantom_on, tilted
from services.stubs import finding_at, on_screen, result_about

from medview.domain.geometry import Plane
from medview.domain.volume import ValueTable, Volume, Window
from medview.imaging.frame import compose_frame
from medview.imaging.intensity import default_voi
from medview.imaging.reslice import cut_of
from medview.services.layouts import MAIN_PANE, PLANE_PANES
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.viewing import Viewing


@pytest.fixture
def viewing(session):
    return Viewing(session)


def index_in(session, pane=MAIN_PANE):
    return cut_of(session.volume.geometry, session.views[pane]).index


def points(session):
    return {view.point_lps for view in session.views.values()}


# -- first look ----------------------------------------------------------------------------


def test_a_volume_is_first_shown_at_its_middle_in_three_planes(session):
    planes = [view.plane for view in session.views.values()]
    assert planes == [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL]
    assert tuple(session.views) == PLANE_PANES
    assert [index_in(session, pane) for pane in PLANE_PANES] == [8, 10, 12]


# -- scrolling -----------------------------------------------------------------------------


def test_scrolling_steps_through_the_slices_and_holds_at_the_ends(session, viewing):
    seen = []
    for steps in (1, 1, 10, -100, 3, 100, 1):
        viewing.scroll(MAIN_PANE, steps)
        seen.append(index_in(session))
    assert seen == [9, 10, 15, 0, 3, 15, 15]


def test_the_first_and_last_slice_have_their_keys(session, viewing):
    viewing.go_to_end(MAIN_PANE, last=True)
    assert index_in(session) == 15
    viewing.go_to_end(MAIN_PANE, last=False)
    assert index_in(session) == 0


def test_scrolling_one_pane_moves_the_crosshair_in_all_but_not_their_slices(session, viewing):
    before = {pane: index_in(session, pane) for pane in PLANE_PANES}
    viewing.scroll("upper", 4)
    after = {pane: index_in(session, pane) for pane in PLANE_PANES}
    assert after == before | {"upper": before["upper"] + 4}
    assert len(points(session)) == 1


@pytest.mark.parametrize("code", ORIENTATIONS)
def test_in_every_orientation_each_slice_can_be_gone_to(code):
    session = Session()
    on_screen(session, volume=phantom(code))
    for pane in PLANE_PANES:
        for index in (0, 3, 12):
            Viewing(session).go_to(pane, index)
            assert index_in(session, pane) == index


@pytest.mark.parametrize("pane", PLANE_PANES)
def test_in_a_tilted_stack_every_slice_can_be_gone_to(pane):
    session = Session()
    on_screen(session, volume=phantom_on(tilted(geometry_of(), 15.0)))
    viewing = Viewing(session)
    viewing.go_to_end(pane, last=False)
    seen = [index_in(session, pane)]
    for _ in range(8):
        viewing.scroll(pane, 1)
        seen.append(index_in(session, pane))
    assert seen == list(range(9))


def test_the_crosshair_is_at_the_same_place_of_the_patient_in_every_pane(session, viewing):
    viewing.set_point(MARK_LPS)
    assert points(session) == {MARK_LPS}
    frames = [compose_frame(session.volume, (), view) for view in session.views.values()]
    assert [frame.values["image"] for frame in frames] == [1000.0, 1000.0, 1000.0]


def test_a_point_outside_comes_to_the_edge(session, viewing):
    viewing.set_point((1000.0, 0.0, 0.0))
    (point,) = points(session)
    assert session.volume.geometry.contains(point)
    assert index_in(session, "lower") == 23


# -- windows -------------------------------------------------------------------------------


def test_dragging_right_widens_and_dragging_up_lowers_the_level(session, viewing):
    viewing.set_window(MAIN_PANE, Window(400, 40))
    viewing.drag_window(MAIN_PANE, 100, 0)
    wider = viewing.window(MAIN_PANE)
    assert wider.width > 400
    assert wider.level == 40
    viewing.drag_window(MAIN_PANE, 0, -100)
    assert viewing.window(MAIN_PANE).level < 40
    assert viewing.window(MAIN_PANE).width == wider.width


@given(st.floats(-500, 500), st.floats(-500, 500))
def test_a_drag_sideways_and_back_gives_the_window_again(one, other):
    session = Session()
    on_screen(session)
    viewing = Viewing(session)
    viewing.set_window(MAIN_PANE, Window(400, 40))
    for step in (one, other, -one, -other):
        viewing.drag_window(MAIN_PANE, step, 0)
        assert viewing.window(MAIN_PANE).width > 0
    assert viewing.window(MAIN_PANE).width == pytest.approx(400)


@pytest.mark.parametrize("width", [1e-9, 80.0, 4000.0])
def test_no_drag_makes_a_window_that_cannot_be_drawn(session, viewing, width):
    viewing.set_window(MAIN_PANE, Window(width, 40, "LINEAR_EXACT"))
    for _ in range(20):
        viewing.drag_window(MAIN_PANE, -5000, -5000)
    window = viewing.window(MAIN_PANE)
    assert window.width > 0
    assert np.isfinite(window.level)


def test_a_reader_can_have_the_level_the_other_way_round(session, tmp_path):
    preferences = Preferences(tmp_path / "settings.json")
    preferences.change(reverse_level=True)
    viewing = Viewing(session, preferences)
    viewing.set_window(MAIN_PANE, Window(400, 40))
    viewing.drag_window(MAIN_PANE, 0, -100)
    assert viewing.window(MAIN_PANE).level > 40


def test_dragging_starts_from_the_window_the_file_is_shown_with(session, viewing):
    shown = default_voi(session.volume)
    viewing.drag_window(MAIN_PANE, 0, 0)
    assert viewing.window(MAIN_PANE) == replace(shown, label="")


def test_dragging_a_table_of_the_file_starts_from_what_it_spans():
    session = Session()
    table = ValueTable(30.0, np.linspace(0, 1, 200, dtype=np.float32))
    on_screen(session, volume=phantom(value_table=table))
    assert Viewing(session).window(MAIN_PANE) == Window(200.0, 130.0, "LINEAR_EXACT")


def test_colour_has_no_window():
    session = Session()
    geometry = geometry_of(shape=(1, 20, 24))
    on_screen(session, volume=Volume(np.zeros((1, 20, 24, 3), np.uint8), geometry))
    viewing = Viewing(session)
    viewing.drag_window(MAIN_PANE, 100, 100)
    assert viewing.window(MAIN_PANE) is None
    assert session.views[MAIN_PANE].window is None


def test_presets_are_those_of_the_modality(viewing, session):
    assert not viewing.use_preset(MAIN_PANE, "5")
    assert viewing.use_preset(MAIN_PANE, "1")
    on_screen(session, volume=phantom(modality="CT", quantity="HU"))
    assert viewing.use_preset(MAIN_PANE, "5")
    window = viewing.window(MAIN_PANE)
    assert (window.width, window.level) == (80, 40)
    viewing.use_file_window(MAIN_PANE)
    assert session.views[MAIN_PANE].window is None


def test_window_and_inversion_go_to_all_planes_of_a_series(session, viewing):
    viewing.set_window("upper", Window(80, 40))
    viewing.invert("upper")
    assert {view.window for view in session.views.values()} == {Window(80, 40)}
    assert all(view.inverted for view in session.views.values())


def test_unlinked_a_window_stays_in_its_pane(session, tmp_path):
    preferences = Preferences(tmp_path / "settings.json")
    preferences.change(link_windows=False)
    Viewing(session, preferences).set_window("upper", Window(80, 40))
    assert [view.window for view in session.views.values()] == [None, Window(80, 40), None]


# -- zoom, pan, turns ----------------------------------------------------------------------


def test_zooming_keeps_the_point_under_the_cursor(session, viewing):
    def from_the_middle():
        """Where a point of the image is, in mm as they are drawn."""
        view = session.views[MAIN_PANE]
        return 17.0 + view.pan_mm[0], 8.0 + view.pan_mm[1]

    viewing.pan(MAIN_PANE, 3.0, -2.0)
    zoom, (right, down) = 1.0, from_the_middle()
    for factor in (1.5, 2.0, 0.4):
        viewing.zoom(MAIN_PANE, factor, from_the_middle())
        zoom *= factor
        assert from_the_middle() == pytest.approx((right / zoom, down / zoom))


def test_zoom_and_pan_are_of_one_pane_and_fit_undoes_them(session, viewing):
    viewing.zoom(MAIN_PANE, 2.0)
    viewing.pan(MAIN_PANE, 5.0, 6.0)
    assert (session.views[MAIN_PANE].zoom, session.views[MAIN_PANE].pan_mm) == (2.0, (5.0, 6.0))
    assert session.views["upper"].zoom == 1.0
    viewing.fit(MAIN_PANE)
    assert (session.views[MAIN_PANE].zoom, session.views[MAIN_PANE].pan_mm) == (1.0, (0.0, 0.0))


@pytest.mark.parametrize("factor", [1e9, 1e-9])
def test_zoom_has_limits(session, viewing, factor):
    viewing.zoom(MAIN_PANE, factor)
    assert 0.05 < session.views[MAIN_PANE].zoom < 100


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("vertical", [False, True])
def test_a_flip_mirrors_what_is_on_the_screen_however_it_is_turned(
    session, viewing, quarters, vertical
):
    viewing.rotate(MAIN_PANE, quarters)
    before = compose_frame(session.volume, (), session.views[MAIN_PANE])
    viewing.flip(MAIN_PANE, vertical=vertical)
    after = compose_frame(session.volume, (), session.views[MAIN_PANE])
    mirrored = np.flipud if vertical else np.fliplr
    assert np.array_equal(after.image, mirrored(before.image))
    was, now = before.labels, after.labels
    if vertical:
        assert (now.top, now.bottom, now.left) == (was.bottom, was.top, was.left)
    else:
        assert (now.left, now.right, now.top) == (was.right, was.left, was.top)


def test_a_turn_is_clockwise_and_four_are_none(session, viewing):
    before = compose_frame(session.volume, (), session.views[MAIN_PANE])
    viewing.rotate(MAIN_PANE)
    after = compose_frame(session.volume, (), session.views[MAIN_PANE])
    assert np.array_equal(after.image, np.rot90(before.image, -1))
    viewing.rotate(MAIN_PANE, -1)
    assert session.views[MAIN_PANE].rotate == 0


@pytest.mark.parametrize(
    ("turn", "pan"),
    [
        (lambda v: v.flip(MAIN_PANE), (-5.0, 2.0)),
        (lambda v: v.flip(MAIN_PANE, vertical=True), (5.0, -2.0)),
        (lambda v: v.rotate(MAIN_PANE), (-2.0, 5.0)),
        (lambda v: v.rotate(MAIN_PANE, -1), (2.0, -5.0)),
    ],
)
def test_what_is_in_the_middle_of_the_pane_stays_there_when_it_is_turned(
    session, viewing, turn, pan
):
    viewing.pan(MAIN_PANE, 5.0, 2.0)
    turn(viewing)
    assert session.views[MAIN_PANE].pan_mm == pan


def test_a_slab_has_its_thickness_and_way(session, viewing):
    viewing.set_slab(MAIN_PANE, 10.0, "mean")
    view = session.views[MAIN_PANE]
    assert (view.slab_mm, view.slab_mode) == (10.0, "mean")
    viewing.set_slab(MAIN_PANE, -1.0)
    assert session.views[MAIN_PANE].slab_mm == 0.0


def test_a_slab_grows_by_a_slice_on_either_side_and_ends_at_the_volume(session, viewing):
    step = session.volume.geometry.spacing_mm[0]
    for sides in (1, 2):
        viewing.change_slab(MAIN_PANE, 1)
        view = session.views[MAIN_PANE]
        assert view.slab_mm == pytest.approx(sides * 2 * step)
        cut = cut_of(session.volume.geometry, view)
        assert (cut.index - cut.first, cut.last - cut.index) == (sides, sides)
    viewing.change_slab(MAIN_PANE, -9)
    assert session.views[MAIN_PANE].slab_mm == 0.0
    viewing.change_slab(MAIN_PANE, 1000)
    cut = cut_of(session.volume.geometry, session.views[MAIN_PANE])
    assert (cut.first, cut.last) == (0, session.volume.geometry.shape[0] - 1)


def test_the_kinds_of_slab_come_in_turn_and_only_in_one_pane(session, viewing):
    seen = []
    for _ in range(4):
        viewing.cycle_slab("upper")
        view = session.views["upper"]
        seen.append((view.slab_mode, view.slab_mm))
    thick = seen[0][1]
    assert thick >= 10.0
    assert seen[:3] == [("mip", thick), ("minip", thick), ("mean", thick)]
    assert seen[3][1] == 0.0
    assert session.views[MAIN_PANE].slab_mm == 0.0


def test_a_film_has_no_slab():
    session = Session()
    on_screen(session, volume=phantom_on(geometry_of("LPS", (1, 30, 30)), modality="DX"))
    viewing = Viewing(session)
    viewing.cycle_slab(MAIN_PANE)
    viewing.change_slab(MAIN_PANE, 3)
    assert session.views[MAIN_PANE].slab_mm == 0.0


def test_reset_undoes_everything_but_the_place(session, viewing):
    viewing.scroll(MAIN_PANE, 3)
    viewing.rotate(MAIN_PANE)
    viewing.zoom(MAIN_PANE, 2.0)
    viewing.set_window(MAIN_PANE, Window(80, 40))
    viewing.reset(MAIN_PANE)
    view = session.views[MAIN_PANE]
    assert index_in(session) == 11
    assert (view.rotate, view.zoom, view.window) == (0, 1.0, None)


def test_a_pane_can_fill_the_window_and_go_back(session, viewing):
    viewing.maximise("upper")
    assert session.maximised == "upper"
    viewing.maximise("upper")
    assert session.maximised is None


def test_tab_goes_round_the_panes(session, viewing):
    seen = []
    for steps in (1, 1, 1, -1):
        viewing.next_pane(steps)
        seen.append(session.active_pane)
    assert seen == ["upper", "lower", "main", "lower"]


def test_crosshair_and_texts_change_in_all_panes(session, viewing):
    viewing.toggle_crosshair()
    assert not any(view.crosshair for view in session.views.values())
    seen = []
    for _ in range(3):
        viewing.cycle_annotations()
        seen.append({view.annotations for view in session.views.values()})
    assert seen == [{"minimal"}, {"none"}, {"all"}]


def test_another_plane_keeps_the_window(session, viewing):
    viewing.set_window(MAIN_PANE, Window(80, 40))
    viewing.set_plane(MAIN_PANE, Plane.SAGITTAL)
    view = session.views[MAIN_PANE]
    assert (view.plane, view.window) == (Plane.SAGITTAL, Window(80, 40))


def test_with_nothing_open_no_wish_does_harm():
    session = Session()
    viewing = Viewing(session)
    for wish in (
        lambda: viewing.scroll(MAIN_PANE, 1),
        lambda: viewing.set_point((0.0, 0.0, 0.0)),
        lambda: viewing.drag_window(MAIN_PANE, 1, 1),
        lambda: viewing.use_preset(MAIN_PANE, "1"),
        lambda: viewing.zoom(MAIN_PANE, 2.0),
        lambda: viewing.maximise(MAIN_PANE),
        lambda: viewing.next_pane(),
        lambda: viewing.go_to_end(MAIN_PANE, last=True),
        lambda: viewing.toggle_crosshair(),
        lambda: viewing.maps.change_opacity(1),
        lambda: viewing.maps.cycle_map(),
        lambda: viewing.next_finding(),
    ):
        wish()
    assert session.views == session.styles == {}


# -- findings ------------------------------------------------------------------------------


@pytest.fixture
def with_findings(session):
    findings = [
        finding_at(1, (10.0, -20.0, 12.5), 9),
        finding_at(2, (-10.0, 20.0, -12.5), 5),
        finding_at(3, (0.0, 0.0, 22.5), 12),
    ]
    about = session.volume_id
    session.predictions = {about: (result_about(about, findings=findings),)}
    return session


def test_findings_are_gone_through_both_ways_round_and_round(with_findings, viewing):
    seen = []
    for steps in (1, 1, 1, 1, -1, -1):
        viewing.next_finding(steps)
        seen.append((with_findings.finding.id, index_in(with_findings)))
    assert seen == [(1, 9), (2, 5), (3, 12), (1, 9), (3, 12), (2, 5)]


def test_the_crosshair_is_put_on_the_peak_of_a_finding_not_beside_it(session, viewing):
    about, grid = session.volume_id, session.volume.geometry
    made = result_about(about, session.volume)
    # Half a ring: its middle is none of it.
    values = np.zeros(grid.shape, np.float32)
    values[9, 4:12, 3] = values[9, 4, 3:12] = values[9, 11, 3:12] = 5.0
    values[9, 11, 8] = 9.0
    shown = replace(made.maps[0], array=values)
    middle = grid.to_mm(np.argwhere(values).mean(axis=0))
    finding = finding_at(1, tuple(float(mm) for mm in middle), 9)
    session.predictions = {about: (replace(made, maps=(shown,), findings=(finding,)),)}
    viewing.next_finding()
    (point,) = points(session)
    assert grid.to_index(point) == pytest.approx((9, 11, 8))


def test_the_first_step_back_is_to_the_last_finding(with_findings, viewing):
    viewing.next_finding(-1)
    assert with_findings.finding.id == 3
