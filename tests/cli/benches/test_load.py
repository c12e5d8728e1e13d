from types import SimpleNamespace

import pytest

from medview.cli.benches import load
from medview.cli.benches.load import Sizes, measure
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine


@pytest.fixture(scope="module")
def rows():
    patch = pytest.MonkeyPatch()
    patch.setattr(load, "QUICK", Sizes(slices=3, long=4, files=5, rounds=1, huge=2))
    patch.setattr(load, "viewer_rows", lambda context, quick: [])
    context = Context(Options(), ProgressLine(None, on_terminal=False))
    found = measure(context, True)
    patch.undo()
    return found


def test_every_syntax_is_read_by_medview_and_by_both_peers(rows):
    for syntax in load.SYNTAXES:
        read = [row for row in rows if row.what == f"{syntax}, 3 slices: read whole"]
        assert [row.peer for row in read] == ["SimpleITK series reader", "plain pydicom loop"]
        assert all(0 < row.value < 60 for row in read)
        # What pydicom can decode depends on what else is installed.
        there = [row.peer_value for row in read if row.peer_value is not None]
        assert len(there) == 2 or syntax == "HTJ2K"
        assert all(0 < seconds < 60 for seconds in there)


def test_the_aims_are_those_for_the_share_of_simpleitk(rows):
    aims = {row.what.split(",")[0]: row.aim for row in rows if row.peer and row.aim}
    assert aims == {"raw": 0.5, "JPEG 2000": 0.85, "JPEG-LS": 0.45, "RLE": 0.12}


def test_the_first_image_comes_with_the_whole_series_or_before(rows):
    first = [row for row in rows if row.what.endswith("first image")]
    assert len(first) == len(load.SYNTAXES) + 1
    assert {row.aim for row in first} == {0.5, 1.0}


def test_memory_is_that_of_window_and_child_and_its_aim_grows_with_the_pixels(rows):
    peaks = [row for row in rows if row.what.endswith("both processes")]
    pixels_mb = 3 * 512 * 512 * 2 / 2**20
    assert peaks[0].aim == pytest.approx(200 + 1.3 * pixels_mb)
    assert all(row.value > 20 for row in peaks)


def test_headers_are_counted_by_core_and_by_the_clock(rows):
    by_core = next(row for row in rows if row.what.endswith("by core"))
    assert by_core.at_least
    assert by_core.aim == 1000
    assert by_core.value > 0


def test_a_huge_volume_comes_from_many_files_and_from_one(rows):
    huge = [row for row in rows if "in one volume" in row.what]
    assert [row.what.split(",")[0] for row in huge] == ["DICOM", "DICOM", "NIfTI", "NIfTI"]
    assert all(row.value > 0 for row in huge)
    assert {row.aim for row in huge[1::2]} == {200 + 1.3 * 4}


def test_without_room_a_huge_volume_is_left_out(monkeypatch):
    monkeypatch.setattr(load.psutil, "virtual_memory", lambda: SimpleNamespace(available=2**30))
    assert not load.is_room(700)
    assert load.is_room(10)
