"""Small made-up ICU data sets in the layouts of the real ones."""

import csv
import gzip
from pathlib import Path

import numpy as np
from PIL import Image

from medview.learning.cases import find_subsets
from medview.learning.icu_demo_items import APACHE


def table(path: Path, header: str, *rows: object) -> Path:
    """A CSV; a row is a tuple of cells. A name that ends in .gz is packed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


def challenge(folder: Path, stays: int = 24, seed: int = 0) -> Path:
    """PhysioNet 2012: a fast heart and a low coma scale mean death."""
    rng = np.random.default_rng(seed)
    rows, outcomes = [], []
    for n in range(stays):
        stay, sick = str(100 + n), n % 3 == 0
        rows += [(stay, "00:00", "Age", 60 + n % 20), (stay, "00:00", "ICUType", 1 + n % 4)]
        for hour in range(0, 48, 4):
            rate = (120 if sick else 75) + rng.normal(0, 4)
            rows.append((stay, f"{hour:02d}:30", "HR", round(rate, 1)))
            rows.append((stay, f"{hour:02d}:40", "GCS", 6 if sick else 15))
        rows.append((stay, "03:00", "Temp", -1))
        outcomes.append((stay, int(sick), 1 + n % 4))
    table(folder / "outcomes-a.csv", "RecordID,In-hospital_death,ICUType", *outcomes)
    table(folder / "set-a_timeseries.csv.gz", "RecordID,Time,Parameter,Value", *rows)
    return folder


def film(path: Path, bright: int = 120, side: int = 96) -> Path:
    """A picture with two darker lungs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:side, :side] / side
    grey = np.full((side, side), 200.0)
    for middle in (0.3, 0.7):
        grey[((rows - 0.5) / 0.35) ** 2 + ((columns - middle) / 0.15) ** 2 < 1] = bright * 0.4
    Image.fromarray((grey + 20 * rows).clip(0, 255).astype(np.uint8)).save(path)
    return path


def eicu(folder: Path) -> Path:
    """The demo of eICU: one dies after 48 hours, one lives, one is short, one has no outcome.

    Stays 1 and 2 are of one person. Stay 1 has cuff pressures and all that APACHE tells; stay 2
    has half a coma scale and no ventilator.
    """
    header = (
        "patientunitstayid,uniquepid,hospitalid,hospitaldischargestatus,unitdischargeoffset,"
        "age,gender,admissionheight,admissionweight,unittype"
    )
    table(
        folder / "patient.csv", header,
        (1, "002-1", 59, "Expired", 48 * 60, "> 89", "Female", 157.5, "", "CCU-CTICU"),
        (2, "002-1", 59, "Alive", 72 * 60, 54, "Male", "", 80, "Med-Surg ICU"),
        (3, "002-2", 60, "Expired", 48 * 60 - 1, 54, "Male", "", "", "MICU"),
        (4, "002-3", 60, "", 72 * 60, 54, "Unknown", "", "", "SICU"),
    )  # fmt: skip
    cuff = "noninvasivesystolic,noninvasivediastolic,noninvasivemean"
    table(
        folder / "vitalaperiodic.csv", f"patientunitstayid,observationoffset,{cuff}",
        (1, -1, 99, 99, 99), (1, 0, "", "", 116), (1, 90, 150, 80, ""),
    )  # fmt: skip
    names = ("vent", "eyes", "motor", "verbal", "sodium", "heartrate", "urine")
    others = [name for name in APACHE if name not in names]
    table(
        folder / "apacheapsvar.csv", ",".join(["patientunitstayid", *names, *others]),
        (1, 1, 1, 1, 1, 139.0, 0, -1.0, *[""] * len(others)),
        (2, 0, 4, 6, -1, -1, "", "", *[-1] * len(others)),
    )  # fmt: skip
    table(folder / "diagnosis.csv", "patientunitstayid,icd9code", (1, "401.9, I10"), (1, "4280"))
    return folder


def mimic3(folder: Path, *stays: tuple[int, int, str]) -> Path:
    """The demo of MIMIC-III: stays of 60 hours as (subject, stay, unit), one sodium each."""
    table(folder / "PATIENTS.csv", "SUBJECT_ID,GENDER,DOB",
          *((subject, "M", "2100-01-01 00:00:00") for subject, _, _ in stays))  # fmt: skip
    table(folder / "ADMISSIONS.csv", "HADM_ID,HOSPITAL_EXPIRE_FLAG", *((s, 0) for _, s, _ in stays))
    table(folder / "DIAGNOSES_ICD.csv", "HADM_ID,ICD9_CODE", *((s, "4280") for _, s, _ in stays))
    table(folder / "LABEVENTS.csv", "HADM_ID,ITEMID,CHARTTIME,VALUENUM",
          *((s, 50983, "2160-01-01 05:00:00", 140) for _, s, _ in stays))  # fmt: skip
    times = ("2160-01-01 00:00:00", "2160-01-03 12:00:00")
    table(folder / "ICUSTAYS.csv", "ICUSTAY_ID,SUBJECT_ID,HADM_ID,INTIME,OUTTIME,FIRST_CAREUNIT",
          *((stay, subject, stay, *times, unit) for subject, stay, unit in stays))  # fmt: skip
    return folder


def mimic4(folder: Path, generation: int = 1) -> Path:
    """Three subjects: an adult of 72 hours who dies, one of 30 hours, and a child."""
    people = folder / ("core" if generation == 1 else "hosp")
    table(people / "patients.csv", "subject_id,anchor_age", (1, 70), (2, 50), (3, 12))
    table(
        people / "admissions.csv",
        f"subject_id,hadm_id,deathtime,{'ethnicity' if generation == 1 else 'race'}",
        (1, 11, "2150-01-05 10:00:00", "X"), (2, 12, "", "X"), (3, 13, "", "X"),
    )  # fmt: skip
    table(
        folder / "icu" / "icustays.csv",
        "subject_id,hadm_id,stay_id,first_careunit,last_careunit,intime,outtime",
        (1, 11, 101, "MICU", "MICU", "2150-01-01 00:00:00", "2150-01-04 00:00:00"),
        (2, 12, 102, "MICU", "MICU", "2150-01-01 00:00:00", "2150-01-02 06:00:00"),
        (3, 13, 103, "MICU", "MICU", "2150-01-01 00:00:00", "2150-01-04 00:00:00"),
    )
    table(
        folder / "icu" / "chartevents.csv.gz",
        "subject_id,hadm_id,stay_id,charttime,itemid,value,valuenum",
        (1, 11, 101, "2150-01-01 01:30:00", 220045, "88", 88),
        (1, 11, 101, "2150-01-01 02:30:00", 223761, "98.6", 98.6),
        (1, 11, 101, "2150-01-01 03:00:00", 220739, "Spontaneously", 4),
        (1, 11, 101, "2150-01-01 03:00:00", 226531, "220", 220),
        (1, 11, 101, "2149-12-31 03:00:00", 220045, "10", 10),
        (2, 12, 102, "2150-01-01 05:00:00", 220045, "70", 70),
    )
    table(
        folder / "hosp" / "labevents.csv",
        "subject_id,hadm_id,itemid,charttime,valuenum",
        (1, 11, 50820, "2150-01-01 04:00:00", 7.31), (1, 11, 51491, "2150-01-01 04:00:00", 5.0),
    )  # fmt: skip
    table(folder / "hosp" / "diagnoses_icd.csv", "hadm_id,icd_code,icd_version",
          (11, "78552", 9), (12, "I10", 10))  # fmt: skip
    return folder


def cxr(folder: Path) -> Path:
    """Films of subject 1: two AP in the stay (one after 48 hours), one PA, and one before it."""
    rows = (
        ("a", 1, 51, "AP", "21500101", "063000.5"), ("b", 1, 52, "AP", "21500103", "120000"),
        ("c", 1, 53, "PA", "21500101", "080000"), ("d", 1, 54, "AP", "21491230", "080000"),
    )  # fmt: skip
    header = "dicom_id,subject_id,study_id,ViewPosition,StudyDate,StudyTime"
    table(folder / "mimic-cxr-2.0.0-metadata.csv", header, *rows)
    for name, *_ in rows:
        film(folder / "resized" / f"{name}.jpg")
    return folder


def hannover(folder: Path, patients: int = 12) -> Path:
    """Films whose brightness says who was in intensive care, and so does CRP."""
    labs = ("crp", "d-dimer", "factor_xii", "ldh", "lymphocytes", "neutrophils", "pco2", "po2")
    header = (
        "patient_id,image_id,sex,admission_offset,icu_admission_offset,projection,image_file,"
        "patient_icu,patient_died," + ",".join(f"{lab}_offset,{lab}_val" for lab in labs)
    )
    rows = []
    for n in range(patients):
        sick = n % 2
        for k in range(1 + n % 3):
            name = f"i{n}_{k}"
            film(folder / "images" / f"{name}.jpg", 40 + 150 * sick)
            values = [("-1", str(20 + 200 * sick))] + [("", "")] * 6 + [("0", "-inf")]
            cells = [cell for pair in values for cell in pair]
            rows.append((f"p{n}", name, "f", str(-k), str(-k) if sick else "", "ap",
                         f"images/{name}.jpg", sick, 0, *cells))  # fmt: skip
    table(folder / "metadata.csv", header, *rows)
    return folder


def found(path):
    """The set that a folder is taken for."""
    (subset,) = find_subsets([str(path)], "icu")
    return subset


def by_name(subset):
    """The cases of a set by their names."""
    return {case.case: case for case in subset.cases}
