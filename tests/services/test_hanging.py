"""Studies hung when they are opened, rules gone through, arrangements kept."""

from dataclasses import replace
from pathlib import Path

import pytest
from phantoms import geometry_of
from services.stubs import StubJobs, series_of

from medview.domain.geometry import Plane
from medview.domain.study import Catalogue, Patient, Study
from medview.services.arranging import Arranging
from medview.services.hanging import Hanging
from medview.services.hanging_file import rules_in
from medview.services.hanging_own import FILE
from medview.services.library import Library
from medview.services.measuring import Measuring
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.viewing import Viewing
from medview.services.workspaces import Workspaces

GRID = geometry_of("LPS", (20, 24, 22), (3.0, 2.0, 2.0))


def one(uid, study, description="", modality="CT", **fields):
    known = {"modality": modality, "description": description, "geometry": GRID} | fields
    quantity = "HU" if modality == "CT" else "a.u."
    made = series_of(uid, patient_key="p1", quantity=quantity, **known)
    return replace(made, study_uid=study, size=GRID.shape[::-1])


def patient(*studies, key="p1"):
    made = tuple(
        Study(str(n), f"20{26 - n}-01-01", series=series) for n, series in enumerate(studies, 1)
    )
    return Patient(key, key, key, studies=made)


CHEST = one("1.1", "5", "Thorax 1.0 B70", body_part="CHEST")
BEFORE = one("2.1", "2", "Thorax 1.0", body_part="CHEST")
KNEES = (one("3.1", "3", "PD sag ABEL", "MR"), one("3.2", "3", "T2 cor ABEL", "MR"))


class Desk:
    """Services on one session; what is asked for is read at once."""

    def __init__(self, folder):
        self.session, self.jobs, self.folder = Session(), StubJobs(), folder
        preferences = Preferences(folder / "settings.json")
        self.preferences = preferences
        self.library = Library(self.jobs, self.session, preferences)
        self.viewing = Viewing(self.session, preferences)
        self.arranging = Arranging(self.session, self.library)
        measuring = Measuring(self.session, self.viewing)
        self.workspaces = Workspaces(
            self.session, self.library, self.viewing, measuring, folder / "workspaces"
        )
        self.hanging = Hanging(self.session, self.arranging, preferences, folder)
        self.workspaces.fresh.connect(self.hanging.open)

    def open(self, *patients):
        self.library.open((Path("/data"),))
        self.jobs.last.finish(Catalogue(patients))
        self.read()

    def read(self):
        self.jobs.read()

    def own(self, text):
        (self.folder / FILE).write_text(text, "utf-8")

    @property
    def panes(self):
        return {pane: each.series.uid for pane, each in self.session.shown.items()}

    def said(self):
        return self.session.message.text if self.session.message is not None else ""


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.workspaces.close()


def test_a_chest_ct_is_hung_in_two_windows_that_stay_apart(desk):
    desk.open(patient((CHEST,)))
    assert desk.session.layout == "1x2"
    assert desk.panes == {"main": "1.1", "upper": "1.1"}
    assert len(desk.jobs.running("load_and_identify")) == 0
    widths = [desk.viewing.window(pane).width for pane in ("main", "upper")]
    assert widths == [400, 1500]
    desk.viewing.drag_window("main", 100, 0)
    assert desk.viewing.window("upper").width == 1500
    assert desk.viewing.window("main").width > 400


def test_with_an_earlier_study_the_prior_stands_beside_it(desk):
    desk.open(patient((CHEST,), (BEFORE,)))
    assert desk.panes == {"main": "1.1", "upper": "2.1"}
    assert desk.session.active_pane == "main"
    assert desk.session.linked


def test_where_no_rule_fits_the_panes_lie_as_before(desk):
    desk.open(patient(KNEES))
    assert desk.session.layout == "mpr"
    desk.open(patient((CHEST,)))
    assert desk.session.layout == "1x2"
    desk.open(patient(KNEES))
    assert desk.session.layout == "mpr"
    assert desk.panes == {}
    assert set(desk.session.views) == {"main", "upper", "lower"}


def test_a_layout_that_the_reader_chose_is_not_taken_back(desk):
    desk.open(patient((CHEST,)))
    desk.arranging.use("2x2")
    desk.open(patient(KNEES))
    assert desk.session.layout == "2x2"


def test_a_study_that_was_open_before_comes_back_as_it_was_left(desk):
    desk.open(patient((CHEST,)))
    desk.arranging.use("mpr")
    desk.workspaces.save()
    desk.open(patient((CHEST,)))
    assert desk.session.layout == "mpr"


def test_hanging_can_be_switched_off(desk):
    desk.preferences.change(hang=False)
    desk.open(patient((CHEST,)))
    assert desk.session.layout == "mpr"


def test_a_grid_before_is_not_filled_over_what_a_rule_has_hung(desk):
    desk.open(patient(KNEES))
    desk.arranging.use("2x2")
    desk.read()
    desk.open(patient((CHEST, one("1.9", "5", "Abdomen"))))
    assert desk.panes == {"main": "1.1", "upper": "1.1"}


def test_one_goes_through_all_that_fit_round_and_round(desk):
    desk.open(patient(KNEES))
    seen = []
    for _ in range(len(desk.hanging.fitting()) + 1):
        desk.hanging.step(1)
        desk.read()
        seen.append((desk.said(), desk.session.layout))
    assert [layout for _, layout in seen] == ["mpr", "1x1", "1x2", "mpr"]
    assert seen[0][0] == "Hanging 1 of 3: Three planes"
    desk.hanging.step(-1)
    assert desk.session.layout == "1x2"
    assert desk.panes == {"main": "3.1", "upper": "3.2"}


def test_rules_of_one_name_are_gone_through_like_others(desk):
    desk.own(OWN.replace("Knees my way", "Three planes"))
    desk.open(patient(KNEES))
    seen = []
    for _ in range(4):
        desk.hanging.step(1)
        seen.append(desk.session.layout)
    assert sorted(seen) == ["1x1", "1x2", "1x2", "mpr"]


def test_without_a_study_there_is_nothing_to_hang(desk):
    desk.hanging.step(1)
    assert desk.said() == "Open a study first."
    assert desk.hanging.arrangement("x") is None


OWN = """
[[rule]]
name = "Knees my way"
modality = ["MR"]
layout = "1x2"
panes = [{ words = ["t2"], plane = "coronal" }, { words = ["pd"], window = "1" }]
"""


def test_rules_of_the_readers_own_win_and_say_plane_and_window(desk):
    desk.own(OWN + OWN.replace("MR", "CT").replace("Knees", "Chest").replace("t2", "thorax"))
    desk.open(patient(KNEES))
    assert desk.panes == {"main": "3.2", "upper": "3.1"}
    assert desk.session.views["main"].plane is Plane.CORONAL
    assert desk.session.views["upper"].window.label == "1 % to 99 %"
    assert desk.hanging.fitting()[0].name == "Knees my way"


def test_a_file_that_cannot_be_read_is_told_once_and_stops_nothing(desk):
    desk.own("[[rule]\n")
    desk.open(patient((CHEST,)))
    assert desk.session.layout == "1x2"
    assert desk.said().startswith("hanging.toml in the settings folder cannot be read")
    desk.session.message = None
    desk.open(patient((BEFORE,)))
    assert desk.said() == ""


def test_one_rule_with_a_fault_is_named_and_the_others_are_used(desk):
    desk.own(OWN.replace("1x2", "7x7") + OWN.replace("Knees my way", "Good one"))
    desk.open(patient(KNEES))
    assert "rule 1 “Knees my way”: layout is '7x7'" in desk.said()
    assert "All other rules are used." in desk.said()
    assert desk.panes == {"main": "3.2", "upper": "3.1"}


def test_an_arrangement_is_kept_and_hangs_the_next_study_of_its_kind(desk):
    desk.open(patient(KNEES))
    desk.arranging.use("1x2")
    desk.read()
    desk.viewing.set_plane("upper", Plane.SAGITTAL)
    desk.viewing.use_preset("upper", "2")
    desk.hanging.keep(desk.hanging.arrangement("Knee"))
    text = (desk.folder / FILE).read_text("utf-8")
    assert "ABEL" not in text.upper()
    assert rules_in(text)[0][0].name == "Knee"
    other = (one("7.2", "7", "t2 COR fs", "MR"), one("7.1", "7", "pd SAG", "MR"))
    desk.open(patient(other, key="p7"))
    assert desk.panes == {"main": "7.1", "upper": "7.2"}
    assert desk.session.views["upper"].plane is Plane.SAGITTAL
    assert desk.session.views["upper"].window.label == "Foreground, 5 % to 95 %"


def test_an_arrangement_with_the_prior_asks_for_a_prior(desk):
    desk.preferences.change(hang=False)
    desk.open(patient((CHEST,), (BEFORE,)))
    desk.arranging.compare()
    desk.read()
    desk.viewing.use_preset("main", "2")
    rule = desk.hanging.arrangement("Chest now and then")
    assert rule.prior is True
    assert [pane.source for pane in rule.panes] == ["study", "prior"]
    assert rule.panes[0].window == "2"
    assert (rule.modality, rule.body) == (("CT",), ("chest",))


def test_a_dragged_window_is_kept_in_hu_only(desk):
    desk.preferences.change(hang=False)
    desk.open(patient((CHEST,)))
    desk.viewing.use_preset("main", "1")
    desk.viewing.drag_window("main", 50, 0)
    width, level = desk.hanging.arrangement("a").panes[0].window
    assert (width > 400, level) == (True, 40)
    desk.open(patient(KNEES))
    desk.viewing.drag_window("main", 50, 0)
    assert desk.hanging.arrangement("b").panes[0].window is None


def test_a_name_is_given_once_and_a_damaged_file_is_not_written_over(desk):
    desk.open(patient(KNEES))
    rule = desk.hanging.arrangement("Knee")
    desk.hanging.keep(rule)
    assert desk.said() == "Studies like this one are hung so from now on: Knee"
    desk.preferences.change(hang=False)
    desk.hanging.keep(replace(rule, name="By hand"))
    assert "are not hung when they are opened: By hand" in desk.said()
    desk.hanging.keep(rule)
    assert "“Knee” of yours already" in desk.said()
    desk.own("[[rule]\n")
    desk.hanging.keep(replace(rule, name="Other"))
    assert (desk.folder / FILE).read_text("utf-8") == "[[rule]\n"
