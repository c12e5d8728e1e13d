"""What the child for files does with the store of results."""

from __future__ import annotations

from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.errors import MedviewError, ReadError, WeightsError
from medview.domain.exam import Exam
from medview.domain.prediction import Opinion, Prediction
from medview.domain.progress import Progress
from medview.io.result_index import Binding, Entry, Found, Kept
from medview.io.result_store import ResultStore


def keep(
    job: Progress,
    root: Path,
    about: Binding,
    prediction: Prediction,
    exam: Exam | None,
    card: ModelCard | None,
) -> Entry:
    """File a result; when this returns it outlives the program."""
    return ResultStore(root).add(job, about, prediction, exam, card)


def reopen(job: Progress, root: Path, series: str, sha256: str) -> Found:
    """Read what was stored about these very pixels."""
    if not root.is_dir():
        return Found((), ())
    store = ResultStore(root)
    kept: list[Kept] = []
    errors: list[MedviewError] = []
    for entry in store.find(series, sha256):
        try:
            kept.append(store.load(job, entry))
        except (ReadError, WeightsError) as error:
            errors.append(error)
    return Found(tuple(kept), tuple(errors))


def judge(job: Progress, root: Path, entry_id: str, opinions: tuple[Opinion, ...]) -> None:
    """Keep the reader's answers with a result."""
    job.check()
    ResultStore(root).judge(entry_id, opinions)


def forget(job: Progress, root: Path, study: str) -> int:
    """Delete the results of a study; say how many there were."""
    job.check()
    return ResultStore(root).forget(study)


def runs(job: Progress, root: Path) -> tuple[Entry, ...]:
    """Earlier runs on this machine, for what a new one will take."""
    job.check()
    return ResultStore(root).entries() if root.is_dir() else ()
