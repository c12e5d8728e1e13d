"""What may be said of images without saying whose they are.

Descriptions are typed by people: some hold the patient's name or number. Files that are not
DICOM take theirs from the names of files and folders, which may be those of patients.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what tells an error loads no arrays
    from medview.domain.study import Patient, Series, Study

#: Kinds of pictures that often carry names in their pixels.
PICTURES_WITH_TEXT = ("US", "OT", "SC", "XC", "ES", "GM", "SM", "IVUS")
# Shorter parts of a name or id ("Li", "7") stand in too many words that mean nothing; counted in
# bytes of UTF-8, because a Chinese name ("王") is one or two characters.
_SHORTEST = 3
# What somebody has typed stands in quotes; names of columns belong to nobody.
_QUOTED = re.compile(r'(column "[^"\n]*")|"[^"\n]*"|“[^”\n]*”')
# The file that a sentence begins with may have spaces in its name; amid one it is in quotes.
# Else a path, or a name with an ending; figures such as 0.5 are none, nor are files of the program.
_NAMED = re.compile(r"\A[^:;\"“”\n]*\w\.(?!py\b)[A-Za-z][A-Za-z0-9]{1,6}(?=: )")
_FILE = re.compile(r"[^\s\"“”]*[/\\][^\s\"“”]*|[^\s\"“”]*\w\.(?!py\b)[A-Za-z][A-Za-z0-9]{1,6}\b")


def tells_who(text: str, patient: Patient) -> bool:
    """Say whether a text holds a part of the patient's name, the id or the birth date."""
    birth = patient.birth_date or ""
    known = [*re.split(r"[\^=\s,]+", patient.name), patient.id, birth, birth.replace("-", "")]
    low = text.lower()
    return any(
        part.lower() in low for part in known if len(part.encode(errors="replace")) >= _SHORTEST
    )


def study_words(study: Study, patient: Patient) -> str:
    """The description of a study, or nothing where it may tell who it is."""
    is_folder = all(series.format != "dicom" for series in study.series)
    return "" if is_folder or tells_who(study.description, patient) else study.description


def series_words(series: Series, patient: Patient) -> str:
    """The description of a series, or nothing where it may tell who it is."""
    is_file_name = series.format != "dicom"
    return "" if is_file_name or tells_who(series.description, patient) else series.description


def may_show_a_name(series: Series) -> bool:
    """Whether a name may stand in the pixels, where no private mode hides it.

    Besides the kinds that often have one these are pictures without a header: whoever made them
    may have written it there.
    """
    return series.modality in PICTURES_WITH_TEXT or series.format == "film"


def without_file_names(text: str, files: Iterable[Path]) -> str:
    """The text with "a file" in place of the name of any of the files."""
    for name in sorted({file.name for file in files if file.name in text}, key=len, reverse=True):
        text = text.replace(name, "a file")
    return text


def discreet(text: str, name: str = "", *, instead: str = "the case") -> str:
    """A sentence about what went wrong, without names of cases and files.

    What stands in quotes is left out, but for names of columns, and `name` (of one letter or
    more than digits) is called `instead`.
    """
    if name and not name.isdigit():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, text)
    text = _NAMED.sub("a file", text)
    return _FILE.sub("a file", _QUOTED.sub(lambda found: found[1] or "“…”", text))
