"""The cases of a batch: found in a folder or a case list, each with a name of its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from medview.domain.card import ModelCard
from medview.domain.errors import InputRefused
from medview.domain.formats import ENDINGS, is_table
from medview.domain.study import Catalogue, Series
from medview.domain.wording import legible
from medview.io.codes import Code
from medview.learning.case_list import is_case_list, refuse_other_tables
from medview.services import library
from medview.services.inputs import Wanted, fits
from medview.services.jobs import Jobs
from medview.services.offers import TABLES

CASE_LIST = "medview.learning.case_list:cases_of"
# What some file system takes for a path, and what does not print.
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]+')
_ONE_FILE_A_CASE = (Code.FILM_DAMAGED, Code.NIFTI_HEADER, Code.NIFTI_SHORT, Code.META_HEADER)
_UNREAD = (Code.NOT_ALLOWED, Code.NOT_A_FILE)
_ANY_NAME = (Code.NOT_AN_IMAGE, Code.NOT_ALLOWED)
# What is called so and is no image at all is a case, too; other files beside images are none.
# Readers go by what is in a file, not by its name.
_CALLED_IMAGE = (
    *ENDINGS,
    *(".jpx", ".jls", ".jxl", ".avif", ".heic", ".pgm"),
)
_LONGEST_NAME = 80
_LONGEST_BYTES = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the folder name of its result, what to run on, and what differs from the rest.

    `row` is where a table holds the case among others: its column "case" has that value.
    `title` is how predictions.csv calls it, where no folder can be called so. `where` are its
    files as seen from what was chosen, for readers who do not know its images by their numbers.
    """

    name: str
    wanted: Wanted
    patient: str = ""
    site: str = ""
    age_years: float | None = None
    sex: str | None = None
    film_hour: float | None = None
    row: str = ""
    title: str = ""
    where: str = ""

    @property
    def label(self) -> str:
        """What tables call it."""
        return self.title or self.name


def find_cases(jobs: Jobs, card: ModelCard, path: Path, *, private: bool = False) -> list[Case]:
    """The cases of a case list, or each series and table of a folder that the model takes.

    Raises
    ------
    InputRefused
        If there is none.
    DataError
        If the case list is no good; it names row and column.
    """
    if path.is_file() and is_case_list(path):
        found = _listed(jobs, card, path)
    else:
        is_empty = path.is_file() and not path.stat().st_size
        if is_empty or not any(spec.role in TABLES for spec in card.inputs):
            refuse_other_tables(path)
        found = _found(jobs, card, path)
    if not found:
        refuse_other_tables(path)
        raise InputRefused(
            f"holds nothing that {card.title} can use",
            file=path.name,
            do="Choose another folder, or give a case list.",
            code="MV-IN-010",
        )
    if private:
        found = [_unnamed(case, n) for n, case in enumerate(found, start=1)]
    return _named_apart(found)


def _unnamed(case: Case, number: int) -> Case:
    return replace(case, name=f"case-{number:05d}", title="", patient="", where="")


def _listed(jobs: Jobs, card: ModelCard, path: Path) -> list[Case]:
    roles = tuple(spec.role for spec in card.inputs)
    cases = []
    for each in cast(Sequence[Any], jobs.call("files", CASE_LIST, path, roles)):
        named = tuple((role, each.images[role]) for role in roles if role in each.images)
        hour = each.cells.get("film_hour", "")
        cases.append(
            Case(
                _safe(each.case),
                Wanted(named=named),
                each.patient,
                each.site,
                each.age_years,
                each.sex,
                float(hour) if hour else None,
                row=each.case,
                title=each.case,
            )
        )
    return cases


def _found(jobs: Jobs, card: ModelCard, path: Path) -> list[Case]:
    tables = any(spec.role in TABLES for spec in card.inputs)
    below = sorted(path.rglob("*")) if path.is_dir() else [path]
    cases = []
    if tables:
        files = [p for p in below if p.is_file() and is_table(p)]
        cases = [
            Case(_safe(p.stem), Wanted((p,)), title=legible(p.stem), where=_where((p,), path))
            for p in files
        ]
    if any(spec.role not in TABLES for spec in card.inputs):
        catalogue = library.scan(jobs, (path,))
        cases += [_series_case(catalogue, series, path) for series in _fitting(card, catalogue)]
        films = any(spec.role == "film" and spec.required for spec in card.inputs)
        cases += _single_files(catalogue, path, pictures=films) if cases else []
    return cases


def _single_files(catalogue: Catalogue, path: Path, *, pictures: bool) -> list[Case]:
    """Files that would be a case each, were they whole: their runs fail, and say why.

    Plain `pictures` are whole, but beside other images no film to whoever opens the folder; to a
    model of films each is one, so that none is left out in silence.

    So do those that may not be read, and folders that may not: nobody knows how much is in them.
    Of DICOM series only single slices may be damaged; what their runs say of that is enough.
    """
    files = [
        path if path.is_file() else path / one.file
        for one in catalogue.skipped
        if one.code in _ONE_FILE_A_CASE
        or (pictures and one.code == Code.PLAIN_PICTURE)
        or (one.code in _ANY_NAME and one.file.lower().endswith(_CALLED_IMAGE))
        or (one.code in _UNREAD and (path / one.file).is_dir())
    ]
    files = [file for file in files if not file.name.startswith(".")]  # notes of a file system
    return [
        Case(_safe(name), Wanted((file,)), title=legible(name), where=_where((file,), path))
        for file, name in ((file, file.name.partition(".")[0]) for file in files)
        if file.exists()
    ]


def _fitting(card: ModelCard, catalogue: Catalogue) -> list[Series]:
    images = [series for series in catalogue.all_series() if series.geometry is not None]
    return [series for series in images if fits(card, series)]


def _series_case(catalogue: Catalogue, series: Series, chosen: Path) -> Case:
    owner = catalogue.owner(series)
    file = series.files[0].name if series.files else series.uid
    name = series.uid + (f"-{series.stack}" if series.stack else "")
    if series.format != "dicom":
        name = file.partition(".")[0]
    patient = owner[0].id if owner else ""
    wanted = Wanted(_files_of(catalogue, series), series=series.key)
    where = _where(series.files, chosen)
    return Case(_safe(name), wanted, patient or "", title=legible(name), where=where)


def _where(files: Sequence[Path], chosen: Path) -> str:
    """The first file as seen from the chosen folder, and how many more there are."""
    if not files:
        return ""
    first = files[0]
    inside = first != chosen and first.is_relative_to(chosen)
    name = first.relative_to(chosen).as_posix() if inside else first.name
    more = len(set(files)) - 1
    return legible(f"{name} and {more} more" if more else name)


def _files_of(catalogue: Catalogue, series: Series) -> tuple[Path, ...]:
    """The files of a series with those of its other stacks: alone they would be counted anew."""
    if series.format != "dicom":
        return tuple(series.files)
    stacks = [each for each in catalogue.all_series() if each.uid == series.uid]
    return tuple(dict.fromkeys(file for each in stacks for file in each.files))


def _safe(name: str) -> str:
    """A folder name; what had to be changed is told apart by a hash."""
    safe = _UNSAFE.sub("_", name).strip(". ")[:_LONGEST_NAME].rstrip(". ")
    while len(safe.encode()) > _LONGEST_BYTES:
        safe = safe[:-1]
    if safe == name and safe:
        return safe
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{safe or 'case'}-{digest[:8]}"


def _named_apart(cases: Sequence[Case]) -> list[Case]:
    """Give each case a folder and a label of its own, folders also where capitals are the same."""
    wished = {case.name.lower() for case in cases}
    taken: set[str] = set()
    labels: set[str] = set()
    named = []
    for case in cases:
        name, count = case.name, 1
        while name.lower() in taken or (count > 1 and name.lower() in wished):
            count += 1
            name = f"{case.name}-{count}"
        taken.add(name.lower())
        title = "" if case.label in labels else case.title
        labels.add(case.label)
        named.append(replace(case, name=name, title=title))
    return named
