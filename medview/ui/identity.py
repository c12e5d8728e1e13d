"""Whose images these are, in the words of a pane's corner; names only where they may stand."""

from __future__ import annotations

from medview.domain.discretion import may_show_a_name, series_words, study_words
from medview.domain.study import Catalogue, Patient, Series, Study, follow_in_time
from medview.services.session import Session
from medview.ui.words import age, date, tr

_SEXES = {"F": "F", "M": "M", "O": "sex other"}


def patient_name(patient: Patient, *, private: bool) -> str:
    """The name, else the id, else what the only study is called; the key in private mode."""
    key = tr("Patient {key}", key=patient.key)
    if private:
        return key
    studies = {study.description for study in patient.studies}
    only = studies.pop() if len(studies) == 1 else ""
    return readable(patient.name) or patient.id or only or key


def readable(name: str) -> str:
    """A DICOM name ("Doe^Jane^^Dr") as people write it ("Doe, Jane Dr").

    Of its spellings the first that is there: some scanners write ideograms only.
    """
    spelled = next((each for each in name.split("=") if each.strip(" ^")), "")
    family, _, rest = spelled.partition("^")
    given = " ".join(part for part in rest.split("^") if part)
    return ", ".join(part.strip() for part in (family, given) if part.strip())


def patient_facts(patient: Patient, at: str, *, private: bool) -> str:
    """Sex and age at a date, such as "F · 61 y"; no age in private mode."""
    years = "" if private else age(patient.birth_date, at)
    return " · ".join(part for part in (_SEXES.get(patient.sex or "", ""), years) if part)


def study_name(study: Study, patient: Patient, *, private: bool) -> str:
    """What a study is called; in private mode nothing that may tell who it is."""
    words = study_words(study, patient) if private else study.description
    return words or tr("Study")


def series_name(series: Series, patient: Patient | None = None, *, private: bool = False) -> str:
    """What a series is called; in private mode nothing that may tell who it is."""
    nobody = Patient(series.patient_key)
    words = series_words(series, patient or nobody) if private else series.description
    if words:
        return words
    if series.number is not None:
        return tr("Series {n}", n=series.number)
    return series.modality or tr("Series")


def shown_name(session: Session, series: Series | None = None) -> str:
    """What a series is called, None for the one on screen; empty when there is none."""
    series = series or session.series
    if series is None:
        return ""
    owner = session.catalogue.owner(series)
    patient = owner[0] if owner is not None else None
    return series_name(series, patient, private=session.private)


def corner_lines(catalogue: Catalogue, series: Series, *, private: bool) -> tuple[str, ...]:
    """Name, facts with the study's date, and series: the top left corner of the main pane.

    In private mode also that the picture itself may tell the name.
    """
    owner = catalogue.owner(series)
    doubt = tr("A name may stand in the picture") if private and may_show_a_name(series) else ""
    if owner is None:
        return tuple(filter(None, (series_name(series, private=private), doubt)))
    patient, study = owner
    return tuple(
        line
        for line in (
            patient_name(patient, private=private),
            _facts(patient, study, private=private),
            _series_line(series, patient, private=private),
            doubt,
        )
        if line
    )


def _series_line(series: Series, patient: Patient, *, private: bool) -> str:
    """What the series is called, and the side that the file says it shows."""
    parts = (series_name(series, patient, private=private), side_name(series))
    return " · ".join(part for part in parts if part)


def side_name(series: Series) -> str:
    """The side that the file names, in words; empty when it names none (R21)."""
    sides = {"L": tr("left side"), "R": tr("right side"), "B": tr("both sides")}
    return sides.get(series.laterality, "")


def _facts(patient: Patient, study: Study, *, private: bool) -> str:
    when = "" if private else date(study.date)
    parts = (patient_facts(patient, study.date, private=private), when)
    return " · ".join(part for part in parts if part)


def time_words(series: Series, time: int) -> str:
    """Which volume of a series with several: "Time 3 / 12 · 4.0 s"; empty where it has one.

    Volumes that differ in something else, such as the echo time, are only counted.
    """
    if series.times < 2:
        return ""
    is_time = follow_in_time(series.split_by)
    text = tr("Time {n} / {m}") if is_time else tr("Volume {n} / {m}")
    text = text.format(n=time + 1, m=series.times)
    step = series.time_step_s if is_time else None
    return text if step is None else f"{text} · {tr('{s} s', s=f'{step * time:.1f}')}"
