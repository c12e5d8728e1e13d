"""Presentation states in the window: menu, keys and the list of a series."""

import pytest
from dicom_files import image, marked_slice, only, save
from PySide6.QtWidgets import QInputDialog, QWidget
from states import state_of

from medview.ui.panels.series_menu import series_menu


@pytest.fixture
def film(bench, tmp_path):
    ds = image(marked_slice(0))
    turned = state_of([ds], ImageRotation=90, PresentationCreationDate="20260102")
    mirrored = state_of([ds], ImageHorizontalFlip="Y", PresentationCreationDate="20260101",
                        ContentLabel="MIRROR")  # fmt: skip
    _, volume = only(save([ds, turned, mirrored], tmp_path / "film"))
    bench.show(volume)
    return bench


def right(film):
    return film.frame().labels.right


def test_the_key_switches_the_state_and_the_letters_follow(film):
    assert "State: STROKE" in film.frame().corners.bottom_left
    letters = [right(film)]
    for key in ("Shift+P", "Shift+P", "Alt+P", "Alt+P"):
        film.press(key)
        letters.append(right(film))
    assert letters == ["A", "L", "A", "L", "R"]
    assert film.window.table["state.on"].isChecked()


def test_a_state_is_chosen_by_name_and_day(film, monkeypatch):
    offered = []

    def choose(parent, title, text, titles, place, editable):
        offered.extend(titles)
        assert titles[place] == "STROKE · 02 Jan 2026"
        return "MIRROR · 01 Jan 2026", True

    monkeypatch.setattr(QInputDialog, "getItem", choose)
    film.window.table["state.choose"].trigger()
    assert offered == ["As stored", "MIRROR · 01 Jan 2026", "STROKE · 02 Jan 2026"]
    assert right(film) == "R"


def test_the_list_of_a_series_offers_its_states(film):
    parent = QWidget()
    menu = series_menu(film.app, film.app.session.series, parent)
    ticked = [action.text() for action in menu.actions() if action.isChecked()]
    assert ticked == ["STROKE · 02 Jan 2026"]
    menu.actions()[0].trigger()
    assert right(film) == "L"


def test_without_states_the_commands_say_why_not(head):
    action = head.window.table["state.on"]
    assert not action.isEnabled()
    assert "No presentation state" in action.toolTip()
