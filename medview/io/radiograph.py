"""Films without DICOM: PNG, JPEG, TIFF and other pictures as volumes of one slice."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffTags, UnidentifiedImageError

from medview.domain.errors import ReadError
from medview.domain.geometry import Geometry
from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.domain.volume import Note, Volume
from medview.domain.wording import counted, legible
from medview.io.codes import Code
from medview.io.dicom_loss import loss_notes
from medview.io.identity import Found, uid_of_file, unnamed
from medview.io.limits import memory_cap
from medview.io.picture_kinds import ENOUGH_HEAD, KINDS, LONGEST_SIGN, kind_of, loses_detail
from medview.io.sources import open_binary, read_from, read_head, size_of
from medview.io.unknowns import NO_ORIENTATION, NO_SPACING
from medview.io.values import as_volume_values, notes_on

_MAX_PAGES = 10_000
_COLOURS = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "RGBX")
_PLAIN = ("1", "L", "I", "I;16")
_LOSSY_TIFF = ("jpeg", "tiff_jpeg", "webp")
_WHITE_IS_ZERO = 0
# Pillow's own bound is set aside for ours, which knows the memory of this machine.
Image.MAX_IMAGE_PIXELS = None
# What Pillow's parsers raise on damaged files.
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError,
    ZeroDivisionError, AttributeError, struct.error, imagecodecs.Jpeg2kError,
)  # fmt: skip

NOTES = (NO_ORIENTATION, NO_SPACING)


def is_picture(path: Path) -> bool:
    """Say whether a file begins as one of the pictures does that are read as films."""
    return kind_of(read_head(path, LONGEST_SIGN)) is not None


def find(path: Path) -> list[Found] | None:
    """Describe a film; None when the file is no such picture. Its pixels are not read.

    Raises
    ------
    ReadError
        If it is damaged, or larger than the memory allows.
    """
    if not is_picture(path):
        return None
    with _opened(path) as picture:
        columns, rows = picture.size
        if _turn(picture) >= _ON_ITS_SIDE:
            columns, rows = rows, columns
        count = _pages(picture)
        pages = len(_alike(picture))
        lossy = _is_lossy(picture, path)
    series = Series(
        uid=uid_of_file(path),
        description=legible(path.stem),
        format="film",
        files=(path,),
        size=(columns, rows, 1),
        times=pages,
        split_by="page" if pages > 1 else None,
        geometry=_geometry(rows, columns),
        lossy=lossy,
        warnings=(*NOTES, *loss_notes([lossy]), *_left_out(count - pages)),
    )
    return [unnamed(series, path)]


def load(job: Progress, series: Series, time: int = 0) -> Volume:
    """Read a film, or one page of its file; grey stored as colour becomes grey.

    Raises
    ------
    ReadError
        If it is damaged or cut short.
    """
    path = series.files[0]
    with _opened(path) as picture:
        if time:
            picture.seek(_alike(picture)[time])
        inverted, turn = _is_inverted(picture), _turn(picture)
        if picture.mode in _COLOURS:
            array = _grey_if_equal(np.asarray(picture.convert("RGB")))
        elif picture.format == "JPEG2000" and picture.mode in _PLAIN:
            array = as_volume_values(_wavelets(path))
        else:
            array = as_volume_values(_grey(picture))
    array = _UPRIGHT[turn](array)
    rows, columns = array.shape[:2]
    return Volume(
        array=array[None].copy(),
        geometry=_geometry(rows, columns),
        inverted=inverted,
        lossy=series.lossy,
        warnings=(*series.warnings, *notes_on(array)),
    )


def _pages(picture: Image.Image) -> int:
    return min(getattr(picture, "n_frames", 1), _MAX_PAGES)


def _alike(picture: Image.Image) -> list[int]:
    """The pages of the size of the first, by their numbers; others are no times of one film."""
    size, alike = picture.size, [0]
    for page in range(1, _pages(picture)):
        picture.seek(page)
        if picture.size == size:
            alike.append(page)
    picture.seek(0)
    return alike


def _left_out(count: int) -> tuple[Note, ...]:
    if not count:
        return ()
    be, it = ("is", "it is") if count == 1 else ("are", "they are")
    text = (
        f"{counted(count, 'page')} of the file {be} of another size than the first; {it} left out"
    )
    return (Note("PAGES_LEFT_OUT", text),)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    # The report's library switches this on for the whole process when it is loaded.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        # What Pillow warns of is either harmless or an error further on.
        with (
            warnings.catch_warnings(action="ignore"),
            open_binary(path) as file,
            Image.open(file, formats=KINDS) as picture,
        ):
            columns, rows = picture.size
            if columns * rows * 16 > memory_cap():
                raise ReadError(
                    f"claims {columns} x {rows} pixels, more than may be used here",
                    code=Code.TOO_LARGE,
                    file=path.name,
                    do="Open a smaller copy.",
                )
            yield picture
    except UnidentifiedImageError as error:
        raise ReadError(
            "is damaged, or of a kind that is not read here",
            code=Code.FILM_DAMAGED,
            file=path.name,
            do="Copy it again, or save it elsewhere as a grey PNG of 8 or 16 bits.",
        ) from error
    except _DAMAGE as error:
        raise ReadError(
            "is damaged or ends early", code=Code.FILM_DAMAGED, file=path.name, do="Copy it again."
        ) from error


def _is_lossy(picture: Image.Image, path: Path) -> bool:
    if picture.format == "TIFF":
        return picture.info.get("compression") in _LOSSY_TIFF
    return loses_detail(read_head(path, ENOUGH_HEAD))


def _wavelets(path: Path) -> NDArray[np.generic]:
    """The greys of a JPEG 2000 as they are; Pillow stretches those of 9 to 15 bits to 16."""
    with open_binary(path) as file:
        data = read_from(file, path, 0, size_of(path))
    return np.asarray(imagecodecs.jpeg2k_decode(data, numthreads=1))


def _grey(picture: Image.Image) -> NDArray[np.generic]:
    if picture.mode in ("1", "La", "LA"):
        return np.asarray(picture.convert("L"))
    grey = np.asarray(picture)
    # Pillow gives 32 bits with a sign, also where the file has none.
    return grey.view(np.uint32) if _has_no_sign(picture) else grey


def _has_no_sign(picture: Image.Image) -> bool:
    """True for TIFFs of 32 bits of whole numbers without a sign, which is what TIFF has by rule."""
    tags = getattr(picture, "tag_v2", None)
    if tags is None or picture.mode != "I":
        return False
    formats = tags.get(_SAMPLE_FORMAT, (_NO_SIGN,))
    return tuple(tags.get(_BITS, ())) == (32,) and tuple(formats) == (_NO_SIGN,)


def _turn(picture: Image.Image) -> int:
    """How a picture is to be turned to be upright, as in EXIF; Pillow turns TIFF itself."""
    if picture.format == "TIFF":
        return 1
    try:
        said = picture.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1
    return said if said in _UPRIGHT else 1


# Orientation of EXIF 2.3, 4.6.4 A -> how rows and columns are put upright; from 5 on they swap.
_UPRIGHT: dict[int, Callable[[NDArray[np.generic]], NDArray[np.generic]]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}
_ON_ITS_SIDE = 5
_ORIENTATION = 0x0112


def _grey_if_equal(colours: NDArray[np.uint8]) -> NDArray[np.generic]:
    red, green, blue = (colours[..., n] for n in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return as_volume_values(red)
    return colours


def _is_inverted(picture: Image.Image) -> bool:
    """True for deep TIFFs in which white is zero; Pillow turns the shallow ones itself."""
    tags = getattr(picture, "tag_v2", None)
    if tags is None or picture.mode in ("1", "L"):
        return False
    return bool(tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO)


_PHOTOMETRIC, _BITS, _SAMPLE_FORMAT = (
    next(tag for tag, info in TiffTags.TAGS_V2.items() if info.name == name)
    for name in ("PhotometricInterpretation", "BitsPerSample", "SampleFormat")
)
_NO_SIGN = 1


def _geometry(rows: int, columns: int) -> Geometry:
    return Geometry.from_ijk_affine(
        (1, rows, columns), np.eye(4), orientation_known=False, spacing_kind=None
    )
