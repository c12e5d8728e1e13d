"""How a fine-tuning does at a site that it has not seen: each site is left out in turn.

For each one the version is trained further, or calibrated, without that site's patients, and old
and new are compared on them. The version that is kept is the one of all sites.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medview.domain.discretion import discreet
from medview.domain.errors import DataError, InputRefused
from medview.domain.progress import Progress, Silent, Steered
from medview.domain.training import FinetuneRequest
from medview.io.cards import WEIGHTS
from medview.io.plain import plain
from medview.learning.calibration import without_site
from medview.learning.case_list import list_rows, write_rows
from medview.learning.finetune import (
    compared,
    finetune,
    held_out,
    joined,
    run_trainer,
    write_before_after,
)
from medview.learning.local_cases import local_cases
from medview.learning.recalibrate import recalibrate

Rows = Sequence[Mapping[str, str]]
FOLDER = "sites"
_ALONE = {"folds": 0, "sites": False, "leave_out": False, "leave_sites": False}
"""Settings by which a recipe trains more than once; here once is enough."""


@dataclass(frozen=True, slots=True)
class _OfSite(Silent):
    """Tells which site a report is about; all else is the whole's."""

    job: Progress
    site: str

    def report(self, done: int, total: int, text: str = "") -> None:
        """Name the site first."""
        self.job.report(done, total, f"without {self.site}: {text}")

    def check(self) -> None:
        """Ask the whole."""
        self.job.check()

    def hint(self) -> object:
        """What was wished for."""
        return self.job.hint() if isinstance(self.job, Steered) else None


def finetune_and_leave_sites(
    job: Progress, request: FinetuneRequest, trainer: str
) -> dict[str, Any]:
    """Fine-tune on all sites, then once without each; the rows of a site have its name as group.

    Returns
    -------
    dict
        As ``finetune``, with ``sites``: of each its name, its cases and why there is no figure.

    Raises
    ------
    DataError
        As ``finetune``; also if the data are no case lists with at least two sites.
    """
    parts = by_site(request.train.data)
    body = finetune(job, request, trainer)
    found = body["before_after"]
    told = []
    for number, (site, (others, here)) in enumerate(parts.items()):
        job.check()
        why = ""
        try:
            rows = _without(_OfSite(job, site), request, trainer, number, site, (others, here))
            found = joined(found, rows)
        except InputRefused as error:
            private = request.train.private
            why = discreet(error.what, error.file) if private else error.what
        told.append({"site": site, "cases": len(here), "why_not": why})
    write_before_after(Path(request.train.out), found)
    return {**body, "before_after": plain(found), "sites": told}


def calibrate_and_leave_sites(job: Progress, request: FinetuneRequest) -> dict[str, Any]:
    """Calibrate on all sites; rows of a site tell of a fit without its patients.

    Returns
    -------
    dict
        As ``recalibrate``, with ``sites`` as ``finetune_and_leave_sites``.

    Raises
    ------
    DataError
        As ``recalibrate``; also if the data name fewer than two sites.
    """
    body = recalibrate(job, request)
    out = Path(request.train.out)
    scores = local_cases(request.model, out)
    sites = sorted({site for one in scores for site in one.sites if site})
    if len(sites) < 2:
        raise _too_few(sites)
    found, told = body["before_after"], []
    for site in sites:
        parts = [part for one in scores if site in one.sites and (part := without_site(one, site))]
        for metrics, differences in parts:
            found = joined(
                found, {"metrics": metrics, "differences": differences, "worse": list[str]()}
            )
        why = "" if parts else "too few patients at the other sites to fit on"
        cases = max(one.sites.count(site) for one in scores)
        told.append({"site": site, "cases": cases, "why_not": why})
    write_before_after(out, found)
    return {**body, "before_after": plain(found), "sites": told}


def by_site(data: Sequence[str]) -> dict[str, tuple[Rows, Rows]]:
    """For each site the rows of patients who were never there, and its own rows.

    Raises
    ------
    DataError
        If the data are no case lists, or name fewer than two sites.
    """
    rows = list_rows(data, 'Give a case list with a column "site".')
    sites = sorted({row["site"] for row in rows if row.get("site")})
    if len(sites) < 2:
        raise _too_few(sites)
    parts: dict[str, tuple[Rows, Rows]] = {}
    for site in sites:
        here = [row for row in rows if row.get("site") == site]
        patients = {_patient(row) for row in here}
        others = [row for row in rows if _patient(row) not in patients]
        parts[site] = others, [{**row, "split": ""} for row in here]
    return parts


def _too_few(sites: Sequence[str]) -> DataError:
    return DataError(
        f"{len(sites)} sites are named, two are needed to leave one out",
        do='Fill the column "site".',
    )


def _patient(row: Mapping[str, str]) -> str:
    return row.get("patient") or row["case"]


def _without(
    job: Progress,
    request: FinetuneRequest,
    trainer: str,
    number: int,
    site: str,
    parts: tuple[Rows, Rows],
) -> dict[str, Any]:
    """Old and new on one site that the new one was trained without."""
    folder = Path(request.train.out) / FOLDER / str(number)
    recipe = {name: _ALONE.get(name, value) for name, value in request.train.recipe.items()}
    with _lists(folder, parts, private=request.train.private) as (others, here):
        train = replace(
            request.train, data=(others,), out=str(folder), recipe=recipe, preview=False
        )
        own = replace(request, train=train, reference=())
        if not (train.resume and (folder / WEIGHTS).is_file()):
            run_trainer(job, replace(train, held_out=held_out(own)), trainer)
        return compared(job, own, f"site:{site}", (here,), folder="site")


@contextmanager
def _lists(folder: Path, parts: tuple[Rows, Rows], *, private: bool) -> Iterator[tuple[str, str]]:
    """The case lists of the others and of the site; where nobody is named they do not stay."""
    with tempfile.TemporaryDirectory() as spare:
        place = Path(spare) if private else folder
        paths = place / "others.csv", place / "site.csv"
        for path, rows in zip(paths, parts, strict=True):
            write_rows(path, rows)
        yield str(paths[0]), str(paths[1])
