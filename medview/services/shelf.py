"""Results that are kept between starts: filed when a run is done, back when its pixels are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.exam import Exam
from medview.domain.prediction import Opinion, Prediction
from medview.domain.study import Series
from medview.io.result_index import Binding, Entry, Found
from medview.services.jobs import Job, Jobs
from medview.services.session import Session
from medview.services.session_values import Message, VolumeId
from medview.services.takes import Estimate, is_alike, scaled
from medview.services.tasks import Answers, Errand, Tasks

KEEP = "medview.services.shelf_work:keep"
REOPEN = "medview.services.shelf_work:reopen"
JUDGE = "medview.services.shelf_work:judge"
FORGET = "medview.services.shelf_work:forget"
RUNS = "medview.services.shelf_work:runs"
KEEP_TITLE = "Storing the result"


class Shelf:
    """Keeps results and the reader's answers; `root` None keeps nothing beyond the session."""

    def __init__(self, jobs: Jobs, session: Session, root: Path | None = None) -> None:
        self._jobs = jobs
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._root = root
        self._ids: dict[tuple[VolumeId, str], str] = {}
        self._runs: tuple[Entry, ...] = ()
        session.events.volume_id.connect(self._on_volume)
        if root is not None:
            jobs.run("files", RUNS, root, done=self._learn_runs)

    @property
    def drafts_folder(self) -> Path | None:
        """Where drafts of reports lie, beside the results; None when nothing is kept."""
        return self._root / "drafts" if self._root is not None else None

    # -- results ---------------------------------------------------------------------------

    def keep(
        self,
        about: VolumeId,
        prediction: Prediction,
        series: Series | None = None,
        card: ModelCard | None = None,
    ) -> Job | None:
        """File a finished result under the pixels it was made from."""
        self._session.opinions = {
            key: said
            for key, said in self._session.opinions.items()
            if key != (about, prediction.key)
        }
        self._ids.pop((about, prediction.key), None)
        if self._root is None:
            return None
        owner = self._session.catalogue.owner(series) if series is not None else None
        # It is found again by its pixels; the store says nothing of a person.
        exam = Exam.of(*owner, series).in_private() if owner and series else None
        binding = Binding(_study(series, prediction), about.series, about.sha256)
        errand = Errand(
            KEEP_TITLE,
            "files",
            KEEP,
            (self._root, binding, prediction, exam, card),
            about=card.title if card is not None else prediction.model,
        )
        return self._tasks.run(errand, Answers(lambda entry: self._filed(about, entry)))

    def forget(self) -> Job | None:
        """Delete what is stored of the study on screen, and take its results off the screen.

        Models that still run on it are stopped: what they find would be stored again.
        """
        session = self._session
        if session.series is None:
            return None
        study = session.series.study_key
        there = {each.key for each in self._series_of(study)}
        for task in session.tasks:
            if task.pixels is not None and task.pixels.series in there:
                task.cancel()
        with session.together():
            session.predictions = {
                about: results
                for about, results in session.predictions.items()
                if about.series not in there
            }
            session.opinions = {
                key: said for key, said in session.opinions.items() if key[0].series not in there
            }
            session.finding = None
        self._ids = {key: each for key, each in self._ids.items() if key[0].series not in there}
        if self._root is None:
            return None
        errand = Errand("Deleting results", "files", FORGET, (self._root, study))
        return self._tasks.run(errand, Answers(self._forgotten))

    def estimate(self, model: str, voxels: int, samples: int = 0) -> Estimate | None:
        """What a run on so many voxels will take; None when the model never ran here."""
        for entry in reversed(self._runs):
            if entry.model == model and is_alike(entry, voxels):
                return scaled(entry, voxels, samples)
        return None

    # -- the reader's answers --------------------------------------------------------------

    def answer(self, result: str, about: str, verdict: str, by: str = "") -> None:
        """Keep what the reader says to "finding 3" or "score severe" of a result, by its key.

        An empty verdict takes it back.
        """
        session = self._session
        if session.volume_id is None:
            return
        key = (session.volume_id, result)
        said = tuple(each for each in session.opinions.get(key, ()) if each.about != about)
        if verdict:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            said = (*said, Opinion(about, verdict, by, now))
        session.opinions = {**session.opinions, key: said}
        if key in self._ids:
            self._store_answers(key)

    def _store_answers(self, key: tuple[VolumeId, str]) -> None:
        entry_id, said = self._ids[key], self._session.opinions.get(key, ())
        errand = Errand(
            "Storing the answer", "files", JUDGE, (self._root, entry_id, said), key=f"judge {key}"
        )
        self._tasks.run(errand)

    # -- something happened ----------------------------------------------------------------

    def _on_volume(self, about: VolumeId | None) -> None:
        """Look for what was stored of the pixels that are on screen now."""
        if about is None or self._root is None:
            return
        self._let_go()
        self._jobs.run(
            "files",
            REOPEN,
            self._root,
            about.series,
            about.sha256,
            done=lambda found: self._reopened(about, found),
            failed=lambda error: self._say(Message.of(error)),
            key="reopen",
        )

    def _reopened(self, about: VolumeId, found: Found) -> None:
        session = self._session
        there = session.predictions.get(about, ())
        newer = {each.key for each in there}
        newer |= {key for pixels, key in session.running if pixels == about}
        fresh = [each for each in found.kept if each.prediction.key not in newer]
        for each in fresh:
            self._ids[about, each.prediction.key] = each.entry.id
        if fresh:
            with session.together():
                session.opinions = session.opinions | {
                    (about, each.prediction.key): each.opinions for each in fresh
                }
                results = (*there, *(each.prediction for each in fresh))
                session.predictions = {**session.predictions, about: results}
        for doubt in (each.doubt for each in fresh if each.doubt is not None):
            self._say(Message(f"Answers to a stored result: {doubt}", "warning", doubt))
        for error in found.errors:
            self._say(Message(f"A stored result cannot be shown: {error}", "warning", error))

    def _let_go(self) -> None:
        """Once another folder is on screen, results of the former are left to the disk."""
        session = self._session
        gone = {
            about
            for about, results in session.predictions.items()
            if not session.is_open(about) and all((about, one.key) in self._ids for one in results)
        }
        if gone:
            self._ids = {key: each for key, each in self._ids.items() if key[0] not in gone}
            with session.together():
                session.predictions = {
                    about: results
                    for about, results in session.predictions.items()
                    if about not in gone
                }
                session.opinions = {
                    key: said for key, said in session.opinions.items() if key[0] not in gone
                }

    def _filed(self, about: VolumeId, entry: Entry) -> None:
        self._runs = (*self._runs, entry)
        key = (about, entry.key)
        self._ids[key] = entry.id
        if self._session.opinions.get(key):
            self._store_answers(key)

    def _learn_runs(self, entries: tuple[Entry, ...]) -> None:
        self._runs = (*entries, *self._runs)

    def _forgotten(self, count: int) -> None:
        noun = "result" if count == 1 else "results"
        self._say(Message(f"{count} stored {noun} of this study deleted."))

    def _say(self, message: Message) -> None:
        self._session.message = message

    def _series_of(self, study: str) -> list[Series]:
        every = self._session.catalogue.all_series()
        return [each for each in every if each.study_key == study]


def _study(series: Series | None, prediction: Prediction) -> str:
    """The study that a result goes with; files without one are a study each."""
    if series is not None:
        return series.study_key
    first = prediction.inputs[0]
    return first.study or first.series
