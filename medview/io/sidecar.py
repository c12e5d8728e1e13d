"""What the JSON beside a NIfTI file adds to its header (BIDS, R41); the header comes first.

Within a BIDS data set, those of upper folders count as well: what lies nearer goes before.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from glob import escape
from pathlib import Path

from medview.domain.errors import ReadError
from medview.domain.study import Series, follow_in_time
from medview.domain.volume import Note
from medview.io.sources import is_there, read_head, size_of

MOST_BYTES = 2**20
_MODALITIES = ("MR", "CT", "PT")
_LONGEST = 64
# A data set is known by this file, so many folders up at most.
_DATA_SET, _DEEPEST = "dataset_description.json", 6
_COMPANIONS = {
    ".bval": "strengths of diffusion gradients, not an image",
    ".bvec": "directions of diffusion gradients, not an image",
    ".json": "facts about images or tables, not an image",
}


def sidecar_of(image: Path) -> Path:
    """Where the sidecar of a .nii or .nii.gz lies."""
    return image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def sidecars_for(image: Path) -> tuple[Path, ...]:
    """The JSON files about an image, those of the data set first and its own last.

    A file of an upper folder is about all images whose name has its suffix and each of its
    entities ("task-rest_bold.json" about "sub-01_task-rest_run-1_bold.nii.gz").
    """
    own = sidecar_of(image)
    root = _root_of(image.parent)
    levels = [] if root is None else [image.parent, *image.parent.parents]
    levels = levels[: levels.index(root) + 1] if root is not None else []
    inherited = [path for folder in reversed(levels) for path in _about(own, folder)]
    return (*(path for path in inherited if path != own), own)


def _root_of(folder: Path) -> Path | None:
    """The folder of the BIDS data set that a folder lies in."""
    above = (folder, *folder.parents)[:_DEEPEST]
    return next((each for each in above if is_there(each / _DATA_SET)), None)


def _about(own: Path, folder: Path) -> list[Path]:
    """JSON files of a folder that are about an image, the more general first."""
    entities, suffix = _parts(own.stem)
    try:
        found = [path for path in folder.glob(f"*{escape(suffix)}.json") if path.is_file()]
    except OSError:
        return []
    parts = {path: _parts(path.stem) for path in found}
    fit = [path for path, (others, kind) in parts.items() if kind == suffix and others <= entities]
    return sorted(fit, key=lambda path: (len(parts[path][0]), path.name))


def _parts(stem: str) -> tuple[frozenset[str], str]:
    """Entities ("task-rest") and suffix ("bold") of a BIDS name."""
    *entities, suffix = stem.split("_")
    return frozenset(entities), suffix


def companion_words(path: Path) -> str:
    """What a file beside images is where it is known to be none; empty otherwise."""
    return _COMPANIONS.get(path.suffix.lower(), "")


def with_sidecar(series: Series) -> Series:
    """Fill in what the header leaves open: time step (s), modality, scanner, field strength."""
    read = [found for path in sidecars_for(series.files[0]) if (found := _read(path))]
    said = {key: value for found in read for key, value in found.items()}
    if not said:
        return series
    is_timed = series.times > 1 and follow_in_time(series.split_by)
    step = _positive(said, "RepetitionTime") if is_timed else None
    modality = _text(said, "Modality")
    makers = (_text(said, "Manufacturer"), _text(said, "ManufacturersModelName"))
    return replace(
        series,
        time_step_s=series.time_step_s or step,
        modality=modality if modality in _MODALITIES else series.modality,
        scanner=" ".join(filter(None, makers)),
        field_strength_t=_positive(said, "MagneticFieldStrength"),
        warnings=(*series.warnings, *_doubts(series.time_step_s, step)),
        sidecars=len(read),
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
