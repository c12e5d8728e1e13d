"""What each result of a batch was made from, so that going on keeps only what still holds.

``made_from.jsonl`` in the folder of a batch has one line a finished case: hashes of its inputs,
the weights, all options that may change the answer, and the hash of its result. A line that was
cut off by a stop counts as none, and its case is run again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.domain.card import ModelCard
from medview.io.atomic import write_error
from medview.io.hashing import file_sha256
from medview.services.inputs import Wanted
from medview.services.running import RunOptions

LEDGER = "made_from.jsonl"
# Headers whose values lie in a file beside them.
_IN_TWO_FILES = (".hdr", ".img", ".mhd", ".nhdr")
# How a reader calls what may have changed.
_WORDS = {
    "age_years": "age",
    "film_hour": "film hour",
    "result": "its result file",
    "private": "whether words of the headers are told",
}


@dataclass(frozen=True, slots=True)
class Made:
    """What a result was asked from, as plain values, and the hash of its result.json."""

    asked: Mapping[str, Any]
    result: str


def asked_of(card: ModelCard, wanted: Wanted, options: RunOptions) -> dict[str, Any]:
    """All that decides what is written of one case, as plain values; files by their hashes.

    Threads and device are not among it: they change where a case runs, not what is asked.

    Raises
    ------
    OSError
        If an input cannot be read.
    """
    inputs = {role: _digest(path) for role, path in wanted.named}
    inputs |= {str(n): _digest(path) for n, path in enumerate(wanted.paths)}
    return {
        "model": card.id,
        "weights": card.weights_sha256,
        "inputs": inputs,
        "series": _hashed(wanted.series) if wanted.paths else None,
        "samples": options.samples,
        "alpha": options.alpha,
        "seed": options.seed,
        "precision": options.precision,
        "age_years": options.age_years,
        "sex": options.sex,
        "site": options.site,
        "film_hour": options.film_hour,
        "maps": sorted(options.maps),
        "private": options.private,
    }


def changed(made: Made | None, asked: Mapping[str, Any], result: Path) -> tuple[str, ...]:
    """In words, what of a case is not as it was when its result was made; nothing if all holds.

    A result with more maps on demand than are wanted now still holds.
    """
    if made is None:
        return ("what it was made from is not known",)
    found = [name for name, value in asked.items() if not _holds(name, made.asked, value)]
    if made.result != (file_sha256(result) if result.is_file() else ""):
        found.append("result")
    return tuple(_WORDS.get(name, name) for name in found)


def note(out: Path, case: str, asked: Mapping[str, Any], result: Path) -> None:
    """Add the line of a finished case.

    Raises
    ------
    WriteError
        If the disk refuses.
    """
    line = {"case": case, "asked": dict(asked), "result": file_sha256(result)}
    path = out / LEDGER
    try:
        with path.open("a", encoding="utf-8") as file:
            # A line that was cut off must not take this one with it.
            file.write(("" if _ends_whole(path) else "\n") + json.dumps(line) + "\n")
    except OSError as error:
        raise write_error(path, error) from error


def _ends_whole(path: Path) -> bool:
    """Whether the last line of a file is finished, or there is none."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def read_ledger(out: Path) -> dict[str, Made]:
    """The last line of each case; what is no line of a ledger is passed over."""
    found: dict[str, Made] = {}
    try:
        lines = (out / LEDGER).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            told = json.loads(line)
            found[told["case"]] = Made(dict(told["asked"]), str(told["result"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _holds(name: str, before: Mapping[str, Any], now: Any) -> bool:
    if name == "maps":
        return set(now) <= set(before.get(name, ()))
    return name in before and bool(before[name] == now)


def _hashed(series: str | None) -> str | None:
    """What stands for the UID of a series: it identifies, and the folder may be passed on."""
    return None if series is None else hashlib.sha256(series.encode()).hexdigest()


def _digest(path: Path) -> str:
    """One hash of a file with what belongs to it, or of all files of a folder."""
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file())
    elif path.suffix.lower() in _IN_TWO_FILES:
        files = sorted(each for each in path.parent.iterdir() if each.stem == path.stem)
    if files == [path]:
        return file_sha256(path)
    together = [f"{each.relative_to(path.parent)} {file_sha256(each)}" for each in files]
    return hashlib.sha256("\n".join(together).encode("utf-8", "surrogateescape")).hexdigest()
