"""What a training was begun with, noted beside its checkpoint: nothing else goes on from that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from medview.domain.errors import DataError
from medview.domain.training import BEGUN_WITH, CHECKPOINTS, TrainRequest
from medview.domain.wording import counted
from medview.io.atomic import whole_file
from medview.io.hashing import file_sha256
from medview.learning.subset import Subset, TrainCase

_WORDS = {
    "cases": "cases",
    "splits": "parts to train on and to validate on",
    "sites": "sites",
    "labels": "labels",
    "people": "ages or sexes",
    "values": "measured values",
    "start": "weights to start from",
    "seed": "seed",
}
"""How a sentence calls what is compared."""
_IMAGES = "images"
"""What the files of images held, one word a file in the order of the cases."""
_DIGITS = 16
_DATA_OF = {
    ".hdr": (".img", ".IMG"),
    ".img": (".hdr", ".HDR"),
    ".mhd": (".raw", ".zraw"),
    ".nhdr": (".raw", ".raw.gz"),
}
"""Formats that keep header and data apart."""


def begin(request: TrainRequest, subsets: Sequence[Subset], *, leads: bool = True) -> None:
    """Note what a training is begun with; one that goes on must be given the same.

    A training that begins anew with anything else loses the older checkpoints: they must not be
    gone on from. One of several processes `leads` and writes. Of files that are read anew by
    every training (images, masks) the bytes count, and neither their folder nor their times: a
    copy of the data is the same data.

    Raises
    ------
    DataError
        Naming what is not the same as when the training to go on with was begun; of files the
        first one, and how many.
    WriteError
        If the disk refuses.
    """
    out, files = Path(request.out), _files(subsets)
    note = out / CHECKPOINTS / BEGUN_WITH
    before, now = _read(note), _digests(request, subsets)
    if request.resume and before:
        _refuse_other(before, now, out)
    now[_IMAGES] = " ".join(map(_content, files))
    if request.resume and _IMAGES in before:
        _refuse_changed(before[_IMAGES].split(), now[_IMAGES].split(), files)
    if not leads or before == now:
        return
    if not request.resume:
        for folder in (out, *out.glob("fold-*")):
            for kept in (folder / CHECKPOINTS).rglob("*.pt"):
                kept.unlink(missing_ok=True)
    with whole_file(note) as draft:
        draft.write_text(json.dumps(now, indent=1) + "\n", "utf-8")


def _refuse_other(before: Mapping[str, str], now: Mapping[str, str], out: Path) -> None:
    other = [name for name in _WORDS if before.get(name) != now[name]]
    if not other:
        return
    # Of other cases all the rest is another, too.
    words = [_WORDS[name] for name in (other if other[0] != "cases" else other[:1])]
    one = "an" if words == [_WORDS["seed"]] else ""
    raise DataError(
        f"the training to go on with was begun with {one}other {' and '.join(words)}",
        file=out.name,
        do="Give what it was begun with, or start a new one.",
        code="MV-DAT-022",
    )


def _refuse_changed(before: Sequence[str], now: Sequence[str], files: Sequence[Path]) -> None:
    other = [file for was, is_, file in zip(before, now, files, strict=False) if was != is_]
    if not other:
        return
    state = "has changed" if other[0].exists() else "is gone"
    more = f", and {counted(len(other) - 1, 'other file')} with it" if len(other) > 1 else ""
    raise DataError(
        f"{state} since the training to go on with was begun{more}",
        file=other[0].name,
        do="Put back what was there, or start a new one.",
        code="MV-DAT-022",
    )


def _read(note: Path) -> dict[str, str]:
    """What was noted; nothing where that cannot be read, as of trainings of older programs."""
    try:
        kept = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    known = kept.items() if isinstance(kept, dict) else ()
    return {name: value for name, value in known if isinstance(value, str)}


def _digests(request: TrainRequest, subsets: Sequence[Subset]) -> dict[str, str]:
    """By the keys of ``_WORDS``."""
    cases = [case for subset in subsets for case in subset.cases]
    start = Path(request.init) if request.init else None
    return {
        "cases": _hashed(_named(case) for case in cases),
        "splits": _hashed([*(case.split for case in cases), *sorted(request.held_out)]),
        "sites": _hashed(case.site for case in cases),
        "labels": _hashed(
            (case.label, case.box, sorted(case.cells.items()), case.brain_rule) for case in cases
        ),
        "people": _hashed((case.age_years, case.sex) for case in cases),
        "values": _hashed(part for case in cases for part in _values(dict(case.rows))),
        "start": file_sha256(start) if start is not None and start.is_file() else str(start),
        "seed": str(request.seed),
    }


def _named(case: TrainCase) -> tuple[object, ...]:
    files = sorted((role, path.name) for role, path in case.images.items())
    beside = [path and path.name for path in (case.mask, case.brain)]
    return case.subset, case.case, case.patient, case.role, case.pixel_mm, files, beside


def _files(subsets: Sequence[Subset]) -> list[Path]:
    """The files that a training reads itself; what is in the rows of a case was read already."""
    found = []
    for case in (case for subset in subsets for case in subset.cases):
        found += [path for role, path in sorted(case.images.items()) if role not in case.rows]
        found += [path for path in (case.mask, case.brain) if path is not None]
    return found


def _content(path: Path) -> str:
    """A word for what a file holds, or all files of a folder; of a header also its data."""
    try:
        return _hashed(file_sha256(part) for part in _parts(path))[:_DIGITS]
    except OSError:
        return "-"


def _parts(path: Path) -> list[Path]:
    """A file and the one beside it with the data that it describes; all files of a folder."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    beside = (path.with_suffix(end) for end in _DATA_OF.get(path.suffix.lower(), ()))
    return [path, *islice((part for part in beside if part.is_file()), 1)]


def _values(value: object) -> Iterator[object]:
    """All that a row holds: of an array one number that tells it from others."""
    if isinstance(value, np.ndarray):
        yield value.shape, hashlib.sha256(value.tobytes()).hexdigest()
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield name
            yield from _values(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _values(getattr(value, field.name))
    else:
        yield value


def _hashed(parts: Iterable[object]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part!r}\n".encode())
    return digest.hexdigest()
