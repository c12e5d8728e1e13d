"""Hanging as it is reached in the window."""

from dataclasses import replace

import pytest
from phantoms import geometry_of
from PySide6.QtWidgets import QInputDialog
from services.stubs import series_of

from medview.domain.study import Catalogue, Patient, Study
from medview.services.hanging_file import rules_in
from medview.ui import hanging_actions

GRID = geometry_of("LPS", (20, 24, 22), (3.0, 2.0, 2.0))


def one(uid, text, study="1", modality="CT"):
    made = series_of(
        uid, modality=modality, description=text, geometry=GRID, patient_key="p", quantity="HU"
    )
    return replace(made, size=GRID.shape[::-1], study_uid=study)


CHEST, OLD = one("1.1", "Thorax"), one("2.1", "Thorax", "2")
LIST = Catalogue(
    (
        Patient(
            "p",
            studies=(
                Study("1", "2026-02-01", "CT Chest", series=(CHEST,)),
                Study("2", "2024-02-01", series=(OLD,)),
            ),
        ),
    )
)


@pytest.fixture
def desk(bench):
    bench.session.catalogue = LIST
    bench.app.library.show(CHEST)
    bench.read()
    return bench


def test_a_study_opens_with_its_prior_beside_it(desk):
    assert [pane.key for pane in desk.window.grid.visible_panes] == ["main", "upper"]
    assert desk.pane("upper").dress.tag == "PRIOR"
    assert desk.window.table["layout.1x2"].isChecked()


def test_the_full_stop_goes_to_the_next_hanging_and_says_its_name(desk):
    desk.press(".")
    desk.read()
    assert "Hanging 2 of" in desk.window.notes.texts()[0]
    assert "soft tissue and lung" in desk.window.notes.texts()[0]
    assert desk.frame("upper").window.width == 1500
    desk.press(",")
    desk.read()
    assert "Hanging 1 of" in desk.window.notes.texts()[0]
    assert desk.pane("upper").dress.tag == "PRIOR"


def test_an_arrangement_is_saved_under_a_name(desk, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        QInputDialog, "getText", lambda *_, text: asked.append(text) or ("  My chest ", True)
    )
    desk.window.table["hanging.keep"].trigger()
    assert asked == ["CT, 1 × 2"]
    rules = rules_in((tmp_path / "hanging.toml").read_text("utf-8"))[0]
    assert [(rule.name, rule.layout) for rule in rules] == [("My chest", "1x2")]
    assert "My chest" in desk.window.notes.texts()[0]


@pytest.mark.parametrize("answer", [("Name", False), ("  ", True)])
def test_without_a_name_nothing_is_saved(desk, monkeypatch, tmp_path, answer):
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: answer)
    desk.window.table["hanging.keep"].trigger()
    assert not (tmp_path / "hanging.toml").exists()


def test_own_rules_open_in_an_editor(desk, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(
        hanging_actions.QDesktopServices, "openUrl", lambda url: opened.append(url) or True
    )
    desk.window.table["hanging.file"].trigger()
    assert [url.toLocalFile() for url in opened] == [str(tmp_path / "hanging.toml")]
    assert desk.window.notes.texts() == []


def test_without_a_program_for_text_the_place_is_said(desk, monkeypatch, tmp_path):
    monkeypatch.setattr(hanging_actions.QDesktopServices, "openUrl", lambda _: False)
    desk.window.table["hanging.file"].trigger()
    assert desk.window.notes.texts()[0].endswith(str(tmp_path / "hanging.toml"))


def test_hanging_at_opening_is_a_switch(desk):
    table = desk.window.table
    assert table["hanging.auto"].isChecked()
    table["hanging.auto"].trigger()
    assert not desk.app.preferences.settings.hang
    assert not table["hanging.auto"].isChecked()


def test_an_own_rule_is_deleted_by_name(desk, monkeypatch):
    table, asked = desk.window.table, []
    monkeypatch.setattr(
        QInputDialog, "getItem", lambda *given: asked.append(given[3]) or ("Mine", True)
    )
    table["hanging.delete"].trigger()
    assert desk.window.notes.texts()[0] == "There is no rule of your own."
    desk.app.hanging.keep(desk.app.hanging.arrangement("Mine"))
    table["hanging.delete"].trigger()
    assert asked == [["Mine"]]
    assert desk.app.hanging.own.names == ()
