"""Slabs by wheel, key and menu: what is drawn is what the corner says."""

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import Qt
from ui.fakes import wheel

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def ct(bench):
    grid = geometry_of("LPS", (60, 50, 40), (2.0, 2.0, 2.0))
    bench.show(phantom_on(grid, modality="CT", quantity="HU"))
    bench.app.viewing.set_point((20.0, -25.0, 2.0))
    return bench


def says(bench, pane="main"):
    return bench.frame(pane).corners.bottom_left


def test_alt_and_wheel_make_the_slab_thicker_and_leave_the_slice(ct):
    before = ct.frame().slice
    wheel(ct.pane(), 1, ALT)
    wheel(ct.pane(), 1, ALT)
    assert "MIP 8 mm" in says(ct)
    assert ct.frame().slice == before
    assert not [line for line in says(ct, "upper") if line.startswith("MIP")]
    for _ in range(3):
        wheel(ct.pane(), -1, ALT)
    assert not [line for line in says(ct) if line.startswith("MIP")]


def test_the_key_goes_round_and_the_picture_follows(ct):
    pictures = {"one": ct.frame().image}
    for name in ("MIP 10 mm", "MinIP 10 mm", "Mean 10 mm"):
        ct.press("Ctrl+Alt+B")
        assert name in says(ct)
        pictures[name.split()[0]] = ct.frame().image
    assert (pictures["MIP"] >= pictures["one"]).all()
    assert (pictures["MinIP"] <= pictures["one"]).all()
    assert (pictures["MIP"] > pictures["MinIP"]).any()
    ct.press("Ctrl+Alt+B")
    assert np.array_equal(ct.frame().image, pictures["one"])


def test_the_menu_sets_thickness_and_kind(ct):
    table = ct.window.table
    table["slab.20_mm"].trigger()
    table["slab.mean"].trigger()
    assert "Mean 20 mm" in says(ct)
    on = [key for key, made in table.actions.items() if key.startswith("slab") and made.isChecked()]
    assert on == ["slab.mean", "slab.20_mm"]
    table["slab.off"].trigger()
    assert not [line for line in says(ct) if line.startswith("Mean")]
    assert table["slab.off"].isChecked()
