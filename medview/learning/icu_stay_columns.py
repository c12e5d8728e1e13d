"""The columns of a table that say whose rows they are: the table of one stay has one of each."""

from __future__ import annotations

from collections.abc import Sequence

_OWNERS = (
    "recordid", "stay", "stayid", "icustayid", "hadmid", "patientunitstayid",
    "patient", "patientid", "subject", "subjectid", "case", "caseid",
)  # fmt: skip
"""Names of such columns in small letters without blanks and lines."""
_SHOWN = 3


def several_stays(header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> str:
    """What a table says of more stays than one, such as "2 of RecordID (17, 23)"; else empty."""
    for n, name in enumerate(header):
        if name.lower().replace("_", "").replace(" ", "") not in _OWNERS:
            continue
        owners = list(dict.fromkeys(line[n].strip() for _, line in rows if line[n].strip()))
        if len(owners) > 1:
            more = ", ..." if len(owners) > _SHOWN else ""
            return f"{len(owners)} of {name} ({', '.join(owners[:_SHOWN])}{more})"
    return ""
