from dataclasses import replace

from phantoms import geometry_of, phantom_on
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QPushButton

from medview.domain.volume import Window


def test_every_map_is_listed_and_pressing_one_draws_it(head):
    head.window.show_panel("layers")
    head.add_result("score", "total", "seen")
    head.find(QPushButton, "layer_total").click()
    assert head.session.map_name == "total"
    assert head.find(QPushButton, "layer_total").isChecked()
    assert not head.find(QPushButton, "layer_score").isChecked()


def test_the_tick_shows_and_hides_all_maps(head):
    head.window.show_panel("layers")
    head.add_result("score")
    tick = head.find(QCheckBox, "layers_overlay")
    assert tick.isChecked()
    tick.click()
    assert not head.session.overlay_on
    head.press("O")
    assert tick.isChecked()


def test_grey_from_and_to_are_the_window(head):
    head.window.show_panel("layers")
    head.app.viewing.set_window("main", Window(200, 300))
    low, high = (
        head.find(QDoubleSpinBox, "image_range_low"),
        head.find(QDoubleSpinBox, "image_range_high"),
    )
    assert (low.value(), high.value()) == (200, 400)
    high.setValue(600)
    window = head.app.viewing.window("main")
    assert (window.width, window.level) == (400, 400)


def test_presets_are_those_of_the_image(head):
    head.window.show_panel("layers")
    head.find(QPushButton, "preset_1").click()
    assert head.app.viewing.window("main").label == "1 % to 99 %"
    assert head.window.findChild(QPushButton, "preset_5") is None


def test_windows_of_the_file_have_buttons_of_their_own(bench):
    windows = (Window(400, 40, "LINEAR", "Soft"), Window(80, 40, "LINEAR", "Brain"))
    bench.show(replace(phantom_on(geometry_of("LPS")), windows=windows))
    bench.window.show_panel("layers")
    bench.find(QPushButton, "preset_file2").click()
    assert bench.app.viewing.window("main") == windows[1]
