"""Values of a DICOM header, read when asked for and never trusted to be well formed."""

from __future__ import annotations

import math
import struct
import warnings
from functools import cache

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR, tag_for_keyword

from medview.io.dicom_outline import Outline, items_of
from medview.io.dicom_walk import Place

MAX_TEXT = 1024
_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_PERSON_NAME_DELIMITERS = {0x5E, 0x3D}


@cache
def tag_of(keyword: str) -> int:
    """Tag of a standard keyword such as "PixelSpacing"."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is no DICOM keyword")
    return int(tag)


@cache
def _standard_vr(tag: int) -> str:
    try:
        return str(dictionary_VR(tag)).split(" ")[0]
    except KeyError:
        return ""


class Header:
    """A data set or an item of a sequence; keywords as in PS3.6.

    Whatever is missing or cannot be understood is given as empty.
    """

    __slots__ = ("encodings", "outline", "places")

    def __init__(
        self,
        outline: Outline,
        places: dict[int, Place] | None = None,
        encodings: list[str] | None = None,
    ) -> None:
        self.outline = outline
        self.places = outline.places if places is None else places
        self.encodings = encodings

    def __contains__(self, keyword: str) -> bool:
        return tag_of(keyword) in self.places

    def raw(self, keyword: str | int) -> bytes:
        """Bytes of a value, empty when it is not there."""
        tag = keyword if isinstance(keyword, int) else tag_of(keyword)
        _, at, length = self.places.get(tag, ("", 0, 0))
        return self.outline.data[at : at + length]

    def word(self, keyword: str) -> str:
        """Text of the basic repertoire: a UID, a code, a date."""
        return self.raw(keyword)[:MAX_TEXT].decode("latin-1").strip("\0 ")

    def words(self, keyword: str) -> tuple[str, ...]:
        """Several such texts."""
        text = self.raw(keyword)[: 64 * MAX_TEXT].decode("latin-1").strip("\0 ")
        return tuple(part.strip("\0 ") for part in text.split("\\")) if text else ()

    def text(self, keyword: str) -> str:
        """Text in the character set of the file, without control characters."""
        raw = self.raw(keyword)[: 4 * MAX_TEXT]
        if raw.isascii() and b"\x1b" not in raw:
            decoded = raw.decode("ascii")
        else:
            decoded = _decoded(raw, self._encodings())
        return "".join(c for c in decoded[:MAX_TEXT] if c.isprintable()).strip()

    def _encodings(self) -> list[str]:
        if self.encodings is None:
            names = list(self.words("SpecificCharacterSet"))
            self.encodings = _known_encodings(names)
        return self.encodings

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """All numbers of a value; empty when one of them is none."""
        tag = tag_of(keyword)
        if tag not in self.places:
            return ()
        vr, at, length = self.places[tag]
        code = _BINARY.get(vr if vr and vr != "UN" else _standard_vr(tag))
        raw = self.outline.data[at : at + length]
        if code is None:
            return _parsed(raw)
        size = struct.calcsize(code)
        count = len(raw) // size
        order = "<" if self.outline.little else ">"
        values = struct.unpack(f"{order}{count}{code}", raw[: count * size])
        return values if all(map(math.isfinite, values)) else ()

    def number(self, keyword: str) -> float | None:
        """The first number of a value, or None."""
        values = self.numbers(keyword)
        return float(values[0]) if values else None

    def whole(self, keyword: str) -> int | None:
        """The first number as an integer, or None."""
        values = self.numbers(keyword)
        return int(values[0]) if values else None

    def items(self, keyword: str | int) -> list[Header]:
        """Items of a sequence; empty when it is not there."""
        tag = keyword if isinstance(keyword, int) else tag_of(keyword)
        if tag not in self.places:
            return []
        found = items_of(self.outline, self.places[tag])
        return [Header(self.outline, places, self._encodings()) for places in found]

    def item(self, keyword: str) -> Header | None:
        """The first item of a sequence, or None."""
        items = self.items(keyword)
        return items[0] if items else None


def _known_encodings(names: list[str]) -> list[str]:
    # pydicom warns of odd names; what it makes of them is good enough here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return list(convert_encodings(names or [""]))
        except (LookupError, ValueError, TypeError):
            return ["iso8859"]


def _decoded(raw: bytes, encodings: list[str]) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(decode_bytes(raw, encodings, _PERSON_NAME_DELIMITERS))
        except (LookupError, UnicodeError, ValueError):
            return raw.decode("latin-1")


def _parsed(raw: bytes) -> tuple[float, ...]:
    """Numbers of a decimal or integer string; a comma as decimal sign is understood."""
    text = raw.decode("latin-1").strip("\0 ")
    if not text:
        return ()
    try:
        values = tuple(float(part.replace(",", ".")) for part in text.split("\\"))
    except ValueError:
        return ()
    return values if all(map(math.isfinite, values)) else ()
