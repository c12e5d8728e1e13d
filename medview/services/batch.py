"""Many cases by one model: found in a folder or a case list, run side by side, resumable.

Every case is run as ``medview run`` runs it and has a result folder of its own, so a stop in the
middle loses the cases under way only, and the next run goes on after the finished ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from medview.domain.card import ModelCard
from medview.domain.discretion import discreet
from medview.domain.errors import DataError, MedviewError
from medview.domain.wording import legible
from medview.io.atomic import filled_folder, sweep
from medview.services.batch_cases import Case
from medview.services.batch_outcome import RESULT, Outcome, outcome_of, summary, write_outcomes
from medview.services.case_rows import own_rows
from medview.services.inputs import Wanted
from medview.services.jobs import Jobs
from medview.services.made_from import asked_of, changed, note, read_ledger
from medview.services.running import RunOptions, knows_sites, refuse_unknown_maps, run_case


@dataclass(frozen=True, slots=True)
class Task:
    """A case with all that a process elsewhere needs to run it."""

    card: ModelCard
    case: Case
    options: RunOptions
    out: Path


class Engine(Protocol):
    """Runs tasks somewhere and gives their outcomes as they come."""

    def __call__(self, tasks: Sequence[Task]) -> Iterable[Outcome]:
        """Run all tasks."""


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
    with filled_folder(out):
        sweep(out)
        tasks = [Task(card, case, options, out / case.name) for case in cases]
        done, redone = _kept(tasks, out, progress) if resume else ([], [])
        finished = {outcome.case.name for outcome in done}
        tasks = [task for task in tasks if task.case.name not in finished]
        progress(len(done), len(cases), "")
        try:
            for outcome in engine(tasks):
                done.append(outcome)
                result = out / outcome.case.name / RESULT
                if outcome.asked is not None and result.is_file():
                    note(out, outcome.case.name, outcome.asked, result)
                progress(len(done), len(cases), f"case {len(done)} / {len(cases)}")
        except BaseException:
            sweep(out)  # a worker that was killed has left its drafts
            raise
        order = {case.name: n for n, case in enumerate(cases)}
        done.sort(key=lambda outcome: order[outcome.case.name])
        body = {**summary(done, len(tasks), time.perf_counter() - began), "redone": redone}
        write_outcomes(out, body, done)
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
            pool.shutdown()  # what was begun is tidied up in its thread

    return run


def run_task(jobs: Jobs, task: Task) -> Outcome:
    """Run one case; an error of it is its outcome, and stops nothing else."""
    case, options = task.case, _own_options(task)
    began = time.perf_counter()
    try:
        _refuse_nothing(task)
        with own_rows(case, task.out) as wanted:
            asked = _asked(task, wanted)
            body = run_case(jobs, task.card, wanted, _as_typed(task, options), task.out)
    except MedviewError as error:
        return Outcome(case, code=error.code, what=_told(error, private=options.private))
    seconds = round(time.perf_counter() - began, 2)
    return Outcome(case, tuple(body["scores"]), seconds, asked=asked)


def _refuse_nothing(task: Task) -> None:
    """Raise a DataError for a case whose list names no file that the model takes."""
    wanted = task.case.wanted
    if not wanted.paths and not wanted.named:
        roles = " or ".join(spec.role for spec in task.card.inputs)
        raise DataError(f"its row names no {roles} file", code="MV-DAT-101")


def _told(error: MedviewError, *, private: bool) -> str:
    """What is wrong with which file; in private without its name."""
    if private:
        return discreet(error.what, error.file, instead="the file")
    return legible(f"{error.file}: {error.what}" if error.file else error.what)


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


def _as_typed(task: Task, options: RunOptions) -> RunOptions:
    """Without the site of a list, which any list may tell, where the model has no use for it."""
    return options if knows_sites(task.card) else replace(options, site=task.options.site)


def _asked(task: Task, wanted: Wanted) -> dict[str, Any] | None:
    """What decides the answer; None where an input cannot be read, which the run tells."""
    try:
        return asked_of(task.card, wanted, _own_options(task))
    except OSError:
        return None


def _first(own: Any, common: Any) -> Any:
    return common if own is None else own


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
        with own_rows(task.case, task.out) as wanted:
            asked = _asked(task, wanted)
        why = changed(ledger.get(task.case.name), asked or {}, result)
        outcome = outcome_of(task.case, result) if asked is not None and not why else None
        if outcome is not None:
            kept.append(outcome)
        else:
            redone.append({"case": task.case.label, "changed": list(why or ("inputs",))})
    return kept, redone
