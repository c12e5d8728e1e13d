"""``medview bench kill``: a process that files results is killed again and again."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import medview
from medview.cli.benches.rows import Row
from medview.cli.contract import Context

KILLS, QUICK_KILLS = 100, 20
_ROOT = str(Path(medview.__file__).resolve().parent.parent)
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from medview.cli.benches import kill_work; getattr(kill_work, sys.argv[2])(*sys.argv[3:])"
)


def measure(context: Context, quick: bool) -> list[Row]:
    """Kill at random times and at every labelled step; nothing acknowledged may be lost."""
    with fast_folder() as name:
        folder = Path(name)
        told = ask(
            "main", str(folder), str(QUICK_KILLS if quick else KILLS), str(context.options.seed)
        )
        steps = ask("at_each_point", str(folder / "steps"))
    ended = [each for each in steps if each["ended_there"]]
    faults = [*told["faults"], *(fault for each in steps for fault in each["faults"])]
    for fault in faults:
        context.say(fault)
    return [
        Row("random kills", told["kills"], "kills"),
        Row("changes acknowledged before them", told["acknowledged"], "changes"),
        Row("labelled steps at which the process was ended", len(ended), "steps", aim=50.0,
            at_least=True),
        Row("acknowledged and lost, or orphans left", len(faults), "faults", aim=0.0),
    ]  # fmt: skip


def fast_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: a killed process loses nothing by that."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)


def ask(function: str, *words: str) -> Any:
    """Run a function of ``kill_work`` in a process without threads; what it wrote to stdout."""
    if function == "at_each_point":
        Path(words[0]).mkdir(parents=True)
    command = [sys.executable, "-P", "-c", _START, _ROOT, function, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
