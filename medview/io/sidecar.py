"""What the JSON beside a NIfTI file adds to its header (BIDS, R41); the header comes first.

Only the file of the same name is read; those that BIDS inherits from upper folders are not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from medview.domain.errors import ReadError
from medview.domain.study import Series
from medview.domain.volume import Note
from medview.io.sources import is_there, read_head, size_of

MOST_BYTES = 2**20
_MODALITIES = ("MR", "CT", "PT")
_LONGEST = 64


def sidecar_of(image: Path) -> Path:
    """Where the sidecar of a .nii or .nii.gz lies."""
    return image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def with_sidecar(series: Series) -> Series:
    """Fill in what the header leaves open: time step (s), modality, scanner, field strength."""
    said = _read(sidecar_of(series.files[0]))
    if not said:
        return series
    step = _positive(said, "RepetitionTime") if series.times > 1 else None
    modality = _text(said, "Modality")
    makers = (_text(said, "Manufacturer"), _text(said, "ManufacturersModelName"))
    return replace(
        series,
        time_step_s=series.time_step_s or step,
        modality=modality if modality in _MODALITIES else series.modality,
        scanner=" ".join(filter(None, makers)),
        field_strength_t=_positive(said, "MagneticFieldStrength"),
        warnings=(*series.warnings, *_doubts(series.time_step_s, step)),
    )


def _doubts(header_s: float | None, sidecar_s: float | None) -> tuple[Note, ...]:
    if not header_s or not sidecar_s or math.isclose(header_s, sidecar_s, rel_tol=0.01):
        return ()
    text = f"the header says {header_s:g} s between volumes, its sidecar {sidecar_s:g} s"
    return (Note("TIME_DOUBTFUL", f"{text}; the header is used"),)


def _read(path: Path) -> Mapping[str, object]:
    """The object in a sidecar; empty when there is none or it cannot be used."""
    if not is_there(path):
        return {}
    try:
        if size_of(path) > MOST_BYTES:
            return {}
        found = json.loads(read_head(path, MOST_BYTES))
    except (ReadError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _positive(said: Mapping[str, object], key: str) -> float | None:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < 1e6 else None


def _text(said: Mapping[str, object], key: str) -> str:
    value = said.get(key)
    return "".join(filter(str.isprintable, value))[:_LONGEST] if isinstance(value, str) else ""
