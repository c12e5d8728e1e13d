"""NIfTI in and out (R34-R40); ``nifti_header`` says where it lies.

A packed file is never unpacked further than its header says.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Literal, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.domain.geometry import TILT_DEGREES, Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.progress import Progress, zeros
from medview.domain.study import COMPONENT, Series
from medview.domain.volume import Note, Volume, Window
from medview.domain.wording import legible
from medview.io.atomic import whole_file
from medview.io.codes import Code
from medview.io.identity import Found, uid_of_file, unnamed
from medview.io.nifti_header import (
    COLOUR_BYTES,
    COMPLEX,
    VECTOR,
    Header,
    forms_of,
    geometry_of,
    read_header,
    time_step_of,
    turn_ras_lps,
)
from medview.io.sidecar import with_sidecar
from medview.io.sources import open_binary
from medview.io.values import as_volume_values, notes_on

Values = NDArray[np.generic]

_ENDS = re.compile(r"(\.nii|\.hdr)?(\.gz)?\Z", re.IGNORECASE)
# Warnings that depend on which form is used.
_OF_PLACE = ("FORMS_DISAGREE", "TILTED")
# Behind the pixels of a packed file its end is looked for in so many bytes.
_NEAR = 2**16
_MAGNITUDE = Note("MAGNITUDE", "the values are complex numbers; their magnitude is read")
_DAMAGED = Note("DAMAGED", "the checksum of the packed file does not fit; some values may be wrong")
# How hard a written file is packed; more takes twice the time for a few per cent.
PACKING = 4


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
    geometry, notes = geometry_of(header)
    notes += _kind_notes(header)
    forms = tuple(forms_of(header))
    files = (path,) if header.data_path == path else (path, header.data_path)
    uid = uid_of_file(header.data_path)
    series = Series(
        uid=uid,
        description=legible(_ENDS.sub("", path.name)),
        format="nifti",
        files=files,
        size=header.shape,
        times=header.times,
        split_by=header.split_by,
        geometry=geometry,
        warnings=notes,
        form=forms[0] if forms else "",
        forms=forms,
        time_step_s=time_step_of(header),
    )
    return [unnamed(with_sidecar(series), path)]


def placed_by(series: Series, form: str) -> Series:
    """The same file placed by the form that the reader has chosen, if it has that one (R34)."""
    header = read_header(series.files[0]) if form in series.forms else None
    if header is None:
        return series
    geometry, notes = geometry_of(header, form)
    kept = tuple(note for note in series.warnings if note.code not in _OF_PLACE)
    placed = replace(series, geometry=geometry, warnings=(*notes, *kept))
    return replace(placed, form=form, chosen=True)


# -------------------------------------------------------------------------------- pixels


def load(job: Progress, series: Series, time: int = 0) -> Volume:
    """Read one time of a NIfTI file as LPS; data keep their order on disk (R39).

    Raises
    ------
    ReadError
        If the file ends early or grows beyond what its header says.
    """
    header = _header_of(series)
    data, is_intact = _bytes_of_time(job, header, time)
    geometry, notes = geometry_of(header, series.form if series.chosen else "")
    array = _values(header, data)
    return Volume(
        array=array,
        geometry=geometry,
        quantity=series.quantity,
        modality=series.modality,
        windows=_windows(header),
        warnings=(
            *notes,
            *_kind_notes(header),
            *notes_on(array),
            *(() if is_intact else (_DAMAGED,)),
        ),
    )


def _kind_notes(header: Header) -> tuple[Note, ...]:
    """What is said of values that are not shown as they are."""
    return (_MAGNITUDE,) if header.kind in COMPLEX else ()


def each_time(series: Series) -> Iterator[Values]:
    """Values (k, j, i) of one time after the other; the file is gone through once.

    Raises
    ------
    ReadError
        As `load` does.
    """
    header = _header_of(series)
    wanted = header.bytes_per_time
    with _opened(header) as file:
        data = b""
        try:
            _skip(file, header, header.offset)
            for _ in range(header.times):
                data = file.read(wanted)
                if len(data) < wanted:
                    raise EOFError
                yield _values(header, np.frombuffer(data, np.uint8))
        except (OSError, EOFError, zlib.error) as error:
            raise _short(header, len(data) % wanted) from error


def _header_of(series: Series) -> Header:
    header = read_header(series.files[0])
    if header is None or (header.shape, header.times) != (series.size, series.times):
        raise ReadError(
            "has changed since it was listed",
            code=Code.CHANGED,
            file=series.files[0].name,
            do="Open it again.",
        )
    return header


def _bytes_of_time(job: Progress, header: Header, time: int) -> tuple[NDArray[np.uint8], bool]:
    """The bytes of one time, in memory that is handed over without a copy.

    Also whether the checksum of a packed file fits, which is known behind its last time only.
    """
    wanted = header.bytes_per_time
    data = zeros(job, (wanted,), np.uint8).view(np.uint8)
    view = data.data
    # Small pieces of a packed file: of the one in which it breaks off nothing is had.
    piece = 2**14 if header.packed else 2**24
    done = 0
    with _opened(header) as file:
        try:
            _skip(file, header, header.offset + time * wanted)
            while done < wanted:
                part = file.read(min(piece, wanted - done))
                if not part:
                    break
                view[done : done + len(part)] = part
                done += len(part)
                job.report(done, wanted)
                job.check()
            is_intact = not header.packed or time + 1 < header.times or _ends_well(file)
        except (OSError, EOFError, zlib.error) as error:
            raise _short(header, done) from error
    if done < wanted:
        raise _short(header, done)
    return data, is_intact


def _ends_well(file: IO[bytes]) -> bool:
    """Say whether a packed file ends as its checksum says, as far as it is near."""
    try:
        file.read(_NEAR)
    except (OSError, EOFError, zlib.error):
        return False
    return True


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


def _values(header: Header, data: NDArray[np.uint8]) -> Values:
    """Values (k, j, i) after scaling (R37): int16 where that is exact, else float32."""
    k, j, i = header.shape[::-1]
    if header.kind in COLOUR_BYTES:
        colours = data.reshape(k, j, i, COLOUR_BYTES[header.kind])
        return np.ascontiguousarray(colours[..., :3])
    kind = np.dtype(header.kind).newbyteorder(_order(header))
    stored: Values = data.view(kind).reshape(k, j, i)
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


def write_times(
    images: Sequence[Volume | ScalarMap],
    path: Path,
    *,
    step_s: float | None = None,
    split_by: str | None = None,
) -> None:
    """Write volumes of one grid and type as the times of one file, as `write` does.

    `step_s` seconds lie between two of them, None when that is not known. Volumes split by
    `COMPONENT` become the values that each voxel has, in the fifth dimension.
    """
    first = images[0]
    colour = first.array.ndim == 4
    rest = (1, len(images)) if split_by == COMPONENT else (len(images),)
    shape = (*first.geometry.shape[::-1], *(rest if len(images) > 1 else ()))
    header = _header_for(first.geometry, first.array.dtype, shape, step_s, colour=colour)
    with whole_file(path) as draft, draft.open("wb") as file:
        if path.suffix.lower() == ".gz":
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
    geometry: Geometry,
    dtype: np.dtype[np.generic],
    shape: tuple[int, ...],
    step_s: float | None,
    *,
    colour: bool,
) -> bytes:
    header = nib.Nifti2Header() if max(shape) > 32767 else nib.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.dtype([(c, "u1") for c in "RGB"]) if colour else dtype)
    header.set_xyzt_units("mm" if geometry.spacing_kind else "unknown", "sec")
    affine = turn_ras_lps(geometry.affine_ijk)
    known = geometry.orientation_known
    header.set_qform(affine, code=int(known and not _is_sheared(geometry)), strip_shears=True)
    header.set_sform(affine, code=int(known))
    header["scl_slope"], header["scl_inter"] = 1, 0
    if len(shape) > 3:
        header["pixdim"][4] = step_s or 0
    if len(shape) > 4:
        header["intent_code"] = VECTOR
    # Behind the header stand four bytes that say "no extensions"; pixels begin at a multiple
    # of 16.
    begin = -(-(header.sizeof_hdr + 4) // 16) * 16
    header["vox_offset"] = begin
    return bytes(header.binaryblock).ljust(begin, b"\0")


def _is_sheared(geometry: Geometry) -> bool:
    unit = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    return bool(np.abs(unit.T @ unit - np.eye(3)).max() > np.sin(np.radians(TILT_DEGREES)))
