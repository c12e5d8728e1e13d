"""What a data set for training or evaluation is made of: cases and subsets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from medview.domain.errors import DataError

Split = Literal["", "train", "val", "test"]
BrainRule = Literal["found", "labels", "mask", "positive"]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class TrainCase:
    """One case of a data set: where its files are and what is known of it.

    Parameters
    ----------
    case : str
        Name of the case, unique in its subset.
    patient : str
        Name of the patient; several cases may share one, and a split never parts them.
    images : Mapping[str, Path]
        File by role ("t1", "t1ce", "film", ...).
    role : str
        The role that the model takes, one of `images`.
    mask : Path | None
        Lesion on the image's own grid; voxels of at least `mask_from` belong to it.
    brain : Path | None
        File that tells the brain, read as `brain_rule` says: "labels" (above 0, closed by two
        voxels and filled), "mask" (above 0), "positive" (the image itself above 0, no file) or
        "found" (by the program, no file).
    label : int | None
        1 with a lesion, 0 normal, None unknown.
    box : Box | None
        Lesion box in a picture: column and row of its middle, width and height, all as a share
        of the picture.
    pixel_mm : float | None
        Size of a pixel of a picture that does not say it itself.
    cells : Mapping[str, str]
        Everything else that the case list says, as text.
    rows : Mapping[str, Any]
        What the loader has read already, by role: a row of a table (vector), a time series.
    """

    case: str
    patient: str
    images: Mapping[str, Path]
    role: str
    subset: str = ""
    site: str = ""
    mask: Path | None = None
    mask_from: float = 1.0
    brain: Path | None = None
    brain_rule: BrainRule = "found"
    label: int | None = None
    box: Box | None = None
    pixel_mm: float | None = None
    age_years: float | None = None
    sex: str | None = None
    split: Split = ""
    licence: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> Path:
        """The file that the model takes."""
        return self.images[self.role]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A case that cannot be used, and why."""

    case: str
    code: str
    what: str

    def as_dict(self) -> dict[str, str]:
        """The case as answers tell it."""
        return {"case": self.case, "code": self.code, "what": self.what}


def none_usable(skipped: Sequence[LeftOut], code: str) -> DataError:
    """Of cases that are all left out: how many, and why the first one is."""
    return DataError(
        f"none of {len(skipped)} cases can be used; {skipped[0].what}",
        file=skipped[0].case,
        code=code,
        skipped=len(skipped),
        do="Correct the data and try again.",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Subset:
    """One known set of cases. `training_only` sets are never evaluated.

    `columns` names the values of the cases' `rows`, by role, where they are vectors.
    """

    name: str
    layout: str
    root: Path
    cases: tuple[TrainCase, ...]
    skipped: tuple[LeftOut, ...] = ()
    licence: str = ""
    training_only: bool = False
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_normal(self) -> bool:
        """True when every case is known to be free of lesions."""
        return bool(self.cases) and all(case.label == 0 for case in self.cases)

    @property
    def normal_part(self) -> Subset | None:
        """The cases that are known to be free of lesions; None where there are none.

        Of a published set all or nothing is taken: what its labels mean is not looked into.
        """
        if self.is_normal:
            return self
        normal = tuple(case for case in self.cases if case.label == 0)
        return replace(self, cases=normal) if normal and self.layout == "cases" else None

    @property
    def n_patients(self) -> int:
        """Number of different patients."""
        return len({case.patient for case in self.cases})


@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which a data set lies on disk, and the models that can use it.

    `is_here` says of one folder (or file) whether the set lies in it; `load` reads it.
    """

    name: str
    models: tuple[str, ...]
    is_here: Callable[[Path], bool]
    load: Callable[[Path], Subset]
