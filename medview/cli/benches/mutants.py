"""Damage done to valid files, the same for the same seed and number."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Literal

import nibabel

from medview.cli.benches.seeds import dicom_seeds, nifti_seeds

Kind = Literal["dicom", "nifti"]

# Lengths that lie: undefined, none, an item tag, the largest signed number, almost 4 GB.
_LENGTHS = (0xFFFFFFFF, 0, 0xE000FFFE, 0x7FFFFFFF, 0xFFFFFF00)
_FLOATS = (float("nan"), float("inf"), float("-inf"), 0.0, -1.0, 1e38, -1e38, 1e-38)
_WHOLE = (0, -1, 1, 2, 7, 8, 255, 32767, -32768)


def mutant(kind: Kind, seed: int, number: int) -> bytes:
    """Make one damaged file; `seed` and `number` say all about it."""
    dice = Random(f"{kind} {seed} {number}")
    return damaged(kind, dice, bytearray(dice.choice(_seeds(kind))))


def damaged(kind: Kind, dice: Random, data: bytearray) -> bytes:
    """Do some damage to a file, which the dice say."""
    if kind == "dicom":
        for _ in range(dice.choice((1, 1, 2, 4, 8))):
            dice.choice(_DAMAGES)(dice, data)
        return bytes(data)
    packed = data[:2] == b"\x1f\x8b"
    if packed and dice.random() < 0.7:
        data = _unpacked(data)
        _damage_nifti(dice, data)
        return gzip.compress(bytes(data), mtime=0)
    (_harm_bytes if packed else _damage_nifti)(dice, data)
    return bytes(data)


def _unpacked(data: bytearray) -> bytearray:
    """What a packed file holds; of one that is damaged, the file itself."""
    try:
        return bytearray(gzip.decompress(bytes(data)))
    except (OSError, EOFError, zlib.error):
        return data


@lru_cache(maxsize=2)
def _seeds(kind: Kind) -> list[bytes]:
    return dicom_seeds() if kind == "dicom" else nifti_seeds()


def _set_byte(dice: Random, data: bytearray) -> None:
    if data:
        data[dice.randrange(len(data))] = dice.randrange(256)


def _turn_bit(dice: Random, data: bytearray) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _lie_about_length(dice: Random, data: bytearray) -> None:
    if len(data) >= 4:
        # Elements stand at even offsets, and most of them before the pixels.
        at = dice.randrange(min(len(data) - 3, 2048)) & ~1
        data[at : at + 4] = struct.pack("<I", dice.choice(_LENGTHS))


def _set_short(dice: Random, data: bytearray) -> None:
    if len(data) >= 2:
        at = dice.randrange(len(data) - 1) & ~1
        data[at : at + 2] = struct.pack("<h", dice.choice(_WHOLE))


def _delete(dice: Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    del data[at : at + dice.randint(1, 64)]


def _repeat(dice: Random, data: bytearray) -> None:
    at, length = dice.randrange(len(data) + 1), dice.randint(1, 64)
    data[at:at] = data[at : at + length]


def _cut(dice: Random, data: bytearray) -> None:
    del data[dice.randrange(len(data) + 1) :]


def _move(dice: Random, data: bytearray) -> None:
    """Write what stands in one place to another one, too: tags where none belong."""
    source, target = (dice.randrange(len(data) + 1) for _ in range(2))
    piece = data[source : source + dice.randint(4, 32)]
    data[target : target + len(piece)] = piece


_DAMAGES: tuple[Callable[[Random, bytearray], None], ...] = (
    _set_byte,
    _set_byte,
    _turn_bit,
    _lie_about_length,
    _lie_about_length,
    _set_short,
    _delete,
    _repeat,
    _cut,
    _move,
)


def _harm_bytes(dice: Random, data: bytearray) -> None:
    dice.choice(_DAMAGES)(dice, data)


def _damage_nifti(dice: Random, data: bytearray) -> None:
    """Put extreme numbers into fields of the header, or damage it like any other file."""
    if dice.random() < 0.2:
        _harm_bytes(dice, data)
        return
    for _ in range(dice.choice((1, 1, 2, 4))):
        _set_field(dice, data)


def _set_field(dice: Random, data: bytearray) -> None:
    second = bytes(data[:4]) in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    header = nibabel.Nifti2Header if second else nibabel.Nifti1Header
    order = ">" if data[:1] == b"\0" else "<"
    dtype = header.template_dtype.newbyteorder(order)
    name = dice.choice([n for n in dtype.names or () if n != "sizeof_hdr"])
    field, offset = dtype.fields[name][:2] if dtype.fields else (dtype, 0)
    item = field.base
    offset += item.itemsize * dice.randrange(max(1, field.itemsize // item.itemsize))
    data[offset : offset + item.itemsize] = _extreme(dice, item.kind, item.itemsize, order)


def _extreme(dice: Random, kind: str, size: int, order: str) -> bytes:
    if kind == "f":
        return struct.pack(order + {4: "f", 8: "d"}[size], dice.choice(_FLOATS))
    if kind in "iu":
        value = dice.choice((*_WHOLE, (1 << (8 * size - 1)) - 1, dice.getrandbits(8 * size)))
        return (value & ((1 << (8 * size)) - 1)).to_bytes(size, "big" if order == ">" else "little")
    return dice.randbytes(size)
