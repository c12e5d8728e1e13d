"""Takes the names of cases and files out of what a measurement has written."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from medview.io.tables import read_table

_COLUMN = "case"
# A path, or a name with an ending; figures such as 0.5 are none.
_FILE = re.compile(r"[^\s\"“”]*[/\\][^\s\"“”]*|[^\s\"“”]*\w\.[A-Za-z][A-Za-z0-9]{1,6}\b")


def case_hash(case: str) -> str:
    """What a case is called where nobody is named: 16 hex digits, the same for the same name."""
    return hashlib.sha256(f"medview case {case}".encode()).hexdigest()[:16]


def hide_case_names(folder: Path, body: dict[str, Any]) -> dict[str, Any]:
    """Name cases by hashes in the tables and metrics.json of `folder`, and return `body` so.

    Sentences about cases that were skipped name no file either.
    """
    for path in sorted(folder.rglob("*.csv")):
        table = read_table(path)
        if _COLUMN not in table.header:
            continue
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.DictWriter(file, table.header)
            rows.writeheader()
            rows.writerows({**row, _COLUMN: case_hash(row[_COLUMN])} for row in table.by_name())
    told = folder / "metrics.json"
    if told.is_file():
        hidden = json.dumps(_hidden(json.loads(told.read_text("utf-8"))), indent=1)
        told.write_text(hidden + "\n", "utf-8")
    return {key: _hidden(value, key) for key, value in body.items()}


def _hidden(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _hidden(each, name) for name, each in value.items()}
    if not isinstance(value, list):
        return value
    if key != "skipped":
        return [_hidden(each) for each in value]
    return [
        {**each, "case": case_hash(each["case"]), "what": _without(each["what"], each["case"])}
        for each in value
    ]


def _without(text: str, case: str) -> str:
    return _FILE.sub("a file", text.replace(case, "the case"))
