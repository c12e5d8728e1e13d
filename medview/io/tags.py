"""The header of a file, entry by entry, for people to look through."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from medview.domain.errors import ReadError
from medview.domain.progress import Progress
from medview.domain.tag import Tag
from medview.domain.wording import counted
from medview.io.sources import open_binary

# Nobody reads further; a file with more says so in its last line.
MOST_TAGS = 5000
_LONGEST = 160
_DEEPEST = 16


def read_tags(job: Progress, path: Path, form: str) -> tuple[Tag, ...]:
    """All entries of a header without its pixels, in the order of the file.

    `form` is the format of the series, such as "dicom" or "nifti".

    Raises
    ------
    ReadError
        If the file is not there any more, is damaged, or its format has no header.
    """
    job.check()
    reader = {"dicom": _dicom, "nifti": _nifti}.get(form)
    if reader is None:
        raise ReadError(
            f"{form} files have no header to look through", file=path.name, code="MV-IO-330"
        )
    try:
        with open_binary(path) as file:
            found = list(_first(reader(file, path)))
    except ReadError:
        raise
    except Exception as error:  # whatever a damaged file makes a reader raise
        raise ReadError("the header cannot be read", file=path.name, code="MV-IO-331") from error
    return tuple(found)


def _first(tags: Iterator[Tag]) -> Iterator[Tag]:
    for number, tag in enumerate(tags):
        if number == MOST_TAGS:
            yield Tag(0, "", "", "", f"and more: only the first {MOST_TAGS} are listed")
            return
        yield tag


def _dicom(file: Any, path: Path) -> Iterator[Tag]:
    import pydicom

    dataset = pydicom.dcmread(file, stop_before_pixels=True, force=False)
    yield from _elements(dataset.file_meta, 0, in_private=False)
    yield from _elements(dataset, 0, in_private=False)


def _elements(dataset: Any, level: int, *, in_private: bool) -> Iterator[Tag]:
    for element in dataset:
        group, number = element.tag.group, element.tag.element
        hides = in_private or element.tag.is_private or int(element.tag) in _identifying()
        is_sequence = element.VR == "SQ"
        value = counted(len(element.value), "item") if is_sequence else _text(element)
        yield Tag(level, f"({group:04X},{number:04X})", element.name, element.VR, value, hides)
        if is_sequence and level < _DEEPEST:
            for place, item in enumerate(element.value, 1):
                yield Tag(level + 1, "", f"Item {place}", "", "")
                yield from _elements(item, level + 2, in_private=hides)


def _text(element: Any) -> str:
    if isinstance(element.value, bytes):
        return f"{len(element.value)} bytes"
    many = isinstance(element.value, list | tuple) or type(element.value).__name__ == "MultiValue"
    words = " \\ ".join(str(each) for each in element.value) if many else str(element.value)
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"


@lru_cache(maxsize=1)
def _identifying() -> frozenset[int]:
    """Attributes that the basic confidentiality profile takes out or replaces."""
    from medview.io.confidentiality import actions

    return frozenset(actions())


def _nifti(file: Any, path: Path) -> Iterator[Tag]:
    import gzip

    import nibabel

    packed = file.read(2) == b"\x1f\x8b"  # whatever it is called
    file.seek(0)
    stream = gzip.GzipFile(fileobj=file) if packed else file
    header = None
    begin = stream.read(540)
    for kind, size in ((nibabel.Nifti1Header, 348), (nibabel.Nifti2Header, 540)):
        if int.from_bytes(begin[:4], "little") == size or int.from_bytes(begin[:4], "big") == size:
            header = kind(begin[:size], check=False)
    if header is None:
        raise ReadError("is no NIfTI file", file=path.name, code="MV-IO-331")
    for name in header.keys():  # noqa: SIM118  # a header is no dictionary
        value = header[name]
        words = value.item() if getattr(value, "ndim", 0) == 0 else value.tolist()
        text = words.decode("latin-1").rstrip("\0") if isinstance(words, bytes) else str(words)
        tells = name in ("descrip", "db_name", "intent_name", "aux_file")
        yield Tag(0, "", name, str(value.dtype), text[:_LONGEST], tells)
