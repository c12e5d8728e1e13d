"""What the child does to make cases of studies that were read here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.choice import SCORES, Doubt, doubt_of
from medview.domain.discretion import series_words
from medview.domain.errors import DataError, InputRefused, MedviewError
from medview.domain.local_case import NO_LABELS, LocalCase, LocalCases, LocalWish, case_name
from medview.domain.measurement import CLOSED, Measurement
from medview.domain.prediction import Opinion, Prediction
from medview.domain.progress import Progress, Silent
from medview.domain.study import Catalogue, Patient, Series, Study
from medview.domain.volume import Volume
from medview.domain.wording import date_words
from medview.io import nifti
from medview.io.atomic import own_folder
from medview.io.hashing import volume_sha256
from medview.io.readers import load, scan
from medview.io.result_index import Entry
from medview.io.result_store import ResultStore
from medview.learning.case_list import write_rows
from medview.services.inputs import offer_of
from medview.services.local_labels import Labelled, label_of_brain, label_of_film, mask_of
from medview.services.models import find_card
from medview.services.offers import role_of
from medview.services.workspace import hashed
from medview.services.workspace_files import read_workspace

IMAGES, MASKS, _SUFFIX = "images", "masks", ".nii.gz"


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A series that was read here: of whom, as which input, results about it, regions on it."""

    patient: Patient
    study: Study
    series: Series
    role: str
    entries: tuple[Entry, ...]
    drawn: tuple[Measurement, ...]

    @property
    def case(self) -> str:
        """A name that says nothing of who it is."""
        return case_name(self.patient.key, self.series.key)


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """The newest result that somebody answered to, and the answers."""

    entry: Entry
    prediction: Prediction
    said: tuple[Opinion, ...]


def gather(job: Progress, wish: LocalWish) -> LocalCases:
    """Find what was read here and fits the model, with what readers answered and drew.

    What has a label is decoded, and its pixels must be those that were answered about. One case
    that cannot be read never stops the others.

    Raises
    ------
    InputRefused
        If answers are no labels for the model, or nothing that fits it was read here.
    """
    model = wish.model.removesuffix("-armed")
    if model in NO_LABELS:
        raise InputRefused("what is read here gives this model no cases", do=NO_LABELS[model])
    store = ResultStore(wish.results) if wish.results.is_dir() else None
    skipped: list[tuple[str, str]] = []
    found = tuple(_fitting(job, wish, find_card(model), store, skipped))
    cases = []
    for n, read in enumerate(found):
        job.check()
        job.report(n, len(found), f"case {n + 1} / {len(found)}")
        cases.append(_case(job, wish, store, read))
    if not cases:
        raise InputRefused(
            "no study that fits this model was read here",
            do="Open studies and answer to their findings, or choose a case list.",
        )
    _tidy(wish.out, {one.case for one in cases if one.is_labelled})
    return LocalCases(in_order(cases), tuple(skipped))


def _tidy(out: Path, kept: set[str]) -> None:
    """Delete masks and copies of what is no case any more: answers were taken back, or deleted."""
    for folder in (IMAGES, MASKS):
        for path in (out / folder).glob(f"*{_SUFFIX}"):
            if path.name.removesuffix(_SUFFIX) not in kept:
                path.unlink(missing_ok=True)


def write(job: Progress, file: Path, cases: tuple[LocalCase, ...]) -> str:
    """Write the case list that the trainer reads; return its path."""
    job.check()
    write_rows(file, [dict(case.cells) for case in cases])
    return str(file)


# -- finding ---------------------------------------------------------------------------------


def _fitting(
    job: Progress,
    wish: LocalWish,
    card: ModelCard,
    store: ResultStore | None,
    skipped: list[tuple[str, str]],
) -> Iterator[_Read]:
    """Each series that the model was run on here, or that its header offers to it, once."""
    entries = store.entries() if store is not None else ()
    own = [entry for entry in entries if entry.model.removesuffix("-armed") == card.id]
    drawings = dict(wish.drawings)
    seen: set[str] = set()
    for catalogue in _catalogues(job, wish, skipped):
        for patient, study, series in _series_of(catalogue):
            if series.key in seen or series.geometry is None or series.times != 1:
                continue
            seen.add(series.key)
            offer = offer_of(card, series)
            here = tuple(entry for entry in own if entry.series == series.key)
            if offer.fits and (here or role_of(series)[0] == offer.role):
                drawn = drawings[series.key] if series.key in drawings else _drawn(wish, series)
                regions = tuple(one for one in drawn if one.kind in CLOSED and one.is_finished)
                yield _Read(patient, study, series, offer.role, here, regions)


def _catalogues(
    job: Progress, wish: LocalWish, skipped: list[tuple[str, str]]
) -> Iterator[Catalogue]:
    yield wish.open_now
    for path in wish.paths:
        job.check()
        job.report(0, 1, "looking through what was opened before")
        try:
            yield scan(job, (path,))
        except MedviewError as error:
            skipped.append(("" if wish.private else path.name, error.what))


def _series_of(catalogue: Catalogue) -> Iterator[tuple[Patient, Study, Series]]:
    for patient in catalogue.patients:
        for study in patient.studies:
            for series in study.series:
                yield patient, study, series


def _drawn(wish: LocalWish, series: Series) -> tuple[Measurement, ...]:
    """What was drawn on a series when it was last open; nothing where that is damaged."""
    if wish.workspaces is None:
        return ()
    try:
        kept = read_workspace(wish.workspaces, hashed(series.study_key))
    except DataError:
        return ()
    here = hashed(series.key)
    return tuple(each.drawing for each in kept.drawings if each.series == here) if kept else ()


# -- one case --------------------------------------------------------------------------------


def _case(job: Progress, wish: LocalWish, store: ResultStore | None, read: _Read) -> LocalCase:
    label, cells, wrong = Labelled("no answer yet"), {read.role: str(read.series.files[0])}, ""
    try:
        answers = _newest_answers(job, store, read)
        label = _label(wish, read, answers)
        if label.cells:
            cells = _files(wish.out, read, label, answers)
    except MedviewError as error:
        wrong = f"{error.what}. {error.do}".strip()
    line = {**_who(wish, read), **cells, **label.cells}
    usable = bool(label.cells) and not wrong
    doubt = None if label.cells or wrong else _doubt(wish, store, read)
    return LocalCase(
        read.case, read.patient.key, _shown(wish, read), tuple(line.items()), label.words, usable,
        wrong, None if doubt is None else doubt.value, "" if doubt is None else doubt.why,
    )  # fmt: skip


def _doubt(wish: LocalWish, store: ResultStore | None, read: _Read) -> Doubt | None:
    """How unsure the newest result about a case is; None where the model was not run on it."""
    if store is None or not read.entries:
        return None
    model = wish.model.removesuffix("-armed")
    with suppress(MedviewError):  # a damaged result only says nothing of the order
        found = {one.name: one for one in store.scores(read.entries[-1].id)}
        score = found.get(SCORES.get(model, ""))
        return None if score is None else doubt_of(model, score.value, score.low, score.high)
    return None


def in_order(cases: Sequence[LocalCase]) -> tuple[LocalCase, ...]:
    """Labelled cases as they were found, then those to label next, then those nobody has run."""
    return tuple(
        sorted(cases, key=lambda one: (not one.is_labelled, one.doubt is None, -(one.doubt or 0)))
    )


def _who(wish: LocalWish, read: _Read) -> dict[str, str]:
    age = read.patient.age_at(read.study)
    return {
        "case": read.case,
        "patient": read.patient.key,
        "site": "" if wish.private else read.series.institution,
        "sex": read.patient.sex if read.patient.sex in ("F", "M") else "",
        "age_years": "" if age is None else f"{age:.1f}",
    }


def _shown(wish: LocalWish, read: _Read) -> str:
    who = read.patient.key if wish.private else read.patient.id or read.patient.key
    what = series_words(read.series, read.patient) if wish.private else read.series.description
    when = date_words(read.study.date) if read.study.date else ""
    return " · ".join(part for part in (who, when, what) if part)


def _newest_answers(job: Progress, store: ResultStore | None, read: _Read) -> _Answers | None:
    if store is None:
        return None
    for entry in reversed(read.entries):
        said = store.answers(entry.id)
        if said:
            return _Answers(entry, store.load(job, entry).prediction, said)
    return None


def _label(wish: LocalWish, read: _Read, answers: _Answers | None) -> Labelled:
    prediction = answers.prediction if answers is not None else None
    said = answers.said if answers is not None else ()
    if read.role == "film":
        return label_of_film(prediction, said, states=wish.states)
    return label_of_brain(prediction, said, read.drawn, states=wish.states)


def _files(out: Path, read: _Read, label: Labelled, answers: _Answers | None) -> dict[str, str]:
    """The image and, where there is one, the mask of a case; the image is decoded.

    Raises
    ------
    MedviewError
        If it cannot be read, or is not what was answered about any more.
    """
    volume = load(Silent(), read.series)
    if answers is not None and volume_sha256(volume) != answers.entry.sha256:
        raise DataError(
            "the file holds other pixels than those that were answered about",
            file=read.series.files[0].name,
            do="Run the model on it again.",
        )
    cells = {read.role: str(_image(out, read, volume))}
    mask = mask_of(label, answers.prediction if answers is not None else None, volume.geometry)
    if mask is not None:
        path = out / MASKS / f"{read.case}{_SUFFIX}"
        own_folder(path.parent)
        nifti.write(Volume(mask, volume.geometry), path)
        cells["mask"] = str(path)
    return cells


def _image(out: Path, read: _Read, volume: Volume) -> Path:
    """The file, or the folder of the series alone; else a copy that can be named."""
    files = read.series.files
    first = files[0].absolute()
    if first.is_file():
        if len(files) == 1 and _is_alone(first, read.series):
            return first
        if {path.absolute() for path in files} == set(first.parent.iterdir()) and _is_alone(
            first.parent, read.series
        ):
            return first.parent
    path = out / IMAGES / f"{read.case}{_SUFFIX}"
    own_folder(path.parent)
    nifti.write(volume, path)
    return path


def _is_alone(path: Path, series: Series) -> bool:
    """Whether a path names this series and no other."""
    return [each.key for each in scan(Silent(), (path,)).all_series()] == [series.key]
