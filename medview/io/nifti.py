"""NIfTI in and out (R34-R40): RAS becomes LPS here and nowhere else.

Headers are checked against the size of the file before memory is taken; a packed file is
never unpacked further than its header says.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.domain.volume import Note, Volume, Window
from medview.io.atomic import whole_file
from medview.io.codes import Code
from medview.io.identity import Found, uid_of_file, unnamed
from medview.io.limits import memory_cap
from medview.io.sources import is_there, open_binary, read_head, size_of
from medview.io.values import as_volume_values

Affine = NDArray[np.float64]
Values = NDArray[np.generic]

DISAGREE_MM = 0.1  # R34
TILT_DEGREES = 0.05  # R12
# Deflate cannot pack more than this.
MAX_DEFLATE = 1032
# How hard a written file is packed; more takes twice the time for a few per cent.
PACKING = 4
_HEAD = 544
_SIZES = {348: nib.Nifti1Header.template_dtype, 540: nib.Nifti2Header.template_dtype}
# Millimetres per unit of space, by the lower bits of xyzt_units (R36).
_UNITS_MM = {1: 1000.0, 2: 1.0, 3: 0.001}
_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 128: "rgb", 256: "i1",
    512: "u2", 768: "u4", 1024: "i8", 1280: "u8", 1792: "c16", 2304: "rgba",
}  # fmt: skip
_BYTES = {"rgb": 3, "rgba": 4}
_TURN = np.diag([-1.0, -1.0, 1.0, 1.0])


def turn_ras_lps(affine: Affine) -> Affine:
    """Turn an affine between RAS and LPS: both ways it is the same (R1)."""
    return np.asarray(_TURN @ affine)


@dataclass(frozen=True, slots=True)
class Header:
    """What a NIfTI header says, checked. `shape` is (column, row, slice), `times` the rest."""

    path: Path
    data_path: Path
    raw: NDArray[np.void]
    order: str
    shape: tuple[int, int, int]
    times: int
    kind: str
    offset: int
    packed: bool

    def field(self, name: str) -> float:
        """A header field as a number."""
        return float(self.raw[name])

    @property
    def bytes_per_time(self) -> int:
        """Size of one volume in the file."""
        each = _BYTES.get(self.kind) or np.dtype(self.kind).itemsize
        return math.prod(self.shape) * each


def find(path: Path) -> list[Found] | None:
    """Describe a NIfTI file (.nii, .nii.gz, .hdr with .img); None when it is none.

    Raises
    ------
    ReadError
        If it is NIfTI but damaged, or claims more than the file holds.
    """
    header = read_header(path)
    if header is None:
        return None
    geometry, notes = _geometry(header)
    files = (path,) if header.data_path == path else (path, header.data_path)
    uid = uid_of_file(header.data_path)
    series = Series(
        uid=uid,
        description=path.name.removesuffix(".gz").removesuffix(".nii").removesuffix(".hdr"),
        format="nifti",
        files=files,
        size=header.shape,
        times=header.times,
        split_by="time" if header.times > 1 else None,
        geometry=geometry,
        warnings=notes,
    )
    return [unnamed(series, path)]


# ------------------------------------------------------------------------------- header


def read_header(path: Path) -> Header | None:
    """Read and check a header; None when the file is no NIfTI.

    Raises
    ------
    ReadError
        Naming what is wrong with it.
    """
    head, packed = _head(path)
    for size, layout in _SIZES.items():
        for order in "<>":
            if len(head) >= size and int(np.frombuffer(head, f"{order}i4", 1)[0]) == size:
                raw = np.frombuffer(head, layout.newbyteorder(order), 1)[0]
                return _checked(path, raw, order, packed)
    return None


def _head(path: Path) -> tuple[bytes, bool]:
    head = read_head(path, 4096)
    if head[:2] != b"\x1f\x8b":
        return head[:_HEAD], False
    engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        return engine.decompress(head, _HEAD), True
    except zlib.error:
        return b"", True


def _checked(path: Path, raw: NDArray[np.void], order: str, packed: bool) -> Header | None:
    magic = bytes(raw["magic"])[:3]
    is_pair = magic[:2] != b"n+"
    if is_pair and path.suffix not in (".hdr",):
        return None
    data_path = path.with_suffix(".img") if is_pair else path
    count = int(raw["dim"][0])
    if not 1 <= count <= 7:
        raise _damaged(path, f"claims {count} dimensions")
    dims = [int(n) for n in raw["dim"][1 : count + 1]] + [1] * (7 - count)
    if min(dims) < 1:
        raise _damaged(path, "has a dimension of no size")
    kind = _TYPES.get(int(raw["datatype"]))
    if kind is None:
        raise _damaged(path, f"has values of an unknown type ({int(raw['datatype'])})")
    offset = float(raw["vox_offset"])
    lowest = 0 if is_pair else int(raw["sizeof_hdr"]) + 4
    offset = 0.0 if is_pair and not math.isfinite(offset) else offset
    if not math.isfinite(offset) or offset < min(lowest, 352 if not is_pair else 0):
        raise _damaged(path, "says that its pixels begin within its header")
    header = Header(
        path=path,
        data_path=data_path,
        raw=raw,
        order=order,
        shape=(dims[0], dims[1], dims[2]),
        times=math.prod(dims[3:]),
        kind=kind,
        offset=int(offset),
        packed=packed,
    )
    _check_size(header)
    return header


def _check_size(header: Header) -> None:
    if not is_there(header.data_path):
        raise ReadError(
            f"its pixels, {header.data_path.name}, are not there",
            code=Code.NIFTI_SHORT,
            file=header.path.name,
            do="Copy both files into one folder.",
        )
    claimed = header.offset + header.bytes_per_time * header.times
    present = size_of(header.data_path)
    if claimed > present * (MAX_DEFLATE if header.packed else 1):
        raise ReadError(
            f"claims {_size_text(claimed)}, the file has {_size_text(present)}",
            code=Code.NIFTI_SHORT,
            file=header.path.name,
            do="Copy the file again.",
        )
    if header.bytes_per_time > memory_cap():
        raise ReadError(
            f"needs {_size_text(header.bytes_per_time)}, more than may be used here",
            code=Code.TOO_LARGE,
            file=header.path.name,
            do="Close other programs and try again.",
        )


def _size_text(size: int) -> str:
    for unit, factor in (("TB", 2**40), ("GB", 2**30), ("MB", 2**20)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def _damaged(path: Path, what: str) -> ReadError:
    return ReadError(
        what, code=Code.NIFTI_HEADER, file=path.name, do="Export or copy the file again."
    )


# ------------------------------------------------------------------------------ geometry


def _geometry(header: Header) -> tuple[Geometry, tuple[Note, ...]]:
    """Place the grid: sform, else qform, else unknown (R34)."""
    sform, qform = _sform(header), _qform(header)
    notes = []
    chosen = sform if sform is not None else qform
    if sform is not None and qform is not None:
        off = _farthest(sform, qform, header.shape)
        if off > DISAGREE_MM or np.linalg.det(sform) * np.linalg.det(qform) < 0:
            notes.append(
                Note(
                    "FORMS_DISAGREE",
                    f"the file gives two positions {off:.1f} mm apart; the sform is used",
                )
            )
    shape = header.shape[::-1]
    if chosen is not None:
        geometry = Geometry.from_ijk_affine(shape, turn_ras_lps(chosen))
        if geometry.shear_degrees > TILT_DEGREES:
            text = f"slices are tilted by {geometry.shear_degrees:.1f} degrees against their stack"
            notes.append(Note("TILTED", text))
        return geometry, tuple(notes)
    spacing = _spacing(header)
    steps = np.array(spacing or (1.0, 1.0, 1.0))
    notes.append(Note("UNKNOWN_ORIENTATION", "the file does not say where left and right are"))
    if spacing is None:
        notes.append(Note("NO_SPACING", "the size of a pixel is not known"))
    # Drawn as most files are stored: columns to the left, rows to the front, slices up.
    affine = np.diag([*steps * (1, -1, 1), 1.0])
    kind = "patient" if spacing else None
    return (
        Geometry.from_ijk_affine(shape, affine, orientation_known=False, spacing_kind=kind),
        tuple(notes),
    )


def _unit_mm(header: Header) -> float:
    return _UNITS_MM.get(int(header.raw["xyzt_units"]) & 7, 1.0)


def _spacing(header: Header) -> tuple[float, float, float] | None:
    """Voxel sizes in mm; None when they are absurd (R36)."""
    sizes = np.abs(header.raw["pixdim"][1:4].astype(float)) * _unit_mm(header)
    if not np.isfinite(sizes).all() or (sizes <= 0).any() or (sizes > 1e6).any():
        return None
    return float(sizes[0]), float(sizes[1]), float(sizes[2])


def _sform(header: Header) -> Affine | None:
    raw = header.raw
    if "sform_code" not in _names(raw) or not 0 < int(raw["sform_code"]) < 100:
        return None
    affine = np.eye(4)
    affine[:3] = [raw[name] for name in ("srow_x", "srow_y", "srow_z")]
    affine[:3] *= _unit_mm(header)
    return _usable(affine)


def _qform(header: Header) -> Affine | None:
    """Turn the quaternion into an affine (R35; nifti1.h, method 2)."""
    raw, spacing = header.raw, _spacing(header)
    if spacing is None or not 0 < int(raw["qform_code"]) < 100:
        return None
    b, c, d = (header.field(f"quatern_{letter}") for letter in "bcd")
    square = b * b + c * c + d * d
    if not square <= 1.0 + 1e-5:
        return None
    a = math.sqrt(max(0.0, 1.0 - square))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    rotation[:, 2] *= -1 if float(raw["pixdim"][0]) < 0 else 1
    affine = np.eye(4)
    affine[:3, :3] = rotation * np.array(spacing)
    affine[:3, 3] = [header.field(f"qoffset_{axis}") * _unit_mm(header) for axis in "xyz"]
    return _usable(affine)


def _names(raw: NDArray[np.void]) -> tuple[str, ...]:
    return raw.dtype.names or ()


def _usable(affine: Affine) -> Affine | None:
    """The affine, if it is finite and has a volume."""
    if not np.isfinite(affine).all() or np.abs(affine).max() > 1e7:
        return None
    return affine if abs(np.linalg.det(affine[:3, :3])) > 1e-9 else None


def _farthest(one: Affine, other: Affine, shape: tuple[int, int, int]) -> float:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
    points = np.vstack([corners, np.ones(corners.shape[1])])
    return float(np.linalg.norm(((one - other) @ points)[:3], axis=0).max())


# -------------------------------------------------------------------------------- pixels


def load(job: Progress, series: Series, time: int = 0) -> Volume:
    """Read one time of a NIfTI file as LPS; data keep their order on disk (R39).

    Raises
    ------
    ReadError
        If the file ends early or grows beyond what its header says.
    """
    header = read_header(series.files[0])
    if header is None or header.shape != series.size:
        raise ReadError(
            "has changed since it was listed",
            code=Code.CHANGED,
            file=series.files[0].name,
            do="Open it again.",
        )
    data = _bytes_of_time(job, header, time)
    geometry, notes = _geometry(header)
    array = _values(header, data)
    return Volume(
        array=array,
        geometry=geometry,
        quantity=series.quantity,
        windows=_windows(header),
        warnings=notes,
    )


def _bytes_of_time(job: Progress, header: Header, time: int) -> bytearray:
    wanted = header.bytes_per_time
    data = bytearray(wanted)
    view = memoryview(data)
    done = 0
    with _opened(header) as file:
        try:
            _skip(file, header, header.offset + time * wanted)
            while done < wanted:
                part = file.read(min(2**24, wanted - done))
                if not part:
                    break
                view[done : done + len(part)] = part
                done += len(part)
                job.report(done, wanted)
                job.check()
        except (OSError, EOFError, zlib.error) as error:
            raise _short(header, done) from error
    if done < wanted:
        raise _short(header, done)
    return data


@contextmanager
def _opened(header: Header) -> Iterator[IO[bytes]]:
    with open_binary(header.data_path) as file:
        if header.packed:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast(IO[bytes], unpacked)
        else:
            yield file


def _skip(file: IO[bytes], header: Header, count: int) -> None:
    if not header.packed:
        file.seek(count)
        return
    while count > 0:
        part = file.read(min(2**24, count))
        if not part:
            raise EOFError
        count -= len(part)


def _short(header: Header, present: int) -> ReadError:
    share = int(100 * present / max(1, header.bytes_per_time))
    return ReadError(
        f"ends early: {share} % of the pixel data present",
        code=Code.NIFTI_SHORT,
        file=header.path.name,
        do="Copy the file again.",
    )


def _values(header: Header, data: bytearray) -> Values:
    """Values (k, j, i) after scaling (R37): int16 where that is exact, else float32."""
    k, j, i = header.shape[::-1]
    if header.kind in _BYTES:
        colours = np.frombuffer(data, np.uint8).reshape(k, j, i, _BYTES[header.kind])
        return np.ascontiguousarray(colours[..., :3])
    stored = np.frombuffer(data, np.dtype(header.kind).newbyteorder(_order(header)))
    stored = stored.reshape(k, j, i)
    if stored.dtype.kind == "c":
        stored = np.abs(stored)
    slope, intercept = header.field("scl_slope"), header.field("scl_inter")
    if slope == 0 or not math.isfinite(slope):
        slope, intercept = 1.0, 0.0
    return as_volume_values(stored, slope, intercept if math.isfinite(intercept) else 0.0)


def _order(header: Header) -> Literal["<", ">"]:
    return "<" if header.order == "<" else ">"


def _windows(header: Header) -> tuple[Window, ...]:
    low, high = header.field("cal_min"), header.field("cal_max")
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return ()
    return (Window(high - low, (high + low) / 2, "LINEAR_EXACT"),)


# ------------------------------------------------------------------------------- writing


def write(image: Volume | ScalarMap, path: Path) -> None:
    """Write a volume or a map as NIfTI-1, packed when the name ends in .gz.

    Values are written as they are (int16, float32, uint8, or RGB24); both forms are set with
    code 1. A sheared grid fits into the sform only. Where the orientation is unknown both
    codes are 0. The file appears whole or not at all, and equal input gives equal bytes.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    write_times([image], path)


def write_times(images: Sequence[Volume | ScalarMap], path: Path) -> None:
    """Write volumes of one grid and type as the times of one file, as `write` does."""
    first = images[0]
    colour = first.array.ndim == 4
    header = _header_for(first.geometry, first.array.dtype, len(images), colour=colour)
    with whole_file(path) as draft, draft.open("wb") as file:
        if path.suffix == ".gz":
            # No name and no time within: the same image gives the same file.
            with gzip.GzipFile("", "wb", PACKING, fileobj=file, mtime=0) as packed:
                _write_to(packed, header, images)
        else:
            _write_to(file, header, images)


def _write_to(
    file: IO[bytes] | gzip.GzipFile, header: bytes, images: Sequence[Volume | ScalarMap]
) -> None:
    file.write(header)
    for image in images:
        for plane in image.array:
            file.write(plane.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes())


def _header_for(
    geometry: Geometry, dtype: np.dtype[np.generic], times: int, *, colour: bool
) -> bytes:
    shape = geometry.shape[::-1] + ((times,) if times > 1 else ())
    header = nib.Nifti2Header() if max(shape) > 32767 else nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.dtype([(c, "u1") for c in "RGB"]) if colour else dtype)
    header.set_xyzt_units("mm" if geometry.spacing_kind else "unknown", "sec")
    affine = turn_ras_lps(geometry.affine_ijk)
    known = geometry.orientation_known
    header.set_qform(affine, code=int(known and not _is_sheared(geometry)), strip_shears=True)
    header.set_sform(affine, code=int(known))
    header["scl_slope"], header["scl_inter"] = 1, 0
    # Behind the header stand four bytes that say "no extensions"; pixels begin at a multiple
    # of 16.
    begin = -(-(header.sizeof_hdr + 4) // 16) * 16
    header["vox_offset"] = begin
    return bytes(header.binaryblock).ljust(begin, b"\0")


def _is_sheared(geometry: Geometry) -> bool:
    unit = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    return bool(np.abs(unit.T @ unit - np.eye(3)).max() > np.sin(np.radians(TILT_DEGREES)))
