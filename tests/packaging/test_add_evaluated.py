"""What medview evaluate found, on the card of the same weights."""

import json
import runpy
import sys
from dataclasses import replace

import pytest

from medview.domain.card import Figure, ModelCard
from medview.io.cards import read_card, write_card

COMMAND = "medview evaluate brain-age --data DATA --split all --out DIR"
OTHER = "medview train brain-age --data DATA --out DIR"
WEIGHTS = "5" * 64
CARD = ModelCard(
    *("brain-age", "1", "t", "s", (), (), (), "u", ("Weak.",), "l", "s"), weights_sha256=WEIGHTS
)


def figure(value, group="all", command=COMMAND):
    return Figure("mae", value, "ixi", n=9, group=group, command=command)


def row(value, group="all", **more):
    return {"name": "mae", "value": value, "subset": "ixi", "n": 9, "group": group} | more


def put(tmp_path, old, rows, monkeypatch, *more, command=COMMAND, **of):
    card, table = tmp_path / "card.json", tmp_path / "metrics.json"
    write_card(replace(CARD, measured=tuple(old)), card)
    body = {"schema": "medview.metrics/1", "model": "brain-age", "weights_sha256": WEIGHTS}
    table.write_text(json.dumps(body | {"metrics": rows} | of))
    words = ["add_evaluated.py", str(card), str(table), "--command", command, *more]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.syspath_prepend("packaging")
    runpy.run_path("packaging/add_evaluated.py", run_name="__main__")
    made = read_card(card)
    assert made.limits == CARD.limits
    return made.measured


def test_rows_take_the_place_of_former_ones_of_the_same_command(tmp_path, monkeypatch):
    old = [figure(1.0, command=OTHER), figure(2.0), figure(3.0, "sex:F"), figure(4.0, "", OTHER)]
    rows = [row(5.0, low=4.0, high=6.0, n_patients=8), row(6.0, "sex:F"), row(None, "sex:M")]
    first, *new, last = put(tmp_path, old, rows, monkeypatch)
    assert (first, last) == (old[0], old[3])
    assert new == [
        replace(figure(5.0), low=4.0, high=6.0, extra={"n_patients": 8}),
        figure(6.0, "sex:F"),
        figure(None, "sex:M"),
    ]


def test_on_a_card_without_rows_of_the_command_they_come_last(tmp_path, monkeypatch):
    old = [figure(1.0, command=OTHER)]
    assert put(tmp_path, old, [row(5.0)], monkeypatch) == (*old, figure(5.0))


def test_only_rows_of_the_groups_asked_for_are_taken(tmp_path, monkeypatch):
    old = [figure(1.0), figure(2.0, "sex:F")]
    found = put(tmp_path, old, [row(5.0), row(6.0, "sex:M")], monkeypatch, "--groups", "sex:")
    assert found == (old[0], figure(6.0, "sex:M"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"weights_sha256": "0" * 64}, "^these figures are of other weights$"),
        ({"metrics": []}, "^nothing was measured$"),
        ({"schema": "medview.ablation/1"}, "no metrics.json of medview evaluate"),
        ({"model": "icu"}, "begins with: medview evaluate icu "),
        ({"command": OTHER}, "begins with: medview evaluate brain-age "),
    ],
)
def test_what_is_of_something_else_is_refused_and_the_card_stays(
    tmp_path, monkeypatch, change, says
):
    with pytest.raises(SystemExit, match=says):
        put(tmp_path, [figure(1.0)], [row(5.0)], monkeypatch, **change)
    assert read_card(tmp_path / "card.json").measured == (figure(1.0),)
