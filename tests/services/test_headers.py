"""The header of the file behind the image of a pane."""

from pathlib import Path

import pytest
from services.stubs import series_of

from medview.domain.tag import Tag
from medview.services.headers import HIDDEN, Headers
from medview.services.layouts import MAIN_PANE
from medview.services.session import Session

NAME = Tag(0, "(0010,0010)", "Patient's Name", "PN", "Abel^Ann", tells_who=True)
ROWS = Tag(0, "(0028,0010)", "Rows", "US", "20")
FILES = tuple(Path(f"/data/{n}.dcm") for n in range(16))
# The slices lie in the files the other way round; one of them has none.
SLOTS = tuple(None if k == 3 else (15 - k, 0) for k in range(16))


@pytest.fixture
def headers(jobs, session):
    return Headers(jobs, session)


def stacked(session, **fields):
    session.series = series_of("1.1", files=FILES, slots=SLOTS, **fields)


def go_to(session, k):
    from medview.services.viewing import Viewing

    Viewing(session).go_to(MAIN_PANE, k)


@pytest.mark.parametrize(("k", "file"), [(0, 15), (8, 7), (15, 0)])
def test_the_file_of_the_slice_on_screen_is_read(headers, jobs, session, k, file):
    stacked(session)
    go_to(session, k)
    headers.read(MAIN_PANE)
    assert jobs.last.args == (FILES[file], "dicom")


def test_a_slice_without_a_file_is_said(headers, jobs, session):
    stacked(session)
    go_to(session, 3)
    assert headers.read(MAIN_PANE) is None
    assert session.message.text == "No file lies behind this image."
    assert jobs.asked == []


def test_a_volume_in_one_file_has_that(headers, jobs, session):
    session.series = series_of("1.1", files=(Path("/data/head.nii.gz"),), format="nifti")
    headers.read(MAIN_PANE)
    assert jobs.last.args == (Path("/data/head.nii.gz"), "nifti")


def test_without_an_image_there_is_none(jobs):
    assert Headers(jobs, Session()).read(MAIN_PANE) is None


@pytest.mark.parametrize("private", [False, True])
def test_in_private_mode_neither_name_nor_file_is_told(headers, jobs, session, private):
    stacked(session, description="T1")
    session.private = private
    arrived = []
    headers.arrived.connect(lambda *what: arrived.append(what))
    headers.read(MAIN_PANE)
    jobs.last.finish((NAME, ROWS))
    ((title, tags),) = arrived
    assert ("7.dcm" in title) is not private
    assert [tag.value for tag in tags] == [HIDDEN if private else "Abel^Ann", "20"]
    assert tags[0].tells_who
