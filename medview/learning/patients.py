"""How a card names the patients that weights have seen."""

from __future__ import annotations

import hashlib
import re

_LONG_ID = re.compile(r"(?=.*[a-f])(?=.*[0-9])[0-9a-f]{8,}")
"""Ids that no two sets share by chance; of "17" there is one in every hospital."""
_SETS_OF_LONG_IDS = ("hannover",)


def patient_hash(patient: str) -> str:
    """How a card names a patient seen in training: 16 hex digits, not to be turned back."""
    return hashlib.sha256(f"medview patient {patient}".encode()).hexdigest()[:16]


def hashes_of(patient: str) -> tuple[str, ...]:
    """All by which a card may name a patient of a case list, who may be told by the id alone.

    Sets whose ids are long put their name before it.
    """
    names = (f"{one}:{patient}" for one in _SETS_OF_LONG_IDS if _LONG_ID.fullmatch(patient))
    return tuple(patient_hash(name) for name in (patient, *names))
