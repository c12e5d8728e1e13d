"""What buttons and wheel mean, and how it is said."""

import pytest

from medview.services.settings import Settings
from medview.ui.gestures import CHOICES, MIDDLE, NONE, OWN, RIGHT, mouse_rows, with_own
from medview.ui.profiles import PROFILES


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda each: each.key)
def test_every_gesture_is_said_once(profile):
    ways = [way for way, _ in mouse_rows(profile.mouse)]
    assert len(ways) == len(set(ways))
    assert ("Wheel", "Scroll one image") in mouse_rows(profile.mouse)


def test_each_way_to_do_the_same_stands_in_one_row():
    rows = dict(mouse_rows(OWN))
    assert rows["Shift + left drag, middle drag"] == "Move the image"
    assert rows["Right click"] == "Menu"


@pytest.mark.parametrize("tool", CHOICES)
def test_the_readers_own_buttons_replace_those_of_the_table(tool):
    made = with_own(OWN, Settings(right_drag=tool))
    assert made.drags[RIGHT, NONE].tool is CHOICES[tool]
    assert made.drags[MIDDLE, NONE] == OWN.drags[MIDDLE, NONE]
    assert made.wheel == OWN.wheel
    assert len(mouse_rows(made)) >= len(mouse_rows(OWN)) - 1


def test_without_a_choice_nothing_changes():
    assert with_own(OWN, Settings()) == OWN
