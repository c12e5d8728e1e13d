"""Sets of brains with tumours: how each lies on disk and what is known of its cases."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from medview.io.tables import columns_of
from medview.learning.brain_sets import stem
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.vectors import odd, read_table

_BRATS_CASE = re.compile(r"BraTS20_(Training|Validation)_\d{3}")
_BRATS_ROLES = ("t1", "t1ce", "t2", "flair")
# Endings that files of several collections use for the four contrasts.
_ROLE_OF = {
    "t1": "t1",
    "t1n": "t1",
    "t1c": "t1ce",
    "t1ce": "t1ce",
    "t2": "t2",
    "t2w": "t2",
    "flair": "flair",
    "fla": "flair",
    "t2f": "flair",
}
_TCGA_LICENCE = "CC BY 3.0"
_LICENCES = {"TCGA": _TCGA_LICENCE, "pyradiomics": "BSD-3-Clause", "BraTS": "research"}
# Of the collection's paper: 512 x 512 matrix with pixels of 0.49 mm; the JPEG files say nothing.
CHENG_PIXEL_MM = 0.49
_BOX = ("bbox_xc", "bbox_yc", "bbox_w", "bbox_h")
_CHENG_COLUMNS = ("image_file", "label", "tumour_type", "source", "group", *_BOX)
# The first tumour label; 1 to 3 are normal tissue.
BRATS2013_TUMOUR = 4.0


def is_brats2020(folder: Path) -> bool:
    """A folder of case folders named as in BraTS 2020."""
    return any(_BRATS_CASE.fullmatch(path.name) for path in _folders(folder))


def load_brats2020(folder: Path) -> Subset:
    """Read the cases of BraTS 2020; the model takes T1ce, as the published figures do.

    The validation part has no segmentation. Case 355 names its segmentation otherwise than the
    rest, so the only file with "seg" in its name is taken.
    """
    cases, skipped = [], []
    for path in _folders(folder):
        if not _BRATS_CASE.fullmatch(path.name):
            continue
        images = {role: _brats_file(path, role) for role in _BRATS_ROLES}
        present = {role: file for role, file in images.items() if file is not None}
        if "t1ce" not in present:
            skipped.append(LeftOut(path.name, "MV-DAT-130", "its T1ce volume is missing"))
            continue
        mask = _brats_file(path, "seg") or _only_segmentation(path)
        cases.append(
            TrainCase(
                path.name,
                path.name,
                present,
                "t1ce",
                mask=mask,
                brain_rule="positive",
                label=1 if mask else None,
            )
        )
    known = any("Training" in path.name for path in _folders(folder))
    name = "brats2020" if known else "brats2020-validation"
    licence = "research (BraTS 2020 terms)"
    return Subset(name, "brats2020", folder, tuple(cases), tuple(skipped), licence)


def _brats_file(folder: Path, kind: str) -> Path | None:
    return next(
        (
            path
            for path in sorted(folder.iterdir())
            if path.name in (f"{folder.name}_{kind}.nii.gz", f"{folder.name}_{kind}.nii")
        ),
        None,
    )


def _only_segmentation(folder: Path) -> Path | None:
    named = [path for path in sorted(folder.glob("*.nii*")) if "seg" in path.name.lower()]
    return named[0] if len(named) == 1 else None


def is_brats2013_slices(folder: Path) -> bool:
    """One folder a case, with single slices and a truth by Atropos labels."""
    return any(folder.glob("*/*_atropos_truth_*.nii*"))


def load_brats2013_slices(folder: Path) -> Subset:
    """Read the T1 slices with their brain mask and whole tumour."""
    cases = []
    for path in _folders(folder):
        image, truth = _first(path, "*_T1_*.nii*"), _first(path, "*_atropos_truth_*.nii*")
        if image is None or truth is None:
            continue
        others = {"t1ce": "*_T1C_*.nii*", "t2": "*_T2_*.nii*", "flair": "*_FLAIR_*.nii*"}
        found = {role: _first(path, pattern) for role, pattern in others.items()}
        brain = _first(path, "*_MASK_*.nii*")
        cases.append(
            TrainCase(
                path.name,
                path.name,
                {"t1": image, **{role: file for role, file in found.items() if file}},
                "t1",
                mask=truth,
                mask_from=BRATS2013_TUMOUR,
                brain=brain,
                brain_rule="mask" if brain else "found",
                label=1,
            )
        )
    licence = "not stated (research, non-commercial upstream)"
    name = "brats2013-slices"
    return Subset(name, name, folder, tuple(cases), licence=licence)


def is_tumour_volumes(folder: Path) -> bool:
    """Case folders with a T1 volume after contrast, or with an image and its label as NRRD."""
    return any(_contrast_images(path) or _labelled(path) for path in _folders(folder)) and not (
        is_brats2020(folder) or is_brats2013_slices(folder)
    )


def load_tumour_volumes(folder: Path) -> Subset:
    """Read single volumes with tumours; most have no mask and get predictions only."""
    cases = []
    for path in _folders(folder):
        licence = next((text for key, text in _LICENCES.items() if path.name.startswith(key)), "")
        if images := _contrast_images(path):
            mask = _first(path, "*[-_]seg.nii*")
            brain = _first(path, "*_brainmask.nii*")
            case = TrainCase(
                path.name,
                path.name,
                images,
                "t1ce",
                mask=mask,
                brain=brain,
                brain_rule="mask" if brain else "found",
                label=1,
                licence=licence,
            )
            cases.append(case)
        elif pair := _labelled(path):
            image, mask = pair
            roles = {"t1ce": image}
            cases.append(
                TrainCase(path.name, path.name, roles, "t1ce", mask=mask, label=1, licence=licence)
            )
    name = "tumour-volumes"
    return Subset(name, name, folder, tuple(cases), licence="see each case")


def _contrast_images(folder: Path) -> dict[str, Path]:
    """Files by role, empty without a T1 after contrast."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.nii*")):
        ending = re.split(r"[-_]", stem(path))[-1].lower()
        if ending in _ROLE_OF:
            found.setdefault(_ROLE_OF[ending], path)
    return found if "t1ce" in found else {}


def _labelled(folder: Path) -> tuple[Path, Path] | None:
    image = _first(folder, "*_image.nrrd")
    label = image and image.with_name(image.name.replace("_image", "_label"))
    return (image, label) if image and label and label.exists() else None


def is_cheng_t1ce(folder: Path) -> bool:
    """A table labels.csv with tumour boxes beside a folder t1ce."""
    table = folder / "labels.csv"
    return (folder / "t1ce").is_dir() and "bbox_xc" in columns_of(table)


def load_cheng_t1ce(folder: Path) -> Subset:
    """Read the tumour slices with their boxes.

    Patients are not named; the numbering runs through one patient after the other, so a run of
    numbers (column `group`) stands for a patient. The tumour-free slices of the same table come
    from another source, by which alone they can be told apart, and are left out.
    """
    cases, skipped = [], []
    for number, row in read_table(folder / "labels.csv", _CHENG_COLUMNS)[1]:
        if row["label"] != "tumour" or not row["source"].startswith("Cheng"):
            continue
        path = folder / row["image_file"]
        name = f"{path.parent.name}-{path.stem}"
        if path.is_file():
            cases.append(_boxed(name, path, row, number))
        else:
            skipped.append(LeftOut(name, "MV-DAT-131", "its picture is missing"))
    return Subset("cheng-t1ce", "cheng-t1ce", folder, tuple(cases), tuple(skipped), "CC BY 4.0")


def _boxed(name: str, path: Path, row: dict[str, str], number: int) -> TrainCase:
    box = [row[column] for column in _BOX]
    try:
        column, line, width, height = (float(cell or "nan") for cell in box)
    except ValueError:
        what = f'row {number}: "{", ".join(box)}" is no box of a tumour'
        raise odd("labels.csv", what, "Correct its cells or leave them empty.") from None
    return TrainCase(
        name,
        row["group"] or name,
        {"t1ce": path},
        "t1ce",
        label=1,
        box=(column, line, width, height) if all(box) else None,
        pixel_mm=CHENG_PIXEL_MM,
        cells={"tumour_type": row["tumour_type"]},
    )


def _folders(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_dir()]


def _first(folder: Path, pattern: str) -> Path | None:
    return next(iter(sorted(folder.glob(pattern))), None)
