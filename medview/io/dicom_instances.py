"""Which object of DICOM an image of a series is, to find it again elsewhere."""

from __future__ import annotations

from medview.domain.errors import ReadError
from medview.domain.study import Series
from medview.io.dicom_outline import read_outline
from medview.io.dicom_values import Header


def instance_of(series: Series, time: int, image: int) -> str:
    """The SOP instance UID of one image (0-based), with its frame where the file holds several.

    Empty where the image is missing, is no DICOM, or its file cannot be read any more.
    """
    place = time * series.size[2] + image
    if series.format != "dicom" or not 0 <= place < len(series.slots):
        return ""
    slot = series.slots[place]
    if slot is None:
        return ""
    file, frame = slot
    try:
        outline = read_outline(series.files[file])
    except (OSError, ReadError):
        return ""
    if outline is None:
        return ""
    uid = Header(outline).word("SOPInstanceUID")
    alone = sum(each is not None and each[0] == file for each in series.slots) == 1
    return uid if alone or not uid else f"{uid} frame {frame + 1}"
