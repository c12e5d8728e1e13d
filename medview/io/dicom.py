"""A DICOM series to its volume: decoded slice by slice, the middle one first."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medview.domain.errors import ReadError
from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.domain.volume import Note, Volume
from medview.io.codes import Code
from medview.io.dicom_classes import SEGMENTATION
from medview.io.dicom_colour import to_rgb
from medview.io.dicom_frames import Frames
from medview.io.dicom_mosaic import open_pixels
from medview.io.dicom_pixels import PixelFile, Pixels
from medview.io.dicom_rescale import (
    INT16,
    Rescale,
    is_inverted,
    padding_of,
    rescale_of,
    value_table_of,
    windows_of,
)
from medview.io.limits import is_too_large

# What the values are gathered in: "words" are stored values of which only their actual range
# tells whether 16-bit integers are enough afterwards.
Gathering = Literal["colour", "int16", "words", "float32"]
LISTEN_S = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A slice that can be decoded."""

    file: PixelFile
    frames: Frames
    frame: int
    rescale: Rescale


def load(job: Progress, series: Series, time: int = 0) -> Volume:
    """Decode one time of a series.

    A slice that cannot be decoded stays blank and is listed in ``missing_slices``; a note
    PARTIAL says so. Slices are decoded from the middle outward, by as many threads as there
    are processors.

    Raises
    ------
    ReadError
        If no slice at all can be decoded, or the volume is too large for the memory.
    Cancelled
        If the user asked to stop.
    """
    count = series.size[2]
    slots = series.slots[time * count : (time + 1) * count]
    pieces, errors = _open(series, slots)
    if not pieces:
        raise next(iter(errors.values()))
    gathering = _gathering(pieces.values())
    out = _allocate(series, pieces, gathering)
    errors |= _decode_all(job, pieces, out, gathering)
    good = sorted(set(pieces) - set(errors))
    if not good:
        raise next(iter(errors.values()))
    rescale = pieces[good[0]].rescale
    array = _meant(out, rescale) if gathering == "words" else out
    blank = [k for k in range(count) if k not in good]
    if blank and array.ndim == 3:
        array[blank] = _blank_value(array, good)
    return _volume(series, pieces, array, blank, errors)


def _open(
    series: Series, slots: Iterable[tuple[int, int] | None]
) -> tuple[dict[int, _Piece], dict[int, ReadError]]:
    """Open every file that is needed and read what its values mean."""
    files: dict[int, tuple[PixelFile, Frames] | ReadError] = {}
    pieces: dict[int, _Piece] = {}
    errors: dict[int, ReadError] = {}
    for k, slot in enumerate(slots):
        if slot is None:
            continue
        index, frame = slot
        if index not in files:
            files[index] = _opened(series, index)
        entry = files[index]
        if isinstance(entry, ReadError):
            errors[k] = entry
        else:
            pieces[k] = _Piece(*entry, frame, rescale_of(entry[1], frame))
    return pieces, errors


def _opened(series: Series, index: int) -> tuple[PixelFile, Frames] | ReadError:
    try:
        file = open_pixels(series.files[index])
        if file.size != series.size[:2]:
            return file.error(Code.CHANGED, "has changed since it was listed", "Open it again.")
    except ReadError as error:
        return error
    return file, Frames(file.header)


def _gathering(pieces: Iterable[_Piece]) -> Gathering:
    pieces = list(pieces)
    first = pieces[0]
    form = first.file.form
    labels = first.file.header.word("SOPClassUID") in SEGMENTATION
    if not labels and (form.samples >= 3 or form.photometric == "PALETTE COLOR"):
        return "colour"
    if all(piece.rescale.fits_int16(piece.file.form) for piece in pieces):
        return "int16"
    uniform = all(
        piece.rescale.same_as(first.rescale) and piece.file.form.dtype == form.dtype
        for piece in pieces
    )
    whole = not form.floating and first.rescale.is_whole and first.rescale.table is None
    return "words" if uniform and whole else "float32"


def _allocate(series: Series, pieces: dict[int, _Piece], gathering: Gathering) -> Pixels:
    columns, rows, count = series.size
    shape = (count, rows, columns, 3) if gathering == "colour" else (count, rows, columns)
    stored = next(iter(pieces.values())).file.form.dtype
    known = {"colour": "u1", "int16": "i2", "float32": "f4"}
    dtype = stored if gathering == "words" else np.dtype(known[gathering])
    needed = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if is_too_large(needed):
        raise ReadError(
            f"needs {needed / 2**30:.1f} GiB, more than may be used here",
            code=Code.TOO_LARGE,
            file=series.description or series.modality or series.files[0].name,
            do="Close other programs and try again.",
        )
    return np.zeros(shape, dtype)


def _decode_all(
    job: Progress, pieces: dict[int, _Piece], out: Pixels, gathering: Gathering
) -> dict[int, ReadError]:
    """Decode in threads, from the middle outward; return what failed."""
    middle = len(out) // 2
    order = sorted(pieces, key=lambda k: (abs(k - middle), k))
    errors: dict[int, ReadError] = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        running: dict[Future[None], int] = {
            pool.submit(_decode, pieces[k], out[k], gathering): k for k in order
        }
        waiting = set(running)
        try:
            while waiting:
                done, waiting = wait(waiting, LISTEN_S, return_when=FIRST_COMPLETED)
                for future in done:
                    error = future.exception()
                    if isinstance(error, ReadError):
                        errors[running[future]] = error
                    elif error is not None:
                        raise error
                job.report(len(order) - len(waiting), len(order))
                job.check()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return errors


def _decode(piece: _Piece, out: Pixels, gathering: Gathering) -> None:
    """Decode one slice into its place."""
    file = piece.file
    if file.has_plain_words and out.dtype.itemsize == 2:
        file.read_words(piece.frame, out)
        if gathering == "int16" and piece.rescale.table is None:
            piece.rescale.in_place(out)
        elif gathering == "int16":
            piece.rescale.into(out.view(file.form.dtype), out)
        return
    stored = file.stored_values(piece.frame)
    if gathering == "colour":
        out[...] = to_rgb(stored, file.form, file.header, file.outline.syntax)
    elif gathering == "words":
        out[...] = stored
    else:
        piece.rescale.into(stored, out)
    file.forget()


def _meant(words: Pixels, rescale: Rescale) -> Pixels:
    """Values of words that all mean the same: int16 where that is exact, else float32."""
    slope, intercept = int(rescale.slope), int(rescale.intercept)
    ends = [int(end) * slope + intercept for end in (words.min(), words.max())]
    exact = min(ends) >= INT16.min and max(ends) <= INT16.max
    if exact and words.dtype.itemsize == 2:
        # Sums modulo 2**16 are right when the result fits, so no wider copy is needed.
        array = words.view(np.int16)
    else:
        array = np.empty(words.shape, np.int16 if exact else np.float32)
    for k in range(len(words)):
        if exact:
            _modulo(words[k], slope, intercept, array[k])
        else:
            rescale.into(words[k], array[k])
    return array


def _modulo(words: Pixels, slope: int, intercept: int, out: Pixels) -> None:
    values = words.astype(np.int16, copy=False) if words.dtype.itemsize == 2 else None
    if values is None:
        out[...] = (words.astype(np.int64) * slope + intercept).astype(np.int16)
        return
    wrapped = ((slope & 0xFFFF) ^ 0x8000) - 0x8000, ((intercept & 0xFFFF) ^ 0x8000) - 0x8000
    np.multiply(values, np.int16(wrapped[0]), out=out)
    np.add(out, np.int16(wrapped[1]), out=out)


def _blank_value(array: Pixels, good: list[int]) -> float:
    """What a missing slice is filled with: the smallest value of the others."""
    return float(min(array[k].min() for k in good))


def _volume(
    series: Series,
    pieces: dict[int, _Piece],
    array: Pixels,
    blank: list[int],
    errors: dict[int, ReadError],
) -> Volume:
    middle = min(pieces, key=lambda k: abs(k - len(array) // 2))
    piece = pieces[middle]
    header, form = piece.file.header, piece.file.form
    notes = series.warnings
    if errors:
        notes = (*notes, _partial(errors, len(array)))
    geometry = series.geometry
    assert geometry is not None
    uniform = all(piece.rescale.same_as(other.rescale) for other in pieces.values())
    doubtful = any(note.code == "MODALITY_DOUBTFUL" for note in notes)
    sparse = header.word("SOPClassUID") in SEGMENTATION
    return Volume(
        array=array,
        geometry=geometry,
        quantity=series.quantity,
        modality="" if doubtful else series.modality,
        windows=windows_of(piece.frames, piece.frame),
        value_table=value_table_of(piece.frames, piece.frame),
        inverted=is_inverted(header),
        padding=padding_of(header, piece.rescale, form) if uniform else None,
        missing_slices=() if sparse and not errors else tuple(blank),
        lossy=series.lossy,
        warnings=notes,
    )


def _partial(errors: dict[int, ReadError], count: int) -> Note:
    first = next(iter(errors.values()))
    slices = "1 slice" if len(errors) == 1 else f"{len(errors)} slices"
    return Note(
        "PARTIAL",
        f"{slices} of {count} could not be read and are blank ({first.file}: {first.what})",
    )
