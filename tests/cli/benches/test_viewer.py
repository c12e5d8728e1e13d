import pytest

from medview.cli.benches import viewer
from medview.cli.benches.ct_series import write_series
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine

SEEN = {
    "window_s": 1.0, "window_cpu_s": 0.6, "drop_s": 0.4, "chosen_s": 0.2, "whole_s": 0.9,
    "slices": 16, "memory_mb": 180.0, "heavy": [], "maps": 3, "gaps_ms": [5.0] * 99 + [80.0],
}  # fmt: skip


@pytest.fixture
def rows(monkeypatch):
    """The rows of three windows; each was slower and larger than the one before."""

    def rows_of(**last):
        asked = []

        def window(home, folder, seconds):
            asked.append(seconds)
            n = len(asked)
            grown = {"window_s": float(n), "memory_mb": 100.0 * n}
            return SEEN | grown | (last if seconds else {"gaps_ms": []})

        monkeypatch.setattr(viewer, "_window", window)
        monkeypatch.setattr(viewer, "_MPRAGE", viewer.ROOT / "nowhere")
        monkeypatch.setattr(viewer, "_made", lambda parent, quick: parent)
        context = Context(Options(), ProgressLine(None, on_terminal=False))
        found = {row.what: row for row in viewer.viewer_rows(context, False)}
        assert asked == [0.0, 0.0, viewer.RUN_S]
        return found

    return rows_of


def test_the_best_start_and_the_largest_memory_count(rows):
    found = rows()
    start = found["window, from the command on"]
    assert (start.value, start.aim, start.met) == (1.0, 1.5, True)
    memory = found["16 slices of 256 x 256: memory of the window's process"]
    assert (memory.value, memory.aim, memory.met) == (300.0, 500.0, True)
    first = found["16 slices of 256 x 256: chosen to first slice in the window"]
    assert (first.value, first.aim) == (0.2, 0.5)


def test_a_heavy_library_in_the_window_is_a_miss(rows):
    what = "torch, vtk and readers in the window's process"
    assert rows()[what].met
    assert rows(heavy=["torch"])[what].met is False


def test_waits_of_the_event_loop_are_held_to_their_aim(rows):
    gap = next(row for what, row in rows().items() if what.endswith(": 99 %"))
    assert (gap.aim, gap.met) == (50.0, True)
    late = next(r for w, r in rows(gaps_ms=[5.0] * 90 + [70.0] * 10).items() if w.endswith("99 %"))
    assert late.met is False


def test_without_a_model_on_screen_nothing_is_said_of_the_event_loop(rows):
    assert not any("event loop" in what for what in rows(maps=0))


@pytest.mark.slow
def test_a_real_window_is_timed(tmp_path):
    write_series(tmp_path / "series", 5, size=64)
    seen = viewer._window(tmp_path / "home", tmp_path / "series", 1.0)
    assert seen["slices"] == 5
    assert 0 < seen["chosen_s"] <= seen["drop_s"] < 120
    assert 0 < seen["window_s"] < 120
    assert 0 < seen["window_cpu_s"] < 120  # of several threads, so it may be the longer one
    assert 20 < seen["memory_mb"] < 2000
    assert seen["heavy"] == []
    assert seen["maps"] > 0
    assert len(seen["gaps_ms"]) > 10
