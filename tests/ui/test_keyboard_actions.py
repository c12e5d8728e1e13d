"""Zoom, move, menu and far jumps without a mouse."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QMenu
from services.stubs import series_of
from ui.fakes import drag

from medview.domain.study import Catalogue, Patient, Study


def test_keys_zoom_about_the_middle_and_back(head):
    head.press("Ctrl++")
    assert head.session.views["main"].zoom == pytest.approx(1.25)
    assert head.session.views["main"].pan_mm == (0.0, 0.0)
    head.press("Ctrl+-")
    assert head.session.views["main"].zoom == pytest.approx(1.0)


def test_keys_move_the_image_by_pixels_of_the_screen(head):
    head.press("Ctrl++")
    before = head.pane().pixel_of(0, 0)
    head.press("Alt+Right")
    head.press("Alt+Down")
    after = head.pane().pixel_of(0, 0)
    assert (after.x() - before.x(), after.y() - before.y()) == pytest.approx((10, 10), abs=0.01)


def test_the_menu_of_the_image_opens_without_a_mouse(head):
    head.window.table["view.menu"].trigger()
    menu = head.find(QMenu, "menu_pane")
    assert menu.isVisible()
    menu.close()


def test_keys_go_to_the_other_study_and_the_other_patient(head):
    own = head.session.series
    other = series_of("7.1", geometry=own.geometry, patient_key="p7", modality="MR")
    other = replace(other, size=own.size)
    patients = head.session.catalogue.patients
    stranger = Patient("p7", studies=(Study("7", series=(other,)),))
    head.session.catalogue = Catalogue((*patients, stranger))
    head.press("Ctrl+Down")
    assert head.jobs.last.args[0] is other
    asked = len(head.jobs.asked)
    head.press("Ctrl+Up")
    assert len(head.jobs.asked) == asked  # there is nobody before the first


def test_giving_up_ends_a_drawing_and_changes_nothing_else(head):
    head.press("Ctrl++")
    head.window.use_tool("angle")
    drag(head.pane(), (200, 200), (40, 0))
    head.window.table["edit.give_up"].trigger()
    assert head.session.draft is None
    assert head.session.views["main"].zoom == pytest.approx(1.25)


def test_tools_can_be_gone_through(head):
    seen = set()
    for _ in range(9):
        seen.add(head.window.mouse.tool)
        head.window.table["tool.next"].trigger()
    assert {"window", "pan", "zoom", "scroll"} <= seen
