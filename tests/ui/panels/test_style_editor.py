from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QPushButton, QSlider

from medview.ui.panels.style_editor import COLOUR_MAPS

FIVE = ("score", "residual", "epistemic", "aleatoric", "total")


@pytest.fixture
def shown(head):
    head.window.side.panel("layers")
    head.add_result(*FIVE)
    return head


def slide(bench, key, share):
    slider = bench.find(QSlider, key)
    slider.setValue(round(share * slider.maximum()))
    bench.settle()


def test_opacity_reaches_the_pixels(shown):
    slide(shown, "results_opacity", 0.5)
    half = shown.frame().tints[-1][..., 3].max()
    slide(shown, "results_opacity", 1.0)
    assert shown.frame().tints[-1][..., 3].max() == 255
    assert half == pytest.approx(128, abs=1)


def test_below_the_threshold_nothing_is_drawn(shown):
    slide(shown, "results_threshold", 0.4)
    style = shown.session.style("score")
    assert style.threshold == pytest.approx(7.2)
    assert shown.frame().tints[-1][..., 3].any()
    slide(shown, "results_threshold", 0.6)
    assert not shown.frame().tints[-1][..., 3].any()


def test_display_range_and_threshold_move_independently(shown):
    slide(shown, "results_threshold", 0.3)
    before = shown.session.style("score")
    shown.find(QDoubleSpinBox, "results_range_high").setValue(12.0)
    after = shown.session.style("score")
    assert after.range == (before.range[0], 12.0)
    assert after.threshold == before.threshold
    slide(shown, "results_threshold", 0.1)
    assert shown.session.style("score").range == after.range


def test_a_range_upside_down_is_not_taken(shown):
    before = shown.session.style("score").range
    shown.find(QDoubleSpinBox, "results_range_high").setValue(-5.0)
    assert shown.session.style("score").range == before


def test_fading_by_uncertainty_takes_opacity_away(shown):
    full = shown.frame().tints[-1][..., 3].astype(int)
    combo = shown.find(QComboBox, "results_fade")
    combo.setCurrentIndex(combo.findData("total"))
    combo.activated.emit(combo.currentIndex())
    faded = shown.frame().tints[-1][..., 3].astype(int)
    assert shown.session.style("score").fade_by == "total"
    assert faded.max() < full.max()
    combo.setCurrentIndex(0)
    combo.activated.emit(0)
    assert np.array_equal(shown.frame().tints[-1][..., 3], full)


def test_only_uncertainties_can_fade(shown):
    combo = shown.find(QComboBox, "results_fade")
    names = [combo.itemData(n) for n in range(combo.count())]
    assert names == [None, "epistemic", "aleatoric", "total"]


def test_the_switch_shows_the_map_and_follows_the_key(shown):
    shown.find(QPushButton, "results_maps_epistemic").click()
    assert shown.session.map_name == "epistemic"
    shown.press("U")
    assert shown.find(QPushButton, "results_maps_aleatoric").isChecked()


def test_each_map_keeps_its_own_style(shown):
    slide(shown, "results_opacity", 0.3)
    shown.press("U")
    assert shown.find(QSlider, "results_opacity").value() != 300
    for _ in range(4):
        shown.press("U")
    assert shown.find(QSlider, "results_opacity").value() == 300


def test_every_colour_map_offered_can_be_drawn(shown):
    combo = shown.find(QComboBox, "results_colours")
    pictures = set()
    for colour in COLOUR_MAPS:
        combo.setCurrentText(colour)
        combo.activated.emit(combo.currentIndex())
        pictures.add(shown.frame().colour_bar.colours.tobytes())
    assert len(pictures) == len(COLOUR_MAPS)


def test_both_editors_say_the_same(shown):
    slide(shown, "layers_opacity", 0.2)
    assert shown.find(QSlider, "results_opacity").value() == 200


def test_labels_have_neither_threshold_nor_range(head):
    head.window.show_panel("layers")
    head.add_result("score", "regions")
    (made,) = head.session.results
    labels = replace(made.map("regions"), kind="labels", labels=("pons", "vermis"))
    result = replace(made, maps=(made.map("score"), labels))
    head.session.predictions = {head.session.volume_id: (result,)}
    sliders = [head.find(QSlider, f"layers_{row}") for row in ("opacity", "threshold")]
    assert [each.isVisible() for each in sliders] == [True, True]
    head.app.viewing.maps.show_map("regions")
    head.settle()
    assert [each.isVisible() for each in sliders] == [True, False]
    assert head.session.style("regions").threshold < 1


def test_without_a_map_there_is_nothing_to_edit(head):
    head.window.show_panel("layers")
    assert not head.find(QSlider, "layers_opacity").isEnabled()


def hold(bench, key, *shares):
    """Take the slider's handle and move it along, as a mouse does."""
    slider = bench.find(QSlider, key)
    slider.setSliderDown(True)
    for share in shares:
        slider.setSliderPosition(round(share * slider.maximum()))
    slider.setSliderDown(False)
    bench.settle()


@pytest.mark.parametrize(
    ("key", "field"), [("layers_opacity", "opacity"), ("layers_threshold", "threshold")]
)
def test_undo_takes_a_whole_drag_back_and_redo_makes_it_again(shown, key, field):
    shown.window.show_panel("layers")
    before, pixels = shown.session.style("score"), shown.frame().tints[-1].copy()
    hold(shown, key, 0.1, 0.2, 0.3)
    after = getattr(shown.session.style("score"), field)
    hold(shown, key, 0.8, 0.9)
    shown.press("Ctrl+Z")
    assert getattr(shown.session.style("score"), field) == after
    shown.press("Ctrl+Z")
    assert shown.session.style("score") == before
    slider = shown.find(QSlider, key)
    assert slider.value() / slider.maximum() == pytest.approx(
        before.opacity if field == "opacity" else before.threshold / 18, abs=0.01
    )
    assert np.array_equal(shown.frame().tints[-1], pixels)
    assert not shown.window.table["edit.undo"].isEnabled()
    shown.press("Ctrl+Y")
    assert getattr(shown.session.style("score"), field) == after


def test_range_keys_and_choices_are_steps_like_drawings_in_the_order_they_were_made(shown):
    before = shown.session.style("score")
    shown.find(QDoubleSpinBox, "layers_range_high").setValue(12.0)
    shown.app.measuring.toggle_key("main")
    shown.press("[")
    shown.find(QPushButton, "layers_drawing_outline").click()
    changed = shown.session.style("score")
    assert (changed.range, changed.opacity, changed.outline) == ((0.0, 12.0), 0.6, True)
    shown.press("Ctrl+Z")
    shown.press("Ctrl+Z")
    assert shown.app.measuring.is_key("main")
    assert shown.session.style("score").range == (0.0, 12.0)
    shown.press("Ctrl+Z")
    assert not shown.app.measuring.is_key("main")
    shown.press("Ctrl+Z")
    assert shown.session.style("score") == before
    assert not shown.app.measuring.can_undo


def test_nothing_to_take_back_where_nothing_was_changed(shown):
    slider = shown.find(QSlider, "layers_opacity")
    hold(shown, "layers_opacity", slider.value() / slider.maximum())
    assert not shown.app.measuring.can_undo
