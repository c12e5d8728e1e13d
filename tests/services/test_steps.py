"""The stack of steps back: their order, drags as one step, and what came in between."""

from dataclasses import replace

import pytest

from medview.domain.overlay import LayerStyle
from medview.services.steps import Edited, Restyled, Steps

PLAIN = LayerStyle(opacity=0.7, threshold=6.0)


def restyled(opacity, gesture=None, name="score", before=PLAIN):
    return Restyled(name, before, replace(before, opacity=opacity), gesture)


@pytest.fixture
def taken():
    """What `swap` was given, in order."""
    return []


def swap_into(taken):
    def swap(step):
        taken.append(step)
        return step.turned() if isinstance(step, Restyled) else step

    return swap


def test_changes_of_one_drag_are_one_step_and_those_of_the_next_another(taken):
    steps, drags = Steps(), (object(), object())
    for opacity, drag in ((0.6, 0), (0.4, 0), (0.2, 0), (0.5, 1)):
        steps.remember(restyled(opacity, drags[drag]))
    while steps.can_undo:
        steps.undo(swap_into(taken))
    assert [each.after.opacity for each in taken] == [0.5, 0.2]
    assert all(each.before == PLAIN for each in taken)


def test_without_a_drag_every_change_is_a_step():
    steps, undone = Steps(), []
    for opacity in (0.6, 0.5):
        steps.remember(restyled(opacity))
    while steps.can_undo:
        steps.undo(swap_into(undone))
    assert len(undone) == 2


def test_a_drag_on_another_map_or_after_a_drawing_is_a_step_of_its_own(taken):
    steps, drag = Steps(), object()
    steps.remember(restyled(0.6, drag))
    steps.remember(restyled(0.5, drag, name="total"))
    steps.remember(Edited({}, {}))
    steps.remember(restyled(0.4, drag, name="total"))
    while steps.can_undo:
        steps.undo(swap_into(taken))
    assert [getattr(each, "map", "drawing") for each in taken] == [
        "total",
        "drawing",
        "total",
        "score",
    ]


def test_what_was_taken_back_can_be_made_again_until_something_new_is_done(taken):
    steps = Steps()
    steps.remember(restyled(0.1))
    steps.undo(swap_into(taken))
    assert (steps.can_undo, steps.can_redo) == (False, True)
    steps.redo(swap_into(taken))
    assert taken[-1].undone(PLAIN).opacity == 0.1
    steps.undo(swap_into(taken))
    steps.remember(restyled(0.3))
    assert not steps.can_redo


def test_only_what_the_change_was_about_goes_back():
    """A range that a newer result has brought stays."""
    newer = replace(PLAIN, opacity=0.2, range=(0.0, 99.0))
    assert restyled(0.2).undone(newer) == replace(newer, opacity=0.7)


def test_only_the_newest_steps_are_kept(taken):
    steps = Steps()
    for _ in range(300):
        steps.remember(restyled(0.1))
    while steps.can_undo:
        steps.undo(swap_into(taken))
    assert len(taken) == 200


def test_drawings_that_come_later_from_a_file_are_in_every_step(taken):
    steps = Steps()
    steps.remember(Edited({}, {}))
    steps.remember(restyled(0.1))
    steps.amend(lambda each: Edited({"read": ()} | each.drawings, each.key_images))
    while steps.can_undo:
        steps.undo(swap_into(taken))
    assert taken[-1].drawings == {"read": ()}
