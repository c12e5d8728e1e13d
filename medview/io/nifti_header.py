"""NIfTI headers: checked against the file, then turned into a place (R34-R36)."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.domain.geometry import TILT_DEGREES, Geometry
from medview.domain.study import COMPONENT
from medview.domain.volume import Note
from medview.io.codes import Code
from medview.io.gzipped import MAX_DEFLATE
from medview.io.limits import refuse_too_large
from medview.io.sources import is_there, read_head, size_of
from medview.io.unknowns import NO_ORIENTATION, NO_SPACING

Affine = NDArray[np.float64]

# Below this a voxel is nothing that a scanner makes, and no grid can be computed with.
SMALLEST_MM3 = 1e-11
DISAGREE_MM = 0.1  # R34
# What rounding to 32 bits leaves between the square of a half turn's quaternion and 1.
HALF_TURN = 1e-7
_HEAD = 544
_SIZES = {348: nib.Nifti1Header.template_dtype, 540: nib.Nifti2Header.template_dtype}
# Millimetres per unit of space, by the lower bits of xyzt_units (R36).
_UNITS_MM = {1: 1000.0, 2: 1.0, 3: 0.001}
_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 128: "rgb", 256: "i1",
    512: "u2", 768: "u4", 1024: "i8", 1280: "u8", 1792: "c16", 2304: "rgba",
}  # fmt: skip
# Meanings of values that every voxel has several of: matrices, vectors, colours one by one.
_MANY_VALUED = (1004, 1005, 1006, 1007, 1008, 1009, 1010, 2003, 2004)
VECTOR = 1007
COLOUR_BYTES = {"rgb": 3, "rgba": 4}
COMPLEX = ("c8", "c16")
_TURN = np.diag([-1.0, -1.0, 1.0, 1.0])

# Packed headers are unpacked by so many bytes.
_STEP = 32


def turn_ras_lps(affine: Affine) -> Affine:
    """Turn an affine between RAS and LPS: both ways it is the same (R1)."""
    return np.asarray(_TURN @ affine)


@dataclass(frozen=True, slots=True)
class Header:
    """What a NIfTI header says, checked. `shape` is (column, row, slice), `times` the rest.

    `split_by` is what tells its volumes apart: times, or components where every voxel has several
    values, which by the format is said by a fifth dimension.
    """

    path: Path
    data_path: Path
    raw: NDArray[np.void]
    order: str
    shape: tuple[int, int, int]
    times: int
    split_by: str | None
    kind: str
    offset: int
    packed: bool

    def field(self, name: str) -> float:
        """A header field as a number."""
        return float(self.raw[name])

    @property
    def bytes_per_time(self) -> int:
        """Size of one volume in the file."""
        each = COLOUR_BYTES.get(self.kind) or np.dtype(self.kind).itemsize
        return math.prod(self.shape) * each


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
    found = b""
    # In small steps: what comes before a damaged place, or a wrong checksum, can be used.
    for at in range(0, len(head), _STEP):
        part = head[at : at + _STEP]
        try:
            found += engine.decompress(part, _HEAD)
            while engine.eof:  # parts may be packed one after the other
                part, engine = engine.unused_data, zlib.decompressobj(16 + zlib.MAX_WBITS)
                found += engine.decompress(part, _HEAD)
        except zlib.error:
            break
        if len(found) >= _HEAD:
            break
    return found[:_HEAD], True


def other_of_pair(path: Path, suffix: str) -> Path:
    """The other file of a header and its pixels; of A.HDR that is A.IMG."""
    return path.with_suffix(suffix.upper() if path.suffix.isupper() else suffix)


def _checked(path: Path, raw: NDArray[np.void], order: str, packed: bool) -> Header | None:
    is_pair = bytes(raw["magic"])[:2] != b"n+"
    if is_pair and path.suffix.lower() != ".hdr":
        return None
    dims = _dimensions(path, raw)
    kind = _TYPES.get(int(raw["datatype"]))
    if kind is None:
        raise _damaged(path, f"has values of an unknown type ({int(raw['datatype'])})")
    times, many = math.prod(dims[3:]), int(raw["intent_code"]) in _MANY_VALUED
    header = Header(
        path=path,
        data_path=other_of_pair(path, ".img") if is_pair else path,
        raw=raw,
        order=order,
        shape=(dims[0], dims[1], dims[2]),
        times=times,
        split_by=(COMPONENT if many or times > dims[3] else "time") if times > 1 else None,
        kind=kind,
        offset=_offset(path, float(raw["vox_offset"]), lowest=0 if is_pair else 352),
        packed=packed,
    )
    _check_size(header)
    return header


def _dimensions(path: Path, raw: NDArray[np.void]) -> list[int]:
    """All seven sizes, those not used being 1."""
    count = int(raw["dim"][0])
    if not 1 <= count <= 7:
        raise _damaged(path, f"claims {count} dimensions")
    dims = [int(n) for n in raw["dim"][1 : count + 1]] + [1] * (7 - count)
    if min(dims) < 1:
        raise _damaged(path, "has a dimension of no size")
    return dims


def _offset(path: Path, offset: float, *, lowest: int) -> int:
    """Where the pixels begin."""
    if lowest == 0 and not math.isfinite(offset):
        return 0
    if not math.isfinite(offset) or offset < lowest:
        raise _damaged(path, "says that its pixels begin within its header")
    return int(offset)


def _check_size(header: Header) -> None:
    if not is_there(header.data_path):
        raise ReadError(
            f'its pixels, "{header.data_path.name}", are not there',
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
    refuse_too_large(header.bytes_per_time, header.path.name)


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


def forms_of(header: Header) -> dict[str, Affine]:
    """The usable forms of a file by name, "sform" first: it is used unless the reader chooses."""
    found = {"sform": _sform(header), "qform": _qform(header)}
    return {name: affine for name, affine in found.items() if affine is not None}


def geometry_of(header: Header, form: str = "") -> tuple[Geometry, tuple[Note, ...]]:
    """Place the grid: by the sform, else the qform, else nowhere in the patient (R34).

    `form` is the one that the reader has chosen, if the file has it.
    """
    forms = forms_of(header)
    if not forms:
        return _nowhere(header)
    used = form if form in forms else next(iter(forms))
    notes = []
    if len(forms) == 2:
        sform, qform = forms.values()
        off = _farthest(sform, qform, header.shape)
        if off > DISAGREE_MM or np.linalg.det(sform) * np.linalg.det(qform) < 0:
            how = f"the {used} is used" + (", as chosen" if form == used else "")
            text = f"the file gives two positions {off:.1f} mm apart; {how}"
            notes.append(Note("FORMS_DISAGREE", text))
    geometry = Geometry.from_ijk_affine(header.shape[::-1], turn_ras_lps(forms[used]))
    if geometry.shear_degrees > TILT_DEGREES:
        text = f"slices are tilted by {geometry.shear_degrees:.1f} degrees against their stack"
        notes.append(Note("TILTED", text))
    return geometry, tuple(notes)


def _nowhere(header: Header) -> tuple[Geometry, tuple[Note, ...]]:
    """A grid without a place; drawn as most files are stored: to the left, front and head."""
    spacing = _spacing(header)
    notes = [NO_ORIENTATION]
    if spacing is None:
        notes.append(NO_SPACING)
    steps = np.array(spacing or (1.0, 1.0, 1.0)) * (1, -1, 1)
    geometry = Geometry.from_ijk_affine(
        header.shape[::-1],
        np.diag([*steps, 1.0]),
        orientation_known=False,
        spacing_kind="patient" if spacing else None,
    )
    return geometry, tuple(notes)


def _unit_mm(header: Header) -> float:
    return _UNITS_MM.get(int(header.raw["xyzt_units"]) & 7, 1.0)


# Seconds per unit of time, by the upper bits of xyzt_units.
_UNITS_S = {8: 1.0, 16: 1e-3, 24: 1e-6}


def time_step_of(header: Header) -> float | None:
    """Seconds between two times; None when the file has none or does not say it (R38)."""
    step = float(header.raw["pixdim"][4])
    unit = _UNITS_S.get(int(header.raw["xyzt_units"]) & 56)
    # Without a unit, seconds are what most programs mean; a step of 1 is what they leave behind.
    is_left_behind = unit is None and step == 1
    if header.split_by != "time" or not math.isfinite(step) or step <= 0 or is_left_behind:
        return None
    return step * (unit or 1.0)


def _spacing(header: Header) -> tuple[float, float, float] | None:
    """Voxel sizes in mm; None when they are absurd (R36)."""
    sizes = np.abs(header.raw["pixdim"][1:4].astype(float)) * _unit_mm(header)
    if not np.isfinite(sizes).all() or sizes.prod() < SMALLEST_MM3 or (sizes > 1e6).any():
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
    if 1.0 - square < HALF_TURN:
        # The root of what rounding has left would be a turn of its own.
        a, b, c, d = 0.0, *(part / math.sqrt(square) for part in (b, c, d))
    else:
        a = math.sqrt(1.0 - square)
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
