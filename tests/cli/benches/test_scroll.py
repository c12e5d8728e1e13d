import numpy as np
import pytest

from medview.cli.benches import scroll
from medview.cli.benches.scroll import Scene, measure
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine


@pytest.fixture
def context():
    return Context(Options(), ProgressLine(None, on_terminal=False))


def test_every_scene_is_scrolled_by_medview_and_by_its_peer(qapp, context, monkeypatch):
    monkeypatch.setattr(scroll, "SCENES", (Scene(32, 0), Scene(32, 2)))
    monkeypatch.setattr(scroll, "film_rows", lambda steps, smaller: [])
    monkeypatch.setattr(scroll, "window_rows", lambda context, quick: [])
    rows = measure(context, True)
    steps = [row for row in rows if row.peer]
    assert {row.what.split(":")[0] for row in steps} == {
        "32 x 32 int16, no overlay",
        "32 x 32 int16, two overlays",
    }
    assert all(row.value > 0 and row.peer_value > 0 for row in steps)
    assert [row.aim for row in steps if row.what.endswith("median")] == [1.0, 1.0]


def test_each_step_draws_another_slice_with_all_its_maps(qapp):
    volume, maps = scroll._study(Scene(16, 2))
    compose = scroll._composer(volume, maps)
    assert [compose(k).slice for k in (0, 5, 23)] == [0, 5, 23]
    assert len(compose(3).tints) == 2
    assert not np.array_equal(compose(3).image, compose(4).image)


def test_the_peer_shows_the_same_slice_and_as_many_maps(qapp):
    volume, maps = scroll._study(Scene(16, 2))
    viewer = scroll._Viewer(volume, maps)
    viewer.show_slice(7)
    assert np.array_equal(viewer._view.getImageItem().image, volume.array[7])
    assert len(viewer._items) == len(maps) == 2
    for item, each in zip(viewer._items, maps, strict=True):
        assert np.array_equal(item.image, each.array[7])
    viewer.hide()
