"""Takes the names of cases and files out of what a measurement has written."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medview.domain.card import Figure
from medview.domain.discretion import discreet
from medview.io.cards import CARD, read_card, write_card
from medview.io.installation import keyed
from medview.io.tables import read_table

_COLUMN = "case"
_COMPARED = "before_after.json"
# What follows --data in a command, to the next option.
_DATA = re.compile(r"--data .*?(?= --|$)")
_NO_SETS: Mapping[str, str] = MappingProxyType({})


def case_hash(case: str) -> str:
    """What a case is called where nobody is named: 16 hex digits, at this installation only."""
    return keyed(f"case\0{case}".encode())[:16]


def shown_case(case: str, *, private: bool) -> str:
    """The name of a case for a table."""
    return case_hash(case) if private else case


def shown_patient(patient: str, *, private: bool) -> str:
    """The name of a patient for a table: by itself, or 16 hex digits of this installation.

    It is not the hash that cards mark those by whom weights have learnt from: who has a list of
    ids could try which of them gives that one.
    """
    return keyed(f"patient of a table\0{patient}".encode())[:16] if private else patient


def set_names(data: Iterable[str]) -> dict[str, str]:
    """What sets are called where no file may be named: those that bear a name of --data."""
    paths = [Path(part) for one in data for part in (one, one.partition("=")[2]) if part]
    names = dict.fromkeys(name for path in paths for name in (path.stem, path.name))
    return {name: f"data {n}" for n, name in enumerate(names, start=1)}


def hide_case_names(
    folder: Path, body: Mapping[str, Any], sets: Mapping[str, str] = _NO_SETS
) -> dict[str, Any]:
    """Name cases by hashes in the tables and every metrics.json below `folder`; return `body` so.

    Sentences about cases that were skipped name no file either; `sets` are other names of sets.
    """
    for path in sorted(folder.rglob("*.csv")):
        table = read_table(path)
        if _COLUMN not in table.header:
            continue
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.DictWriter(file, table.header)
            rows.writeheader()
            rows.writerows(_hidden_row(row, sets) for row in table.by_name())
    for told in folder.rglob("metrics.json"):
        _rewrite(told, sets)
    return without_case_names(body, sets)


def hide_set_names(out: Path, sets: Mapping[str, str]) -> None:
    """Call sets by other names on the card of a training, and in before_after.json beside it."""
    if (out / _COMPARED).is_file():
        _rewrite(out / _COMPARED, sets)
    if (out / CARD).is_file():
        card = read_card(out / CARD)
        learnt = tuple(replace(one, set=called(one.set, sets)) for one in card.trained_on)
        measured = tuple(_figure(one, sets) for one in card.measured)
        limits, method = (
            tuple(_words(one, sets) for one in said) for said in (card.limits, card.method)
        )
        hidden = replace(card, trained_on=learnt, measured=measured, limits=limits, method=method)
        write_card(hidden, out / CARD)


def _figure(one: Figure, sets: Mapping[str, str]) -> Figure:
    """A figure of sets by other names; a command that names files is told without them."""
    named = any(name in one.command for name in sets)
    command = _DATA.sub("--data DATA", one.command) if named else one.command
    return replace(one, on=called(one.on, sets), command=command)


def _words(text: str, sets: Mapping[str, str]) -> str:
    """A sentence with other names of sets, where cards name them; "cases" may be a word, too."""
    if not sets:
        return text
    one = rf"(?:{'|'.join(map(re.escape, sorted(sets, key=len, reverse=True)))})(?:-\d+)?"
    word = rf"(?:{one}|[\w.-]*\w)(?![\w-])"
    several = rf"({word}(?:(?:, |\+){word})*)"
    text = re.sub(rf"\A{several}(?=: | it | have )", lambda found: called(found[1], sets), text)
    return re.sub(
        rf"\b(On |error on |rows of |heads of ){several}",
        lambda found: found[1] + called(found[2], sets),
        text,
    )


def _rewrite(path: Path, sets: Mapping[str, str]) -> None:
    hidden = json.dumps(_hidden(json.loads(path.read_text("utf-8")), sets), indent=1)
    path.write_text(hidden + "\n", "utf-8")


def without_case_names(
    body: Mapping[str, Any], sets: Mapping[str, str] = _NO_SETS
) -> dict[str, Any]:
    """An answer with hashes in place of the names of cases that were skipped."""
    return {key: _hidden(value, sets, key) for key, value in body.items()}


def _hidden_row(row: dict[str, str], sets: Mapping[str, str]) -> dict[str, str]:
    named = {"subset": called(row["subset"], sets)} if "subset" in row else {}
    return {**row, **named, _COLUMN: case_hash(row[_COLUMN])}


def called(name: str, sets: Mapping[str, str]) -> str:
    """The other name of a set, or of several together ("a+b", "a, b").

    Of several of one name the later ones have a number behind it.
    """
    found = _of_one(name, sets)
    if found is not None:
        return found
    parts = re.split(r"(, |\+)", name)
    parts[::2] = [_of_one(part, sets) or part for part in parts[::2]]
    return "".join(parts)


def _of_one(name: str, sets: Mapping[str, str]) -> str | None:
    first, dash, number = name.rpartition("-")
    if dash and number.isdigit() and first in sets:
        return f"{sets[first]}-{number}"
    return sets.get(name)


def _hidden(value: Any, sets: Mapping[str, str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _hidden(each, sets, name) for name, each in value.items()}
    if key == "subset" and isinstance(value, str):
        return called(value, sets)
    if not isinstance(value, list):
        return value
    if key != "skipped":
        return [_hidden(each, sets) for each in value]
    return [
        {**each, "case": case_hash(each["case"]), "what": discreet(each["what"], each["case"])}
        for each in value
    ]
