"""Why a command is not possible now."""

import pytest

from medview.ui import reasons
from medview.ui.actions import ACTIONS
from medview.ui.reasons import NO_IMAGE, OTHERWISE, why_not


def test_what_is_not_possible_says_why_in_words_of_its_own(bench):
    def vague():
        return [each.id for each in ACTIONS if why_not(bench.app, each) == OTHERWISE]

    assert vague() == []
    assert all(why_not(bench.app, each) for each in ACTIONS if not each.enabled(bench.app))
    invert = next(each for each in ACTIONS if each.id == "image.invert")
    assert why_not(bench.app, invert) == NO_IMAGE
    bench.show()
    # Few are left to the general sentence; most say what is missing.
    assert len(vague()) < 4
    assert why_not(bench.app, invert) == ""


@pytest.mark.parametrize("table", [reasons._BY_ID, reasons._BY_START])
def test_reasons_are_about_commands_that_exist(table):
    ids = {each.id for each in ACTIONS}
    assert [key for key in table if not any(each.startswith(key) for each in ids)] == []
