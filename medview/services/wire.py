"""Values across a process boundary, with their arrays in one block of shared memory.

A message is a kind and a value, pickled with protocol 5. What is small goes through the
socket. Otherwise the pickle and its arrays are written into an anonymous file in memory,
and only its descriptor crosses. The block has no name, so nothing can be left behind,
whoever is killed when; the arrays on the other side are read-only views of it, and it
goes when the last of them does.
"""

from __future__ import annotations

import mmap
import os
import pickle
import select
import socket
import struct
import threading
from itertools import accumulate

# Pickles and arrays up to this size are not worth a block of their own.
SMALL = 1 << 16
# Blocks up to this size are read, not mapped: a mapping keeps a file descriptor open, and
# the slices of a running model would use up the 1024 a process commonly may have.
READ_BELOW = 1 << 22
_ALIGN = 64
# One system call writes at most 2 GiB.
_AT_ONCE = 1 << 30
_HEADER = struct.Struct("!II")


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
        sizes = [len(part) for part in parts]
        table = struct.pack(f"!{len(sizes)}Q", *sizes)
        block = _written(parts, sizes)
        try:
            with self._sending:
                socket.send_fds(self._end, [_HEADER.pack(len(parts), len(table))], [block])
                self._end.sendall(table)
        finally:
            os.close(block)

    def ready(self, seconds: float) -> bool:
        """Wait up to `seconds`; say whether there is something to receive (or the end)."""
        wait = select.poll()
        wait.register(self._end, select.POLLIN)
        return bool(wait.poll(seconds * 1000))

    def receive(self) -> tuple[str, object]:
        """Wait for the next message; raises EOFError when the other side is gone."""
        header, blocks, _, _ = socket.recv_fds(self._end, _HEADER.size, 1, socket.MSG_WAITALL)
        if len(header) < _HEADER.size:
            raise EOFError
        count, length = _HEADER.unpack(header)
        inline = self._exactly(length)
        if count == 0:
            return _unpickled([memoryview(inline)])
        return _unpickled(_read(blocks[0], struct.unpack(f"!{count}Q", inline)))

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


def _offsets(sizes: list[int] | tuple[int, ...]) -> list[int]:
    """Where each part starts in the block, and last where the block ends."""
    return [0, *accumulate(-(-size // _ALIGN) * _ALIGN for size in sizes)]


def _written(parts: list[memoryview], sizes: list[int]) -> int:
    """Write the parts into a new block of memory; return its descriptor."""
    offsets = _offsets(sizes)
    block = os.memfd_create("medview", os.MFD_CLOEXEC)
    try:
        os.ftruncate(block, offsets[-1])
        for part, offset in zip(parts, offsets, strict=False):
            done = 0
            while done < len(part):
                done += os.pwrite(block, part[done : done + _AT_ONCE], offset + done)
    except OSError as error:
        os.close(block)
        raise MemoryError("no room for a block of shared memory") from error
    return block


def _read(block: int, sizes: tuple[int, ...]) -> list[memoryview]:
    """The parts of a block as read-only views; closes the descriptor."""
    offsets = _offsets(sizes)
    try:
        if offsets[-1] <= READ_BELOW:
            whole = memoryview(os.pread(block, offsets[-1], 0))
        else:
            whole = memoryview(mmap.mmap(block, offsets[-1], access=mmap.ACCESS_READ))
    finally:
        os.close(block)
    return [whole[start : start + size] for start, size in zip(offsets, sizes, strict=False)]
