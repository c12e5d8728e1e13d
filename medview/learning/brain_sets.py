"""Sets of normal brains: how each lies on disk and what is known of its cases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from medview.domain.formats import ENDINGS, IMAGE_FORMATS
from medview.learning.feature_rows import age_of
from medview.learning.subset import Subset, TrainCase
from medview.learning.vectors import read_table

# DICOM slices are counted by their folder.
_ENDINGS = tuple(end for end in ENDINGS if end not in IMAGE_FORMATS["dicom"].endings)
_LABELS = "_DLMUSE"
_NIFTI = (".nii.gz", ".nii")
_PEOPLE = "participants.csv"
_MNI = "mni_icbm152_t1_*.nii*"


@dataclass(frozen=True, slots=True)
class Person:
    """What participants.csv says of somebody; None where it does not."""

    age_years: float | None = None
    sex: str | None = None


def stem(path: Path) -> str:
    """File name without its ending, ".nii.gz" taken as one."""
    name = path.name
    ending = next((end for end in _NIFTI if name.endswith(end)), path.suffix)
    return name.removesuffix(ending)


def is_ixi_t1(folder: Path) -> bool:
    """T1 volumes named IXI<number>-<site>-<number>-T1*.nii.gz."""
    return any(folder.glob("IXI*-T1*.nii*"))


def load_ixi_t1(folder: Path) -> Subset:
    """Read the IXI volumes of a folder; DLMUSE labels and participants.csv are optional."""
    people = _participants(folder)
    cases = []
    for path in sorted(folder.glob("IXI*-T1*.nii*")):
        if stem(path).endswith(_LABELS):
            continue
        name = stem(path).split("-T1")[0]
        parts = name.split("-")
        case = TrainCase(name, parts[0], {"t1": path}, "t1", site=parts[1] if parts[1:] else "")
        cases.append(_normal(case, people.get(name, Person())))
    return Subset("ixi-t1", "ixi-t1", folder, tuple(cases), licence="CC BY-SA 3.0")


def is_elderly_t1(folder: Path) -> bool:
    """T1 volumes Subj<number>_T1 of elderly people, with DLMUSE labels or a table of the people."""
    known = any(folder.glob(f"Subj*_T1{_LABELS}.nii*")) or (folder / _PEOPLE).is_file()
    return known and any(folder.glob("Subj*_T1.nii*"))


def load_elderly_t1(folder: Path) -> Subset:
    """Read the volumes of elderly people."""
    people = _participants(folder)
    cases = []
    for path in sorted(folder.glob("Subj*_T1.nii*")):
        name = stem(path).removesuffix("_T1")
        # Names as common as "Subj1" must not be taken for the same patient in another set.
        case = TrainCase(name, f"elderly-t1:{name}", {"t1": path}, "t1")
        cases.append(_normal(case, people.get(name, Person())))
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
    files = [path for path in inside if path.name.lower().endswith(_ENDINGS)]
    series = [path for path in (folder, *inside) if path.is_dir() and any(path.glob("*.dcm"))]
    return files + series


def _normal(case: TrainCase, person: Person) -> TrainCase:
    """Add what is known of a normal case: brain labels beside the image, age, sex."""
    beside = [case.image.with_name(stem(case.image) + _LABELS + ending) for ending in _NIFTI]
    labels = next((path for path in beside if path.exists()), None)
    if labels is not None:
        case = replace(case, brain=labels, brain_rule="labels")
    return replace(case, label=0, age_years=person.age_years, sex=person.sex)


def _participants(folder: Path) -> dict[str, Person]:
    table = folder / _PEOPLE
    if not table.exists():
        return {}
    _, lines = read_table(table, ())
    return {
        line["MRID"]: Person(
            age_of(line.get("Age", ""), number, "Age", table.name), line.get("Sex") or None
        )
        for number, line in lines
        if line.get("MRID")
    }
