"""What a feature table says of the person it is about: age, sex and site of its only row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from medview.domain.errors import DataError
from medview.domain.prediction import RunRequest
from medview.domain.volume import Note
from medview.io.tables import read_table
from medview.learning.feature_rows import age_of

FEATURES = ("smri", "fmri")
_AGES, _SEX, _SITE = ("age_years", "age", "age_at_scan"), ("sex",), ("site",)
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}


def with_person(request: RunRequest) -> tuple[RunRequest, tuple[str, ...]]:
    """The request with what its feature tables say and it does not; the names of what that is.

    An age that is none is left out with a note. A site that is empty in the request is an unknown
    one, whatever a table says.
    """
    told: dict[str, object] = {}
    notes: list[Note] = []
    for row in _rows(request.tables):
        age, site = _cell(row, _AGES), _cell(row, _SITE)
        sex = _SEXES.get(_cell(row, _SEX).lower())
        try:
            known = {"age_years": age_of(age, 2, "age", ""), "sex": sex, "site": site or None}
        except DataError:
            known = {"sex": sex, "site": site or None}
            notes.append(Note("UNUSED_INPUT", f'the table says "{age}", which is no age'))
        told = {name: value for name, value in known.items() if value is not None} | told
    own = {name: value for name, value in told.items() if getattr(request, name) is None}
    used = () if "age_years" in own or request.age_years is not None else tuple(notes)
    made = replace(request, **own, notes=(*request.notes, *used))  # type: ignore[arg-type]  # by its fields
    return replace(made, site=made.site or None), tuple(own)


def _rows(paths: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The only row of each table by its columns in small letters; arrays have none."""
    for role in FEATURES:
        path = Path(paths.get(role, ""))
        if not paths.get(role) or path.suffix.lower() == ".npy":
            continue
        with suppress(DataError):  # what is wrong with it the run tells
            table = read_table(path).with_points()
            if len(table.rows) == 1:
                yield {name.lower(): cell for name, cell in table.by_name()[0].items()}


def _cell(row: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if row.get(name)), "")
