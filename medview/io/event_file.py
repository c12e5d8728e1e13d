"""The curve of a training as TensorBoard reads it: the same rows as history.csv."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from medview.io.atomic import whole_file

EVENTS = "events.out.tfevents.0.medview"
"""TensorBoard knows a file by "tfevents" in its name."""
Row = tuple[int, str, str, float]


def write_events(path: Path, rows: Sequence[Row]) -> None:
    """Bring an event file up to date: epoch, part, name and value become step, tag and value.

    What is there already stays untouched where it is the beginning of the rows, so that a
    TensorBoard that looks at the file sees it grow; else (another training) it is replaced.
    Times are the epochs, in seconds: the same training gives the same file.

    Raises
    ------
    WriteError
        If the disk refuses.
    """
    whole = b"".join((_version(), *(_record(row) for row in rows)))
    there = path.read_bytes() if path.is_file() else b""
    if there and whole.startswith(there):
        with path.open("ab") as file:
            file.write(whole[len(there) :])
        return
    with whole_file(path) as draft:
        draft.write_bytes(whole)


@lru_cache(maxsize=1 << 16)
def _record(row: Row) -> bytes:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    epoch, part, name, value = row
    told = Summary(value=[Summary.Value(tag=f"{part}/{name}", simple_value=value)])
    return _framed(Event(wall_time=float(epoch), step=epoch, summary=told).SerializeToString())


@lru_cache(maxsize=1)
def _version() -> bytes:
    from tensorboardX.proto.event_pb2 import Event

    return _framed(Event(wall_time=0.0, file_version="brain.Event:2").SerializeToString())


def _framed(event: bytes) -> bytes:
    """Length, its checksum, the event and its checksum, as TFRecord has it."""
    from tensorboardX.record_writer import masked_crc32c

    length = struct.pack("<Q", len(event))
    sums = (struct.pack("<I", masked_crc32c(part)) for part in (length, event))
    return b"".join((length, next(sums), event, next(sums)))
