"""Key images: marked by a key, listed, found again, undone with the drawings."""

from PySide6.QtWidgets import QPushButton
from ui.fakes import drag

from medview.domain.geometry import Plane


def marked(head):
    return [(each.plane, each.slice) for each in head.app.measuring.key_images]


def says_key(head, pane="main"):
    head.settle()
    return "Key image" in head.pane(pane).dress.corners.top_right


def test_k_marks_the_image_and_a_second_time_takes_the_mark_away(head):
    here = head.frame().slice
    head.press("K")
    assert marked(head) == [(Plane.AXIAL, here)]
    assert says_key(head)
    assert not says_key(head, "upper")
    assert head.window.table["image.key"].isChecked()
    head.press("Down")
    assert not says_key(head)
    assert not head.window.table["image.key"].isChecked()
    head.press("Up")
    head.press("K")
    assert marked(head) == []
    assert not says_key(head)


def test_the_wheel_takes_the_mark_off_the_button_a_moment_later(head, qtbot):
    """Actions are not asked at every turn; what they say is right when the hand rests."""
    shown = head.window.table["image.key"]
    head.press("K")
    for steps, is_marked in ((2, False), (-2, True)):
        head.app.viewing.scroll("main", steps)
        qtbot.waitUntil(lambda wanted=is_marked: shown.isChecked() is wanted)


def test_the_crosshair_elsewhere_on_the_slice_is_the_same_image(head):
    head.press("K")
    x, y, z = head.session.views["main"].point_lps
    head.app.viewing.set_point((x + 9.0, y - 6.0, z))
    assert says_key(head)
    head.press("K")
    assert marked(head) == []


def test_each_plane_has_its_own_marks(head):
    head.press("K")
    head.app.viewing.activate("upper")
    head.press("K")
    assert {plane for plane, _ in marked(head)} == {Plane.AXIAL, Plane.CORONAL}
    assert says_key(head, "upper")


def test_marks_belong_to_their_series(head):
    head.press("K")
    head.show(uid="1.7")
    assert marked(head) == []
    assert not says_key(head)
    head.show(uid="1.1")
    assert len(marked(head)) == 1


def test_marks_and_drawings_are_undone_in_the_order_they_were_made(head):
    head.press("K")
    head.window.use_tool("length")
    drag(head.pane(), (200, 300), (90, 0))
    head.press("Ctrl+Z")
    assert head.app.measuring.here == ()
    assert len(marked(head)) == 1
    head.press("Ctrl+Z")
    assert marked(head) == []
    head.press("Ctrl+Y")
    head.press("Ctrl+Y")
    assert (len(marked(head)), len(head.app.measuring.here)) == (1, 1)


def test_the_list_leads_back_to_the_place_and_takes_marks_away(head):
    head.window.show_panel("details")
    head.press("K")
    before = head.session.views["main"].point_lps
    for _ in range(5):
        head.press("Down")
    go = head.find(QPushButton, "key_0")
    assert not go.isChecked()
    go.click()
    head.settle()
    assert head.session.views["main"].point_lps == before
    assert head.find(QPushButton, "key_0").isChecked()
    head.find(QPushButton, "key_delete_0").click()
    assert marked(head) == []


def test_rows_of_two_lines_are_tall_enough_for_them(head):
    head.window.show_panel("details")
    head.press("K")
    head.settle()
    row = head.find(QPushButton, "key_0")
    assert row.text().count("\n") == 1
    assert row.height() >= 2 * row.fontMetrics().height()


def test_a_jump_brings_the_pane_of_its_plane_to_the_front(head):
    head.app.viewing.activate("upper")
    head.press("K")
    (image,) = head.app.measuring.key_images
    head.app.viewing.activate("main")
    head.app.viewing.maximise("main")
    head.app.measuring.jump_to_key(image)
    assert head.session.active_pane == "upper"
    assert [pane.key for pane in head.window.grid.visible_panes] == ["upper"]
