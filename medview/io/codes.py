"""The stable codes of everything that can go wrong with a file, in one table."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Codes of `ReadError` and `Skipped`; the comment is what they stand for."""

    NOT_AN_IMAGE = "MV-IO-001"  # no format that this program knows
    NO_SUCH_PATH = "MV-IO-002"  # the path does not exist
    NOT_A_FILE = "MV-IO-003"  # a device, pipe or socket
    NOTHING_FOUND = "MV-IO-004"  # a folder or archive without a single image
    NOT_ALLOWED = "MV-IO-005"  # the system refused to read it
    PLAIN_PICTURE = "MV-IO-006"  # a PNG, JPEG or such that lies beside medical images
    OWN_MAP = "MV-IO-008"  # a map of a result that lies beside medical images
    CHANGED = "MV-IO-007"  # the file is no longer what the list says
    ARCHIVE_DAMAGED = "MV-IO-010"
    ARCHIVE_LOCKED = "MV-IO-011"  # encrypted
    ARCHIVE_TOO_LARGE = "MV-IO-012"  # unpacks to far more than it holds
    OUTSIDE_FOLDER = "MV-IO-013"  # a DICOMDIR or header points out of its folder
    NAMED_BUT_MISSING = "MV-IO-014"  # a DICOMDIR names a file that is not there
    DIRECTORY_RECORD = "MV-IO-015"  # the DICOMDIR itself
    ARCHIVE_INSIDE = "MV-IO-016"  # a ZIP inside a folder or another ZIP
    NO_PIXELS = "MV-IO-020"  # DICOM without an image: report, structure set, state
    SLIDE = "MV-IO-021"  # tiled whole-slide microscopy
    HEADER_DAMAGED = "MV-IO-100"
    TOO_DEEP = "MV-IO-101"  # sequences nested deeper than 64 levels
    LENGTH_LIES = "MV-IO-102"  # an element declares more bytes than the file has
    ENDS_EARLY = "MV-IO-103"  # pixel data are cut short
    INFLATES = "MV-IO-104"  # a deflated data set grows beyond its bound
    TOO_LARGE = "MV-IO-105"  # needs more memory than may be used
    SYNTAX_UNKNOWN = "MV-IO-106"  # no decoder for this transfer syntax
    DECODING_FAILED = "MV-IO-107"
    SIZES_DISAGREE = "MV-IO-108"  # header and compressed image disagree
    MOSAIC = "MV-IO-109"  # a mosaic without what is needed to take it apart
    IMPOSSIBLE_SIZE = "MV-IO-110"  # no or absurd rows, columns, bits, samples
    NIFTI_HEADER = "MV-IO-200"
    NIFTI_SHORT = "MV-IO-201"  # claims more than the file holds
    META_HEADER = "MV-IO-210"  # NRRD, MHA, MHD
    META_DATA_FILE = "MV-IO-211"  # detached data outside the folder
    FILM_DAMAGED = "MV-IO-220"  # a PNG, JPEG or another plain picture
