"""Variable maps: which columns of a stay there are, in which unit, and what stands for a gap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.domain.resources import resource

Kind = Literal["number", "flag", "static"]
FEATURES = ("value", "observed", "since", "lowest", "highest", "mean", "count")
BENCHMARK = "benchmark"
_HOURS = {"hours": 1.0, "minutes": 1 / 60, "days": 24.0}


@dataclass(frozen=True, slots=True)
class UnitRule:
    """Values between `first` and `last` (inclusive) are in another unit, which `says` names.

    Of a `whole` rule only where all values of a column that tells no unit are, one of them under
    `below`: what a single value may be in either unit, a column often is in one alone.
    """

    says: str
    first: float
    last: float
    scale: float = 1.0
    shift: float = 0.0
    whole: bool = False
    below: float = math.inf

    def fits(self, column: NDArray[np.float32]) -> bool:
        """Whether a column without a unit is in this one as a whole."""
        known = column[np.isfinite(column)]
        if not (self.whole and known.size):
            return False
        return bool(self.first <= known.min() < self.below and known.max() <= self.last)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a stay.

    Parameters
    ----------
    name : str
        Its name in this program; a table may also call it by one of `columns`.
    kind : Kind
        "number" is measured now and then; "flag" is 1 while something goes on; "static" is
        known at admission.
    impute : float | None
        What stands where it was never measured; of a variable with levels the level's index,
        None for no level at all.
    clip : tuple[float, float]
        Physiologic range: values beyond are taken as its ends.
    possible : tuple[float, float]
        Values outside are errors and left out.
    log : bool
        Skewed: the network sees its logarithm.
    levels : tuple[str, ...]
        Words that it takes, in the order of their columns; empty for numbers.
    same : Mapping[str, str]
        Other spellings of a level; of a number or flag words for it, in lower case ("yes": 1).
    normal : tuple[float, float]
        Shipped mean and standard deviation (of MIMIC-III); used on demand only.
    parts : tuple[str, ...]
        Columns whose sum it is where a table has no column of its own for it.
    units : tuple[UnitRule, ...]
        Other units that its values tell by themselves.
    """

    name: str
    columns: tuple[str, ...] = ()
    unit: str = ""
    kind: Kind = "number"
    impute: float | None = None
    clip: tuple[float, float] = (-math.inf, math.inf)
    possible: tuple[float, float] = (-math.inf, math.inf)
    log: bool = False
    levels: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    units: tuple[UnitRule, ...] = ()
    normal: tuple[float, float] | None = None
    parts: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many columns its value takes."""
        return len(self.levels) or 1

    def number(self, cell: str) -> float:
        """A cell as a number: of a variable with levels the index of its level; NaN for neither."""
        text = cell.strip()
        if self.levels:
            text = self.same.get(text, self.same.get(text.removesuffix(".0"), text))
            plain = text.removesuffix(".0")
            name = text if text in self.levels else plain
            return float(self.levels.index(name)) if name in self.levels else math.nan
        try:
            return float(self.same.get(text.lower(), text))
        except ValueError:
            return math.nan


@dataclass(frozen=True)
class VariableMap:
    """Variables in the order of their columns, and how time is cut.

    Parameters
    ----------
    time_column, hours_per_unit : str, float
        The column of a table that holds the time since admission, and how long its unit is.
    bin_hours : float
        Length of a bin in hours; of the values in a bin the last one counts.
    longest : int
        Bins after this many are left out.
    features : tuple[str, ...]
        What each bin says of a variable, see ``icu_grid.encode``.
    body : Mapping[str, Any]
        The map as plain values, for the card of a model that uses it.
    """

    name: str
    variables: tuple[Variable, ...]
    time_column: str = "Hours"
    hours_per_unit: float = 1.0
    bin_hours: float = 1.0
    longest: int = 48
    features: tuple[str, ...] = ("value", "observed")
    body: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @cached_property
    def codes(self) -> dict[str, int]:
        """Place of each variable by every name that a table may give it, in lower case."""
        names: dict[str, int] = {}
        for place, variable in enumerate(self.variables):
            for name in (variable.name, *variable.columns):
                names.setdefault(name.lower(), place)
        return names

    @property
    def dynamic(self) -> tuple[int, ...]:
        """Places of the variables that change in time."""
        return tuple(n for n, v in enumerate(self.variables) if v.kind != "static")

    @property
    def columns(self) -> int:
        """Numbers of each bin."""
        values = sum(variable.width for variable in self.variables)
        return values + (len(self.features) - 1) * len(self.dynamic)


def shipped_map(name: str = BENCHMARK) -> VariableMap:
    """A map that comes with the program: "benchmark", "physionet2012" or "hannover"."""
    return read_map(resource("variables", f"{name}.yaml"))


def read_map(path: Path) -> VariableMap:
    """Read a map from YAML.

    Raises
    ------
    DataError
        If it is no YAML, or says what no map knows; the variable and the key are named.
    """
    try:
        body = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise DataError(
            "does not exist", file=path.name, code="MV-DAT-160", do="Check the path of the map."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _odd(path, "cannot be read as YAML") from error
    return map_of(body, path)


def map_of(body: Any, path: Path = Path("variables.yaml")) -> VariableMap:
    """A map from plain values, as ``read_map``."""
    if not isinstance(body, Mapping) or not isinstance(body.get("variables"), list):
        raise _odd(path, 'has no list called "variables"')
    known = {"name", "time", "bin_hours", "longest_bins", "features", "variables"}
    _refuse_unknown(path, "the map", body, known)
    features = tuple(str(name) for name in body.get("features", ("value", "observed")))
    wrong = next((name for name in features if name not in FEATURES), "")
    if wrong or features[:1] != ("value",):
        raise _odd(path, f"features begin with value and are some of {', '.join(FEATURES)}")
    time = body.get("time", {})
    unit = str(time.get("unit", "hours"))
    if unit not in _HOURS:
        raise _odd(path, f'the unit of time "{unit}" is none of {", ".join(_HOURS)}')
    variables = tuple(_variable(path, entry) for entry in body["variables"])
    names = [variable.name for variable in variables]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise _odd(path, f"the variable {twice} is given twice")
    return VariableMap(
        str(body.get("name", path.stem)),
        variables,
        str(time.get("column", "Hours")),
        _HOURS[unit],
        _positive(path, body, "bin_hours", 1.0),
        int(_positive(path, body, "longest_bins", 48)),
        features,
        dict(body),
    )


_KEYS = {"name", "columns", "unit", "kind", "impute", "clip", "possible", "log"} | {
    *("levels", "same", "units", "normal", "parts")
}


def _variable(path: Path, entry: Any) -> Variable:
    if not isinstance(entry, Mapping) or not entry.get("name"):
        raise _odd(path, "a variable has no name")
    name = str(entry["name"])
    _refuse_unknown(path, f"the variable {name}", entry, _KEYS)
    kind = entry.get("kind", "number")
    if kind not in ("number", "flag", "static"):
        raise _odd(path, f"the variable {name} is of no known kind")
    levels = tuple(str(level) for level in entry.get("levels", ()))
    impute = entry.get("impute")
    if levels:
        place = None if impute is None else str(impute)
        if place is not None and place not in levels:
            raise _odd(path, f'the variable {name} imputes "{place}", which is no level of it')
        value = None if place is None else float(levels.index(place))
    elif impute is None:
        raise _odd(path, f"the variable {name} does not say what to impute")
    else:
        value = float(impute)
    return Variable(
        name,
        tuple(str(column) for column in entry.get("columns", ())),
        str(entry.get("unit", "")),
        kind,
        value,
        _pair(path, entry, "clip"),
        _pair(path, entry, "possible"),
        bool(entry.get("log", False)),
        levels,
        {str(k): str(v) for k, v in entry.get("same", {}).items()},
        tuple(_unit_rule(path, name, rule) for rule in entry.get("units", ())),
        _pair(path, entry, "normal") if "normal" in entry else None,
        tuple(str(part) for part in entry.get("parts", ())),
    )


def _unit_rule(path: Path, name: str, rule: Any) -> UnitRule:
    try:
        return UnitRule(
            str(rule["says"]),
            float(rule["from"]),
            float(rule["to"]),
            float(rule.get("scale", 1.0)),
            float(rule.get("shift", 0.0)),
            bool(rule.get("whole", False)),
            float(rule.get("below", math.inf)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _odd(path, f"a unit of the variable {name} needs says, from and to") from error


def _pair(path: Path, entry: Mapping[str, Any], key: str) -> tuple[float, float]:
    if key not in entry:
        return (-math.inf, math.inf)
    try:
        low, high = (float(number) for number in entry[key])
    except (TypeError, ValueError) as error:
        raise _odd(path, f"{key} of {entry['name']} is not two numbers") from error
    return low, high


def _positive(path: Path, body: Mapping[str, Any], key: str, default: float) -> float:
    value = body.get(key, default)
    if not isinstance(value, int | float) or not value > 0:
        raise _odd(path, f"{key} is no number above 0")
    return float(value)


def _refuse_unknown(path: Path, what: str, entry: Mapping[str, Any], known: set[str]) -> None:
    odd = sorted(str(key) for key in entry if key not in known)
    if odd:
        raise _odd(path, f"{what} has a key {odd[0]} that means nothing here")


def _odd(path: Path, what: str) -> DataError:
    return DataError(
        what,
        file=path.name,
        code="MV-DAT-160",
        do="Write it like the maps in resources/variables.",
    )
