from pathlib import Path

import pytest
from phantoms import geometry_of, phantom, phantom_on
from services.stubs import catalogue_of, series_of

from medview.domain.errors import ReadError
from medview.domain.study import Catalogue, Choice, Skipped
from medview.domain.volume import Window
from medview.services.layouts import MAIN_PANE
from medview.services.library import Library
from medview.services.session import Session
from medview.services.session_values import VolumeId
from medview.services.viewing import Viewing


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def library(jobs, session, preferences):
    return Library(jobs, session, preferences)


FIRST, SECOND, THIRD = (series_of(uid) for uid in ("1.1", "1.2", "1.3"))


def opened(library, jobs, *series):
    library.open([Path("/data/study")])
    jobs.last.finish(catalogue_of(*series))


def arrive(jobs, volume=None, sha256="abc"):
    """Let the series that was asked for last be read."""
    job = jobs.running("load_and_identify")[-1]
    job.send(volume or phantom())
    job.finish(sha256)


# -- opening -------------------------------------------------------------------------------


def test_opening_lists_what_is_there_and_reads_the_first_series(library, jobs, session):
    library.open([Path("/data/study")])
    assert jobs.last.args == ((Path("/data/study"),),)
    jobs.last.finish(catalogue_of(FIRST, SECOND))
    assert [s.uid for s in session.catalogue.all_series()] == ["1.1", "1.2"]
    assert jobs.last.args == (FIRST, 0)


def test_files_that_could_not_be_read_are_told_in_one_sentence(library, jobs, session):
    skipped = (
        Skipped("notes.txt", "MV-IO-001", "not a medical image"),
        Skipped("a/IM12.dcm", "MV-IO-103", "ends early"),
    )
    library.open([Path("/data/study")])
    jobs.last.finish(catalogue_of(FIRST, skipped=skipped))
    said = "1 file could not be read: IM12.dcm: ends early; 1 other holds no image"
    assert session.message.text == said


def test_many_unreadable_files_are_counted_and_the_first_is_named(library, jobs, session):
    skipped = [Skipped(f"IM{n}.dcm", "MV-IO-103", "ends early") for n in range(3)]
    library.open([Path("/data/study")])
    jobs.last.finish(catalogue_of(FIRST, skipped=skipped))
    assert session.message.text.startswith("3 files could not be read, the first is IM0.dcm")


def test_files_that_are_no_images_are_not_worth_a_word(library, jobs, session):
    library.open([Path("/data/study")])
    skipped = (Skipped("notes.txt", "MV-IO-001", "not a medical image"),)
    jobs.last.finish(catalogue_of(FIRST, skipped=skipped))
    assert session.message is None


def test_a_folder_without_images_is_refused_and_what_is_open_stays(library, jobs, session):
    opened(library, jobs, FIRST)
    arrive(jobs)
    before = session.catalogue, session.volume
    library.open([Path("/data/letters")])
    jobs.last.finish(Catalogue(files=3))
    assert session.message.error.file == "letters"
    assert (session.catalogue, session.volume) == before


def test_a_cancelled_scan_leaves_all_as_it_was(library, jobs, session):
    opened(library, jobs, FIRST)
    arrive(jobs)
    before = session.catalogue, session.volume
    library.open([Path("/data/other")])
    session.tasks[0].cancel()
    assert (session.catalogue, session.volume, session.message) == (*before, None)


def test_a_newer_folder_silences_the_one_still_being_looked_through(library, jobs, session):
    library.open([Path("/data/old")])
    library.open([Path("/data/new")])
    old, new = jobs.asked
    new.finish(catalogue_of(SECOND))
    old.finish(catalogue_of(FIRST))
    assert [s.uid for s in session.catalogue.all_series()] == ["1.2"]


def test_opened_folders_are_remembered_unless_private(library, jobs, session, preferences):
    opened(library, jobs, FIRST)
    assert preferences.settings.recent == ("/data/study",)
    session.private = True
    library.open([Path("/data/ZQ7PN")])
    jobs.last.finish(catalogue_of(FIRST))
    assert preferences.settings.recent == ("/data/study",)


# -- showing -------------------------------------------------------------------------------


def test_a_series_is_shown_as_soon_as_it_is_read_and_known_when_it_is_counted(
    library, jobs, session
):
    library.show(FIRST)
    volume = phantom()
    jobs.last.send(volume)
    assert session.volume is volume
    assert session.series is FIRST
    assert session.volume_id is None
    jobs.last.finish("abc")
    assert session.volume_id == VolumeId("1.1#0", "abc")


def test_name_and_pixels_change_together(library, jobs, session):
    library.show(FIRST)
    arrive(jobs)
    seen = []

    def look(*_):
        seen.append((session.series.uid, session.volume.array[0, 0, 0], len(session.views)))

    for name in ("series", "volume", "views", "volume_id"):
        getattr(session.events, name).connect(look)
    library.show(SECOND)
    assert session.series is FIRST
    film = phantom_on(geometry_of(shape=(1, 20, 24)), modality="CR")
    jobs.last.send(film)
    assert seen == [("1.2", film.array[0, 0, 0], 1)] * len(seen)
    assert seen


def test_a_series_that_is_kept_comes_up_at_once(library, jobs, session):
    library.show(FIRST)
    arrive(jobs)
    first = session.volume
    library.show(SECOND)
    arrive(jobs, sha256="def")
    assert library.show(FIRST) is None
    assert session.volume is first
    assert session.volume_id == VolumeId("1.1#0", "abc")


def test_window_zoom_and_slice_are_there_again_when_a_series_comes_back(library, jobs, session):
    viewing = Viewing(session)
    library.show(FIRST)
    arrive(jobs)
    viewing.scroll(MAIN_PANE, 3)
    viewing.zoom(MAIN_PANE, 2.0)
    viewing.set_window(MAIN_PANE, Window(80, 40))
    left = session.views
    library.show(SECOND)
    arrive(jobs)
    assert session.views != left
    library.show(FIRST)
    assert session.views == left


def test_a_series_chosen_later_wins_over_one_that_is_still_being_read(library, jobs, session):
    library.show(FIRST)
    arrive(jobs)
    library.show(SECOND)
    slow = jobs.last
    library.show(FIRST)
    slow.send(phantom())
    slow.finish("late")
    assert session.series is FIRST
    assert session.tasks == ()


def test_volumes_are_kept_by_size_and_the_newest_always(jobs, session, preferences):
    library = Library(jobs, session, preferences, keep_mb=1)
    size = phantom_on(geometry_of(shape=(20, 100, 100), spacing_mm=(2, 2, 2)))
    assert size.array.nbytes * 2 < 1 << 20 < size.array.nbytes * 3
    for series in (FIRST, SECOND, THIRD):
        library.show(series)
        arrive(jobs, size)
    asked = len(jobs.asked)
    library.show(SECOND)
    assert len(jobs.asked) == asked
    library.show(FIRST)
    assert len(jobs.asked) == asked + 1


def test_opening_again_reads_again(library, jobs, session):
    opened(library, jobs, FIRST)
    arrive(jobs)
    opened(library, jobs, FIRST)
    assert jobs.last.work.endswith("load_and_identify")


def test_a_series_without_an_image_is_refused(library, jobs, session):
    library.show(series_of("1.9", geometry=None, description="Report"))
    assert jobs.asked == []
    assert session.message.text.startswith("Report: holds no image")


def test_a_series_that_cannot_be_read_is_named_and_the_former_stays(library, jobs, session):
    library.show(FIRST)
    arrive(jobs)
    library.show(SECOND)
    jobs.last.fail(ReadError("ends early", do="Copy it again."))
    assert session.message.text == "T1 1.2: ends early. Copy it again."
    assert session.series is FIRST


def test_keys_step_through_the_list_and_hold_at_its_ends(library, jobs, session):
    opened(library, jobs, FIRST, series_of("1.15", geometry=None), SECOND)
    arrive(jobs)
    library.show_next()
    assert jobs.last.args[0] is SECOND
    arrive(jobs)
    assert library.show_next() is None
    library.show_next(-1)
    assert session.series is FIRST


def test_where_nothing_of_the_list_is_on_screen_the_keys_begin_at_its_first(library, jobs, session):
    assert library.show_next() is None
    session.catalogue = catalogue_of(series_of("1.15", geometry=None), FIRST, SECOND)
    library.show_next(-1)
    assert jobs.last.args[0] is FIRST


def test_time_points_are_volumes_of_their_own_with_the_same_view(library, jobs, session):
    moving = series_of("1.1", times=3)
    library.show(moving)
    arrive(jobs)
    Viewing(session).scroll(MAIN_PANE, 3)
    left = session.views
    library.show_time(1)
    assert jobs.last.args == (moving, 1)
    arrive(jobs, sha256="second")
    assert (session.time, session.views) == (1, left)
    assert session.volume_id.sha256 == "second"
    library.show_time(-5)
    assert session.time == 0


def test_a_choice_reads_all_again_and_shows_that_series(library, jobs, session):
    opened(library, jobs, FIRST, SECOND)
    arrive(jobs)
    choice = Choice("1.2", form="qform")
    library.choose(choice)
    assert jobs.last.args == ((Path("/data/study"),), (choice,))
    other = series_of("1.2", form="qform")
    jobs.last.finish(catalogue_of(FIRST, other))
    arrive(jobs, sha256="def")
    assert session.series is other
    assert session.volume_id == VolumeId("1.2#0", "def")


def test_choices_for_several_series_stay_until_something_else_is_opened(library, jobs):
    opened(library, jobs, FIRST, SECOND)
    one, two = Choice("1.1", form="qform"), Choice("1.2", split_by="EchoTime")
    library.choose(one)
    jobs.last.finish(catalogue_of(FIRST, SECOND))
    library.choose(two)
    assert jobs.last.args[1] == (one, two)
    jobs.last.finish(catalogue_of(FIRST, SECOND))
    opened(library, jobs, FIRST, SECOND)
    library.choose(two)
    assert jobs.last.args[1] == (two,)


def test_pixels_of_a_series_that_was_chosen_otherwise_are_read_anew(library, jobs, session):
    opened(library, jobs, FIRST)
    arrive(jobs)
    library.choose(Choice("1.1", form="qform"))
    again = series_of("1.1", form="qform")
    jobs.last.finish(catalogue_of(again))
    assert jobs.running("load_and_identify")[-1].args[0] is again
