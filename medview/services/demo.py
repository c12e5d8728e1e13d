"""The demo: its study, and the result that it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medview.domain.errors import MedviewError, ReadError
from medview.domain.exam import Exam
from medview.domain.resources import resource
from medview.services.analysis import Analysis
from medview.services.jobs import Job, Jobs
from medview.services.session import Session
from medview.services.tasks import Answers, Errand, Tasks

MODEL = "anomaly"
WRITE = "medview.io.results:write_prediction"


def study_folder() -> Path:
    """The folder of the demo study: a real brain with a synthetic lesion.

    Raises
    ------
    ReadError
        If it did not come with this copy of the program.
    """
    folder = resource("demo", "study")
    if not folder.is_dir():
        raise ReadError("the demo study is missing", do="Install the program again.")
    return folder


class Keeping:
    """Writes the result on screen into a folder, as ``medview run`` does."""

    def __init__(self, jobs: Jobs, session: Session, analysis: Analysis) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._analysis = analysis

    def write(
        self,
        folder: Path,
        done: Callable[..., object],
        failed: Callable[[MedviewError], object],
    ) -> Job | None:
        """Write result.json, slices.csv and maps/; None when there is no result yet."""
        session = self._session
        if not session.results or session.series is None or session.volume is None:
            return None
        result = session.results[-1]
        owner = session.catalogue.owner(session.series)
        exam = Exam.of(*owner, session.series).without_identity() if owner else None
        card = self._analysis.card_of(result)
        errand = Errand(
            "Writing the result", "files", WRITE, (result, folder, session.volume, exam, card)
        )
        return self._tasks.run(errand, Answers(done, failed))
