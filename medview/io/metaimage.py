"""NRRD and MetaImage (MHA, MHD), read with SimpleITK after their headers were checked.

The header is plain text. It is read here first: where its pixels lie (only in the file itself
or under a plain name beside it) and whether the file can hold what it claims.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.domain.geometry import Geometry
from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.domain.volume import Note, Volume
from medview.io.codes import Code
from medview.io.identity import Found, uid_of_file, unnamed
from medview.io.limits import memory_cap
from medview.io.sources import is_there, read_head, size_of
from medview.io.values import as_volume_values

if TYPE_CHECKING:
    import SimpleITK

MAX_HEADER = 64 * 1024
MAX_DEFLATE = 1032
_NRRD, _META = "nrrd", "metaimage"
_IO_OF = {_NRRD: "NrrdImageIO", _META: "MetaImageIO"}
_NRRD_BYTES = {
    "signed char": 1, "int8": 1, "int8_t": 1, "uchar": 1, "unsigned char": 1, "uint8": 1,
    "uint8_t": 1, "short": 2, "short int": 2, "signed short": 2, "int16": 2, "int16_t": 2,
    "ushort": 2, "unsigned short": 2, "unsigned short int": 2, "uint16": 2, "uint16_t": 2,
    "int": 4, "signed int": 4, "int32": 4, "int32_t": 4, "uint": 4, "unsigned int": 4,
    "uint32": 4, "uint32_t": 4, "longlong": 8, "long long": 8, "int64": 8, "int64_t": 8,
    "ulonglong": 8, "unsigned long long": 8, "uint64": 8, "uint64_t": 8, "float": 4, "double": 8,
}  # fmt: skip
_META_BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4,
    "MET_LONG": 4, "MET_ULONG": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_FLOAT": 4,
    "MET_DOUBLE": 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What the text says: format, where the pixels are, how many bytes they are unpacked."""

    format: str
    data: Path
    size: int
    packed: bool


def find(path: Path) -> list[Found] | None:
    """Describe an NRRD or MetaImage file; None when it is none.

    Raises
    ------
    ReadError
        If it is damaged, claims more than there is, or points to a file elsewhere.
    """
    header = read_header(path)
    if header is None:
        return None
    reader = _reader(path, header)
    size = reader.GetSize()
    shape = (*size, 1, 1)[:3]
    times = math.prod(size[3:]) * _channels_as_times(reader)
    geometry, notes = _geometry(path, reader, shape)
    series = Series(
        uid=uid_of_file(header.data),
        description=path.stem,
        format=header.format,
        files=(path,) if header.data == path else (path, header.data),
        size=(shape[0], shape[1], shape[2]),
        times=times,
        split_by="time" if times > 1 else None,
        geometry=geometry,
        warnings=notes,
    )
    return [unnamed(series, path)]


def load(job: Progress, series: Series, time: int = 0) -> Volume:
    """Read one time of an NRRD or MetaImage file.

    Raises
    ------
    ReadError
        If its pixels are damaged or cut short.
    """
    import SimpleITK

    path = series.files[0]
    header = read_header(path)
    if header is None:
        raise _damaged(path, "has changed since it was listed")
    reader = _reader(path, header)
    channels = reader.GetNumberOfComponents()
    try:
        whole = SimpleITK.GetArrayFromImage(reader.Execute())
    except (RuntimeError, MemoryError, ValueError) as error:
        raise _damaged(path, "its pixels are damaged or cut short") from error
    geometry, notes = _geometry(path, reader, series.size)
    k, j, i = geometry.shape
    if _is_colour(reader):
        array: NDArray[np.generic] = whole.reshape(-1, k, j, i, channels)[time, ..., :3].copy()
    else:
        volumes = whole.reshape(-1, k, j, i, channels)
        array = as_volume_values(volumes[time // channels, ..., time % channels])
    return Volume(array=array, geometry=geometry, quantity=series.quantity, warnings=notes)


# -------------------------------------------------------------------------------- header


def read_header(path: Path) -> Header | None:
    """Read and check the text at the beginning; None for a file of another format.

    Raises
    ------
    ReadError
        Naming what is wrong.
    """
    head = read_head(path, MAX_HEADER)
    if head.startswith(b"NRRD0"):
        return _nrrd(path, head)
    if path.suffix.lower() in (".mha", ".mhd") and re.match(rb"\s*\w+\s*=", head):
        return _meta(path, head)
    return None


def _nrrd(path: Path, head: bytes) -> Header:
    text, _, _ = head.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields = _fields(text, ":")
    encoding = fields.get("encoding", "raw").lower()
    each = _NRRD_BYTES.get(fields.get("type", "").lower())
    size = _claimed(path, fields.get("sizes", ""), each)
    data = _beside(path, fields.get("data file") or fields.get("datafile") or "")
    return _checked(path, Header(_NRRD, data, size, packed=encoding not in ("raw",)))


def _meta(path: Path, head: bytes) -> Header:
    end = re.search(rb"ElementDataFile\s*=[^\n]*\n?", head)
    if end is None:
        raise _damaged(path, "its header does not say where its pixels are")
    fields = _fields(head[: end.end()], "=")
    each = _META_BYTES.get(fields.get("elementtype", "").upper())
    channels = fields.get("elementnumberofchannels", "1")
    size = _claimed(path, f"{fields.get('dimsize', '')} {channels}", each)
    name = fields["elementdatafile"]
    data = path if name.upper() == "LOCAL" else _beside(path, name)
    packed = fields.get("compresseddata", "").lower() == "true"
    return _checked(path, Header(_META, data, size, packed))


def _fields(text: bytes, sign: str) -> Mapping[str, str]:
    found = {}
    for line in text.decode("latin-1").splitlines():
        name, is_field, value = line.partition(sign)
        if is_field and not line.startswith("#"):
            found[name.strip().lower()] = value.strip().removeprefix("=").strip()
    return found


def _claimed(path: Path, sizes: str, each: int | None) -> int:
    """Bytes that sizes and type ask for."""
    words = sizes.split()
    if not words or not all(word.isdigit() and 0 < int(word) < 2**31 for word in words):
        raise _damaged(path, "has no usable size")
    if each is None:
        raise _damaged(path, "has values of an unknown type")
    return math.prod(int(word) for word in words) * each


def _beside(path: Path, name: str) -> Path:
    """The file with the pixels: this one, or one of a plain name in the same folder (A18)."""
    if not name:
        return path
    if not re.fullmatch(r"[^/\\:%\x00]+", name) or name in (".", "..") or name.startswith("LIST"):
        raise ReadError(
            "keeps its pixels in a file outside its folder, or in several",
            code=Code.META_DATA_FILE,
            file=path.name,
            do="Save it as one file (.nrrd or .mha).",
        )
    data = path.parent / name
    if not is_there(data) or data.is_symlink():
        raise ReadError(
            f"its pixels, {name}, are not there",
            code=Code.META_DATA_FILE,
            file=path.name,
            do="Copy both files into one folder.",
        )
    return data


def _checked(path: Path, header: Header) -> Header:
    present = size_of(header.data)
    if header.size > present * (MAX_DEFLATE if header.packed else 1):
        raise _damaged(path, f"claims {header.size} bytes of pixels, the file has {present}")
    if header.size > memory_cap():
        raise ReadError(
            f"needs {header.size / 2**30:.1f} GiB, more than may be used here",
            code=Code.TOO_LARGE,
            file=path.name,
            do="Close other programs and try again.",
        )
    return header


def _damaged(path: Path, what: str) -> ReadError:
    return ReadError(what, code=Code.META_HEADER, file=path.name, do="Save or copy it again.")


# ------------------------------------------------------------------------------- reading


def _reader(path: Path, header: Header) -> SimpleITK.ImageFileReader:
    """A reader that has read the header, and nothing else."""
    import SimpleITK

    if not path.is_file():
        raise ReadError(
            "is of a format that is not read within archives",
            code=Code.META_HEADER,
            file=path.name,
            do="Unpack the archive and open the folder.",
        )
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(_IO_OF[header.format])
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _damaged(path, "its header is damaged or of a kind that is not known") from error
    if not 2 <= reader.GetDimension() <= 5 or 0 in reader.GetSize():
        raise _damaged(path, f"has {reader.GetDimension()} dimensions")
    return reader


def _is_colour(reader: SimpleITK.ImageFileReader) -> bool:
    import SimpleITK

    kinds = (SimpleITK.sitkVectorUInt8, SimpleITK.sitkUInt8)
    return reader.GetNumberOfComponents() in (3, 4) and reader.GetPixelID() in kinds


def _channels_as_times(reader: SimpleITK.ImageFileReader) -> int:
    return 1 if _is_colour(reader) else int(reader.GetNumberOfComponents())


def _geometry(path: Path, reader: Any, shape: tuple[int, ...]) -> tuple[Geometry, tuple[Note, ...]]:
    """ITK's physical space is LPS; a picture of two dimensions has no third direction."""
    dimension = reader.GetDimension()
    grid = (shape[2], shape[1], shape[0])
    if dimension == 2:
        flat = np.diag([*reader.GetSpacing(), 1.0, 1.0])
        note = Note("UNKNOWN_ORIENTATION", "the file does not say where left and right are")
        return Geometry.from_ijk_affine(grid, flat, orientation_known=False), (note,)
    direction = np.array(reader.GetDirection()).reshape(dimension, dimension)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(reader.GetSpacing()[:3])
    affine[:3, 3] = reader.GetOrigin()[:3]
    try:
        return Geometry.from_ijk_affine(grid, affine), ()
    except ValueError as error:
        raise _damaged(path, "has directions that make no volume") from error
