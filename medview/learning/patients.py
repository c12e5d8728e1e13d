"""How a card names the patients that weights have seen."""

from __future__ import annotations

import hashlib


def patient_hash(patient: str) -> str:
    """How a card names a patient seen in training: 16 hex digits, not to be turned back."""
    return hashlib.sha256(f"medview patient {patient}".encode()).hexdigest()[:16]
