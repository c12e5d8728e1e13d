"""What a report says of an examination, taken from the headers once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from medview.domain.geometry import Geometry
from medview.domain.study import Patient, Series, Study

_IDENTITY = (
    *("name", "patient_id", "birth_date", "accession"),
    *("institution", "referring", "series_uid"),
)
# What people typed, which may be a name, and when it was.
_MAY_TELL = (
    *("study_description", "series_description", "contrast", "study_date", "acquired"),
    *("earlier_date", "earlier_description"),
)


@dataclass(frozen=True, slots=True)
class Exam:
    """One series with its study and patient, as plain values.

    `size` is (column, row, slice), `spacing_mm` likewise; `at_detector` says that its mm are not
    those of the patient (a projection). Dates are ISO "2026-11-21" or empty.
    `patient_key` is a pseudonym; name, patient id, birth date, accession, institution and who
    referred are identity, and a series UID leads to it. `earlier_studies` of the same patient are
    known, `earlier_date` and `earlier_description` are those of the newest among them.
    """

    patient_key: str = ""
    name: str = ""
    patient_id: str = ""
    sex: str = ""
    birth_date: str = ""
    accession: str = ""
    study_description: str = ""
    study_date: str = ""
    modality: str = ""
    series_description: str = ""
    series_number: int | None = None
    scanner: str = ""
    field_strength_t: float | None = None
    acquired: str = ""
    size: tuple[int, int, int] = (0, 0, 0)
    spacing_mm: tuple[float, float, float] | None = None
    missing_slices: int = 0
    lossy: bool = False
    institution: str = ""
    referring: str = ""
    body_part: str = ""
    contrast: str = ""
    series_uid: str = ""
    at_detector: bool = False
    earlier_studies: int = 0
    earlier_date: str = ""
    earlier_description: str = ""

    @classmethod
    def of(cls, patient: Patient, study: Study, series: Series) -> Exam:
        """Gather what the headers of one series say."""
        grid, earlier = series.geometry, patient.earlier(study)
        return cls(
            patient_key=patient.key,
            name=patient.name,
            patient_id=patient.id,
            sex=patient.sex or "",
            birth_date=patient.birth_date or "",
            accession=study.accession,
            study_description=study.description,
            study_date=study.date,
            modality=series.modality,
            series_description=series.description,
            series_number=series.number,
            scanner=series.scanner,
            field_strength_t=series.field_strength_t,
            acquired=series.acquired,
            size=series.size,
            spacing_mm=_columns_first(grid) if grid and grid.spacing_kind else None,
            missing_slices=len(series.missing_slices),
            lossy=series.lossy,
            institution=series.institution,
            referring=series.referring,
            body_part=series.body_part,
            contrast=series.contrast,
            series_uid=series.uid,
            at_detector=bool(grid and grid.spacing_kind == "detector"),
            earlier_studies=len(earlier),
            earlier_date=earlier[0].date if earlier else "",
            earlier_description=earlier[0].description if earlier else "",
        )

    def without_identity(self) -> Exam:
        """Return the exam with the pseudonym as the only trace of who it is."""
        return replace(self, **dict.fromkeys(_IDENTITY, ""))  # type: ignore[arg-type]  # all str

    def in_private(self) -> Exam:
        """The same also without descriptions and dates: nothing that the headers say of a person.

        That it is a synthetic lesion stays said.
        """
        kept = "Synthetic lesion" if self.has_synthetic_lesion else ""
        bare = self.without_identity()
        return replace(bare, **dict.fromkeys(_MAY_TELL, "") | {"study_description": kept})  # type: ignore[arg-type]  # all str

    @property
    def has_synthetic_lesion(self) -> bool:
        """True when the headers say so; "synthetic" alone is also a way of acquiring MR."""
        return "synthetic lesion" in f"{self.study_description} {self.series_description}".lower()


def _columns_first(grid: Geometry) -> tuple[float, float, float]:
    k, j, i = grid.spacing_mm
    return i, j, k
