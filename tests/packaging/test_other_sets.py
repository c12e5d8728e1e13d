"""What learning from other sets does stands on the card, set by set, with its command."""

import runpy
import sys
from dataclasses import replace

import pytest

from medview.domain.card import Figure, ModelCard
from medview.io.cards import read_card, write_card

TRAIN = "medview train region-net --data ../shared/data --out DIR"
BOTH = "learnt from ixi-t1 and elderly-t1"


def figure(name, value, on, group="all", **more):
    return Figure(name, value, on, n=7, group=group, **{"command": TRAIN, "level": "case"} | more)


def card(sets, *figures, **more):
    settings = {"recipe": {"sets": sets, "epochs": 240}}
    return ModelCard(
        *("region-net", "1", "t", "s", (), (), (), "u", ("Weak.",), "l", "s"),
        **{"measured": figures, "settings": settings, "method": ("Folds.",)} | more,
    )


OWN = card(
    "ixi-t1",
    figure("dice", 0.9, "ixi-t1"),
    figure("volume_error", 5.25, "ixi-t1"),
    figure("dice", 0.8, "elderly-t1"),
    figure("mae", 8.2, "elderly-t1"),
    figure("pearson_r", -0.02, "elderly-t1"),
    figure("mae", 5.7, "table"),
)
OTHER = card(
    "ixi-t1,elderly-t1",
    figure("dice", 0.887, "ixi-t1"),
    figure("volume_error", 7.97, "ixi-t1"),
    figure("dice", 0.88, "elderly-t1"),
    figure("dice", 0.83, "elderly-t1", "group:cortical grey"),
    figure("dice", 0.81, "elderly-t1", "region:frontal grey left"),
    figure("mae", 10.24, "elderly-t1"),
    figure("pearson_r", 0.39, "elderly-t1"),
    figure("mae", 6.2, "elderly-t1", predictor="label volumes"),
    figure("mae", 5.9, "table"),
    figure("age_moved", 1.0, "elderly-t1", command="python packaging/turned_heads.py"),
)


def told(tmp_path, monkeypatch, own, other):
    first, second = tmp_path / "own.json", tmp_path / "other.json"
    write_card(own, first)
    write_card(other, second)
    monkeypatch.setattr(sys, "argv", ["other_sets.py", str(first), str(second)])
    runpy.run_path("packaging/other_sets.py", run_name="__main__")
    return read_card(first)


def test_rows_of_other_sets_stand_beside_with_their_command(tmp_path, monkeypatch):
    made = told(tmp_path, monkeypatch, OWN, OTHER)
    added = [one for one in made.measured if one.predictor == BOTH]
    assert made.measured[: len(OWN.measured)] == OWN.measured
    assert [(one.on, one.group, one.name, one.value) for one in added] == [
        ("ixi-t1", "all", "dice", 0.887),
        ("ixi-t1", "all", "volume_error", 7.97),
        ("elderly-t1", "all", "dice", 0.88),
        ("elderly-t1", "group:cortical grey", "dice", 0.83),
        ("elderly-t1", "all", "mae", 10.24),
        ("elderly-t1", "all", "pearson_r", 0.39),
    ]
    assert {one.command for one in added} == {f"{TRAIN} --set epochs=240"}
    assert made.limits == (
        "Weak.",
        "Other weights, learnt from ixi-t1 and elderly-t1: left-out heads of elderly-t1 have Dice "
        "0.88 (these 0.80), ages off by 10.2 years (these 8.2), r 0.39 (these -0.02).",
    )
    assert made.method[0] == "Folds."
    assert "of ixi-t1 have Dice 0.89 (these 0.90), volumes off by 8.0 % (th" in made.method[1]
    assert told(tmp_path, monkeypatch, made, OTHER) == made


@pytest.mark.parametrize(
    ("other", "says"),
    [(OWN, "the same sets"), (replace(OTHER, measured=OTHER.measured[-2:]), "no row")],
)
def test_cards_that_say_nothing_of_each_other_are_refused(tmp_path, monkeypatch, other, says):
    with pytest.raises(SystemExit, match=says):
        told(tmp_path, monkeypatch, OWN, other)
