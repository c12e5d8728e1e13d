"""A volume that is being filled slice by slice from DICOM files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.domain.presentation import Look
from medview.domain.progress import Progress, zeros
from medview.domain.study import Series
from medview.domain.volume import Note, Volume
from medview.io.codes import Code
from medview.io.dicom_classes import SEGMENTATION
from medview.io.dicom_colour import to_rgb
from medview.io.dicom_form import Pixels
from medview.io.dicom_frames import Frames
from medview.io.dicom_graphics import graphics_of, has_graphics
from medview.io.dicom_looks import look_of
from medview.io.dicom_loss import is_lossy, loss_notes
from medview.io.dicom_mosaic import open_pixels
from medview.io.dicom_pixels import PixelFile
from medview.io.dicom_rescale import (
    Rescale,
    is_inverted,
    padding_of,
    rescale_of,
    value_table_of,
    windows_of,
)
from medview.io.dicom_view import view_of
from medview.io.limits import refuse_too_large
from medview.io.values import INT16, notes_on

# What the values are gathered in: "words" are stored values of which only their actual range
# tells whether 16-bit integers are enough afterwards.
Gathering = Literal["colour", "int16", "words", "float32"]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A slice that can be decoded: its frame, and what the values there mean."""

    file: PixelFile
    frames: Frames
    frame: int
    rescale: Rescale


@dataclass(slots=True, eq=False)
class Filling:
    """The slices of one time of a series, on their way into one array.

    `array` (k, j, i) or (k, j, i, 3) is written by whoever decodes, also in other processes;
    `done` and `errors` are kept by `arrived`, in one.
    """

    series: Series
    pieces: dict[int, Piece]
    errors: dict[int, ReadError]
    gathering: Gathering
    array: Pixels
    done: set[int] = field(default_factory=set)
    looks: tuple[Look, ...] = ()

    @classmethod
    def begun(cls, job: Progress, series: Series, time: int) -> Filling:
        """Open every file that is needed, and make room.

        Raises
        ------
        ReadError
            If no file can be opened, or the volume is too large for the memory.
        """
        count = series.size[2]
        pieces, errors = _open(series, series.slots[time * count : (time + 1) * count])
        if not pieces:
            raise next(iter(errors.values()))
        gathering = _gathering(pieces.values())
        series = _of_this_time(series, pieces.values())
        return cls(series, pieces, errors, gathering, _room(job, series, pieces, gathering))

    @property
    def largest_file(self) -> int:
        """Bytes of the largest file that takes part."""
        return max(piece.file.outline.total or 0 for piece in self.pieces.values())

    def decode(self, k: int) -> None:
        """Decode one slice into its place. Raises a ReadError that says why not."""
        piece, out = self.pieces[k], self.array[k]
        file = piece.file
        if file.has_plain_words and out.dtype.itemsize == 2:
            file.read_words(piece.frame, out)
            if self.gathering == "int16":
                piece.rescale.in_place(out, file.form.dtype)
            return
        stored = file.stored_values(piece.frame)
        if self.gathering == "colour":
            out[...] = to_rgb(stored, file.form, file.header, file.outline.syntax)
        elif self.gathering == "words":
            out[...] = stored
        else:
            piece.rescale.into(stored, out)
        file.forget()

    def arrived(self, k: int, error: ReadError | str | None) -> None:
        """Note what became of a slice; a text says how its decoder ended."""
        if error is None:
            self.done.add(k)
            return
        if isinstance(error, str):
            file = self.pieces[k].file
            error = file.error(Code.DECODING_FAILED, f"its decoder {error}")
        self.errors[k] = error

    def so_far(self) -> Volume | None:
        """The volume as it is now; it shares the array, and says what is still to come.

        None while what the values mean is not settled.
        """
        if not self.done or not self._is_settled():
            return None
        array = self.array.view(np.int16) if self.gathering == "words" else self.array
        volume = self._volume(array, self.series.warnings)
        coming = tuple(k for k in self.pieces if k not in self.done and k not in self.errors)
        missing = tuple(k for k in volume.missing_slices if k not in coming)
        return replace(volume, missing_slices=missing, slices_to_come=coming)

    def _is_settled(self) -> bool:
        """True when what is there already are values, not words to be turned in the end."""
        if self.gathering != "words":
            return True
        some = next(iter(self.pieces.values()))
        plain = self.array.dtype.itemsize == 2 and some.rescale.is_identity
        return plain and max(self.array[k].max() for k in self.done) <= INT16.max

    def finished(self) -> Volume:
        """The whole volume. Raises a ReadError if no slice at all could be decoded."""
        if not self.done:
            raise next(iter(self.errors.values()))
        some = next(iter(self.pieces.values()))
        array = self.array
        if self.gathering == "words":
            array = _meant(array, some.rescale)
        blank = [k for k in range(len(array)) if k not in self.done]
        if blank and array.ndim == 3:
            array[blank] = min(array[k].min() for k in self.done)
        notes = self.series.warnings
        if self.errors:
            notes = (*notes, _partial(self.errors, len(array)))
        files = {id(piece.file): piece.file for k, piece in self.pieces.items() if k in self.done}
        doubts = dict.fromkeys(file.stream_doubt() for file in files.values())
        notes = (*notes, *(Note("STREAM_DISAGREES", doubt) for doubt in doubts if doubt))
        if some.file.form.floating:
            notes = (*notes, *notes_on(array))
        return replace(self._volume(array, notes), graphics=self._graphics())

    def _graphics(self) -> NDArray[np.bool_] | None:
        """Graphics of the files on the grid; None when none has any."""
        planes = {
            k: graphics_of(piece.file, piece.frame)
            for k, piece in self.pieces.items()
            if has_graphics(piece.file)
        }
        planes = {k: mask for k, mask in planes.items() if mask is not None}
        if not planes:
            return None
        found = np.zeros(self.array.shape[:3], bool)
        for k, mask in planes.items():
            found[k] = mask
        return found

    def _looks(self) -> tuple[Look, ...]:
        """Presentation states on the slices, found once: partial volumes have them, too."""
        states = self.series.presentations
        if states and not self.looks:
            images = {
                k: (
                    (piece.file.header.word("SOPInstanceUID"), piece.frame),
                    piece.rescale,
                    piece.file.form,
                )
                for k, piece in self.pieces.items()
            }
            self.looks = tuple(look_of(state, len(self.array), images) for state in states)
        return self.looks

    def _volume(self, array: Pixels, notes: tuple[Note, ...]) -> Volume:
        series, middle = self.series, len(array) // 2
        piece = self.pieces[min(self.pieces, key=lambda k: abs(k - middle))]
        header = piece.file.header
        assert series.geometry is not None
        uniform = all(piece.rescale.same_as(other.rescale) for other in self.pieces.values())
        doubtful = any(note.code == "MODALITY_DOUBTFUL" for note in notes)
        blank = tuple(k for k in range(len(array)) if k not in self.done)
        # Masks leave out what is empty; nothing is missing there.
        if header.word("SOPClassUID") in SEGMENTATION:
            blank = tuple(k for k in blank if k in self.pieces)
        return Volume(
            array=array.view(),
            geometry=series.geometry,
            quantity=series.quantity,
            modality="" if doubtful else series.modality,
            windows=windows_of(piece.frames, piece.frame),
            value_table=value_table_of(piece.frames, piece.frame),
            inverted=is_inverted(header),
            padding=padding_of(header, piece.rescale, piece.file.form) if uniform else None,
            missing_slices=blank,
            lossy=series.lossy,
            warnings=notes,
            view=view_of(header),
            looks=self._looks(),
        )


def _open(
    series: Series, slots: Iterable[tuple[int, int] | None]
) -> tuple[dict[int, Piece], dict[int, ReadError]]:
    """Open every file that is needed and read what its values mean."""
    files: dict[int, tuple[PixelFile, Frames] | ReadError] = {}
    pieces: dict[int, Piece] = {}
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
            pieces[k] = Piece(*entry, frame, rescale_of(entry[1], frame))
    return pieces, errors


def _opened(series: Series, index: int) -> tuple[PixelFile, Frames] | ReadError:
    try:
        file = open_pixels(series.files[index])
        if file.size != series.size[:2]:
            return file.error(Code.CHANGED, "has changed since it was listed", "Open it again.")
    except ReadError as error:
        return error
    return file, Frames(file.header)


def _of_this_time(series: Series, pieces: Iterable[Piece]) -> Series:
    """The series without what is said of the loss in images of its other times."""
    if not series.lossy:
        return series
    files = [piece.file for piece in pieces]
    lossy = [is_lossy(f.header.word("LossyImageCompression"), f.outline.syntax) for f in files]
    others = [note for note in series.warnings if note.code not in ("LOSSY", "PARTLY_LOSSY")]
    return replace(series, lossy=any(lossy), warnings=(*others, *loss_notes(lossy)))


def _gathering(pieces: Iterable[Piece]) -> Gathering:
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


def _room(job: Progress, series: Series, pieces: dict[int, Piece], gathering: Gathering) -> Pixels:
    columns, rows, count = series.size
    shape = (count, rows, columns, 3) if gathering == "colour" else (count, rows, columns)
    stored = next(iter(pieces.values())).file.form.dtype
    known = {"colour": "u1", "int16": "i2", "float32": "f4"}
    dtype = stored if gathering == "words" else np.dtype(known[gathering])
    needed = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    refuse_too_large(needed, series.description or series.modality or series.files[0].name)
    return zeros(job, shape, dtype)


def _meant(words: Pixels, rescale: Rescale) -> Pixels:
    """Values of words that all mean the same: int16 where that is exact, else float32."""
    slope, intercept = int(rescale.slope), int(rescale.intercept)
    ends = [int(end) * slope + intercept for end in (words.min(), words.max())]
    exact = min(ends) >= INT16.min and max(ends) <= INT16.max
    if exact and words.dtype.itemsize == 2:
        # Products and sums modulo 2**16 are right when the result fits: no wider copy.
        array = words.view(np.int16)
        np.multiply(array, _wrapped(slope), out=array)
        np.add(array, _wrapped(intercept), out=array)
        return array
    array = np.empty(words.shape, np.int16 if exact else np.float32)
    for k, plane in enumerate(words):
        if exact:
            array[k] = plane.astype(np.int64) * slope + intercept
        else:
            rescale.into(plane, array[k])
    return array


def _wrapped(number: int) -> np.int16:
    return np.int16(((number & 0xFFFF) ^ 0x8000) - 0x8000)


def _partial(errors: dict[int, ReadError], count: int) -> Note:
    first = next(iter(errors.values()))
    slices = f"{len(errors)} of {count} slices could not be read and"
    blank = f"{slices} {'is' if len(errors) == 1 else 'are'} blank"
    return Note("PARTIAL", f"{blank} ({first.file}: {first.what})")
