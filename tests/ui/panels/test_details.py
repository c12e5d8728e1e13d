import pytest
from phantoms import MARK_LPS, geometry_of, phantom_on
from PySide6.QtWidgets import QLabel
from services.stubs import series_of
from ui.fakes import hover

from medview.domain.volume import Note
from medview.ui.words import place


def said(bench):
    panel = bench.window.side.shown
    return [each.text() for each in panel.findChildren(QLabel) if not each.isHidden()]


def test_facts_of_the_series(head):
    head.window.show_panel("details")
    text = said(head)
    for fact in ("A, B", "21 Nov 2026", "MR", "36 × 44 × 40", "3.00 × 3.00 × 3.00 mm", "DICOM"):
        assert fact in text


def test_every_layer_has_its_value_at_the_crosshair(head):
    head.window.show_panel("details")
    head.add_result("score", "total")
    head.app.viewing.set_point(MARK_LPS)
    head.settle()
    text = said(head)
    assert "L 20.0  A 25.0  H 15.0 mm" in text
    assert "1000" in text


def test_under_the_mouse_it_reads_there(head):
    head.window.show_panel("details")
    at = head.pane().area.center()
    for shift in (0, 40):
        x, y = at.x() + shift, at.y() - shift
        hover(head.pane(), (x, y))
        head.settle()
        assert place(head.pane().to_lps(x, y)) in said(head)


def test_a_name_from_right_to_left_stands_in_the_column_of_the_others(bench):
    bench.window.show_panel("details")
    bench.show(description="أشعة", uid="1.8")
    panel = bench.window.side.shown
    labels = [each for each in panel.findChildren(QLabel) if each.text() == "أشعة"]
    (value,) = [each for each in labels if each.property("look") == "value"]
    image = value.grab().toImage()
    back = image.pixelColor(image.width() - 1, 0)
    lit = [
        x
        for x in range(image.width())
        if any(image.pixelColor(x, y) != back for y in range(image.height()))
    ]
    assert lit[0] < 8


def test_warnings_of_the_file_are_listed(bench):
    bench.window.show_panel("details")
    grid = geometry_of("LPS", (20, 20, 24), (3.0, 4.0, 4.0))
    bench.show(phantom_on(grid, warnings=(Note("TILTED", "the gantry was tilted by 12 degrees"),)))
    assert "the gantry was tilted by 12 degrees" in said(bench)


@pytest.mark.parametrize(("code", "words"), [("LOSSY", "lossy"), ("PARTLY_LOSSY", "partly lossy")])
def test_loss_in_some_images_is_not_said_of_all(bench, code, words):
    bench.window.show_panel("details")
    grid = geometry_of("LPS", (20, 20, 24), (3.0, 4.0, 4.0))
    bench.show(phantom_on(grid, lossy=True, warnings=(Note(code, "some text"),)))
    assert words in said(bench)
    assert bench.frame().corners.bottom_left[0] == words.capitalize()


def test_private_hides_who_it_is(head):
    head.window.show_panel("details")
    head.press("Ctrl+Shift+P")
    text = " ".join(said(head))
    assert "A, B" not in text
    assert "2026" not in text


def test_the_key_that_told_volumes_apart_is_named(bench):
    bench.window.show_panel("details")
    bench.show(phantom_on(geometry_of("LPS")))
    assert not any("EchoTime" in text for text in said(bench))
    bench.session.series = series_of("1.9", times=4, split_by="EchoTime", time_step_s=2.2)
    bench.settle()
    assert "4 by EchoTime, every 2.20 s" in said(bench)


def test_the_longest_names_push_no_card_out_of_the_panel(bench):
    bench.window.show_panel("details")
    bench.show(description="t1_mprage_sag_p2_iso_post_contrast_" + "reformatted" * 3)
    bench.settle()
    panel = bench.window.side.shown
    assert panel.widget().minimumSizeHint().width() <= panel.viewport().width()
    # Beside the longest name there is room for the place, in two lines at most.
    place = next(each for each in panel.findChildren(QLabel) if each.text().endswith(" mm"))
    assert place.height() <= 2.5 * place.fontMetrics().height()
    told = [text for text in said(bench) if text.startswith("t1_mprage")]
    assert told[0].replace("\u200b", "").endswith("reformatted" * 3)
