"""Values across a process boundary, with their arrays in one block of shared memory.

A message is a kind and a value, pickled with protocol 5. What is small goes through the
socket. Otherwise the pickle and its arrays are written into an anonymous file in memory,
and only its descriptor crosses. The block has no name, so nothing can be left behind,
whoever is killed when; the arrays on the other side are read-only views of it, and it
goes when the last of them does. An array that was made in a ``room`` is in such a block
already and is not copied: the other side sees what is written into it later, too.
"""

from __future__ import annotations

import mmap
import os
import pickle
import select
import socket
import struct
import threading
import weakref
from collections.abc import Collection

import numpy as np

# Pickles and arrays up to this size are not worth a block of their own.
SMALL = 1 << 16
# Blocks up to this size are read, not mapped: a mapping keeps a file descriptor open, and
# the slices of a running model would use up the 1024 a process commonly may have.
READ_BELOW = 1 << 22
_ALIGN = 64
# One system call writes at most 2 GiB.
_AT_ONCE = 1 << 30
_HEADER = struct.Struct("!II")
# Of each part: which block it is in (0 is the message's own), where, and how long it is.
_ENTRY = struct.Struct("!IQQ")
# More rooms than this in one message are copied; the system passes at most 253 descriptors.
_MOST_ROOMS = 16

# Address -> size and descriptor of every room that is still in use.
_rooms: dict[int, tuple[int, int]] = {}


def room(size: int) -> mmap.mmap:
    """Make a block of shared memory, all zero, in which arrays can be built for sending.

    It goes when nothing here or on the other side refers to it any more.
    """
    block = os.memfd_create("medview", os.MFD_CLOEXEC)
    try:
        os.ftruncate(block, max(1, size))
        made = mmap.mmap(block, max(1, size))
    except (OSError, ValueError) as error:
        os.close(block)
        raise MemoryError("no room for a block of shared memory") from error
    begin = _address(memoryview(made))
    _rooms[begin] = (len(made), block)
    weakref.finalize(made, _close_room, begin)
    return made


def _close_room(begin: int) -> None:
    _, block = _rooms.pop(begin)
    os.close(block)


def _address(part: memoryview) -> int:
    return int(np.frombuffer(part, np.uint8).ctypes.data)


def _room_of(part: memoryview) -> tuple[int, int] | None:
    """Descriptor of the room a part lies in, and where in it; None for any other memory."""
    at = _address(part)
    for begin, (size, block) in list(_rooms.items()):
        if begin <= at and at + len(part) <= begin + size:
            return block, at - begin
    return None


class Channel:
    """One end of a connected pair of Unix sockets. Any thread may send; one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._sending = threading.Lock()

    def send(self, kind: str, value: object = None) -> None:
        """Send one message; raises OSError when the other side is gone."""
        parts = _pickled(kind, value)
        if len(parts) == 1 and len(parts[0]) <= SMALL:
            with self._sending:
                self._end.sendall(_HEADER.pack(0, len(parts[0])) + parts[0])
            return
        entries, rooms = _placed(parts)
        table = b"".join(_ENTRY.pack(*entry) for entry in entries)
        block = _written(parts, entries)
        try:
            with self._sending:
                header = _HEADER.pack(len(parts), len(table))
                socket.send_fds(self._end, [header], [block, *rooms])
                self._end.sendall(table)
        finally:
            os.close(block)

    def ready(self, seconds: float) -> bool:
        """Wait up to `seconds`; say whether there is something to receive (or the end)."""
        wait = select.poll()
        wait.register(self._end, select.POLLIN)
        return bool(wait.poll(seconds * 1000))

    def receive(self, *, touched: Collection[str] = ()) -> tuple[str, object]:
        """Wait for the next message; raises EOFError when the other side is gone.

        All memory of messages of the kinds `touched` is brought in here: a page that is read for
        the first time makes its reader wait, and a slice across a volume lies on all its pages.
        """
        header, blocks, _, _ = socket.recv_fds(
            self._end, _HEADER.size, 1 + _MOST_ROOMS, socket.MSG_WAITALL
        )
        if len(header) < _HEADER.size:
            raise EOFError
        count, length = _HEADER.unpack(header)
        inline = self._exactly(length)
        if count == 0:
            return _unpickled([memoryview(inline)])
        parts = _read(blocks, list(_ENTRY.iter_unpack(inline)))
        message = _unpickled(parts)
        if message[0] in touched:
            _touch(parts)
        return message

    def _exactly(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            piece = self._end.recv(length - len(data))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._end.fileno()

    def close(self) -> None:
        """Close this end; the other side reads the end of the stream."""
        self._end.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets for a channel each."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def _pickled(kind: str, value: object) -> list[memoryview]:
    """The pickle, then the bytes of every array that is worth keeping out of it."""
    kept: list[memoryview] = []

    def keep_inside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < SMALL:
            return True
        kept.append(raw)
        return False

    data = pickle.dumps((kind, value), protocol=5, buffer_callback=keep_inside)
    return [memoryview(data), *kept]


def _unpickled(parts: list[memoryview]) -> tuple[str, object]:
    kind, value = pickle.loads(parts[0], buffers=parts[1:])
    return kind, value


def _placed(parts: list[memoryview]) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Where each part is (block, offset, size), and the descriptors of blocks from 1 on."""
    rooms: list[int] = []
    entries: list[tuple[int, int, int]] = []
    end = 0
    for part in parts:
        place = _room_of(part) if len(part) >= SMALL else None
        if place is not None and (place[0] in rooms or len(rooms) < _MOST_ROOMS):
            if place[0] not in rooms:
                rooms.append(place[0])
            entries.append((1 + rooms.index(place[0]), place[1], len(part)))
        else:
            entries.append((0, end, len(part)))
            end += -(-len(part) // _ALIGN) * _ALIGN
    return entries, rooms


def _written(parts: list[memoryview], entries: list[tuple[int, int, int]]) -> int:
    """Write the parts that are in no room into a new block; return its descriptor."""
    block = os.memfd_create("medview", os.MFD_CLOEXEC)
    try:
        for part, (where, offset, _) in zip(parts, entries, strict=True):
            done = 0
            while where == 0 and done < len(part):
                done += os.pwrite(block, part[done : done + _AT_ONCE], offset + done)
    except OSError as error:
        os.close(block)
        raise MemoryError("no room for a block of shared memory") from error
    return block


def _read(blocks: list[int], entries: list[tuple[int, int, int]]) -> list[memoryview]:
    """The parts of the blocks as read-only views; closes the descriptors."""
    try:
        views = [_view(block) for block in blocks]
    finally:
        for block in blocks:
            os.close(block)
    return [views[where][begin : begin + size] for where, begin, size in entries]


def _touch(parts: list[memoryview]) -> None:
    """Read a byte of every page; numpy lets other threads go on meanwhile, mmap would not."""
    for part in parts:
        if len(part) > READ_BELOW:
            np.frombuffer(part, np.uint8)[:: mmap.PAGESIZE].max()


def _view(block: int) -> memoryview:
    size = os.fstat(block).st_size
    if size <= READ_BELOW:
        return memoryview(os.pread(block, size, 0))
    return memoryview(mmap.mmap(block, size, access=mmap.ACCESS_READ))
