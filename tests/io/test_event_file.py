"""Event files for TensorBoard: the rows of history.csv, growing as the training does."""

import math
import struct

import pytest
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import masked_crc32c

from medview.io.event_file import EVENTS, write_events
from medview.learning.checkpoint import write_history

ROWS = [(1, "train", "loss", 0.5), (1, "val", "loss", 0.75), (2, "train", "loss", 0.25)]


def events(path):
    """All events of a file; checksums must hold."""
    data, found = path.read_bytes(), []
    while data:
        (size,) = struct.unpack_from("<Q", data)
        assert struct.unpack_from("<I", data, 8) == (masked_crc32c(data[:8]),)
        body = data[12 : 12 + size]
        assert struct.unpack_from("<I", data, 12 + size) == (masked_crc32c(body),)
        found.append(Event.FromString(body))
        data = data[16 + size :]
    return found


def told(path):
    return [(e.step, v.tag, v.simple_value) for e in events(path)[1:] for v in e.summary.value]


def test_the_file_holds_the_rows_of_the_history(tmp_path):
    write_history(tmp_path / "history.csv", ROWS)
    path = tmp_path / EVENTS
    assert events(path)[0].file_version == "brain.Event:2"
    assert told(path) == [(e, f"{part}/{name}", value) for e, part, name, value in ROWS]
    assert "tfevents" in path.name


def test_it_grows_in_place_and_the_same_rows_give_the_same_bytes(tmp_path):
    path = tmp_path / "e"
    write_events(path, ROWS[:1])
    first, place = path.read_bytes(), path.stat().st_ino
    write_events(path, ROWS)
    assert path.read_bytes().startswith(first)
    assert path.stat().st_ino == place
    write_events(tmp_path / "f", ROWS)
    assert (tmp_path / "f").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("cut", [3, 40])
def test_a_file_that_was_cut_off_is_completed(tmp_path, cut):
    path = tmp_path / "e"
    write_events(path, ROWS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    write_events(path, ROWS)
    assert path.read_bytes() == whole


def test_another_training_begins_a_new_file(tmp_path):
    path = tmp_path / "e"
    write_events(path, ROWS)
    write_events(path, [(1, "train", "loss", 9.0)])
    assert told(path) == [(1, "train/loss", 9.0)]


def test_what_is_no_number_stays_none(tmp_path):
    write_events(tmp_path / "e", [(1, "train", "loss", math.nan)])
    assert math.isnan(told(tmp_path / "e")[0][2])
