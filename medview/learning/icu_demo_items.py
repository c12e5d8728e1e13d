"""What tables of eICU and MIMIC call the variables of PhysioNet 2012."""

from __future__ import annotations

# Columns of eICU's apacheapsvar -> names; eyes, motor, verbal and vent are joined by the loader.
APACHE: dict[str, str] = {
    "vent": "vent",
    "eyes": "eyes",
    "motor": "motor",
    "verbal": "verbal",
    "urine": "Urine",
    "wbc": "WBC",
    "temperature": "Temp",
    "respiratoryrate": "RespRate",
    "sodium": "Na",
    "heartrate": "HR",
    "ph": "pH",
    "hematocrit": "HCT",
    "creatinine": "Creatinine",
    "albumin": "Albumin",
    "pao2": "PaO2",
    "pco2": "PaCO2",
    "bun": "BUN",
    "glucose": "Glucose",
    "bilirubin": "Bilirubin",
    "fio2": "FiO2",
}
CUFF: dict[str, str] = {
    "noninvasivesystolic": "NISysABP",
    "noninvasivediastolic": "NIDiasABP",
    "noninvasivemean": "NIMAP",
}
"""Columns of eICU's vitalaperiodic, mm Hg."""
# Kinds of unit of eICU -> the challenge's numbers (1 coronary, 2 cardiac surgery, 3 medical,
# 4 surgical); mixed and neurological units have none.
UNIT_TYPES: dict[str, str] = {
    "CCU-CTICU": "1",
    "Cardiac ICU": "1",
    "CSICU": "2",
    "CTICU": "2",
    "MICU": "3",
    "SICU": "4",
}
# Units of MIMIC-III -> the same numbers; a trauma unit is a surgical one.
MIMIC_UNITS: dict[str, str] = {"CCU": "1", "CSRU": "2", "MICU": "3", "SICU": "4", "TSICU": "4"}
# Patients of the MIMIC-III demo -> their records in the challenge, which is of the same hospital:
# age, sex and outcome agree, and laboratory values as with no other record (nearly all of them; of
# 10083 about 70 %).
IN_THE_CHALLENGE: dict[str, str] = {
    "10046": "140628",
    "10083": "141790",
    "10089": "134432",
    "10111": "135404",
    "10112": "133390",
}
# MIMIC laboratory items (blood) -> names.
MIMIC_LABS: dict[str, str] = {
    "50862": "Albumin",
    "50863": "ALP",
    "50861": "ALT",
    "50878": "AST",
    "50885": "Bilirubin",
    "51006": "BUN",
    "50907": "Cholesterol",
    "50912": "Creatinine",
    "50816": "FiO2",
    "50931": "Glucose",
    "50809": "Glucose",
    "50882": "HCO3",
    "51221": "HCT",
    "50971": "K",
    "50813": "Lactate",
    "50960": "Mg",
    "50983": "Na",
    "50818": "PaCO2",
    "50821": "PaO2",
    "50820": "pH",
    "51265": "Platelets",
    "50817": "SaO2",
    "51002": "TroponinI",
    "51003": "TroponinT",
    "51301": "WBC",
}
URINE_ITEMS = {
    *("40055", "43175", "40069", "40094", "40715", "40473", "40085", "40057", "40056", "40405"),
    *("40428", "40086", "40096", "40651", "226559", "226560", "226561", "226584", "226563"),
    *("226564", "226565", "226567", "226557", "226558"),
}
"""Output items of MIMIC-III that are urine, ml."""
