"""What a scanner never seen costs stays on the card of weights that have seen it since."""

import runpy
import sys
from dataclasses import replace

import pytest

from medview.domain.card import Figure, ModelCard
from medview.io.cards import read_card, write_card

TRAIN = "medview train region-net --data ../shared/data --out DIR"
ALONE = "learnt from ixi-t1 alone"


def figure(name, value, on, group="all", **more):
    return Figure(name, value, on, n=7, group=group, **{"command": TRAIN, "level": "case"} | more)


def card(sets, *figures, **more):
    settings = {"recipe": {"sets": sets}}
    return ModelCard(
        *("region-net", "1", "t", "s", (), (), (), "u", ("Weak.",), "l", "s"),
        **{"measured": figures, "settings": settings, "method": ("Folds.",)} | more,
    )


OLD = card(
    "ixi-t1",
    figure("dice", 0.9, "ixi-t1"),
    figure("dice", 0.8, "ixi-t1", "group:thalamus"),
    figure("dice", 0.8, "elderly-t1"),
    figure("dice", 0.7, "elderly-t1", "group:thalamus"),
    figure("mae", 8.2, "elderly-t1"),
    figure("mae", 6.2, "elderly-t1", predictor="label volumes"),
    figure("age_moved", 1.0, "elderly-t1", command="python packaging/turned_heads.py"),
)
NEW = card(
    "ixi-t1,elderly-t1",
    figure("dice", 0.91, "ixi-t1"),
    figure("dice", 0.86, "elderly-t1"),
    figure("mae", 7.5, "elderly-t1"),
    figure("pearson_r", 0.5, "elderly-t1"),
)


def kept(tmp_path, monkeypatch, new, old):
    first, second = tmp_path / "new.json", tmp_path / "old.json"
    write_card(new, first)
    write_card(old, second)
    monkeypatch.setattr(sys, "argv", ["other_scanner.py", str(first), str(second)])
    runpy.run_path("packaging/other_scanner.py", run_name="__main__")
    return read_card(first)


def test_rows_of_the_former_weights_stand_beside_with_their_command(tmp_path, monkeypatch):
    made = kept(tmp_path, monkeypatch, NEW, OLD)
    added = [one for one in made.measured if one.predictor == ALONE]
    assert made.measured[: len(NEW.measured)] == NEW.measured
    assert [(one.on, one.group, one.name, one.value) for one in added] == [
        ("ixi-t1", "all", "dice", 0.9),
        ("elderly-t1", "all", "dice", 0.8),
        ("elderly-t1", "group:thalamus", "dice", 0.7),
        ("elderly-t1", "all", "mae", 8.2),
    ]
    assert {one.command.removeprefix(TRAIN) for one in added} <= {"", " --set sets=ixi-t1"}
    assert made.limits[0] == "Weak."
    assert "from ixi-t1 alone elderly-t1 has Dice 0.80 (0.86 where" in made.limits[1]
    assert made.limits[1].endswith("off by 8.2 years (7.5), r unknown (0.50).")
    assert "heads of ixi-t1 have Dice 0.910 and 0.900, volumes" in made.method[1]
    again = kept(tmp_path, monkeypatch, made, OLD)
    assert again == made


@pytest.mark.parametrize(
    ("new", "old", "says"),
    [
        (OLD, OLD, "must have learnt from the sets of the second, and more"),
        (NEW, replace(OLD, settings={"recipe": {"sets": "mine"}}), "must have learnt"),
        (NEW, replace(OLD, measured=OLD.measured[:2]), "no row on elderly-t1"),
    ],
)
def test_cards_that_say_nothing_of_each_other_are_refused(tmp_path, monkeypatch, new, old, says):
    with pytest.raises(SystemExit, match=says):
        kept(tmp_path, monkeypatch, new, old)
