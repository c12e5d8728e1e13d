"""What the README names is there: files, tables, commands with their options, keys and menus."""

import os
import re
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import click
import pytest

from medview.cli import COMMANDS, medview
from medview.ui.actions import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
WORDS = re.sub("```.*?```", "", README, flags=re.DOTALL)
NAMED = sorted({" ".join(each.split()) for each in re.findall("`([^`]+)`", WORDS)})
PATHS = [n for n in NAMED if re.fullmatch(r"[\w./-]+(/|\.(py|sh|toml|md))", n) and "/" in n]
KEYS = [n for n in NAMED if re.fullmatch(r"((Ctrl|Alt|Shift)\+)*(F?\d+|[A-Z]|[.,])", n)]
CALLS = [n for n in NAMED if n.startswith("medview ") and n.split()[1] in COMMANDS]
OPTIONS = [n for n in NAMED if n.startswith("--")]
assert all((PATHS, KEYS, CALLS, OPTIONS))
NOT_KEPT = {"medview-demo/", "workspaces/"}


def options(command):
    found = medview.get_command(click.Context(medview), command)
    return {"--help", *(name for each in found.params for name in each.opts)}


@pytest.mark.parametrize("path", PATHS)
def test_a_file_is_there(path):
    folders = (ROOT, ROOT / "medview", ROOT / "tests")
    assert path in NOT_KEPT or any((folder / path).exists() for folder in folders)


@pytest.mark.parametrize(
    ("name", "path"), re.findall(r"`([A-Z]\w+)` (?:there or )?(?:in|of) `([\w/]+\.py)`", README)
)
def test_a_table_is_in_its_file(name, path):
    text = (ROOT / "medview" / path).read_text("utf-8")
    assert re.search(rf"^(class )?{name}\b", text, re.MULTILINE)


def test_every_command_is_in_the_table():
    rows = re.findall(r"^\| ((?:`\w+` ?)+)\| ", README, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} >= set(COMMANDS)


@pytest.mark.parametrize("call", CALLS)
def test_a_command_has_the_options_shown(call):
    _, command, *words = call.split()
    assert {word for word in words if word.startswith("--")} <= options(command)


def test_options_named_alone_belong_to_a_command():
    known = set().union(*map(options, COMMANDS))
    assert {word for n in OPTIONS for word in n.split() if word.startswith("--")} <= known


@pytest.mark.parametrize("key", KEYS)
def test_a_key_does_something(key):
    taken = {one.strip() for action in ACTIONS for one in action.shortcut.split(" | ")}
    assert key in taken


@pytest.mark.parametrize(
    "place", re.findall(r"\*([A-Z][\w ]+ > [^*]+)\*", " ".join(README.split()))
)
def test_a_menu_leads_there(place):
    menu, _, text = place.rpartition(" > ")
    known = {(each.menu, each.text.removesuffix(" …")) for each in ACTIONS}
    assert (menu.replace(" > ", "/"), text) in known
