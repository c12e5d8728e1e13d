"""From which side a film was taken, by its header: its view, else the words of its series."""

from __future__ import annotations

import re

from medview.io.dicom_values import Header

LATERAL = "LATERAL"
_SAID_IN = ("SeriesDescription", "ProtocolName")
"""Words on the series itself; those on the study often name both films ("PA and lateral")."""
_SIDEWAYS = frozenset(("LAT", "LATERAL", "LATERALE", "LATERALIS", "LL", "SEITLICH", "PROFIL"))
_NOT_SO = frozenset(("PA", "AP", "FRONTAL", "DECUBITUS", "DECUB", "NO", "WITHOUT", "OHNE"))
"""Beside one of these "lateral" says nothing; films of patients on their side are frontal."""
_BOTH_SIDES = re.compile(r"\b(BI|UNI|IPSI|CONTRA)[-_ ]+(?=LAT)")


def view_of(header: Header) -> str:
    """The view position, else "LATERAL" where the words of the series say so, else ""."""
    given = header.word("ViewPosition")
    if given:
        return given
    for keyword in _SAID_IN:
        words = _words_of(header.text(keyword))
        if words & _NOT_SO:
            return ""
        if words & _SIDEWAYS:
            return LATERAL
    return ""


def _words_of(text: str) -> set[str]:
    joined = _BOTH_SIDES.sub(r"\1", text.upper().replace(".", ""))
    return set(re.findall(r"[A-Z]+", joined))
