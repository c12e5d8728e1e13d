"""A series on its way to the screen, with a real child: first slice, more, whole, identified."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from dicom_files import compressed, image, save
from phantoms import phantom
from services.stubs import StubJobs, catalogue_of, series_of

from medview.domain.progress import Silent
from medview.io import readers
from medview.io.crew import AT_HAND, Order
from medview.io.hashing import volume_sha256
from medview.services.jobs import Jobs
from medview.services.library import LOAD_AND_IDENTIFY, Library
from medview.services.session import Session
from medview.services.settings import Preferences

COUNT = 60
LOAD_HINTED = "services.works:load_when_hinted"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Sixty slices in JPEG 2000, so that decoding takes a moment."""
    noise = np.random.default_rng(9).integers(0, 4000, (256, 256), np.uint16)
    slices = []
    for k in range(COUNT):
        frame = imagecodecs.jpeg2k_encode(noise + k, codecformat="J2K", reversible=True)
        ds = image(noise, ImagePositionPatient=[0, 0, 2.0 * k])
        slices.append(compressed(ds, "1.2.840.10008.1.2.4.90", [frame + b"\0" * (len(frame) % 2)]))
    return save(slices, tmp_path_factory.mktemp("series"))


def heard(jobs, work, *args):
    """Run a job to its end; give its parts and its answer."""
    parts, ends, over = [], [], threading.Event()

    def end(value):
        ends.append(value)
        over.set()

    jobs.run("files", work, *args, partial=parts.append, done=end, failed=end)
    assert over.wait(120)
    return parts, ends[0]


def test_a_series_fills_from_the_wanted_slice_and_is_then_identified(folder):
    (series,) = readers.scan(Silent(), (folder,)).all_series()
    with Jobs(lambda call: call()) as jobs:
        parts, sha256 = heard(jobs, LOAD_AND_IDENTIFY, series, 0, 50)
    first, whole = parts[0], parts[-1]
    assert len(parts) >= 2
    assert len(first.slices_to_come) == COUNT - 1
    there = next(k for k in range(COUNT) if k not in first.slices_to_come)
    # Several workers begin at once; any of the slices they have at hand may be done first.
    order = Order(range(COUNT), 50)
    at_hand = {order.take() for _ in range(min(COUNT, AT_HAND * (os.cpu_count() or 1)))}
    assert there in at_hand
    assert first.missing_slices == ()
    assert whole.slices_to_come == ()
    expected = readers.load(Silent(), series)
    np.testing.assert_array_equal(whole.array, expected.array)
    assert sha256 == volume_sha256(expected)
    # The first part looks into the same memory: by now it holds all slices, too.
    np.testing.assert_array_equal(first.array, expected.array)


def test_it_follows_the_reader(folder):
    (series,) = readers.scan(Silent(), (folder,)).all_series()
    firsts, over = [], threading.Event()
    with Jobs(lambda call: call()) as jobs:

        def part(volume):
            firsts.append(set(range(COUNT)) - set(volume.slices_to_come))
            job.hint = 2

        job = jobs.run("files", LOAD_HINTED, series, 57, partial=part, done=lambda _: over.set())
        assert over.wait(120)
    # Before all is there, the beginning is, and the middle still is not.
    assert any(1 in there and 30 not in there for there in firsts), firsts


@pytest.fixture
def opened(tmp_path):
    session, jobs = Session(), StubJobs()
    library = Library(jobs, session, Preferences(tmp_path / "settings.json"))
    library.open([Path("/data/study")])
    jobs.last.finish(catalogue_of(series_of("1.1"), series_of("1.2")))
    return session, jobs


def test_more_of_a_volume_leaves_views_and_panes_as_they_are(opened):
    session, jobs = opened
    whole = phantom()
    jobs.last.send(replace(whole, slices_to_come=(0, 1)))
    session.maximised = session.active_pane
    moved = {name: replace(view, zoom=3.0) for name, view in session.views.items()}
    session.views = moved
    jobs.last.send(whole)
    assert session.volume is whole
    assert session.views == moved
    assert session.maximised == session.active_pane
    jobs.last.finish("abc")
    assert session.volume_id.sha256 == "abc"


def test_scrolling_tells_the_job_where_the_reader_is(opened):
    session, jobs = opened
    whole = phantom()
    reading = jobs.last
    reading.send(replace(whole, slices_to_come=tuple(range(8))))
    for k, told in ((-7, 0), (99, 15), (5.4, 5)):  # a crosshair may lie beyond the 16 slices
        place = tuple(float(v) for v in whole.geometry.to_mm((k, 3, 3)))
        session.views = {n: replace(view, point_lps=place) for n, view in session.views.items()}
        assert reading.hint == told
    reading.send(whole)
    session.views = {n: replace(view, zoom=2.0) for n, view in session.views.items()}
    assert reading.hint == 5
