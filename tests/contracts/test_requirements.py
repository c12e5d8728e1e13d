"""What is imported is asked for: a fresh environment holds all that the program needs."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"medview", *(path.stem for path in (ROOT / "tests").rglob("*"))}


def names(requirements):
    found = (re.match(r"[\w.-]+", text).group() for text in requirements)
    return {name.lower().replace("_", "-") for name in found}


def imported_by(path):
    """Top-level names of everything a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]


def undeclared(folder, declared):
    """Names imported below a folder that none of the declared packages gives, with the file."""
    gives = packages_distributions()
    missing = set()
    for path in sorted((ROOT / folder).rglob("*.py")):
        for name in set(imported_by(path)) - OWN - set(sys.stdlib_module_names):
            given_by = {d.lower().replace("_", "-") for d in gives.get(name, [])}
            if not given_by & declared:
                missing.add((name, str(path.relative_to(ROOT))))
    return missing


@pytest.mark.parametrize("folder", ["medview", "tests"])
def test_every_import_is_asked_for(folder):
    declared = names(PROJECT["dependencies"])
    if folder == "tests":
        declared |= names(PROJECT["optional-dependencies"]["dev"])
    assert undeclared(folder, declared) == set()


def test_everything_asked_for_is_pinned():
    lines = (ROOT / "packaging" / "constraints.txt").read_text().splitlines()
    pinned = names(line for line in lines if line and not line.startswith("#"))
    extras = PROJECT["optional-dependencies"]["dev"]
    assert names([*PROJECT["dependencies"], *extras]) <= pinned


def test_an_import_that_nobody_asked_for_is_found(tmp_path, monkeypatch):
    (tmp_path / "medview").mkdir()
    (tmp_path / "medview" / "a.py").write_text("def f():\n    from pytest.x import y\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert undeclared("medview", {"numpy"}) == {("pytest", "medview/a.py")}
    assert undeclared("medview", {"pytest"}) == set()
