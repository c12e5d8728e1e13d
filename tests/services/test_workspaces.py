import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from running import soon
from services.stubs import LaterWriter, StubJobs
from services.test_arranging import CATALOGUE, NEW, OLD

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.overlay import LayerStyle
from medview.domain.volume import Window
from medview.services.arranging import Arranging
from medview.services.library import Library
from medview.services.measuring import Measuring
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.viewing import Viewing
from medview.services.workspace import Held, Workspace, hashed
from medview.services.workspace_files import write_workspace
from medview.services.workspaces import Workspaces

RULER = Measurement(1, "length", ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), (1.0, 0, 0), (0, 1.0, 0))


class Seat:
    """A program of its own on the same disk."""

    def __init__(self, folder, writer=None):
        self.session, self.jobs = Session(), StubJobs()
        preferences = Preferences(folder / "settings.json")
        self.writer = writer
        self.library = Library(self.jobs, self.session, preferences)
        self.viewing = Viewing(self.session, preferences)
        self.measuring = Measuring(self.session, self.viewing)
        self.arranging = Arranging(self.session, self.library)
        self.kept = Workspaces(
            self.session,
            self.library,
            self.viewing,
            self.measuring,
            folder / "workspaces",
            writer,
        )

    def open(self, catalogue=CATALOGUE):
        self.library.open((Path("/data/Abel^Ann"),))
        self.jobs.last.finish(replace(catalogue))
        self.read()

    def read(self):
        self.jobs.read()

    def draw(self, key=None):
        key = key or self.session.series.key
        self.session.drawings = {**self.session.drawings, key: (RULER,)}

    def uids(self):
        return {pane: each.series.uid for pane, each in self.session.shown.items()}


@pytest.fixture
def seat(tmp_path):
    made = Seat(tmp_path)
    made.open()
    return made


def again(tmp_path, catalogue=CATALOGUE):
    made = Seat(tmp_path)
    made.open(catalogue)
    return made


def died(tmp_path):
    """As if the program that wrote the drafts had been killed."""
    for path in (tmp_path / "workspaces").glob("*.draft.json"):
        body = json.loads(path.read_text())
        body["process"]["started"] -= 1000
        path.write_text(json.dumps(body))


def test_window_slice_zoom_and_series_come_back(seat, tmp_path):
    seat.library.show(NEW[1])
    seat.read()
    seat.viewing.scroll("main", 4)
    seat.viewing.set_window("main", Window(333.0, 44.0))
    seat.viewing.zoom("upper", 2.0)
    seat.viewing.activate("upper")
    seat.viewing.maximise("upper")
    views = seat.session.views
    seat.kept.close()
    other = again(tmp_path)
    assert other.session.series.uid == "1.2"
    assert other.session.views == views
    assert (other.session.active_pane, other.session.maximised) == ("upper", "upper")


def test_a_layout_comes_back_with_the_series_of_every_pane(seat, tmp_path):
    seat.arranging.use("2x2")
    seat.read()
    seat.arranging.put(NEW[2].key, "main")
    seat.read()
    seat.viewing.activate("lower")
    seat.viewing.scroll("lower", -2)
    seat.viewing.toggle_alone("upper")
    views, panes = seat.session.views, seat.uids()
    seat.kept.close()
    other = again(tmp_path)
    assert other.uids() == panes
    assert other.session.views == views
    assert other.session.active_pane == "lower"
    assert other.session.series.uid == panes["lower"]
    assert other.session.alone == {"upper"}


def test_one_series_in_two_panes_comes_back_with_both_windows(seat, tmp_path):
    seat.arranging.hang("1x2", {"main": NEW[0], "upper": NEW[0]}, NEW[0])
    seat.viewing.set_window("main", Window(400.0, 40.0))
    views = dict(seat.session.views)
    seat.session.views = {**views, "upper": replace(views["upper"], window=Window(1500.0, -600.0))}
    seat.viewing.zoom("upper", 2.0)
    views = seat.session.views
    seat.kept.close()
    other = again(tmp_path)
    assert other.uids() == {"main": "1.1", "upper": "1.1"}
    assert other.session.views == views


def test_a_prior_and_what_is_drawn_on_it_come_back_beside_the_study(seat, tmp_path):
    seat.arranging.compare()
    seat.read()
    seat.kept.close()
    first = Seat(tmp_path)
    first.open()
    first.library.show(OLD[0])
    first.read()
    first.draw()
    first.kept.close()
    other = again(tmp_path)
    assert other.uids() == {"main": "1.1", "upper": "2.1"}
    assert other.session.drawings[OLD[0].key] == (RULER,)


def test_the_study_before_alone_on_screen_is_not_kept_as_this_one(seat, tmp_path):
    seat.arranging.compare()
    seat.read()
    seat.viewing.activate("upper")
    seat.arranging.use("mpr")
    assert seat.session.series is OLD[0]
    seat.kept.close()
    other = again(tmp_path)
    assert other.session.series is not OLD[0]


@pytest.mark.parametrize(("layout", "count"), [("mpr", 1), ("1x2", 2)])
def test_two_studies_that_were_kept_with_each_other_do_not_call_each_other_for_ever(
    seat, tmp_path, layout, count
):
    seat.kept.close()
    keys = {"1": NEW[0].key, "2": OLD[0].key}
    for study, other in (("1", "2"), ("2", "1")):
        panes = (Held("main", hashed(keys[other])), Held("upper", hashed(keys[study])))
        kept = Workspace(layout=layout, panes=panes[:count])
        write_workspace(tmp_path / "workspaces", hashed(study), kept)
    other = again(tmp_path)
    for series in (OLD[0], NEW[0], OLD[0], NEW[0]):
        other.library.show(series)
        other.read()
        held = {each.series for each in other.session.shown.values()} or {other.session.series}
        assert series in held
        assert other.jobs.running("load_and_identify") == []


def test_drawings_key_images_and_overlays_come_back(seat, tmp_path):
    seat.draw()
    seat.session.key_images = {NEW[0].key: (KeyImage(Plane.AXIAL, 3, 0, (1.0, 2.0, 3.0)),)}
    style = LayerStyle(colour_map="viridis", threshold=3.5, opacity=0.4, fade_by="total")
    seat.session.styles = {"score": style}
    seat.session.overlay_on, seat.session.map_name = True, "residual"
    seat.kept.close()
    other = again(tmp_path).session
    assert other.drawings == {NEW[0].key: (RULER,)}
    assert other.key_images[NEW[0].key][0].point_lps == (1.0, 2.0, 3.0)
    assert other.styles == {"score": style}
    assert (other.overlay_on, other.map_name) == (True, "residual")


def test_the_crop_box_comes_back_and_cuts_nothing_until_it_is_asked_for(seat, tmp_path):
    seat.viewing.crop.toggle()
    seat.viewing.crop.move(1, -4.0)
    cut = seat.viewing.crop.box
    seat.kept.close()
    again = Seat(tmp_path)
    again.open()
    assert again.viewing.crop.box is None
    assert not again.measuring.can_undo
    again.viewing.crop.toggle()
    assert again.viewing.crop.box == cut
    assert again.viewing.crop.is_changed


def test_no_step_back_takes_away_what_was_kept(seat, tmp_path):
    seat.draw()
    seat.kept.close()
    other = again(tmp_path)
    other.measuring.remove_all()
    assert other.session.drawings[NEW[0].key] == ()
    other.measuring.undo()
    assert other.session.drawings[NEW[0].key] == (RULER,)
    assert not other.measuring.can_undo


def test_the_file_says_nothing_of_who_it_is(seat, tmp_path):
    seat.draw()
    seat.kept.close()
    files = list((tmp_path / "workspaces").iterdir())
    text = "".join(path.name + path.read_text() for path in files)
    assert [path.name for path in files] == [f"{hashed('1')}.json"]
    for secret in ("P1", "A^B", "1.1", "Abel", "2026"):
        assert secret not in text
    assert files[0].stat().st_mode & 0o077 == 0


def test_another_study_has_its_own_and_the_former_is_kept_on_leaving(seat, tmp_path):
    seat.draw()
    seat.library.show(CATALOGUE.patients[1].studies[0].series[0])
    seat.read()
    seat.viewing.scroll("main", 2)
    seat.kept.close()
    names = {path.name for path in (tmp_path / "workspaces").iterdir()}
    assert names == {f"{hashed('1')}.json", f"{hashed('9')}.json"}


def test_opening_the_same_folder_again_comes_back_too(seat):
    seat.library.show(NEW[2])
    seat.read()
    seat.open()
    assert seat.session.series.uid == "1.3"


def test_whoever_chooses_a_series_of_a_study_that_was_left_sees_that_series(seat):
    stranger = CATALOGUE.patients[1].studies[0].series[0]
    seat.draw()
    drawn = seat.session.drawings
    for chosen in (stranger, NEW[2], stranger, NEW[2]):
        seat.library.show(chosen)
        seat.read()
        assert seat.session.series.uid == chosen.uid
        assert {each.uid for each in (s.series for s in seat.session.shown.values())} <= {
            chosen.uid
        }
    assert seat.session.drawings == drawn
    seat.open()
    assert seat.session.series.uid == NEW[2].uid


def lost_by(seat):
    """What a start of the program finds that was lost, None: nothing."""
    found = []
    seat.kept.lost(found.append)
    return next(iter(found), None)


def test_after_a_kill_the_change_is_offered_once_and_recovered(seat, tmp_path):
    seat.kept.save()
    seat.draw()
    seat.kept.keep_draft()
    assert lost_by(Seat(tmp_path)) is None  # it still runs
    died(tmp_path)
    other = Seat(tmp_path)
    lost = lost_by(other)
    assert lost is not None
    assert lost.workspace.drawings
    opened = []
    other.kept.recover(opened.extend)
    assert opened == [Path("/data/Abel^Ann")]
    other.open()
    assert other.session.drawings[NEW[0].key] == (RULER,)
    assert lost_by(Seat(tmp_path)) is None


def test_no_is_remembered_and_leaves_what_was_saved(seat, tmp_path):
    seat.kept.save()
    seat.draw()
    seat.kept.keep_draft()
    died(tmp_path)
    Seat(tmp_path).kept.skip()
    other = Seat(tmp_path)
    assert lost_by(other) is None
    other.open()
    assert other.session.drawings == {}


def test_in_private_mode_no_folder_is_kept(seat, tmp_path):
    seat.session.private = True
    seat.draw()
    seat.kept.keep_draft()
    died(tmp_path)
    assert lost_by(Seat(tmp_path)).paths == ()


def test_a_kill_in_the_middle_of_a_write_leaves_a_whole_file(tmp_path):
    """A program that writes drafts all the time is killed; what lies there can be read."""
    code = (
        "import sys, itertools; from pathlib import Path\n"
        "from medview.services.workspace import Workspace\n"
        "from medview.services.workspace_files import Draft, write_draft\n"
        "print('on', flush=True)\n"
        "for n in itertools.count():\n"
        "    write_draft(Path(sys.argv[1]), Draft('s', f'{n:09}', Workspace(map_name='x' * 9999)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert soon(lambda: list(tmp_path.glob("*.draft.json")))
    process.kill()
    process.communicate()
    from medview.services.workspace_files import lost_drafts

    assert [draft.study for draft in lost_drafts(tmp_path)] == ["s"]


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": "medview.workspace/1", "workspace": 3}'])
def test_a_damaged_file_is_said_put_aside_and_not_fatal(tmp_path, text):
    folder = tmp_path / "workspaces"
    folder.mkdir()
    (folder / f"{hashed('1')}.json").write_text(text)
    (folder / "x.draft.json").write_text(text)
    seat = again(tmp_path)
    assert "damaged" in seat.session.message.text
    assert lost_by(seat) is None
    assert seat.session.series.uid == "1.1"
    assert (folder / f"{hashed('1')}.damaged").exists()


def test_a_series_that_is_gone_is_left_out(seat, tmp_path):
    seat.arranging.use("1x2")
    seat.read()
    seat.kept.close()
    patient = CATALOGUE.patients[0]
    less = replace(patient, studies=(replace(patient.studies[0], series=NEW[:1]),))
    other = again(tmp_path, replace(CATALOGUE, patients=(less,)))
    assert other.uids() == {"main": "1.1"}
    other.draw()
    other.kept.keep_draft()
    assert list((tmp_path / "workspaces").glob("*.draft.json"))


def test_a_disk_that_refuses_is_said_and_work_goes_on(tmp_path):
    (tmp_path / "workspaces").write_text("a file where a folder should be")
    seat = again(tmp_path)
    seat.draw()
    seat.kept.keep_draft()
    seat.kept.save()
    assert seat.session.message.kind == "error"
    assert seat.session.message.text == (
        "drawings and layout of this study could not be kept in medview's own folder (lies below a "
        "file, not a folder). Make room there or allow writing, or name another folder in "
        "MEDVIEW_HOME."
    )


def test_the_draft_of_a_living_program_is_nobody_elses(seat, tmp_path):
    seat.draw()
    seat.kept.keep_draft()
    body = json.loads(next((tmp_path / "workspaces").glob("*.draft.json")).read_text())
    assert body["process"]["pid"] == os.getpid()
    assert lost_by(Seat(tmp_path)) is None


def test_what_was_forgotten_stays_forgotten_until_it_is_asked_for_or_opened_anew(seat, tmp_path):
    seat.draw()
    seat.kept.save()
    seat.kept.forget()
    seat.draw()
    assert seat.kept.save() is False
    seat.kept.keep_draft()
    assert list((tmp_path / "workspaces").iterdir()) == []
    assert seat.kept.save(asked=True) is True
    seat.kept.forget()
    seat.library.show(OLD[0])
    seat.read()
    seat.library.show(NEW[0])
    seat.read()
    assert seat.kept.save() is True
    seat.kept.forget()
    seat.kept.close()
    assert len(list((tmp_path / "workspaces").iterdir())) == 1


def test_on_a_slow_disk_the_study_is_read_at_once_and_comes_back_when_it_answers(seat, tmp_path):
    seat.draw()
    seat.arranging.use("1x2")
    seat.read()
    seat.kept.close()
    slow = Seat(tmp_path, LaterWriter())
    slow.open()
    assert (slow.session.series.uid, slow.session.layout) == ("1.1", "mpr")
    second = replace(RULER, points=((9.0, 9.0, 9.0), (1.0, 5.0, 6.0)))
    slow.session.drawings = {NEW[0].key: (second,)}
    slow.kept.keep_draft()
    assert len(slow.writer.waiting) == 1
    slow.writer.go_on()
    slow.read()
    assert slow.session.layout == "1x2"
    assert slow.session.drawings[NEW[0].key] == (RULER, replace(second, id=2))
    assert slow.kept.save()


SECOND = replace(RULER, points=((9.0, 9.0, 9.0), (1.0, 5.0, 6.0)))
BOTH = (RULER, replace(SECOND, id=2))


@pytest.fixture
def slow(seat, tmp_path):
    """The study was left with a ruler in two panes; it is opened again from a slow disk."""
    seat.draw()
    seat.arranging.use("1x2")
    seat.read()
    seat.kept.close()
    made = Seat(tmp_path, LaterWriter())
    made.open()
    return made


def all_done(slow):
    while slow.writer.waiting:
        slow.writer.go_on()


def test_what_is_drawn_before_the_disk_has_answered_stays_where_the_window_closes_at_once(
    slow, tmp_path
):
    slow.session.drawings = {NEW[0].key: (SECOND,)}
    slow.session.key_images = {NEW[0].key: (KeyImage(Plane.AXIAL, 3, 0, (1.0, 2.0, 3.0)),)}
    # The window hears of nothing any more, as at the end of the program.
    pieces = [slow.writer.waiting.pop()]
    slow.kept.close()
    pieces += slow.writer.waiting
    assert [piece.do() for piece in pieces] == [None, None]
    other = again(tmp_path).session
    assert other.drawings == {NEW[0].key: BOTH}
    assert len(other.key_images[NEW[0].key]) == 1
    assert other.layout == "1x2"


def test_where_nothing_was_drawn_meanwhile_nothing_is_written(slow):
    assert not slow.kept.save()
    assert len(slow.writer.waiting) == 1


def test_of_a_study_without_anything_kept_or_damaged_all_is_new(tmp_path):
    for text in ("", "{"):
        folder = tmp_path / f"disk{text}" / "workspaces"
        folder.mkdir(parents=True)
        if text:
            (folder / f"{hashed('1')}.json").write_text(text)
        slow = Seat(folder.parent, LaterWriter())
        slow.open()
        slow.viewing.zoom("main", 2.0)
        slow.draw()
        views = slow.session.views
        slow.kept.close()
        for piece in slow.writer.waiting:
            piece.do()
        other = again(folder.parent)
        assert other.session.drawings == {NEW[0].key: (RULER,)}
        assert other.session.views == views


def test_what_is_drawn_before_another_study_is_opened_is_there_when_one_comes_back(slow, tmp_path):
    slow.session.drawings = {NEW[0].key: (SECOND,)}
    slow.library.show(CATALOGUE.patients[1].studies[0].series[0])
    slow.read()
    all_done(slow)
    assert slow.session.drawings == {NEW[0].key: BOTH}
    slow.library.show(NEW[0])
    slow.read()
    all_done(slow)
    assert slow.session.drawings == {NEW[0].key: BOTH}
    slow.kept.close()
    all_done(slow)
    assert again(tmp_path).session.drawings == {NEW[0].key: BOTH}


def test_what_is_drawn_while_panes_are_still_read_stays(slow, tmp_path):
    slow.writer.go_on()
    assert slow.session.drawings == {NEW[0].key: (RULER,)}
    slow.session.drawings = {NEW[0].key: BOTH}
    slow.kept.close()
    all_done(slow)
    other = again(tmp_path)
    assert other.session.drawings == {NEW[0].key: BOTH}
    assert len(other.uids()) == 2


def test_what_comes_when_another_study_was_opened_meanwhile_is_left(seat, tmp_path):
    seat.arranging.use("1x2")
    seat.read()
    seat.kept.close()
    slow, fresh = Seat(tmp_path, LaterWriter()), []
    slow.kept.fresh.connect(lambda series: fresh.append(series.uid))
    slow.open()
    slow.library.show(CATALOGUE.patients[1].studies[0].series[0])
    slow.read()
    other = slow.session.series.uid
    while slow.writer.waiting:
        slow.writer.go_on()
    assert (slow.session.layout, slow.session.series.uid, fresh) == ("mpr", other, [other])
