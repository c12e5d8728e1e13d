"""Run a model on what was named and write its result folder: one case, without a window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from medview.domain.card import ModelCard
from medview.domain.errors import MedviewError, UsageError
from medview.domain.exam import Exam
from medview.domain.prediction import Precision, Prediction, RunRequest, with_doubts
from medview.domain.study import Series
from medview.domain.volume import Note, Volume
from medview.io.atomic import whole_folder
from medview.services import library
from medview.services.analysis import run_model
from medview.services.choices import site_of
from medview.services.inputs import Gathered, Given, Wanted, gather
from medview.services.job import Listener
from medview.services.jobs import Jobs

WRITE = "medview.io.results:write_prediction"
UNUSED_SITE = "UNUSED_SITE"
"""The warning of a result for a site that was named to a model without effects of sites."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """All that may change the answer, beside model and input; None is the model's own choice.

    `age_years`, `sex` and `site` None take what the headers say.
    """

    samples: int | None = None
    alpha: float | None = None
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    precision: Precision = "float32"
    weights: Path | None = None
    age_years: float | None = None
    sex: str | None = None
    site: str | None = None
    film_hour: float | None = None
    maps: tuple[str, ...] = ()
    private: bool = False


def run_case(
    jobs: Jobs,
    card: ModelCard,
    wanted: Wanted,
    options: RunOptions,
    out: Path,
    *,
    progress: Listener | None = None,
) -> dict[str, Any]:
    """Run a model and write result.json, maps and tables into `out`; the body of result.json.

    Raises
    ------
    UsageError
        The model makes no map on demand of a name in the options.
    MedviewError
        As ``gather``, reading, running and writing do; nothing new stands at `out` then.
    """
    refuse_unknown_maps(card, options.maps)
    with whole_folder(out) as folder:
        found = gather(card, wanted, lambda place: library.scan(jobs, place, progress=progress))
        volumes = {
            each.role: library.load(jobs, each.series, progress=progress) for each in found.images
        }
        with _naming(found, private=options.private):
            request = _request(card, found, volumes, options)
            prediction = run_model(jobs, request, progress=progress)
        used = _shown(found, prediction)
        notes = [*found.notes, *(note for each in found.images for note in each.notes)]
        notes += [note for each in found.images for note in _times_left_out(each)]
        notes += _left_over(request, prediction)
        notes += _site_unused(card, options)
        prediction = replace(
            prediction,
            warnings=(*prediction.warnings, *notes),
            scores=with_doubts(prediction.scores, notes),
        )
        exam = _exam(used, private=options.private) if used else None
        image = volumes[used.role] if used else None
        written = jobs.call(
            "files", WRITE, prediction, folder, image, exam, card, progress=progress
        )
        return cast(dict[str, Any], written)


def refuse_unknown_maps(card: ModelCard, wanted: Sequence[str]) -> None:
    """Raise a UsageError for the name of a map that the model does not make on demand."""
    for name in wanted:
        if name not in card.on_demand:
            raise UsageError(
                f"{card.id} makes no map called {name} on demand",
                do=f"Ask for {', '.join(card.on_demand)}." if card.on_demand else "Leave it out.",
            )


def _shown(found: Gathered, prediction: Prediction) -> Given | None:
    """The image that the result is about: the first one that was used, if any was."""
    roles = [each.role for each in prediction.inputs]
    used = [each for each in found.images if each.role in roles]
    return min(used, key=lambda each: roles.index(each.role), default=None)


def _request(
    card: ModelCard, found: Gathered, volumes: Mapping[str, Volume], options: RunOptions
) -> RunRequest:
    first = found.images[0] if found.images else None
    patient, study = (first and first.catalogue.owner(first.series)) or (None, None)
    age = patient.age_at(study) if patient and study else None
    images = tuple(each.reference(volumes[each.role]) for each in found.images)
    return RunRequest(
        model=card.id,
        volumes=dict(volumes),
        tables={each.role: str(each.path.absolute()) for each in found.tables},
        inputs=(*images, *(each.reference() for each in found.tables)),
        samples=options.samples,
        alpha=options.alpha,
        device=options.device,
        threads=options.threads,
        seed=options.seed,
        precision=options.precision,
        weights=str(options.weights.absolute()) if options.weights else None,
        age_years=age if options.age_years is None else options.age_years,
        sex=options.sex or (patient.sex if patient else None),
        site=site_of(options.site, card, first.series if first else None),
        film_hour=options.film_hour,
        maps=options.maps,
    )


@contextmanager
def _naming(found: Gathered, *, private: bool) -> Iterator[None]:
    """Let an error that names no file name the first input."""
    try:
        yield
    except MedviewError as error:
        if not private and not error.file:
            series = found.images[0].series if found.images else None
            error.file = _name_of(series) if series else found.tables[0].path.name
        raise


def _name_of(series: Series) -> str:
    """What a reader knows an image by: its file, what it is called, or the folder it lies in."""
    first = series.files[0] if series.files else None
    if first is not None and len(series.files) == 1:
        return first.name
    return series.description or (first.parent.name if first is not None else "") or series.key


def _times_left_out(given: Given) -> list[Note]:
    """Which point in time of a series was read, where it has several."""
    times = given.series.times
    text = f"{given.role}: the series has {times} points in time; the first was used"
    return [Note("FIRST_TIME", text)] if times > 1 else []


def _left_over(request: RunRequest, prediction: Prediction) -> list[Note]:
    used = {each.role for each in prediction.inputs}
    spare = [each.role for each in request.inputs if each.role not in used]
    return [Note("UNUSED_INPUT", f"the model did not use {role}") for role in spare]


def _site_unused(card: ModelCard, options: RunOptions) -> list[Note]:
    if not (options.site or "").strip() or knows_sites(card):
        return []
    text = f"{card.title} has no effects of sites: the site that was named changes nothing"
    return [Note(UNUSED_SITE, text)]


def knows_sites(card: ModelCard) -> bool:
    """Whether the weights have effects of sites."""
    return bool(card.settings.get("sites"))


def _exam(given: Given, *, private: bool) -> Exam | None:
    """What the headers say of the examination; private: no words that may be a name or path."""
    owner = given.catalogue.owner(given.series)
    if owner is None:
        return None
    exam = Exam.of(*owner, given.series)
    return exam.in_private() if private else exam.without_identity()
