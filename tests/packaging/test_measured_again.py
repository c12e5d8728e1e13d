"""Figures measured again, on the card of the same weights."""

import runpy
import sys
from dataclasses import replace

import pytest

from medview.domain.card import Figure, ModelCard
from medview.io.cards import read_card, write_card

TRAIN = "medview train brain-age --data DATA --out DIR"
CARD = ModelCard(
    *("brain-age", "1", "t", "s", (), (), (), "u", ("Weak.",), "l", "s"), weights_sha256="5" * 64
)


def figure(value, group="all", command=TRAIN):
    return Figure("mae", value, "ixi", n=9, group=group, command=command)


def put(tmp_path, old, new, monkeypatch, *more, weights=None):
    first, second = tmp_path / "card.json", tmp_path / "new.json"
    write_card(replace(CARD, measured=tuple(old)), first)
    again = replace(CARD, measured=tuple(new), limits=("Other.",))
    write_card(replace(again, weights_sha256=weights or CARD.weights_sha256), second)
    monkeypatch.setattr(sys, "argv", ["measured_again.py", str(first), str(second), *more])
    runpy.run_path("packaging/measured_again.py", run_name="__main__")
    made = read_card(first)
    assert made.limits == CARD.limits
    return [(one.group, one.value, one.command) for one in made.measured]


def test_rows_of_the_groups_asked_for_are_new_in_their_old_place(tmp_path, monkeypatch):
    ablate = "medview ablate x"
    old = [figure(1.0), figure(2.0, "left-out:a"), figure(3.0, "left-out:b", ablate), figure(4.0)]
    new = [figure(5.0), figure(6.0, "left-out:a"), figure(7.0, "left-out:c")]
    assert put(tmp_path, old, new, monkeypatch, "--groups", "left-out:") == [
        ("all", 1.0, TRAIN),
        ("left-out:a", 6.0, TRAIN),
        ("left-out:c", 7.0, TRAIN),
        ("left-out:b", 3.0, ablate),
        ("all", 4.0, TRAIN),
    ]


def test_without_groups_all_rows_of_the_command_are_new(tmp_path, monkeypatch):
    old = [figure(1.0), figure(2.0, command="medview evaluate x")]
    found = put(tmp_path, old, [figure(5.0)], monkeypatch)
    assert found == [("all", 5.0, TRAIN), ("all", 2.0, "medview evaluate x")]


def test_figures_of_other_weights_and_of_nothing_are_refused(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="other weights"):
        put(tmp_path, [figure(1.0)], [figure(5.0)], monkeypatch, weights="0" * 64)
    with pytest.raises(SystemExit, match="nothing was measured on left-out"):
        put(tmp_path, [figure(1.0)], [figure(5.0)], monkeypatch, "--groups", "left-out:")
    with pytest.raises(SystemExit, match=r"^nothing was measured$"):
        put(tmp_path, [figure(1.0)], [], monkeypatch)
