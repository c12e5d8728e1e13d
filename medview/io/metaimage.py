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
from medview.domain.wording import legible
from medview.io.codes import Code
from medview.io.gzipped import MAX_DEFLATE
from medview.io.identity import Found, uid_of_file, unnamed
from medview.io.limits import refuse_too_large
from medview.io.sources import is_there, read_head, size_of
from medview.io.unknowns import NO_ORIENTATION, NO_SPACING
from medview.io.values import as_volume_values, notes_on

if TYPE_CHECKING:
    import SimpleITK

MAX_HEADER = 64 * 1024
_NRRD, _META = "nrrd", "metaimage"
_IO_OF = {_NRRD: "NrrdImageIO", _META: "MetaImageIO"}
_NRRD_BYTES = {
    "signed char": 1, "int8": 1, "int8_t": 1, "uchar": 1, "unsigned char": 1, "uint8": 1,
    "uint8_t": 1, "short": 2, "short int": 2, "signed short": 2, "signed short int": 2,
    "int16": 2, "int16_t": 2, "ushort": 2, "unsigned short": 2, "unsigned short int": 2,
    "uint16": 2, "uint16_t": 2, "int": 4, "signed int": 4, "int32": 4, "int32_t": 4, "uint": 4,
    "unsigned int": 4, "uint32": 4, "uint32_t": 4, "longlong": 8, "long long": 8,
    "long long int": 8, "signed long long": 8, "signed long long int": 8, "int64": 8,
    "int64_t": 8, "ulonglong": 8, "unsigned long long": 8, "unsigned long long int": 8,
    "uint64": 8, "uint64_t": 8, "float": 4, "double": 8,
}  # fmt: skip
_META_BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4,
    "MET_LONG": 4, "MET_ULONG": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_FLOAT": 4,
    "MET_DOUBLE": 8,
}  # fmt: skip


# Encodings that cannot be unpacked are refused by name.
_NRRD_ENCODINGS = ("raw", "txt", "text", "ascii", "hex", "gz", "gzip")
_META_DIRECTIONS = ("transformmatrix", "rotation", "orientation")
# Names of NRRD spaces say towards what the axes grow: "left-posterior-superior", "RAS", ...
_SPACES = re.compile(r"(left|right)-(anterior|posterior)-superior(-time)?|[lr][ap]st?")
_NO_LENGTHS = {"???", "none", "s", "ms"}
_UNITS_MM = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001}


@dataclass(frozen=True, slots=True)
class Header:
    """What the text says: format, where the pixels are, how many bytes they are unpacked.

    `is_placed` and `has_size` tell whether it says where left is and how large a voxel is;
    `unit_mm` is what its lengths are to be multiplied with.
    """

    format: str
    data: Path
    size: int
    packed: bool
    is_placed: bool
    has_size: bool
    unit_mm: float = 1.0


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
    geometry, notes = _geometry(path, header, reader, shape)
    series = Series(
        uid=uid_of_file(header.data),
        description=legible(path.stem),
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
    geometry, notes = _geometry(path, header, reader, series.size)
    k, j, i = geometry.shape
    if _is_colour(reader):
        array: NDArray[np.generic] = whole.reshape(-1, k, j, i, channels)[time, ..., :3].copy()
    else:
        volumes = whole.reshape(-1, k, j, i, channels)
        array = as_volume_values(volumes[time // channels, ..., time % channels])
    return Volume(
        array=array,
        geometry=geometry,
        quantity=series.quantity,
        warnings=(*notes, *notes_on(array)),
    )


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
    if encoding not in _NRRD_ENCODINGS:
        raise _damaged(path, f"is packed as {encoding[:20]}, which cannot be unpacked")
    steps = fields.get("space directions") or fields.get("spacings") or ""
    unit = _unit_mm(fields.get("space units") or fields.get("units") or "")
    header = Header(
        _NRRD,
        data,
        size,
        packed=encoding != "raw",
        is_placed=_SPACES.fullmatch(fields.get("space", "").lower()) is not None,
        has_size=bool(steps) and unit is not None and _are_lengths(steps),
        unit_mm=unit or 1.0,
    )
    return _checked(path, header)


def _unit_mm(text: str) -> float | None:
    """Millimetres in the units of a NRRD file; None where they are no lengths, or several."""
    named = set(re.findall(r'"([^"]*)"', text.lower())) or {text.strip().lower()}
    known = {_UNITS_MM.get(name) for name in named - _NO_LENGTHS} or {1.0}
    return known.pop() if len(known) == 1 else None


def _are_lengths(text: str) -> bool:
    """Say whether all numbers of a text, if not "none", can be steps of a grid."""
    words = re.sub(r"[(),]", " ", text.lower()).replace("none", " ").split()
    try:
        return all(math.isfinite(float(word)) for word in words) and bool(words)
    except ValueError:
        return False


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
    if fields.get("binarydata", "true").lower() == "false":
        raise _damaged(path, "holds its pixels as text, which cannot be read")
    header = Header(
        _META,
        data,
        size,
        packed=fields.get("compresseddata", "").lower() == "true",
        is_placed=any(name in fields for name in _META_DIRECTIONS),
        has_size="elementspacing" in fields or "elementsize" in fields,
    )
    return _checked(path, header)


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
    refuse_too_large(header.size, path.name)
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


def _geometry(
    path: Path, header: Header, reader: Any, shape: tuple[int, ...]
) -> tuple[Geometry, tuple[Note, ...]]:
    """ITK's physical space is LPS; what the file does not say is not made up."""
    dimension = reader.GetDimension()
    affine = np.eye(4)
    if dimension == 2:
        # A picture of two dimensions has no third direction.
        affine[:2, :2] = np.diag(reader.GetSpacing())
    else:
        direction = np.array(reader.GetDirection()).reshape(dimension, dimension)[:3, :3]
        affine[:3, :3] = direction * np.array(reader.GetSpacing()[:3])
        affine[:3, 3] = reader.GetOrigin()[:3]
    affine[:3] *= header.unit_mm
    is_placed = header.is_placed and dimension > 2
    notes = ((is_placed, NO_ORIENTATION), (header.has_size, NO_SPACING))
    try:
        geometry = Geometry.from_ijk_affine(
            (shape[2], shape[1], shape[0]),
            affine,
            orientation_known=is_placed,
            spacing_kind="patient" if header.has_size else None,
        )
    except ValueError as error:
        raise _damaged(path, "has directions that make no volume") from error
    return geometry, tuple(note for known, note in notes if not known)
