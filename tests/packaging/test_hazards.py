"""The list of hazards: whole, and every test that it names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HAZARDS = ROOT / "packaging" / "hazards.md"
ROW = re.compile(r"\| (H\d+) \|([^|]+)\|([^|]+)\|([^|]+)\|")


def rows(text):
    return {found[1]: [cell.strip() for cell in found.groups()[1:]] for found in ROW.finditer(text)}


def missing(cell):
    """Tests named in a cell that are in no file of that name."""
    return [name for name in re.findall(r"`([^`]+)`", cell) if not is_there(name)]


def is_there(name):
    path, _, function = name.partition("::")
    if not (ROOT / path).is_file():
        return False
    nodes = ast.walk(ast.parse((ROOT / path).read_text()))
    return function in {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def test_there_are_thirteen_each_with_a_measure():
    found = rows(HAZARDS.read_text())
    assert list(found) == [f"H{number}" for number in range(1, 14)]
    assert all(len(hazard) > 10 and len(measure) > 20 for hazard, measure, _ in found.values())


@pytest.mark.parametrize("hazard", [f"H{number}" for number in range(1, 14)])
def test_the_tests_of_a_hazard_are_there(hazard):
    _, _, tests = rows(HAZARDS.read_text())[hazard]
    assert tests.count("::") >= 2
    assert missing(tests) == []


def test_a_test_that_is_not_there_is_found():
    here = f"`{Path(__file__).relative_to(ROOT)}::test_that_nobody_wrote`"
    assert missing(f"{here}, `tests/nowhere.py::test_x`") == [
        here.strip("`"),
        "tests/nowhere.py::test_x",
    ]
