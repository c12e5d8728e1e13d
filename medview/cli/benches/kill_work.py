"""A process that files results and is killed while it does, and what must be left of it.

Everything it is told is done it has written down first; the list is outside the store. Runs in a
process of its own that has no threads, because it forks.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medview.cli.benches.made_up import made_up
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import InputRef, Opinion, Prediction, Score
from medview.domain.progress import Silent
from medview.io import result_index
from medview.io.result_index import Binding, connected
from medview.io.result_store import CRASH_POINTS, CrashPoint, ResultStore

_STUDIES = 3
_LONGEST_S = 0.2
_KILLED = 9


def main(root: str, rounds: str, seed: str) -> None:
    """Kill at random times; write what was found as JSON to stdout."""
    told = _random_kills(Path(root), int(rounds), int(seed))
    json.dump(told, sys.stdout)


def at_each_point(root: str) -> None:
    """End at each labelled step in turn, at its first and at its second turn."""
    told = []
    for number, point in enumerate(CRASH_POINTS):
        for turn in (1, 2):
            told.append(_end_at(Path(root) / f"{number}-{turn}", point, turn))
    json.dump(told, sys.stdout)


# -- what is done ------------------------------------------------------------------------------


@dataclass(slots=True)
class Notes:
    """What a process was about to do and what it was told is done; survives it."""

    path: Path
    lines: list[list[str]] = field(default_factory=list)

    def write(self, *words: str) -> None:
        """Add a line; once this returns the system keeps it, whatever happens to us."""
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, (json.dumps(words) + "\n").encode())
        os.close(handle)

    def read(self) -> list[list[str]]:
        """Every line."""
        text = self.path.read_text("utf-8") if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]


def made(study: str, value: float) -> tuple[Binding, Prediction]:
    """A small result with one map about the only series of a study."""
    grid = Geometry.from_ijk_affine((4, 5, 6), np.eye(4).tolist())
    array = np.full(grid.shape, value, np.float32)
    inputs = (InputRef("t1", study, f"{study}.1", 0, f"pixels of {study}", (6, 5, 4)),)
    maps = (ScalarMap("score", array, grid),)
    result = made_up(maps, inputs=inputs, scores=(Score("anomaly", value),))
    return Binding(study, f"{study}.1#0", f"pixels of {study}"), result


def _add(store: ResultStore, notes: Notes, study: str, value: float) -> str:
    notes.write("adding", study, str(value))
    entry = store.add(Silent(), *made(study, value))
    notes.write("added", study, str(value))
    return entry.id


def _judge(store: ResultStore, notes: Notes, study: str, entry_id: str, verdict: str) -> None:
    notes.write("judging", study, verdict)
    store.judge(entry_id, (Opinion("score anomaly", verdict, "A reader"),))
    notes.write("judged", study, verdict)


def _forget(store: ResultStore, notes: Notes, study: str) -> None:
    notes.write("forgetting", study)
    store.forget(study)
    notes.write("forgot", study)


def _at_random(root: Path, notes: Notes, seed: int) -> None:
    """File, answer and delete until somebody ends us."""
    dice = random.Random(seed)
    store = ResultStore(root)
    while True:
        study = f"1.{dice.randrange(_STUDIES)}"
        if dice.random() < 0.15:
            _forget(store, notes, study)
            continue
        entry_id = _add(store, notes, study, dice.random())
        if dice.random() < 0.5:
            _judge(store, notes, study, entry_id, dice.choice(("agree", "rejected")))


def _in_order(root: Path, notes: Notes, at: CrashPoint) -> None:
    """Everything that can be done once, the index damaged in between."""
    store = ResultStore(root, at)
    _add(store, notes, "1.1", 0.25)
    entry_id = _add(store, notes, "1.0", 0.5)
    _judge(store, notes, "1.0", entry_id, "unsure")
    entry_id = _add(store, notes, "1.0", 0.75)
    _judge(store, notes, "1.0", entry_id, "agree")
    _add(store, notes, "1.2", 0.125)
    _forget(store, notes, "1.2")
    (root / "index.sqlite").write_bytes(b"no index at all")
    store = ResultStore(root, at)
    _forget(store, notes, "1.1")


# -- how it is ended ---------------------------------------------------------------------------


def _random_kills(root: Path, rounds: int, seed: int) -> dict[str, object]:
    dice = random.Random(seed)
    notes = Notes(root / "notes.jsonl")
    faults: list[str] = []
    began = time.perf_counter()
    for number in range(rounds):
        pid = os.fork()
        if pid == 0:
            _at_random(root / "store", notes, seed * 100_003 + number)
        time.sleep(dice.uniform(0.0, _LONGEST_S))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        faults += [f"kill {number}: {fault}" for fault in faults_of(root / "store", notes.read())]
    acknowledged = sum(line[0] in ("added", "judged", "forgot") for line in notes.read())
    seconds = time.perf_counter() - began
    return {
        "kills": rounds,
        "acknowledged": acknowledged,
        "faults": faults,
        "each_s": seconds / max(rounds, 1),
    }


def _end_at(root: Path, point: str, turn: int) -> dict[str, object]:
    notes, left = Notes(root.with_suffix(".jsonl")), [turn]

    def at(step: str) -> None:
        left[0] -= step == point
        if left[0] == 0 and step == point:
            os._exit(_KILLED)

    pid = os.fork()
    if pid == 0:
        _in_order(root, notes, at)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return {
        "point": point,
        "turn": turn,
        "ended_there": os.waitstatus_to_exitcode(status) == _KILLED,
        "faults": faults_of(root, notes.read()),
    }


# -- what must be left -------------------------------------------------------------------------


def faults_of(root: Path, lines: list[list[str]]) -> list[str]:
    """What is wrong with a store after its process has ended; nothing, when all is well."""
    store = ResultStore(root)
    found = {}
    faults = []
    for entry in store.entries():
        kept = store.load(Silent(), entry)
        found[entry.study] = (
            str(kept.prediction.scores[0].value),
            kept.opinions[0].verdict if kept.opinions else "",
        )
    for study in {line[1] for line in lines}:
        allowed = _allowed([line for line in lines if line[1] == study])
        if found.get(study) not in allowed:
            faults.append(f"study {study} holds {found.get(study)}, not one of {allowed}")
    listed = {entry.id for entry in store.entries()}
    if {path.name for path in (root / "data").iterdir()} != listed:
        faults.append("a folder without a row")
    for place in ("incoming", "trash"):
        if any((root / place).iterdir()):
            faults.append(f"orphans in {place}")
    with connected(root / "index.sqlite") as base:
        if base.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            faults.append("the index is damaged")
    return faults if result_index.is_sound(root / "index.sqlite") else [*faults, "no index"]


_State = tuple[str, str] | None


def _allowed(lines: list[list[str]]) -> list[_State]:
    """What a study may hold: what was acknowledged last, or what was being done when it ended."""
    states: list[_State] = [None]
    for what, _, *words in lines:
        before = states[-1] if len(states) == 1 else None
        if what in ("added", "judged", "forgot"):
            states = states[-1:]
        elif what == "adding":
            states = [*states, (words[0], "")]
        elif what == "judging":
            states = [*states, (states[-1][0], words[0]) if states[-1] else before]
        else:
            states = [*states, None]
    return states
