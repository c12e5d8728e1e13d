"""The time series of a stay as a table or data set gives it, before it is put into bins."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.domain.lab_units import UNIT_COLUMNS, with_unit
from medview.io.record import LONG
from medview.io.tables import read_table
from medview.learning.icu_clock import clock_of, number_of, odd_table, time_column, time_of
from medview.learning.icu_grid import Events, Floats
from medview.learning.icu_readings import reading_of
from medview.learning.icu_stay_columns import several_stays
from medview.learning.icu_variables import VariableMap

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_LIMIT = re.compile(r"[<>\u2264\u2265]\s*=?\s*(\d+(?:[.,]\d+)?)")
"""A value beyond what a laboratory can tell, which it gives as the limit."""
MASS = "mg/dl"
"""The unit of a map beside which a table may count amounts, in mmol/l or umol/l."""
_CORRECT = "Correct the cell or leave it empty."
NO_NAME = "a column without a name"
_NOT_MEASURED = {"", "nan", "na", "n/a", "none", "null", "-1"}
"""Cells that say that nothing was measured. -1 is the challenge's; no variable takes it."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Measurements of a stay by the names that its source gives them.

    Parameters
    ----------
    names : tuple[str, ...]
        Columns of the source.
    hours, columns, values : (n,) arrays
        Hours since admission, place of the column in `names`, value; NaN where a word stands.
    words : Mapping[int, str]
        What stands in place of a number, by the place of the measurement.
    rows : Mapping[int, int]
        Its row in the file (the header is row 1), where it comes from one.
    limits : Mapping[int, str]
        Cells such as "<0.1", by the place of the measurement; the value is then the limit.
    before : int
        How many rows of the file lie before admission and were left out.
    commas : int
        How many numbers of the file have a comma before their decimals.
    twice : int
        How many measurements were left out because the file gives them once more.
    """

    names: tuple[str, ...]
    hours: Floats
    columns: NDArray[np.int16]
    values: Floats
    words: Mapping[int, str] = field(default_factory=dict)
    rows: Mapping[int, int] = field(default_factory=dict)
    limits: Mapping[int, str] = field(default_factory=dict)
    before: int = 0
    commas: int = 0
    twice: int = 0

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        measured: Iterable[tuple[float, int, str | float]],
        rows: Sequence[int] = (),
    ) -> Series:
        """From (hour, place of the column, cell); `rows` says where each stands in a file."""
        hours, columns, values = [], [], []
        words, limits = {}, {}
        for n, (hour, column, cell) in enumerate(measured):
            hours.append(hour)
            columns.append(column)
            value = number_of(cell)
            if isinstance(cell, str) and (bound := _LIMIT.fullmatch(cell)):
                value = number_of(bound[1].replace(",", "."))
                limits[n] = cell
            if isinstance(cell, str) and not math.isfinite(value):
                value = math.nan
            values.append(value)
            if value != value:
                words[n] = str(cell)
        return cls(
            tuple(names),
            np.array(hours, np.float32),
            np.array(columns, np.int16),
            np.array(values, np.float32),
            words,
            dict(enumerate(rows)),
            limits,
        )

    def since_admission(self) -> Series:
        """The same without what was measured before; its rows are counted."""
        left = set(np.flatnonzero(self.hours < 0).tolist())
        gone = {row for n, row in self.rows.items() if n in left}
        return replace(self._only(np.flatnonzero(self.hours >= 0)), before=len(gone) or len(left))

    def once(self) -> Series:
        """The same without what is told again: of equal values at one time the last one stays.

        A line that an export writes twice is no second measurement, and the model counts those.
        """
        told = zip(self.hours.tolist(), self.columns.tolist(), self.values.tolist(), strict=True)
        last = {(h, c, self.words.get(n, v)): n for n, (h, c, v) in enumerate(told)}
        if len(last) == len(self.hours):
            return self
        kept = self._only(np.array(sorted(last.values()), np.intp))
        return replace(kept, twice=len(self.hours) - len(last))

    def _only(self, kept: NDArray[np.intp]) -> Series:
        """The measurements at these places."""
        places = {old: new for new, old in enumerate(kept.tolist())}
        return replace(
            self,
            hours=self.hours[kept],
            columns=self.columns[kept],
            values=self.values[kept],
            words={places[n]: word for n, word in self.words.items() if n in places},
            rows={places[n]: row for n, row in self.rows.items() if n in places},
            limits={places[n]: cell for n, cell in self.limits.items() if n in places},
        )

    def events(self, variables: VariableMap, file: str = "") -> Events:
        """The measurements that a map knows, in its places and units; `ignored` names the others.

        Raises
        ------
        DataError
            A word where the variable takes numbers; row and column are named. No column that the
            map knows.
        """
        readings = [reading_of(name, variables) for name in self.names]
        codes = np.array([reading.place for reading in readings], np.int16)
        places = codes[self.columns] if len(self.columns) else np.empty(0, np.int16)
        values = self.values.copy()
        for column, reading in enumerate(readings):
            here = self.columns == column
            if reading.place >= 0 and reading.told:
                values[here] = reading.turned(values[here], variables)
            elif rule := reading.guessed(values[here], variables):
                values[here] = values[here] * rule.scale + rule.shift
        for place, variable in enumerate(variables.variables):
            if variable.levels:
                for here in np.flatnonzero(places == place).tolist():
                    cell = self.words.get(here, f"{values[here]:g}")
                    values[here] = self._level(variables, place, cell, here, file)
        for n, word in self.words.items():
            if places[n] >= 0 and not variables.variables[places[n]].levels:
                values[n] = self._level(variables, int(places[n]), word, n, file)
        known = places >= 0
        found = Events(self.hours[known], places[known], values[known])
        found = self._with_sums(found, variables)
        if len(self.hours) and not len(found):
            raise self._foreign(variables, file)
        return found

    def _foreign(self, variables: VariableMap, file: str) -> DataError:
        some = ", ".join(variable.name for variable in variables.variables[:8])
        return DataError(
            f"none of its columns is a variable of the model: {', '.join(self.names[:8])}",
            file=file,
            code="MV-DAT-159",
            do=f"Choose a model that reads these, or name columns as this one does ({some}, ...).",
        )

    def ignored(self, variables: VariableMap) -> tuple[str, ...]:
        """Names that the map does not know and that hold at least one value."""
        used = {self.names[n] for n in np.unique(self.columns)}
        parts = {part.lower() for variable in variables.variables for part in variable.parts}
        return tuple(
            sorted(
                name or NO_NAME
                for name in used
                if name.lower() not in parts and reading_of(name, variables).place < 0
            )
        )

    def converted(self, variables: VariableMap) -> dict[str, int]:
        """How many values of which column are in another unit than the map's, in words."""
        said = {}
        for column, name in enumerate(self.names):
            here = self.columns == column
            reading, count = reading_of(name, variables), int(here.sum())
            if count and (rule := reading.guessed(self.values[here], variables)):
                said[f"{variables.variables[reading.place].name}: {rule.says}; converted"] = count
            if reading.is_other and count:
                variable = variables.variables[reading.place]
                wanted = f", not {variable.unit}" if variable.unit else ""
                said[f"{variable.name}: {reading.told}{wanted}; converted"] = count
        return said

    def unsure(self, variables: VariableMap) -> tuple[str, ...]:
        """Columns of masses in blood without a unit, in a table that has others of amounts.

        Their values alone do not tell: 10 may be BUN in mg/dl as well as urea in mmol/l.
        """
        plain, molar = [], False
        for column, name in enumerate(self.names):
            reading, here = reading_of(name, variables), self.columns == column
            if reading.place < 0 or not here.any():
                continue
            if variables.variables[reading.place].unit != MASS:
                continue
            rule = reading.guessed(self.values[here], variables)
            said = rule.says if rule else reading.told
            molar = molar or "mol/l" in said.lower()
            plain += [] if said else [name]
        return tuple(plain) if molar else ()

    def _level(self, variables: VariableMap, place: int, cell: str, n: int, file: str) -> float:
        value = variables.variables[place].number(cell)
        if not math.isfinite(value):
            raise self._odd(variables, place, cell, n, file)
        return value

    def _odd(self, variables: VariableMap, place: int, word: str, n: int, file: str) -> DataError:
        variable = variables.variables[place]
        row = f"row {self.rows[n]}, " if self.rows.get(n) else ""
        words = ", ".join(variable.levels or variable.same)
        wanted = f"one of {words}" if variable.levels else "a number"
        wanted += f" nor one of {words}" if words and not variable.levels else ""
        none = "neither" if " nor " in wanted else "not"
        return DataError(
            f'{row}column "{self.names[self.columns[n]]}": "{word}" is {none} {wanted}',
            file=file,
            code="MV-DAT-163",
            do="Write decimals with a point." if _DECIMAL_COMMA.fullmatch(word) else _CORRECT,
        )

    def _with_sums(self, found: Events, variables: VariableMap) -> Events:
        """Add variables that the source gives in parts only (coma scale)."""
        lower = [name.lower() for name in self.names]
        for place, variable in enumerate(variables.variables):
            if not variable.parts or (found.codes == place).any():
                continue
            if all(part.lower() in lower for part in variable.parts):
                rows = list(self._summed([lower.index(p.lower()) for p in variable.parts]))
                more = Events.of((hour, place, value) for hour, value in rows)
                found = Events(
                    np.concatenate([found.hours, more.hours]),
                    np.concatenate([found.codes, more.codes]),
                    np.concatenate([found.values, more.values]),
                )
        return found

    def _summed(self, columns: Sequence[int]) -> Iterable[tuple[float, float]]:
        """Hours at which all of these columns have a value, and its sum.

        Of a word such as "4 Spontaneously" the leading digit counts, of several values of one
        column at the same hour their mean.
        """
        at: dict[float, dict[int, list[float]]] = {}
        for n in np.flatnonzero(np.isin(self.columns, columns)):
            value = self.values[n]
            word = self.words.get(int(n), "")
            if word[:1].isdigit():
                value = float(word[0])
            if np.isfinite(value):
                parts = at.setdefault(float(self.hours[n]), {})
                parts.setdefault(int(self.columns[n]), []).append(float(value))
        return [
            (hour, sum(sum(values) / len(values) for values in parts.values()))
            for hour, parts in at.items()
            if len(parts) == len(columns)
        ]


def read_series(path: Path, variables: VariableMap | None = None) -> Series:
    """Read the table of one stay: a column of time and one of each variable.

    Time is called as the map says, or Hours (Day, Minutes). The long form of the PhysioNet
    challenge (Time as HH:MM, Parameter, Value, perhaps Unit) is read, too. Rows from before
    admission (negative times) and what is told twice are left out and counted.

    Raises
    ------
    DataError
        No table, one of several stays, no column of time, a time that is none, no values from
        admission on, or none of the hours that the map takes: row and column are named.
    """
    try:
        table = read_table(path, known=LONG).with_points()
    except DataError as error:
        raise odd_table(path, error.what, error.do) from error
    header, rows = table.header, table.rows
    if not header:
        what = "the table is empty"
        raise odd_table(path, what, "Give a table with values; its first line names the columns.")
    if several := several_stays(header, rows):
        what = f"it has rows of several stays: {several}"
        raise odd_table(path, what, "Give each stay a table of its own.")
    found = _long(path, header, rows) if set(LONG) <= set(header) else None
    found = replace(found or _wide(path, header, rows, variables), commas=table.commas)
    after = found.hours >= 0
    if not after.any():
        what = "all its values lie before admission" if len(after) else "it has no values"
        raise odd_table(path, what, "Give a table with values; count hours from admission.")
    if variables is not None:
        _refuse_later(path, float(found.hours[after].min()), variables)
    return (found if after.all() else found.since_admission()).once()


def _refuse_later(path: Path, first: float, variables: VariableMap) -> None:
    """Refuse a table that says nothing of the hours that a model takes: all would be imputed."""
    limit = variables.longest * variables.bin_hours
    if first > limit:
        raise odd_table(
            path,
            f"its first value is from hour {first:g}, the model takes the first {limit:g} h",
            "Count hours from admission; a date that a spreadsheet writes as a number is none.",
        )


def _wide(
    path: Path,
    header: Sequence[str],
    rows: Sequence[tuple[int, Sequence[str]]],
    variables: VariableMap | None,
) -> Series:
    column, factor = time_column(path, header, variables)
    names = [name for n, name in enumerate(header) if n != column]
    measured, places = [], []
    for row, line in rows:
        hour = time_of(path, row, header[column], line[column]) * factor
        cells = [cell.strip() for n, cell in enumerate(line) if n != column]
        for place, cell in enumerate(cells):
            if cell.lower() not in _NOT_MEASURED:
                measured.append((hour, place, cell))
                places.append(row)
    return Series.of(names, measured, places)


def _long(path: Path, header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> Series:
    time, parameter, value = (header.index(name) for name in LONG)
    unit = next((n for n, name in enumerate(header) if name.lower() in UNIT_COLUMNS), None)
    names: dict[str, int] = {}
    measured, places = [], []
    for row, line in rows:
        cell, name = line[value].strip(), line[parameter].strip()
        if cell.lower() in _NOT_MEASURED or name in ("", "RecordID"):
            continue
        hour = clock_of(path, row, line[time])
        name = name if unit is None else with_unit(name, line[unit])
        measured.append((hour, names.setdefault(name, len(names)), cell))
        places.append(row)
    return Series.of(list(names), measured, places)
