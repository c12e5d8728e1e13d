"""A radiologist's first minutes, as scenarios: each ends with a picture of the window.

The pictures go to the folder that MEDVIEW_SHOTS names, where it is set, for people to look at.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_files import catalogue, ct, positions, save
from phantoms import MARK_LPS, geometry_of, phantom_on, tilted
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QPushButton
from ui.fakes import CONTROL, MIDDLE, RIGHT, SHIFT, drag, hover, wheel
from ui.test_layout_actions import CATALOGUE, NOW, STRANGER, let_go

from medview.domain.geometry import Plane
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.imaging.reslice import cut_of
from medview.io import readers

GRID = geometry_of("LPS", (60, 48, 48), (2.0, 2.0, 2.0))


@pytest.fixture
def shot(bench, tmp_path):
    """Save what the window looks like under a name."""

    def taken(name):
        bench.settle()
        folder = Path(os.environ.get("MEDVIEW_SHOTS") or tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        assert bench.window.grab().save(str(path))
        return path

    return taken


def grey(bench):
    window = bench.app.viewing.window(bench.session.active_pane)
    return window.width, window.level


def number(bench, pane="main"):
    return bench.frame(pane).slice + 1


# -- A1 ------------------------------------------------------------------------------------


def slices(series, patient, count=6):
    made = []
    for k, place in enumerate(positions(count=count)):
        pixels = np.full((32, 32), 1024 + 40 * k, np.int16)
        pixels[8:20, 8:20] += 200
        elements = {"SeriesInstanceUID": series, "StudyInstanceUID": f"1.2.{patient}"}
        elements |= {"PatientID": patient, "PatientName": f"{patient}^Case"}
        made.append(ct(pixels, ImagePositionPatient=list(place), InstanceNumber=k, **elements))
    return made


def test_a1_a_messy_folder_is_listed_shown_and_what_failed_is_said_once(bench, tmp_path, shot):
    folder = tmp_path / "messy"
    for series, patient in (("1.1", "11"), ("1.2", "11"), ("1.3", "22")):
        save(slices(series, patient), folder / series)
    whole = next((folder / "1.3").iterdir())
    (folder / "truncated.dcm").write_bytes(whole.read_bytes()[:500])
    (folder / "notes.txt").write_text("buy milk")
    bench.window.open_paths((folder,))
    bench.jobs.running("scan")[0].finish(catalogue(folder))
    job = bench.jobs.running("load_and_identify")[0]
    job.send(readers.load(Silent(), job.args[0]))
    job.finish("sha")
    assert len(bench.session.catalogue.patients) == 2
    assert len(bench.session.catalogue.all_series()) == 3
    assert number(bench) == 4
    (note,) = bench.window.notes.texts()
    assert note.startswith("1 file could not be read: truncated.dcm")
    assert "notes" not in note
    assert bench.window.studies.left_out.isVisible()
    shot("A1_messy_folder")
    bench.window.open_paths((folder / "1.1",))
    assert bench.window.notes.texts() == []


def test_a1_a_cancelled_import_leaves_what_is_open(head):
    before = head.session.catalogue
    head.window.open_paths((Path("/more"),))
    head.jobs.running("scan")[0].report(30, 100, "IM30")
    head.settle()
    head.window.status.task.cancel()
    assert head.session.catalogue is before
    assert head.session.tasks == ()
    assert head.window.table["image.invert"].isEnabled()


# -- A3 ------------------------------------------------------------------------------------


def test_a3_hands_know_the_way(bench, shot):
    bench.show(phantom_on(GRID, modality="CT", quantity="HU"))
    pane = bench.pane()
    assert number(bench) == 31
    seen = []
    wheel(pane, -1)
    seen.append(number(bench))
    for keys in ("Down", "Shift+Down", "Home", "End", "Down"):
        bench.press(keys)
        seen.append(number(bench))
    assert seen == [32, 33, 43, 1, 60, 60]
    width, level = grey(bench)
    drag(pane, (200, 200), (100, -50))
    assert grey(bench)[0] > width
    assert grey(bench)[1] < level
    drag(pane, (200, 200), (0, -60), RIGHT)
    assert bench.session.views["main"].zoom > 1
    drag(pane, (200, 200), (30, 10), MIDDLE)
    assert bench.session.views["main"].pan_mm[0] > 0
    at = (pane.area.center().x() + 40, pane.area.center().y() - 30)
    bench.settle()
    before = pane.to_pixel(*at)
    wheel(pane, 2, CONTROL, at)
    bench.settle()
    assert pane.to_pixel(*at) == pytest.approx(before, abs=1)
    drag(pane, (200, 200), (0, 0), RIGHT)
    menu = bench.find(QMenu, "menu_pane")
    assert menu.isVisible()
    menu.close()
    shot("A3_hands")
    bench.press("Esc")
    assert (bench.session.views["main"].zoom, bench.session.views["main"].pan_mm) == (1, (0, 0))


# -- A4 ------------------------------------------------------------------------------------


def test_a4_windows_by_key_in_the_active_pane_and_whatever_comes_over_it(bench, shot):
    bench.show(phantom_on(GRID, modality="CT", quantity="HU"))
    header = grey(bench)
    for keys, wanted in (
        ("5", (80, 40)),
        ("4", (2500, 480)),
        ("2", (1500, -600)),
        ("1", (400, 40)),
    ):
        bench.press(keys)
        assert grey(bench) == wanted
    bench.press("`")
    assert grey(bench) == header
    bench.press("1")
    bench.app.viewing.zoom("main", 1.5)
    views = bench.session.views
    bench.add_result("score", "epistemic")
    bench.press("O")
    bench.press("U")
    bench.window.resize(1200, 800)
    bench.settle()
    assert bench.session.views == views
    first = bench.session.series
    bench.show(phantom_on(GRID), uid="1.9")
    bench.app.library.show(first)
    assert bench.session.views == views
    shot("A4_windows")


def test_a4_mr_has_no_preset_in_hounsfield_units(head):
    head.press("5")
    assert grey(head)[0] != 80
    assert not head.window.table["window.preset_5"].isEnabled()
    assert head.window.table["window.preset_1"].isEnabled()


def test_a4_a_preset_changes_the_active_one_of_two_views(desk_of_two):
    desk_of_two.press("1")
    windows = {pane: view.window for pane, view in desk_of_two.session.views.items()}
    assert windows["main"] is not None
    assert windows["upper"] is None


@pytest.fixture
def desk_of_two(bench):
    bench.session.catalogue = CATALOGUE
    bench.app.library.show(NOW)
    bench.read()
    bench.press("Alt+2")
    bench.read()
    return bench


# -- A5 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["LPS", "RAS", "PIR", "LIP", "tilted"])
def test_a5_left_is_left_in_every_plane_and_the_letters_turn_along(bench, code, shot):
    grid = geometry_of("LPS" if code == "tilted" else code, (40, 40, 40), (3.0, 3.0, 3.0))
    volume = phantom_on(tilted(grid, 12.0) if code == "tilted" else grid)
    bench.show(volume)
    bench.add_result("score")
    bench.app.viewing.set_point(MARK_LPS)
    said = {}
    for pane, view in bench.session.views.items():
        said[view.plane] = bench.frame(pane).labels
        value = bench.frame(pane).values["image"]
        assert value == pytest.approx(1000, abs=1)
        at = bench.pane(pane).pixel_of(*bench.frame(pane).cursor)
        assert bench.pane(pane).to_lps(at.x(), at.y()) == pytest.approx(MARK_LPS, abs=3.2)
    assert (said[Plane.AXIAL].right, said[Plane.AXIAL].bottom) == ("L", "P")
    assert (said[Plane.CORONAL].right, said[Plane.CORONAL].top) == ("L", "H")
    assert (said[Plane.SAGITTAL].left, said[Plane.SAGITTAL].top) == ("A", "H")
    bench.press("H")
    active = bench.session.active_pane
    before = said[bench.session.views[active].plane]
    assert bench.frame(active).labels.left == before.right
    shot(f"A5_left_{code}")


# -- A6 ------------------------------------------------------------------------------------


def test_a6_three_planes_follow_one_point_and_a_slab_is_no_less_than_its_slices(bench, shot):
    bench.show(phantom_on(geometry_of("LPS", (40, 60, 60), (4.0, 2.0, 2.0))))
    pane = bench.pane()
    at = (pane.area.center().x() - 60, pane.area.center().y() + 45)
    hover(pane, at, SHIFT)
    point = pane.to_lps(*at)
    bench.settle()
    for key, view in bench.session.views.items():
        frame = bench.frame(key)
        x, y = frame.cursor
        place = frame.pixel_to_lps @ np.array([x, y, 0, 1.0])
        seen = [place[n] for n in range(3) if n != _along(view.plane)]
        assert seen == pytest.approx([point[n] for n in range(3) if n != _along(view.plane)])
        wide, high = frame.pixel_mm
        assert (wide, high) == ((2.0, 2.0) if view.plane is Plane.AXIAL else (2.0, 4.0))
    axial = next(k for k, v in bench.session.views.items() if v.plane is Plane.AXIAL)
    single = bench.frame(axial).image.astype(int)
    bench.app.viewing.set_slab(axial, 10.0, "mip")
    assert (bench.frame(axial).image.astype(int) >= single).all()
    shot("A6_three_planes")


def _along(plane):
    return {Plane.SAGITTAL: 0, Plane.CORONAL: 1, Plane.AXIAL: 2}[plane]


def test_a6_three_slices_are_not_cut_across_and_the_menu_says_why(bench, shot):
    bench.show(phantom_on(geometry_of("LPS", (3, 40, 40), (6.0, 2.0, 2.0))))
    assert not bench.window.table["layout.mpr"].isEnabled()
    assert "3 slices" in bench.window.table["layout.mpr"].toolTip()
    shot("A6_three_slices")


# -- A7 ------------------------------------------------------------------------------------


def test_a7_the_prior_stands_right_says_so_and_scrolls_along_in_mm(desk_of_two, shot):
    desk = desk_of_two
    desk.press("Ctrl+Shift+C")
    desk.read()
    assert [desk.pane(key).dress.tag for key in ("main", "upper")] == ["", "PRIOR"]
    heights = [desk.session.views[key].point_lps[2] for key in ("main", "upper")]
    desk.press("Down")
    moved = [desk.session.views[key].point_lps[2] for key in ("main", "upper")]
    assert np.subtract(moved, heights) == pytest.approx([3.0, 3.0])
    desk.app.viewing.set_plane("upper", Plane.CORONAL)
    before = desk.session.views["upper"]
    desk.press("Down")
    assert desk.session.views["upper"] == before
    desk.press("Shift+L")
    assert "main" in desk.session.alone
    let_go(desk, STRANGER.uid, "upper")
    assert "another patient" in desk.window.notes.texts()[0]
    desk.app.viewing.set_plane("upper", Plane.AXIAL)
    shot("A7_prior")


# -- A15 -----------------------------------------------------------------------------------


def draw(bench, tool, a, b):
    """Draw from one place in the patient to another."""
    pane, frame = bench.pane(), bench.frame()
    back = np.linalg.pinv(frame.pixel_to_lps[:3, :2])
    ends = [pane.pixel_of(*(back @ (np.array(p) - frame.pixel_to_lps[:3, 3]))) for p in (a, b)]
    bench.window.use_tool(tool)
    start, end = ends
    drag(pane, (start.x(), start.y()), (end.x() - start.x(), end.y() - start.y()))
    bench.settle()
    return bench.app.measuring.here[-1]


@pytest.fixture
def ruled(bench):
    """A CT on screen with values that differ everywhere."""
    dice = np.random.default_rng(3)
    array = dice.integers(-50, 150, GRID.shape).astype(np.int16)
    bench.show(Volume(array, GRID, quantity="HU", modality="CT"))
    return bench


def test_a15_fifty_millimetres_are_fifty_and_a_region_equals_numpy(ruled, shot):
    volume = ruled.session.volume
    z = ruled.session.views["main"].point_lps[2]
    length = draw(ruled, "length", (-25.0, 0.0, z), (25.0, 0.0, z))
    (words,) = ruled.app.measuring.words(length.id)
    assert float(words.split()[0]) == pytest.approx(50.0, abs=0.5)
    box = draw(ruled, "rectangle", (-20.0, -20.0, z), (10.0, 14.0, z))
    text = " ".join(ruled.app.measuring.words(box.id))
    cut = cut_of(volume.geometry, ruled.session.views["main"])
    corners = volume.geometry.to_index(np.array(box.points))
    low, high = corners.min(axis=0), corners.max(axis=0)
    j, i = np.mgrid[: volume.geometry.shape[1], : volume.geometry.shape[2]]
    inside = (j >= low[1]) & (j <= high[1]) & (i >= low[2]) & (i <= high[2])
    values = volume.array[cut.index][inside]
    assert f"{values.mean():.1f}" in text
    assert str(values.min()) in text
    assert str(values.max()) in text
    assert "HU" in text
    shot("A15_measured")


def test_a15_every_edit_is_taken_back_and_made_again_across_slices(ruled):
    z = ruled.session.views["main"].point_lps[2]
    states = [ruled.session.drawings]
    draw(ruled, "length", (-25.0, 0.0, z), (25.0, 0.0, z))
    states.append(ruled.session.drawings)
    ruled.press("Down")
    draw(ruled, "ellipse", (-20.0, -20.0, z), (10.0, 14.0, z))
    states.append(ruled.session.drawings)
    ruled.app.measuring.remove()
    states.append(ruled.session.drawings)
    for before in reversed(states[:-1]):
        ruled.press("Ctrl+Z")
        assert ruled.session.drawings == before or not any(ruled.session.drawings.values())
    for after in states[1:]:
        ruled.press("Ctrl+Y")
        assert ruled.session.drawings == after


def at_pane(bench, point):
    """Where a place in the patient lies in the pane."""
    frame = bench.frame()
    back = np.linalg.pinv(frame.pixel_to_lps[:3, :2])
    at = bench.pane().pixel_of(*(back @ (np.array(point) - frame.pixel_to_lps[:3, 3])))
    return at.x(), at.y()


@pytest.mark.parametrize("tool", ["window", "length"])
def test_a15_a_point_of_a_drawing_is_moved_in_one_step(ruled, tool):
    z = ruled.session.views["main"].point_lps[2]
    length = draw(ruled, "length", (-25.0, 0.0, z), (25.0, 0.0, z))
    before, views = ruled.session.drawings, ruled.session.views
    ruled.window.use_tool(tool)
    start, end = at_pane(ruled, (25.0, 0.0, z)), at_pane(ruled, (5.0, 0.0, z))
    drag(ruled.pane(), start, (end[0] - start[0], end[1] - start[1]))
    ruled.settle()
    (moved,) = ruled.app.measuring.here
    assert moved.points[0] == length.points[0]
    assert moved.points[1] == pytest.approx((5.0, 0.0, length.points[0][2]), abs=0.5)
    assert ruled.app.measuring.words(moved.id)[0].startswith("30")
    assert ruled.session.views is views
    after = ruled.session.drawings
    ruled.press("Ctrl+Z")
    assert ruled.session.drawings == before
    ruled.press("Ctrl+Y")
    assert ruled.session.drawings == after


def test_a15_a_click_on_a_point_chooses_its_drawing_and_moves_nothing(ruled):
    z = ruled.session.views["main"].point_lps[2]
    first = draw(ruled, "length", (-25.0, 0.0, z), (25.0, 0.0, z))
    draw(ruled, "length", (-25.0, 20.0, z), (25.0, 20.0, z))
    before = ruled.session.drawings
    ruled.window.use_tool("window")
    drag(ruled.pane(), at_pane(ruled, (25.0, 0.0, z)), (1, 1))
    assert ruled.session.chosen_drawing == first.id
    assert ruled.session.drawings is before


def test_a15_delete_in_the_table_deletes_that_row(ruled):
    z = ruled.session.views["main"].point_lps[2]
    draw(ruled, "length", (-25.0, 0.0, z), (25.0, 0.0, z))
    kept = draw(ruled, "length", (-25.0, 20.0, z), (25.0, 20.0, z))
    ruled.window.show()
    ruled.window.show_panel("details")
    row = ruled.find(QPushButton, "drawing_1")
    row.setFocus()
    QTest.keyClick(row, Qt.Key.Key_Delete)
    assert ruled.app.measuring.here == (kept,)


def test_a15_a_row_of_the_table_leads_to_its_slice(ruled):
    z = ruled.session.views["main"].point_lps[2]
    made = draw(ruled, "length", (-25.0, 0.0, z), (25.0, 0.0, z))
    there = number(ruled)
    ruled.press("End")
    ruled.app.measuring.jump(made.id)
    assert number(ruled) == there


def test_a15_without_spacing_it_says_pixels(bench):
    flat = replace(geometry_of("LPS", (1, 60, 60), (1.0, 1.0, 1.0)), spacing_kind=None)
    bench.show(Volume(np.zeros((1, 60, 60), np.int16), flat, modality="OT"))
    made = draw(bench, "length", (-20.0, 0.0, 0.0), (20.0, 0.0, 0.0))
    assert bench.app.measuring.words(made.id) == ("40.0 pixels",)


# -- looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_both_themes_show_a_study_with_a_result(bench, theme, shot):
    bench.app.preferences.change(theme=theme)
    bench.show()
    bench.add_result("score", "epistemic")
    hover(bench.pane(), (300, 300))
    path = shot(f"looks_{theme}")
    seen = QImage(str(path))
    corner = seen.pixelColor(seen.width() // 2, 4)  # the menu bar
    assert (corner.lightness() > 128) == (theme == "light")
