from ui.wrappers import layout_items

from medview.ui.containers import Card, Fold, Row
from medview.ui.controls import clear, label


def test_parts_stand_beside_each_other_and_the_chosen_ones_share_the_room(qtbot):
    first, second, last = (label(text) for text in "abc")
    row = Row(first, second, 0, last, gap=4, grow=(1,))
    qtbot.addWidget(row)
    row.resize(300, 20)
    row.show()
    assert first.x() == 0
    assert second.x() == first.width() + 4
    assert last.geometry().right() == 299
    assert second.width() > 10 * first.width()


def test_rows_and_their_end_leave_no_python_object_of_an_item(qtbot):
    card, fold = Card("card", "Card"), Fold("more", "Details")
    qtbot.addWidget(card)
    fold.add(Row(label("x"), 1, label("y"), grow=(0,)))
    card.add(fold, Row(label("z")), label("w"))
    assert layout_items() == []
    clear(card.rows)
    assert layout_items() == []


def test_a_fold_shows_its_rows_when_asked_for(qtbot):
    made, inside = Fold("more", "Details"), label("how")
    made.add(inside)
    qtbot.addWidget(made)
    made.show()
    assert not inside.isVisible()
    assert made.link.text() == "Details ▸"
    made.link.click()
    assert made.is_open
    assert inside.isVisible()
    made.link.click()
    assert not inside.isVisible()
