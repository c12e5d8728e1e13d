"""Many cases by one model: found in a folder or a case list, run side by side, resumable.

Every case is run as ``medview run`` runs it and has a result folder of its own, so a stop in the
middle loses the cases under way only, and the next run goes on after the finished ones.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

from medview.domain.card import ModelCard
from medview.domain.errors import InputRefused, MedviewError
from medview.domain.study import Catalogue, Series
from medview.io.atomic import sweep, whole_folder
from medview.learning.case_list import refuse_other_tables
from medview.services import library
from medview.services.inputs import Wanted, fits, is_table
from medview.services.jobs import Jobs
from medview.services.made_from import asked_of, changed, note, read_ledger
from medview.services.offers import TABLES
from medview.services.running import RunOptions, refuse_unknown_maps, run_case

CASE_LIST = "medview.learning.case_list:cases_of"
RESULT = "result.json"
# What some file system takes for a path, and what does not print.
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]+')
_LONGEST_NAME = 80
_LONGEST_BYTES = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the folder name of its result, what to run on, and what differs from the rest.

    `row` is where a table holds the case among others: its column "case" has that value.
    `title` is how predictions.csv calls it, where no folder can be called so.
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

    @property
    def label(self) -> str:
        """What tables call it."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class Task:
    """A case with all that a process elsewhere needs to run it."""

    card: ModelCard
    case: Case
    options: RunOptions
    out: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended: `scores` of result.json, or the error as code and words.

    `asked` is what the result was made from, as ``made_from.asked_of`` tells it.
    """

    case: Case
    scores: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    code: str = ""
    what: str = ""
    asked: Mapping[str, Any] | None = None

    @property
    def failed(self) -> bool:
        """True when there is no result."""
        return bool(self.code)


class Engine(Protocol):
    """Runs tasks somewhere and gives their outcomes as they come."""

    def __call__(self, tasks: Sequence[Task]) -> Iterable[Outcome]:
        """Run all tasks."""


def find_cases(jobs: Jobs, card: ModelCard, path: Path, *, private: bool = False) -> list[Case]:
    """The cases of a case list, or each series and table of a folder that the model takes.

    Raises
    ------
    InputRefused
        If there is none.
    DataError
        If the case list is no good; it names row and column.
    """
    if path.suffix.lower() == ".csv" and _is_case_list(path):
        found = _listed(jobs, card, path)
    else:
        if not any(spec.role in TABLES for spec in card.inputs):
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
    return replace(case, name=f"case-{number:05d}", title="", patient="")


def run_batch(
    engine: Engine,
    card: ModelCard,
    cases: Sequence[Case],
    options: RunOptions,
    out: Path,
    *,
    resume: bool,
    progress: Callable[[int, int, str], object],
) -> dict[str, Any]:
    """Run all cases and write predictions.csv and batch.json; the body of ``medview.batch/1``.

    With `resume` a case whose result is there and was made from the same inputs, weights and
    options is kept; one that was made from others is run again, and the body says so.
    """
    began = time.perf_counter()
    refuse_unknown_maps(card, options.maps)
    out.mkdir(parents=True, exist_ok=True)
    sweep(out)
    tasks = [Task(card, case, options, out / case.name) for case in cases]
    done, redone = _kept(tasks, out, progress) if resume else ([], [])
    finished = {outcome.case.name for outcome in done}
    tasks = [task for task in tasks if task.case.name not in finished]
    progress(len(done), len(cases), "")
    for outcome in engine(tasks):
        done.append(outcome)
        result = out / outcome.case.name / RESULT
        if outcome.asked is not None and result.is_file():
            note(out, outcome.case.name, outcome.asked, result)
        progress(len(done), len(cases), f"case {len(done)} / {len(cases)}")
    order = {case.name: n for n, case in enumerate(cases)}
    done.sort(key=lambda outcome: order[outcome.case.name])
    body = {**_body(done, len(tasks), time.perf_counter() - began), "redone": redone}
    _write(out, body, done)
    return body


def local_engine(workers: int, threads: int | None) -> Engine:
    """Run on this machine, each worker with children of its own."""

    def run(tasks: Sequence[Task]) -> Iterator[Outcome]:
        own = threading.local()
        opened: list[Jobs] = []

        def work(task: Task) -> Outcome:
            if not hasattr(own, "jobs"):
                own.jobs = Jobs(lambda call: call())
                opened.append(own.jobs)
            return run_task(own.jobs, task)

        pool = ThreadPoolExecutor(max(1, min(workers, len(tasks))))
        try:
            shared = [replace(t, options=replace(t.options, threads=threads)) for t in tasks]
            futures = [pool.submit(work, task) for task in shared]
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for jobs in opened:
                jobs.close()

    return run


def run_task(jobs: Jobs, task: Task) -> Outcome:
    """Run one case; an error of it is its outcome, and stops nothing else."""
    case, options = task.case, _own_options(task)
    began = time.perf_counter()
    try:
        with _own_rows(case, task.out) as wanted:
            asked = _asked(task, wanted)
            body = run_case(jobs, task.card, wanted, options, task.out)
    except MedviewError as error:
        return Outcome(case, code=error.code, what=error.what)
    seconds = round(time.perf_counter() - began, 2)
    return Outcome(case, tuple(body["scores"]), seconds, asked=asked)


def _own_options(task: Task) -> RunOptions:
    """The options of a batch with what its list says of the case in their place."""
    case = task.case
    return replace(
        task.options,
        age_years=_first(case.age_years, task.options.age_years),
        sex=_first(case.sex, task.options.sex),
        site=_first(case.site or None, task.options.site),
        film_hour=_first(case.film_hour, task.options.film_hour),
    )


def _asked(task: Task, wanted: Wanted) -> dict[str, Any] | None:
    """What decides the answer; None where an input cannot be read, which the run tells."""
    try:
        return asked_of(task.card, wanted, _own_options(task))
    except OSError:
        return None


def _first(own: Any, common: Any) -> Any:
    return common if own is None else own


@contextmanager
def _own_rows(case: Case, out: Path) -> Iterator[Wanted]:
    """The inputs of a case; tables of many cases are cut down to its row for the time of a run."""
    draft = out.with_name(f".rows-{out.name}")
    try:
        yield replace(
            case.wanted,
            named=tuple((role, _cut(case, role, path, draft)) for role, path in case.wanted.named),
        )
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _cut(case: Case, role: str, path: Path, draft: Path) -> Path:
    rows = _row_of(path, case.row) if case.row and role in TABLES else None
    if rows is None:
        return path
    draft.mkdir(parents=True, exist_ok=True)
    file = draft / f"{role}.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows(rows)
    return file


def _row_of(path: Path, case: str) -> list[list[str]] | None:
    """Header and the row of a case; None where the file has no column "case".

    So it is with a file that cannot be read, of which the run tells.
    """
    if path.suffix.lower() != ".csv" or not path.is_file():
        return None
    with suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        header = [name.strip() for name in next(lines, [])]
        if "case" not in header:
            return None
        column = header.index("case")
        for line in lines:
            if len(line) > column and line[column].strip() == case:
                return [header, line]
    return None


def _is_case_list(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return "case" in [name.strip() for name in next(csv.reader(file), [])]


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
        cases = [Case(_safe(p.stem), Wanted((p,)), title=p.stem) for p in files]
    if any(spec.role not in TABLES for spec in card.inputs):
        catalogue = library.scan(jobs, (path,))
        cases += [_series_case(catalogue, series) for series in _fitting(card, catalogue)]
    return cases


def _fitting(card: ModelCard, catalogue: Catalogue) -> list[Series]:
    images = [series for series in catalogue.all_series() if series.geometry is not None]
    return [series for series in images if fits(card, series)]


def _series_case(catalogue: Catalogue, series: Series) -> Case:
    owner = catalogue.owner(series)
    file = series.files[0].name if series.files else series.uid
    name = series.uid + (f"-{series.stack}" if series.stack else "")
    if series.format != "dicom":
        name = file.partition(".")[0]
    patient = owner[0].id if owner else ""
    wanted = Wanted(_files_of(catalogue, series), series=series.key)
    return Case(_safe(name), wanted, patient or "", title=name)


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


def _kept(
    tasks: Sequence[Task], out: Path, progress: Callable[[int, int, str], object]
) -> tuple[list[Outcome], list[dict[str, Any]]]:
    """The outcomes that hold as they are, and of which cases a result is there and does not."""
    ledger = read_ledger(out)
    kept: list[Outcome] = []
    redone: list[dict[str, Any]] = []
    for n, task in enumerate(tasks):
        progress(n, len(tasks), "looking at what is there")
        result = task.out / RESULT
        if not result.is_file():
            continue
        with _own_rows(task.case, task.out) as wanted:
            asked = _asked(task, wanted)
        why = changed(ledger.get(task.case.name), asked or {}, result)
        outcome = _outcome(task.case, result) if asked is not None and not why else None
        if outcome is not None:
            kept.append(outcome)
        else:
            redone.append({"case": task.case.label, "changed": list(why or ("inputs",))})
    return kept, redone


def _outcome(case: Case, result: Path) -> Outcome | None:
    """The outcome that a result tells of; None if it cannot be read."""
    try:
        body = json.loads(result.read_text("utf-8"))
        return Outcome(case, tuple(body["scores"]), float(body["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _body(done: Sequence[Outcome], ran: int, seconds: float) -> dict[str, Any]:
    failed = [outcome for outcome in done if outcome.failed]
    return {
        "done": len(done) - len(failed),
        "failed": [{"case": o.case.label, "code": o.code, "what": o.what} for o in failed],
        "resumed": len(done) - ran,
        "seconds": round(seconds, 2),
        "seconds_per_study": round(seconds / ran, 3) if ran else None,
    }


def _write(out: Path, body: dict[str, Any], done: Sequence[Outcome]) -> None:
    """predictions.csv as ``evaluate`` writes it, and batch.json."""
    rows = [_row(outcome) for outcome in done if not outcome.failed]
    if any(outcome.case.label != outcome.case.name for outcome in done):
        folders = [outcome.case.name for outcome in done if not outcome.failed]
        rows = [{**row, "folder": name} for row, name in zip(rows, folders, strict=True)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with whole_folder(out) as draft:
        with (draft / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(
                file, columns or ["case", "patient", "site", "subset"], restval=""
            )
            table.writeheader()
            table.writerows(rows)
        text = json.dumps({"schema": "medview.batch/1", **body}, indent=1, ensure_ascii=False)
        (draft / "batch.json").write_text(text + "\n", "utf-8")


def _row(outcome: Outcome) -> dict[str, object]:
    case = outcome.case
    row: dict[str, object] = {
        "case": case.label,
        "patient": case.patient or case.label,
        "site": case.site,
        "subset": "",
    }
    for score in outcome.scores:
        name = score["name"]
        row |= {name: score["value"], f"{name}_low": score["low"], f"{name}_high": score["high"]}
    return {name: "" if value is None else value for name, value in row.items()}
