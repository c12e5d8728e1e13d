"""What to do is told in words that suit window and command line alike."""

import ast
import re
from pathlib import Path

import medview

_CODE = Path(medview.__file__).parent
# Only commands reach these.
_OF_COMMANDS = {
    *("ablation", "anomaly_ablation", "icu_ablation", "cases"),
    *("rendering", "inputs", "cluster"),
}
_OPTION = re.compile(r"(?<![\w-])--[a-z]")


def advice_of(path):
    """The text of each `do=` of a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "do":
            yield "".join(
                part.value
                for part in ast.walk(node.value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )


def test_advice_that_the_window_may_show_names_no_option_of_a_command():
    found = [
        f"{path.stem}: {text}"
        for layer in ("learning", "services", "io", "imaging", "models", "domain")
        for path in sorted((_CODE / layer).rglob("*.py"))
        if path.stem not in _OF_COMMANDS
        for text in advice_of(path)
        if _OPTION.search(text)
    ]
    assert found == []
