"""What a turned header does to an age stands on the card with the rows that it is told from."""

import runpy
from dataclasses import replace

from medview.domain.card import Figure, ModelCard, TrainedOn

TURNED = runpy.run_path("packaging/turned_heads.py")
COMMAND = TURNED["COMMAND"].format("heads")


def rows(moved):
    """A row of mean and largest of each turn, so many years with the wide ones."""
    return [
        Figure(
            f"age_moved{end}",
            (moved if angle > 10 else 0.5) * factor * (10 if who != "model" else 1),
            *("heads", None, None, 7, who, "case", f"turned:{axis} {angle}", COMMAND),
        )
        for who in TURNED["PREDICTORS"]
        for axis, angle in TURNED["TURNS"]
        for end, factor in (("", 1), ("_most", 3))
    ]


def test_rows_and_their_sentence_take_the_place_of_those_of_the_same_set():
    other = Figure("age_moved", 1.0, "others", command=TURNED["COMMAND"].format("others"))
    kept = ("Weak.", "A header that turns heads of others by 20 degrees moves their age.")
    seen = (TrainedOn("heads", 7),)
    card = ModelCard("m", "1", "t", "s", (), (), (), "u", kept, "l", "s", measured=(other,))
    once = TURNED["with_turns"](card, "heads", rows(1.25))
    assert once.measured == (other, *rows(1.25))
    assert once.limits[:-1] == kept
    line = once.limits[-1]
    assert "of heads by 20 degrees moves their age by 1.2 years on average, at most 3.8 (" in line
    assert "(were they not turned upright: 12.5 and 37.5); a pitch of 10 degrees" in line
    assert line.endswith("by 0.5, at most 1.5.")
    twice = TURNED["with_turns"](replace(once, trained_on=seen), "heads", rows(2.0))
    assert twice.measured == (other, *rows(2.0))
    assert len(twice.limits) == 3
    assert "heads of heads (learnt from) by 20 degrees moves their age by 2.0" in twice.limits[-1]
