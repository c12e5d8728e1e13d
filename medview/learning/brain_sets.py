"""Sets of normal brains: how each lies on disk and what is known of its cases."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from medview.learning.subset import Subset, TrainCase

IMAGE_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".png", ".jpg", ".jpeg")
_LABELS = "_DLMUSE.nii.gz"
_MNI = "mni_icbm152_t1_*.nii*"


def stem(path: Path) -> str:
    """File name without its ending, ".nii.gz" taken as one."""
    name = path.name
    ending = next((end for end in (".nii.gz", ".nii") if name.endswith(end)), path.suffix)
    return name.removesuffix(ending)


def is_ixi_t1(folder: Path) -> bool:
    """T1 volumes named IXI<number>-<site>-<number>-T1*.nii.gz."""
    return any(folder.glob("IXI*-T1*.nii*"))


def load_ixi_t1(folder: Path) -> Subset:
    """Read the IXI volumes of a folder; DLMUSE labels and participants.csv are optional."""
    people = _participants(folder)
    cases = []
    for path in sorted(folder.glob("IXI*-T1*.nii*")):
        if path.name.endswith(_LABELS):
            continue
        name = stem(path).split("-T1")[0]
        parts = name.split("-")
        case = TrainCase(name, parts[0], {"t1": path}, "t1", site=parts[1] if parts[1:] else "")
        cases.append(_normal(case, people.get(name, {})))
    return Subset("ixi-t1", "ixi-t1", folder, tuple(cases), licence="CC BY-SA 3.0")


def is_elderly_t1(folder: Path) -> bool:
    """T1 volumes of elderly people, each with its DLMUSE labels."""
    return any(folder.glob("Subj*_T1_DLMUSE.nii.gz"))


def load_elderly_t1(folder: Path) -> Subset:
    """Read the volumes of elderly people."""
    people = _participants(folder)
    cases = []
    for path in sorted(folder.glob("Subj*_T1.nii.gz")):
        name = path.name.removesuffix("_T1.nii.gz")
        # Names as common as "Subj1" must not be taken for the same patient in another set.
        case = TrainCase(name, f"elderly-t1:{name}", {"t1": path}, "t1")
        cases.append(_normal(case, people.get(name, {})))
    licence = "SBIA/CBICA research licence"
    return Subset("elderly-t1", "elderly-t1", folder, tuple(cases), licence=licence)


def is_mni152(folder: Path) -> bool:
    """The ICBM 152 average brain, skull-stripped."""
    return any(folder.glob(_MNI))


def load_mni152(folder: Path) -> Subset:
    """Read the average brain; an average is no patient, so it is for training only."""
    path = sorted(folder.glob(_MNI))[0]
    case = TrainCase("mni152", "mni152", {"t1": path}, "t1", brain_rule="positive", label=0)
    return Subset("mni152", "mni152", folder, (case,), licence="ICBM", training_only=True)


def is_folder(folder: Path) -> bool:
    """A folder that holds image files, or folders of DICOM slices."""
    return folder.is_dir() and bool(_images_in(folder))


def load_folder(folder: Path) -> Subset:
    """Take every image of a folder for one normal case; DICOM slices of a folder are one image."""
    cases = [
        TrainCase(stem(path), stem(path), {"t1": path}, "t1", label=0)
        for path in _images_in(folder)
    ]
    return Subset(folder.name, "folder", folder, tuple(cases))


def _images_in(folder: Path) -> list[Path]:
    inside = sorted(folder.iterdir())
    files = [path for path in inside if path.name.lower().endswith(IMAGE_ENDINGS)]
    series = [path for path in (folder, *inside) if path.is_dir() and any(path.glob("*.dcm"))]
    return files + series


def _normal(case: TrainCase, person: Mapping[str, str]) -> TrainCase:
    """Add what is known of a normal case: brain labels beside the image, age, sex."""
    labels = case.image.with_name(stem(case.image) + _LABELS)
    if labels.exists():
        case = replace(case, brain=labels, brain_rule="labels")
    age = person.get("Age", "")
    return replace(
        case,
        label=0,
        age_years=float(age) if age else None,
        sex=person.get("Sex") or None,
    )


def _participants(folder: Path) -> dict[str, dict[str, str]]:
    table = folder / "participants.csv"
    if not table.exists():
        return {}
    with table.open(newline="", encoding="utf-8-sig") as file:
        return {row["MRID"]: row for row in csv.DictReader(file) if row.get("MRID")}
