"""Names under which patients, studies and files without DICOM are known to the program."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from medview.domain.study import Patient, Series, Study
from medview.domain.wording import legible
from medview.io.installation import keyed
from medview.io.sources import open_binary, read_from, size_of

# Beyond this size, evenly spread pieces of a file stand for the whole.
WHOLE_UP_TO = 256 * 2**20
PIECES, PIECE = 64, 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A series with what its files say of patient and study (both still without children)."""

    series: Series
    patient: Patient
    study: Study


def patient_key(*identity: str) -> str:
    """Make 8 hex digits of what identifies a patient; safe to write into a log.

    The same at every start of this installation, another at any other (rule G1): nobody can try
    names and numbers until one gives the key.
    """
    return keyed(_about(*identity))[:8]


def former_key(*identity: str) -> str:
    """The key that a patient had before keys were made with a secret."""
    return hashlib.sha256(_about(*identity)).hexdigest()[:8]


def _about(*identity: str) -> bytes:
    text = "\0".join("".join(c for c in part.upper() if c.isalnum()) for part in identity)
    return _bytes_of(f"patient\0{text}")


def uid_of_text(*parts: str) -> str:
    """Make a UID "2.25.<number>" of texts: for what carries none of its own."""
    return _uid(hashlib.sha256(_bytes_of("\0".join(parts))).digest())


def unnamed(series: Series, path: Path) -> Found:
    """A series from a file that names nobody: all of a folder count as one study."""
    folder = path.absolute().parent
    owner = Patient(key=patient_key("", "folder", str(folder)))
    study = Study(uid_of_text("folder", str(folder)), "", legible(folder.name))
    return Found(series, owner, study)


def uid_of_file(path: Path) -> str:
    """Make a UID "2.25.<number>" of a file's content.

    The same bytes have the same UID wherever they lie. Files over 256 MiB are read in 64
    pieces, so that opening a folder does not read it all.
    """
    size = size_of(path)
    digest = hashlib.sha256(size.to_bytes(8, "big"))
    with open_binary(path) as file:
        if size <= WHOLE_UP_TO:
            for at in range(0, size, PIECE):
                digest.update(read_from(file, path, at, PIECE))
        else:
            for n in range(PIECES):
                digest.update(read_from(file, path, n * (size - PIECE) // (PIECES - 1), PIECE))
    return _uid(digest.digest())


def _bytes_of(text: str) -> bytes:
    # A path whose bytes are no UTF-8 holds lone surrogates; they become those bytes again.
    return text.encode("utf-8", "surrogateescape")


def _uid(digest: bytes) -> str:
    # PS3.5 B.2: 2.25 and a number below 2 to the power of 128.
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
