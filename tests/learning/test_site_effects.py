"""Which site a case is of, beside those that weights know, and what is said of it."""

import pytest

from medview.learning.site_effects import (
    EFFECTS,
    SEEN,
    UNKNOWN_SITE,
    UNSEEN,
    Both,
    GivenSite,
    by_site_known,
    joined,
    learns,
    listed,
    odd_sites_note,
    worth,
)

KNOWN = ("West", "North")


def test_a_known_site_has_its_place_and_no_warning():
    site = GivenSite("North", KNOWN)
    assert (site.number, site.is_known, site.notes("the age")) == (1, True, ())
    assert site.words == "with the effect of the site North"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (None, "no site was given"),
        ("", "no site was given"),
        ("Atlantis", "Atlantis is none of the sites it was trained on"),
    ],
)
def test_any_other_site_gets_the_fixed_effects_and_is_told_the_known_ones(name, why):
    site = GivenSite(name, KNOWN)
    assert (site.number, site.is_known) == (-1, False)
    assert site.words == f"fixed effects alone: {why}"
    (note,) = site.notes("the risk")
    assert note.code == UNKNOWN_SITE
    assert note.text == (
        f"{why}; the risk comes from the fixed effects alone. It knows: West, North"
    )


def test_the_best_answer_has_the_effect_of_the_site_where_there_is_one():
    assert Both(0.25, None).best == 0.25
    assert Both(0.25, 0.0).best == 0.0


def test_many_sites_are_counted():
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(15)]).endswith("10, 11 and 3 more")


def test_new_sites_come_behind_those_of_the_weights():
    assert joined(("b", "a"), ["c", "a", "", "0"]) == ("b", "a", "0", "c")


def test_cases_are_parted_only_where_there_are_both_kinds():
    assert by_site_known("abc", [True, False, True]) == {SEEN: ["a", "c"], UNSEEN: ["b"]}
    assert by_site_known("ab", [True, True]) == by_site_known("ab", [False, False]) == {}


def test_a_measurement_names_the_sites_without_an_effect():
    given = [GivenSite(name, KNOWN) for name in ("West", "Sea", "", "Sea")]
    assert odd_sites_note(given) == ["sites that the weights do not know: Sea, not given"]
    assert odd_sites_note(given[:1]) == []


def test_by_method_all_the_head_or_the_effects_alone_learn():
    found = learns("out.")
    assert found == {"full": ("",), "head": ("out.", *EFFECTS), "site-effects": EFFECTS}


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(0.01, 0.02, "gain"), (-0.02, -0.01, "make it worse"),
     (-0.01, 0.01, "gain nothing that could be shown"),
     (None, None, "gain nothing that could be shown")],
)  # fmt: skip
def test_what_effects_are_worth_hangs_on_the_whole_interval(low, high, says):
    assert worth(low, high) == says
