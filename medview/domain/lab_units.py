"""Units of measurements as tables write them, and how to turn one into another.

Many spellings are one unit: "1000/ul", "x10^3/µL", "K/uL", "10*9/L" and "G/l" count the same
cells. What a unit is of (a mass, an amount, a count) is told by the unit that is wanted: "g/l"
beside a count is giga per litre, beside a mass it is grams.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

UNIT_COLUMNS = ("unit", "units", "valueuom")
"""How tables of one measurement a row call the column of its unit, in lower case."""
_NAMED = re.compile(r"(?P<name>.*\S)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWER = re.compile(r"10(?:\^|\*\*?|e)?([⁰¹²³⁴⁵⁶⁷⁸⁹]+|(?<=[\^*e])\d+)")
_SPELLINGS = (
    *(("μ", "u"), ("µ", "u"), ("mcg", "ug"), ("mcl", "ul"), ("×", "x"), ("·", "*"), (" ", "")),
    *(("litre", "l"), ("liter", "l"), ("cu.mm", "ul"), ("cumm", "ul"), ("cmm", "ul")),
    *(("mm^3", "ul"), ("mm³", "ul"), ("mm3", "ul"), ("º", "°"), ("deg", "°")),
)
_COUNT = re.compile(r"[x*]?(?:10\^(\d+)|(1000)|([a-z]*?))\.?(?:cells|zellen)?/([numd]?l)")
_MANY = {"": 1.0, "k": 1e3, "th": 1e3, "thou": 1e3, "thousand": 1e3, "tsd": 1e3, "m": 1e6,
         "mio": 1e6, "mill": 1e6, "million": 1e6, "g": 1e9, "giga": 1e9, "t": 1e12}  # fmt: skip
_PER_LITRE = {"l": 1.0, "dl": 10.0, "ml": 1e3, "ul": 1e6, "nl": 1e9}

# What is measured -> how much of its first unit each unit is.
_KINDS: tuple[Mapping[str, float], ...] = (
    {"mg/dl": 1, "mg%": 1, "g/dl": 1e3, "g%": 1e3, "g/l": 100, "mg/ml": 100, "mg/l": 0.1,
     "ug/ml": 0.1, "ug/dl": 1e-3, "ug/l": 1e-4, "ng/ml": 1e-4, "ng/l": 1e-7, "pg/ml": 1e-7},
    {"mmol/l": 1, "mol/l": 1e3, "umol/l": 1e-3, "nmol/l": 1e-6, "meq/l": 1, "mval/l": 1},
    {"u/l": 1, "iu/l": 1, "mu/ml": 1, "miu/ml": 1, "u/ml": 1e3, "ukat/l": 60},
    {"mmhg": 1, "torr": 1, "kpa": 7.50062, "cmh2o": 0.735559},
    {"1/min": 1, "/min": 1, "bpm": 1, "beats/min": 1, "breaths/min": 1, "insp/min": 1,
     "min-1": 1, "min^-1": 1},
    {"ml": 1, "cc": 1, "l": 1e3, "dl": 100},
    {"kg": 1, "g": 1e-3, "lb": 0.45359237, "lbs": 0.45359237},
    {"cm": 1, "m": 100, "mm": 0.1, "in": 2.54, "inch": 2.54, "inches": 2.54},
    {"%": 1, "percent": 1, "": 100, "1": 100, "share": 100, "fraction": 100},
    {"years": 1, "year": 1, "yrs": 1, "y": 1, "a": 1},
)  # fmt: skip
_MASSES, _AMOUNTS = _KINDS[:2]
# mg/dl of what is 1 mmol/l; of BUN it is the nitrogen of the urea.
_MOLAR = {"glucose": 18.016, "creatinine": 11.312, "bilirubin": 58.467, "bun": 2.801,
          "cholesterol": 38.665, "lactate": 9.008, "mg": 2.4305, "magnesium": 2.4305}  # fmt: skip
_CHARGES_TWO = ("mg", "magnesium")
# Scale and shift to degrees Celsius.
_WARMTH = {"c": (1.0, 0.0), "f": (5 / 9, -160 / 9), "k": (1.0, -273.15)}
_WARM = re.compile(r"°?(c|f|k|celsius|fahrenheit|kelvin)")


def named_unit(name: str) -> tuple[str, str]:
    """The name of a column without the unit in brackets at its end, and that unit.

    "WBC (K/uL)" is "WBC" in "K/uL"; without brackets the unit is empty.
    """
    found = _NAMED.fullmatch(name.strip())
    return (found["name"], found["unit"].strip()) if found else (name, "")


def with_unit(name: str, unit: str) -> str:
    """The name of a column with its unit in brackets, as ``named_unit`` parts them."""
    return f"{name} ({unit})" if unit.strip() else name


def turned(told: str, wanted: str, variable: str = "") -> tuple[float, float] | None:
    """By which scale and shift values of a unit become values of another; None where unknown.

    `variable` is what is measured: between masses and amounts its molar mass counts.
    """
    here, there = _spelled(told), _spelled(wanted)
    if here == there:
        return 1.0, 0.0
    per_litre, asked = _count(here), _count(there)
    if asked is not None:
        return None if per_litre is None else (_even(per_litre / asked), 0.0)
    if _WARM.fullmatch(there):
        return _warmth(here, there)
    for kind in _KINDS:
        if here in kind and there in kind:
            return _even(_of(kind, here, variable) / _of(kind, there, variable)), 0.0
    molar = _MOLAR.get(variable.strip().lower())
    if molar is not None and here in _AMOUNTS and there in _MASSES:
        return _of(_AMOUNTS, here, variable) * molar / _MASSES[there], 0.0
    if molar is not None and here in _MASSES and there in _AMOUNTS:
        return _MASSES[here] / molar / _of(_AMOUNTS, there, variable), 0.0
    return None


def _of(kind: Mapping[str, float], unit: str, variable: str) -> float:
    """How much of the first unit of its kind a unit is; charges are counted by valency."""
    halved = unit in ("meq/l", "mval/l") and variable.strip().lower() in _CHARGES_TWO
    return kind[unit] / (2 if halved else 1)


def _spelled(unit: str) -> str:
    """A unit in one spelling: lower case, no spaces, powers as "10^3"."""
    text = unit.strip().lower()
    for other, usual in _SPELLINGS:
        text = text.replace(other, usual)
    return _POWER.sub(lambda found: f"10^{found[1].translate(_RAISED)}", text)


def _count(unit: str) -> float | None:
    """How many in a litre; None where a unit is none of a count."""
    found = _COUNT.fullmatch(unit)
    if not found:
        return None
    power, thousand, word, volume = found.groups()
    if power or thousand:
        many = 10.0 ** int(power or 3)
    elif word in _MANY:
        many = _MANY[word]
    else:
        return None
    return many * _PER_LITRE[volume]


def _warmth(here: str, there: str) -> tuple[float, float] | None:
    """By way of degrees Celsius."""
    if not (found := _WARM.fullmatch(here)):
        return None
    scale, shift = _WARMTH[found[1][0]]
    wanted_scale, wanted_shift = _WARMTH[there.removeprefix("°")[0]]
    return scale / wanted_scale, (shift - wanted_shift) / wanted_scale


def _even(factor: float) -> float:
    """Without the last digits of a division: 1e9 / 1e9, not 0.9999999."""
    return float(f"{factor:.12g}")
