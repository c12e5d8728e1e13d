"""Drawing with the mouse: by real events, undone and redone, across slices."""

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QPushButton
from ui.fakes import drag, hover


def draw(head, tool, *drags):
    head.window.use_tool(tool)
    for start, by in drags:
        drag(head.pane(), start, by)
        head.settle()


def here(head):
    return head.app.measuring.here


def test_a_length_is_dragged_and_says_the_millimetres_under_the_mouse(head):
    draw(head, "length", ((200, 300), (90, 0)))
    (found,) = here(head)
    pane = head.pane()
    millimetres = 90 / pane.px_per_mm()
    assert head.app.measuring.words(found.id) == (f"{millimetres:.1f} mm",)
    (shape,) = head.frame().shapes
    assert shape.lines == (f"{millimetres:.1f} mm",)
    assert pane.pixel_of(*shape.handles[0]).x() == pytest.approx(200, abs=0.5)


@pytest.mark.parametrize("shake", [(0, 0), (2, 1)])
def test_a_click_draws_nothing(head, shake):
    draw(head, "length", ((200, 300), shake))
    assert here(head) == ()
    assert head.session.draft is None


def test_every_edit_is_undone_and_redone_across_slices(head):
    draw(head, "length", ((200, 300), (90, 0)))
    head.press("Down")
    draw(head, "ellipse", ((220, 320), (60, 50)))
    assert [each.kind for each in here(head)] == ["length", "ellipse"]
    assert [shape.kind for shape in head.frame().shapes] == ["ellipse"]
    head.press("Ctrl+Z")
    assert [each.kind for each in here(head)] == ["length"]
    head.press("Ctrl+Z")
    assert here(head) == ()
    head.press("Ctrl+Y")
    head.press("Ctrl+Y")
    assert [each.kind for each in here(head)] == ["length", "ellipse"]
    head.press("Del")
    assert [each.kind for each in here(head)] == ["length"]
    head.press("Ctrl+Z")
    assert [each.kind for each in here(head)] == ["length", "ellipse"]


def test_an_angle_takes_an_arm_and_a_click(head):
    draw(head, "angle", ((300, 300), (-80, 0)), ((220, 380), (0, 0)))
    (found,) = here(head)
    assert len(found.points) == 3
    assert head.app.measuring.words(found.id) == ("90.0°",)


@pytest.mark.parametrize(
    ("tool", "places", "words"),
    [
        ("angle", ((300, 300), (220, 300), (220, 380)), "90.0°"),
        ("cobb", ((200, 300), (280, 300), (200, 400), (280, 480)), "45.0°"),
    ],
)
def test_an_angle_is_clicked_point_by_point_too(head, tool, places, words):
    for place in places:
        assert here(head) == ()
        draw(head, tool, (place, (1, 0)))  # a hand that shakes
    (found,) = here(head)
    assert float(head.app.measuring.words(found.id)[0][:-1]) == pytest.approx(
        float(words[:-1]), abs=1.5
    )
    assert head.session.draft is None


def test_cobb_lines_need_not_meet(head):
    draw(head, "cobb", ((200, 300), (80, 0)), ((200, 400), (80, 80)))
    (found,) = here(head)
    assert head.app.measuring.words(found.id) == ("45.0°",)


def test_a_polygon_is_clicked_and_closed_on_its_first_corner(head):
    corners = ((200, 300), (280, 300), (280, 360), (200, 360))
    draw(head, "polygon", *((at, (0, 0)) for at in corners))
    assert here(head) == ()
    draw(head, "polygon", (corners[0], (0, 0)))
    (found,) = here(head)
    assert len(found.points) == 4
    assert head.app.measuring.words(found.id)[0].endswith("mm²")


def test_escape_leaves_what_is_being_drawn_and_then_resets_the_pane(head):
    draw(head, "angle", ((300, 300), (-80, 0)))
    assert head.session.draft is not None
    before = head.session.views["main"]
    head.press("Esc")
    assert head.session.draft is None
    assert head.session.views["main"] == before


def test_drawings_belong_to_their_series(head):
    draw(head, "length", ((200, 300), (90, 0)))
    head.show(uid="1.7")
    assert here(head) == ()
    assert head.frame().shapes == ()
    head.show(uid="1.1")
    assert len(here(head)) == 1


def test_what_is_measured_in_a_region_is_whole_in_the_list_of_a_small_window(head):
    head.window.resize(1200, 760)
    head.window.show_panel("details")
    draw(head, "ellipse", ((220, 320), (60, 50)))
    row = head.find(QPushButton, "drawing_1")
    words = row.text().splitlines()
    assert len(words) >= 3
    assert max(row.fontMetrics().horizontalAdvance(line) for line in words) < row.width() - 16
    assert row.fontMetrics().lineSpacing() * len(words) <= row.height() - 8


def test_the_list_jumps_to_the_slice_and_deletes(head):
    head.window.show_panel("details")
    draw(head, "length", ((200, 300), (90, 0)))
    first = head.frame().slice
    for _ in range(3):
        head.press("Down")
    assert head.frame().shapes == ()
    head.find(QPushButton, "drawing_1").click()
    assert head.frame().slice == first
    assert [shape.is_chosen for shape in head.frame().shapes] == [True]
    head.find(QPushButton, "drawing_delete_1").click()
    assert here(head) == ()


def line_of_draft(head):
    """The line of the drawing under way on the pixels of the pane."""
    pane, (shape,) = head.pane(), head.frame().shapes
    return [(round(at.x()), round(at.y())) for at in (pane.pixel_of(*xy) for xy in shape.line)]


@pytest.mark.parametrize("tool", ["angle", "cobb", "polygon"])
def test_between_clicks_a_line_goes_on_to_the_mouse(head, tool):
    draw(head, tool, ((300, 300), (0, 0)))
    hover(head.pane(), (220, 310))
    head.settle()
    assert line_of_draft(head) == [(300, 300), (220, 310)]
    assert "ffe066" in colours_between(head, (300, 300), (220, 310))


def colours_between(head, one, other):
    """Colours as they are painted a quarter, half and three quarters of the way."""
    picture = head.pane().grab().toImage()
    scale = picture.devicePixelRatio()
    found = set()
    for share in (0.25, 0.5, 0.75):
        x, y = (round((a + (b - a) * share) * scale) for a, b in zip(one, other, strict=True))
        near = [(x, y + dy) for dy in (-1, 0, 1)]
        found |= {near_yellow(picture.pixelColor(*place)) for place in near}
    return found


def near_yellow(colour):
    """Lines are painted with smooth edges: what is mostly their colour counts as it."""
    is_line = colour.red() > 150 and colour.green() > 130 and colour.blue() < colour.red() - 40
    return "ffe066" if is_line else colour.name()


def test_the_angle_is_told_before_its_last_click_and_nothing_stays_of_it(head):
    draw(head, "angle", ((300, 300), (0, 0)), ((220, 300), (0, 0)))
    hover(head.pane(), (220, 380))
    head.settle()
    (shape,) = head.frame().shapes
    assert shape.lines == ("90.0°",)
    assert len(head.session.draft.points) == 2
    head.press("Esc")
    head.settle()
    assert head.frame().shapes == ()
    assert head.session.draft_end is None


def test_a_mouse_beside_the_slice_of_the_drawing_draws_no_line(head):
    draw(head, "angle", ((300, 300), (0, 0)))
    hover(head.pane(), (220, 310))
    hover(head.pane("upper"), (60, 60))
    head.settle()
    assert line_of_draft(head) == [(300, 300)]
    hover(head.pane(), (220, 310))
    QApplication.sendEvent(head.pane(), QEvent(QEvent.Type.Leave))
    head.settle()
    assert line_of_draft(head) == [(300, 300)]


def test_no_line_leads_from_the_first_cobb_line_to_the_mouse(head):
    draw(head, "cobb", ((300, 300), (-80, 0)))
    hover(head.pane(), (220, 380))
    assert head.session.draft_end is None
