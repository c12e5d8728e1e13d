"""The table of commands, as the program itself loads it."""

import json
import subprocess
import sys

import click
import pytest

from medview import __version__
from medview.cli import COMMANDS, main, medview

HEAVY = ("torch", "vtk", "PySide6", "pyqtgraph", "scipy", "pydicom", "SimpleITK", "sklearn")
LOADED = "import sys, medview.cli as c; c.main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"


def loaded_by(*words):
    line = [sys.executable, "-c", LOADED, *words]
    return subprocess.run(line, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_under_its_name_and_explains_itself(name):
    command = medview.get_command(click.Context(medview), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_wrong_use_in_json(capfd, name):
    assert main([name, "--no-such-option", "--json"]) == 2
    error = json.loads(capfd.readouterr().out)
    assert error["schema"] == "medview.error/1"
    assert "--no-such-option" in error["what"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_understands_the_common_options(capfd, name):
    assert main([name, "--help"]) == 0
    out = capfd.readouterr().out
    for option in ("--device", "--threads", "--seed", "--quiet", "--json", "--private", "--debug"):
        assert option in out


def test_the_version_is_told_without_loading_any_command():
    done = loaded_by("--version")
    assert done.stdout == f"medview {__version__}\n"
    modules = set(done.stderr.split())
    assert not modules & {entry.partition(":")[0] for entry in COMMANDS.values()}
    assert "numpy" not in modules


def test_the_help_page_lists_every_command_and_loads_nothing_heavy():
    done = loaded_by("--help")
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout
    assert not set(done.stderr.split()) & set(HEAVY)


def test_the_help_page_says_what_the_program_is_not_for(capsys):
    assert main(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Research use only, not for diagnostic use." in text
