"""The Basic Application Confidentiality Profile of PS3.15 Annex E, done to one data set.

What is to be done with each attribute is the table of a maintained library (dicom-anonymizer,
edition 2026c, 655 rows of table E.1-1); doing it is here, where the same UID becomes the same
UID throughout an export and nowhere else, and where sequences are gone through once. Besides
the table: names of people wherever they stand, attributes that the dictionary does not know,
private ones, and UIDs that the table does not list but that name an instance or a frame. Texts
that the table lets stand are taken out where they hold the name, id or birth date themselves.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from medview.domain.discretion import tells_who
from medview.domain.study import Patient

EDITION = "dicomfields_2026c"

# Action codes of table E.1-1 by the names of the library's lists.
_CODES = {
    "D_TAGS": "D",
    "Z_TAGS": "Z",
    "X_TAGS": "X",
    "U_TAGS": "U",
    "Z_D_TAGS": "Z/D",
    "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D",
    "X_Z_D_TAGS": "X/Z/D",
    "X_Z_U_STAR_TAGS": "X/Z/U*",
}
# Curves and overlays: the table removes their data, and without them the rest says nothing.
_GROUPS = frozenset((*range(0x5000, 0x5020, 2), *range(0x6000, 0x6020, 2)))
# UIDs of the standard itself name no instance (PS3.5 chapter 9).
_STANDARD = "1.2.840.10008."
# UIDs of kinds of things, in words of their keywords; every other UID names one thing.
_KINDS = ("Class", "TransferSyntax", "CodingScheme", "Context", "Mapping")
_FREE_TEXTS = ("LO", "LT", "SH", "ST", "UC", "UT")
# Short as they are, parts of an id may stand in codes by chance.
_CODES_OF_TERMS = ("CodeValue", "LongCodeValue", "CodingSchemeDesignator")
_DUMMY_TEXT = "ANONYMIZED"
_DUMMIES: Mapping[str, Any] = MappingProxyType(
    dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), _DUMMY_TEXT)
    | dict.fromkeys(("FD", "FL", "SL", "SS", "SV", "UL", "US", "UV", "AT"), 0)
    | dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), bytes(8))
    | {"AS": "000Y", "DS": "0", "IS": "0", "UR": "http://anonymized.invalid"}
    | {"DA": "19000101", "DT": "19000101000000", "TM": "000000"}
)

NewUid = Callable[[str], str]


@lru_cache(maxsize=1)
def actions() -> Mapping[int, str]:
    """The action code of each attribute of table E.1-1 that has a tag of its own."""
    lists = dicom_anonymization_database_selector(EDITION)
    return MappingProxyType(
        {
            tag[0] << 16 | tag[1]: code
            for name, code in _CODES.items()
            for tag in lists[name]
            if len(tag) == 2
        }
    )


def new_uids(key: bytes) -> NewUid:
    """UIDs in place of others: the same for the same one under one key (PS3.5 B.2)."""

    def new(old: str) -> str:
        if not old or old.startswith(_STANDARD):
            return old
        number = hmac.new(key, old.encode(), hashlib.sha256).digest()[:16]
        return f"2.25.{int.from_bytes(number, 'big')}"

    return new


def take_identity_out(found: Dataset, new_uid: NewUid) -> None:
    """Do to every attribute, at any depth, what the profile asks for."""
    for tag in list(found.keys()):
        code = _action(tag)
        if code == "X":
            del found[tag]
            continue
        _done_to(found[tag], code, new_uid)


def take_words_out(found: Dataset, patient: Patient) -> None:
    """Replace texts, at any depth, that hold a part of the name, the id or the birth date."""
    for element in found.iterall():
        is_typed = element.VR in _FREE_TEXTS and element.keyword not in _CODES_OF_TERMS
        if is_typed and tells_who(str(element.value), patient):
            element.value = _DUMMY_TEXT


def _action(tag: BaseTag) -> str:
    """The code of the table, X for what it does not know, empty for what it lets stand."""
    if tag.is_private or tag.group in _GROUPS:
        return "X"
    listed = actions().get(int(tag))
    if listed is not None:
        return listed
    return "" if dictionary_has_tag(tag) else "X"


def _done_to(element: DataElement, code: str, new_uid: NewUid) -> None:
    """Empty, replace or look into an element that stays."""
    if code in ("Z", "X/Z"):
        element.value = None if element.VR != "SQ" else []
    elif element.VR == "SQ":
        for item in element.value or ():
            take_identity_out(item, new_uid)
            if "D" in code:
                _make_dummies(item)
    elif "D" in code and element.VR != "UI":
        _make_dummy(element)
    elif element.VR == "UI" and (code or _names_one_thing(element)):
        _replace_uids(element, new_uid)
    elif element.VR == "PN":
        element.value = None


def _names_one_thing(element: DataElement) -> bool:
    keyword = keyword_for_tag(element.tag)
    return not any(kind in keyword for kind in _KINDS)


def _make_dummies(item: Dataset) -> None:
    """Leave the outline of an item and nothing of what it says; its UIDs are other ones already."""
    for element in item:
        if element.VR == "SQ":
            for inner in element.value or ():
                _make_dummies(inner)
        elif element.VR != "UI":
            _make_dummy(element)


def _make_dummy(element: DataElement) -> None:
    """Put a value in place that fits the kind of the attribute (PS3.15 E.2, "D")."""
    element.value = _DUMMIES[element.VR.split(" or ")[0]]


def _replace_uids(element: DataElement, new_uid: NewUid) -> None:
    old = element.value
    many = isinstance(old, MultiValue)
    element.value = [new_uid(str(each)) for each in old] if many else new_uid(str(old or ""))
