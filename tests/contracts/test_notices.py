"""What was made by others is named with its licence: data that ships here, and libraries."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTICES = (ROOT / "packaging" / "third-party-notices.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CARDS = sorted((ROOT / "resources" / "weights").glob("*/card.json"))


def test_all_weights_that_ship_are_named():
    ship = {folder.name for folder in (ROOT / "resources" / "weights").iterdir()}
    assert ship == set(re.findall("`resources/weights/([^/`]+)/`", NOTICES))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_the_licence_of_a_card_is_the_one_told(card):
    told = json.loads(card.read_text("utf-8"))["licence"]
    told = told.partition("; from a T1 volume: ")[0]  # that of region-net, which stands by itself
    row = next(line for line in NOTICES.splitlines() if line.startswith("| weights trained"))
    parts = row.rpartition("as `card.json` says: ")[2].rstrip(" |").split("; ")
    (words,) = (part for part in parts if f"`{card.parent.name}`" in part)
    if told.startswith("research, non-commercial"):
        assert words.startswith("research only and non-commercial for")
    else:
        assert words.startswith(told.replace("; ", " and ") + " for")


@pytest.mark.parametrize("requirement", PROJECT["dependencies"])
def test_every_library_stands_in_the_table(requirement):
    name = re.match(r"[\w.-]+", requirement).group()
    assert re.search(rf"^\| {re.escape(name)}\b", NOTICES, re.MULTILINE), name
