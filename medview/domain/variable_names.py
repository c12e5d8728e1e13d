"""What variables of a record are called for a reader, by the columns that tables have for them."""

from __future__ import annotations

import re

_GCS = "glas[cg]ow coma scale"
# Patterns of whole column names without regard to case; the first that fits. Short enough to
# stand beside a curve.
_NAMES: tuple[tuple[str, str], ...] = (
    ("hr|heart rate", "Heart rate"),
    ("rr|resprate|respiratory rate", "Resp. rate"),
    ("mean blood pressure", "Mean BP"),
    ("systolic blood pressure", "Systolic BP"),
    ("diastolic blood pressure", "Diastolic BP"),
    ("map", "Mean BP, art."),
    ("sysabp", "Systolic, art."),
    ("diasabp", "Diastolic, art."),
    ("nimap", "Mean BP, cuff"),
    ("nisysabp", "Systolic, cuff"),
    ("nidiasabp", "Diastolic, cuff"),
    ("temp|temperature", "Temperature"),
    ("spo2", "SpO2"),
    ("sao2", "SaO2"),
    ("oxygen saturation", "O2 saturation"),
    ("fio2|fraction inspired oxygen", "FiO2"),
    ("pa?o2", "pO2"),
    ("pa?co2", "pCO2"),
    ("ph", "pH"),
    ("capillary refill rate", "Capillary refill"),
    (f"gcs|{_GCS} total", "GCS"),
    (f"{_GCS} eye opening", "GCS, eyes"),
    (f"{_GCS} motor response", "GCS, motor"),
    (f"{_GCS} verbal response", "GCS, verbal"),
    ("k", "Potassium"),
    ("na", "Sodium"),
    ("mg", "Magnesium"),
    ("hco3", "Bicarbonate"),
    ("hct", "Haematocrit"),
    ("wbc", "White cells"),
    ("bun", "Urea nitrogen"),
    ("troponini", "Troponin I"),
    ("troponint", "Troponin T"),
    ("mechvent", "Ventilated"),
    ("factor xii", "Factor XII"),
    ("gender", "Sex"),
    ("icutype", "Kind of ICU"),
    ("ast|alt|alp|crp|ldh", ""),
)


def unit_name(unit: str) -> str:
    """A unit as people write it: "1000/ul" is "1000/µl"."""
    return re.sub(r"\bu(?=[lgm]\b)", "µ", unit)


def variable_name(column: str) -> str:
    """The name of a column in words; what is not known keeps its own, with spaces and a capital."""
    plain = " ".join(column.replace("_", " ").split())
    for pattern, words in _NAMES:
        if re.fullmatch(pattern, plain, re.IGNORECASE):
            return words or plain.upper()
    return plain if plain != plain.lower() else plain[:1].upper() + plain[1:]
