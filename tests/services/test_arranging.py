from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import StubJobs, series_of

from medview.domain.geometry import Plane
from medview.domain.study import Catalogue, Patient, Study
from medview.imaging.reslice import cut_of
from medview.services import arranging
from medview.services.arranging import Arranging
from medview.services.layouts import LAYOUTS, PANES, is_prior, mpr_refusal, share_space
from medview.services.library import Library
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.viewing import Viewing

SHAPE = (20, 24, 22)


def grid(frame="1.9", shape=SHAPE, step=3.0):
    return replace(geometry_of("LPS", shape, (step, 2.0, 2.0)), frame_of_reference=frame)


def series(uid, study, **fields):
    known = {"description": f"T1 {uid}", "geometry": grid(), "patient_key": "p1"} | fields
    made = replace(series_of(uid, **known), study_uid=study)
    k, j, i = made.geometry.shape if made.geometry else (0, 0, 0)
    return replace(made, size=(i, j, k))


NEW = (series("1.1", "1"), series("1.2", "1"), series("1.3", "1", description="T2 1.3"))
OLD = (series("2.1", "2", description="T2 old", geometry=grid("1.8", (30, 24, 22), 2.0)),)
OTHER = series("9.1", "9", patient_key="p2")
CATALOGUE = Catalogue(
    (
        Patient(
            "p1", "P1", "A^B", studies=(Study("1", "2026-03-14", series=NEW),
                                        Study("2", "2024-02-01", series=OLD)),
        ),
        Patient("p2", "P2", "C^D", studies=(Study("9", "2023-01-01", series=(OTHER,)),)),
    )
)  # fmt: skip


class Desk:
    """Services on one session; what is asked for is read at once."""

    def __init__(self, folder):
        self.session, self.jobs = Session(), StubJobs()
        preferences = Preferences(folder / "settings.json")
        self.library = Library(self.jobs, self.session, preferences)
        self.viewing = Viewing(self.session, preferences)
        self.arranging = Arranging(self.session, self.library)
        self.library.open((Path("/data"),))
        self.jobs.last.finish(CATALOGUE)
        self.read()

    def read(self):
        """Let everything that waits be read."""
        self.jobs.read()

    def use(self, key):
        self.arranging.use(key)
        self.read()

    def uids(self):
        return {pane: each.series.uid for pane, each in self.session.shown.items()}

    def z(self, pane):
        return self.session.views[pane].point_lps[2]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_there_is_every_grid_up_to_three_by_three():
    grids = {(each.rows, each.columns) for each in LAYOUTS.values() if not each.is_mpr}
    assert grids == {(r, c) for r in (1, 2, 3) for c in (1, 2, 3)}
    assert LAYOUTS["3x3"].panes == PANES


def test_a_grid_keeps_what_was_read_and_is_filled_with_the_series_that_follow(desk):
    desk.use("2x2")
    assert desk.uids() == {"main": "1.1", "upper": "1.2", "lower": "1.3"}
    assert set(desk.session.views) == {"main", "upper", "lower"}
    assert desk.session.series.uid == "1.1"


def test_back_to_three_planes_of_what_is_read(desk):
    desk.viewing.scroll("main", 3)
    before = desk.z("main")
    desk.use("1x2")
    desk.viewing.activate("upper")
    desk.use("mpr")
    assert desk.session.series.uid == "1.2"
    assert desk.session.shown == {}
    assert list(desk.session.views) == ["main", "upper", "lower"]
    desk.library.show(NEW[0])
    assert desk.z("main") == before


def test_the_active_pane_says_what_panels_and_keys_are_about(desk):
    desk.use("1x2")
    desk.viewing.activate("upper")
    assert (desk.session.series.uid, desk.session.volume_id.sha256) == ("1.2", "sha1.2")
    assert desk.session.content("main").series.uid == "1.1"
    desk.viewing.next_pane(1)
    assert desk.session.series.uid == "1.1"


def test_a_series_chosen_goes_into_the_active_pane_only(desk):
    desk.use("1x2")
    desk.viewing.activate("upper")
    desk.library.show(NEW[2])
    desk.read()
    assert desk.uids() == {"main": "1.1", "upper": "1.3"}
    assert desk.session.series.uid == "1.3"


def test_an_empty_pane_can_be_chosen_and_filled(desk):
    desk.use("2x2")
    desk.viewing.activate("pane4")
    assert desk.session.content("pane4") is None
    desk.library.show(NEW[0])
    desk.read()
    assert desk.uids()["pane4"] == "1.1"


def test_a_series_dragged_onto_a_pane_is_shown_there_and_read_from_there(desk):
    desk.use("1x2")
    desk.arranging.put(NEW[2].key, "main")
    desk.read()
    assert desk.uids() == {"main": "1.3", "upper": "1.2"}
    assert desk.session.series.uid == "1.3"


def test_no_pane_shows_another_patient_beside_this_one(desk):
    desk.use("1x2")
    desk.arranging.put(OTHER.key, "upper")
    assert desk.uids() == {"main": "1.1", "upper": "1.2"}
    assert "another patient" in desk.session.message.text
    desk.library.show(OTHER)
    desk.read()
    assert desk.uids() == {"main": "9.1"}


def test_another_folder_leaves_nothing_of_the_former_in_a_pane(desk):
    desk.use("2x2")
    desk.library.open((Path("/more"),))
    desk.jobs.last.finish(Catalogue((CATALOGUE.patients[1],)))
    assert set(desk.session.shown) == {"main"}
    desk.read()
    assert desk.uids() == {"main": "9.1"}


def test_smaller_layouts_keep_the_pane_that_is_read(desk):
    desk.use("2x2")
    desk.viewing.activate("lower")
    desk.use("1x1")
    assert desk.uids() == {"main": "1.3"}
    assert desk.session.series.uid == "1.3"
    assert desk.session.active_pane == "main"


def test_a_pane_that_a_smaller_layout_keeps_stays_the_active_one(desk):
    desk.use("2x2")
    desk.viewing.activate("upper")
    desk.use("1x2")
    assert desk.uids() == {"main": "1.1", "upper": "1.2"}
    assert desk.session.active_pane == "upper"


@pytest.mark.parametrize(
    ("slices", "filled"),
    [
        *((512, {"main": "1.1", "upper": "1.2"}), (513, {"main": "1.1", "upper": "1.3"})),
        (256, {"main": "1.1", "upper": "1.2", "lower": "1.3"}),
    ],
)
def test_panes_are_filled_by_themselves_up_to_a_gigabyte(desk, slices, filled):
    """A series that does not fit leaves its pane to the next one; voxels count two bytes."""
    first, large, small = NEW
    large = replace(large, size=(512, 2048, slices))
    small = replace(small, size=(512, 2048, 256))
    study = replace(CATALOGUE.patients[0].studies[0], series=(first, large, small))
    desk.session.catalogue = Catalogue((replace(CATALOGUE.patients[0], studies=(study,)),))
    desk.use("2x2")
    assert desk.uids() == filled


@pytest.mark.parametrize(("panes", "begun"), [(("main", "upper"), 1), (("upper", "main"), 2)])
def test_a_series_still_being_read_begins_again_only_where_its_pane_is_taken(desk, panes, begun):
    own, other = NEW[2], NEW[1]
    desk.library.show(own)
    desk.jobs.last.send(phantom_on(own.geometry))  # pixels, and not yet whose
    desk.arranging.hang("1x2", dict(zip(panes, (own, other), strict=True)), own)
    assert len([job for job in desk.jobs.asked if own in job.args]) == begun
    desk.read()
    assert desk.uids() == {panes[0]: "1.3", panes[1]: "1.2"}


@pytest.mark.parametrize(
    ("linked", "alone", "moves"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_panes_of_one_space_scroll_together_in_mm(desk, linked, alone, moves):
    desk.use("1x2")
    if not linked:
        desk.viewing.toggle_link()
    if alone:
        desk.viewing.toggle_alone("upper")
    before = desk.z("upper")
    desk.viewing.scroll("main", 2)
    assert desk.z("upper") == pytest.approx(before + (6.0 if moves else 0.0))


def test_zoom_pan_and_fit_of_linked_panes_go_together(desk):
    desk.use("1x2")
    desk.viewing.zoom("main", 2.0, (10.0, 0.0))
    desk.viewing.pan("upper", 3.0, 4.0)
    main, upper = (desk.session.views[pane] for pane in ("main", "upper"))
    assert (main.zoom, main.pan_mm) == (upper.zoom, upper.pan_mm) == (2.0, (-2.0, 4.0))
    desk.viewing.fit("upper")
    assert desk.session.views["main"].zoom == 1.0
    desk.viewing.toggle_link()
    desk.viewing.zoom("main", 2.0)
    assert desk.session.views["upper"].zoom == 1.0


def test_without_a_common_reference_panes_go_on_by_as_many_mm(desk):
    assert desk.arranging.compare()
    desk.read()
    before = desk.z("main"), desk.z("upper")
    desk.viewing.scroll("main", 2)
    assert desk.z("main") == pytest.approx(before[0] + 6.0)
    assert desk.z("upper") == pytest.approx(before[1] + 6.0)
    index = cut_of(desk.session.content("upper").volume.geometry, desk.session.views["upper"]).index
    assert index == 15 + 3


def test_beyond_the_end_of_the_prior_the_way_back_leads_to_the_same_pair(desk):
    desk.arranging.compare()
    desk.read()
    before = desk.z("main"), desk.z("upper")
    desk.viewing.scroll("main", 9)
    desk.viewing.scroll("main", -9)
    assert (desk.z("main"), desk.z("upper")) == pytest.approx(before)


def test_another_plane_does_not_jump(desk):
    desk.arranging.compare()
    desk.read()
    desk.viewing.set_plane("upper", Plane.CORONAL)
    before = desk.session.views["upper"]
    desk.viewing.scroll("main", 2)
    assert desk.session.views["upper"] == before


def test_the_prior_stands_right_is_most_like_and_is_said_to_be_older(desk):
    desk.library.show(NEW[2])
    desk.read()
    assert desk.arranging.compare()
    desk.read()
    assert desk.uids() == {"main": "1.3", "upper": "2.1"}
    assert desk.session.active_pane == "main"
    assert [is_prior(desk.session, desk.session.content(p)) for p in ("main", "upper")] == [
        False,
        True,
    ]
    assert not share_space(*(desk.session.content(p) for p in ("main", "upper")))


def test_a_prior_is_looked_for_once_in_a_catalogue(desk, monkeypatch):
    asked = []

    def likeness(one, other):
        asked.append(one.key)
        return 0

    monkeypatch.setattr(arranging, "_likeness", likeness)
    for _ in range(3):
        assert desk.arranging.prior_of(NEW[2]).key == OLD[0].key
    assert asked == [OLD[0].key]
    (person, other) = desk.session.catalogue.patients
    desk.session.catalogue = Catalogue((replace(person, studies=person.studies[:1]), other))
    assert desk.arranging.prior_of(NEW[2]) is None


@pytest.mark.parametrize(
    ("shown", "words"), [(OTHER, "no earlier study of this patient"), (OLD[0], "earliest study")]
)
def test_without_a_prior_of_the_same_patient_a_sentence_says_so(desk, shown, words):
    desk.library.show(shown)
    desk.read()
    assert not desk.arranging.compare()
    assert words in desk.session.message.text
    assert desk.session.layout == "mpr"


def test_three_slices_are_not_cut_across_and_it_is_said_why(desk):
    few = phantom_on(grid(shape=(3, 24, 22), step=6.0))
    assert mpr_refusal(few).startswith("3 slices are too few")
    desk.use("1x1")
    desk.session.volume = few
    assert not desk.arranging.use("mpr")
    assert "too few" in desk.session.message.text


def test_a_window_is_shared_by_panes_of_one_series_only(desk):
    desk.use("2x2")
    desk.arranging.put(NEW[0].key, "pane4")
    desk.read()
    desk.viewing.use_preset("main", "1")
    windows = {pane: view.window for pane, view in desk.session.views.items()}
    assert windows["main"] == windows["pane4"] is not None
    assert windows["upper"] is None


def test_identity_of_every_pane_comes_late_and_to_the_right_one(desk):
    desk.arranging.use("1x2")
    job = desk.jobs.running("load_and_identify")[-1]
    job.send(phantom_on(NEW[1].geometry))
    assert desk.session.content("upper").id is None
    desk.viewing.activate("upper")
    job.finish("late")
    assert desk.session.shown["upper"].id.sha256 == "late"
    assert desk.session.volume_id.sha256 == "late"


def test_slices_that_still_arrive_come_into_the_pane_of_their_series(desk):
    desk.arranging.use("1x2")
    job = desk.jobs.running("load_and_identify")[-1]
    first, second = (phantom_on(NEW[1].geometry) for _ in range(2))
    job.send(first)
    desk.viewing.scroll("upper", 2)
    place = desk.z("upper")
    job.send(second)
    assert desk.session.content("upper").volume is second
    assert desk.z("upper") == place
    assert not np.isnan(place)
