"""Arrays across a pair of channels: copied, or seen through a room that both share."""

import gc
import mmap
import os
import resource
import threading

import numpy as np
import pytest

from medview.services.wire import SMALL, Channel, pair, room


@pytest.fixture
def ends():
    ours, theirs = (Channel(end) for end in pair())
    yield ours, theirs
    ours.close()
    theirs.close()


def sent(ends, value):
    """Send a value and receive it at the other end."""
    sender = threading.Thread(target=ends[0].send, args=("value", value))
    sender.start()
    kind, received = ends[1].receive()
    sender.join()
    assert kind == "value"
    return received


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [10, SMALL - 1, SMALL, SMALL + 1, 5_000_000])
def test_an_array_comes_out_as_it_went_in(ends, size):
    array = np.arange(size, dtype=np.uint8)
    np.testing.assert_array_equal(sent(ends, array), array)


def test_an_array_in_a_room_is_seen_without_a_copy(ends):
    array = np.frombuffer(room(8_000_000), np.int32).reshape(100, -1)
    received = sent(ends, {"volume": array[10:90], "name": "x"})["volume"]
    assert received.shape == (80, 20000)
    assert not received.flags.writeable
    array[50, 7] = 42
    assert received[40, 7] == 42


def test_rooms_and_copies_may_come_in_one_message(ends):
    rooms = [np.frombuffer(room(6_000_000), np.uint8) for _ in range(3)]
    for n, array in enumerate(rooms):
        array[:] = n + 1
    plain = np.full(SMALL * 2, 9, np.uint8)
    received = sent(ends, [rooms[0], plain, rooms[2], rooms[0][100:], rooms[1]])
    assert [int(part[0]) for part in received] == [1, 9, 3, 1, 2]


def test_a_room_is_zero_and_goes_with_its_last_user(ends):
    gc.collect()  # what other tests have left
    before = open_files()
    array = np.frombuffer(room(6_000_000), np.uint8)
    assert not array.any()
    received = sent(ends, array)
    del array
    gc.collect()
    assert not received.any()
    del received
    gc.collect()
    assert open_files() == before


def test_more_rooms_than_one_message_takes_are_copied(ends):
    rooms = [np.frombuffer(room(SMALL), np.uint8) for _ in range(40)]
    for n, array in enumerate(rooms):
        array[0] = n
    assert [int(part[0]) for part in sent(ends, rooms)] == list(range(40))


def test_what_has_come_whole_is_read_without_waiting_for_its_pages(ends):
    ours, theirs = ends
    array = np.frombuffer(room(32_000_000), np.uint8)
    array[:] = 1
    waits = {}
    for kind in ("done", "partial"):
        theirs.send(kind, array)
        _, received = ours.receive(touched=("done",))
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        assert received[:: mmap.PAGESIZE].all()
        waits[kind] = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before
    assert waits["done"] < waits["partial"] / 4
