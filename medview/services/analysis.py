"""Run models on what is open; keep each result under the pixels it is about."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.errors import OUT_OF_MEMORY, MedviewError, WeightsError
from medview.domain.geometry import Geometry
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.prediction import InputRef, MapSlices, Precision, Prediction, RunRequest
from medview.domain.study import Series
from medview.domain.volume import Volume
from medview.io.cards import read_card
from medview.services.job import Listener
from medview.services.jobs import Job, Jobs
from medview.services.layering import first_style
from medview.services.library import called
from medview.services.offers import Offer, age_at, offer, offer_tables, shipped_cards
from medview.services.session import Message, Session, Unfinished, VolumeId, Way
from medview.services.settings import Preferences
from medview.services.shelf import Shelf
from medview.services.takes import Estimate, free_memory_mb, measured
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.versions import CARD, Version, located, versions

PREDICT = "medview.learning.predict:run"
DEVICES = "medview.learning.devices:devices_here"
# Slices that arrive are put on screen this often: more would only keep the window busy.
SHOW_EVERY_S = 0.1
# Of slices that had to wait for their map, so many are put there with each that comes.
_SLICES_AT_ONCE = 8
# A blank map of so many voxels is made at once.
_SMALL_VOXELS = 1 << 22
# What a result tells of the choices that it was made with, by the names of both.
_TOLD = ("samples", "alpha", "age_years", "sex", "site", "film_hour")
_UNCERTAINTIES = ("epistemic", "aleatoric", "total")


def run_model(jobs: Jobs, request: RunRequest, *, progress: Listener | None = None) -> Prediction:
    """Run a model and wait for what it says. Raises a MedviewError."""
    return cast(Prediction, jobs.call("compute", PREDICT, request, progress=progress))


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reader may choose of a run; None is the card's own or the settings' value.

    `without` names inputs that are there and are left out, `batch` is how many slices are
    computed at once, `maps` names maps that are made only on demand.
    """

    samples: int | None = None
    alpha: float | None = None
    seed: int = 0
    precision: Precision = "float32"
    device: str | None = None
    threads: int | None = None
    age_years: float | None = None
    sex: str | None = None
    site: str | None = None
    film_hour: float | None = None
    weights: str | None = None
    without: tuple[str, ...] = ()
    batch: int | None = None
    maps: tuple[str, ...] = ()


class Analysis:
    """Offers models for the series on screen, runs them and files their results."""

    def __init__(
        self,
        jobs: Jobs,
        session: Session,
        preferences: Preferences,
        *,
        weights: Path | None = None,
        own: Path | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self._shelf = shelf
        self._jobs = jobs
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self._weights = weights
        self._own = own
        self._cards: tuple[ModelCard, ...] | None = None
        self._chosen: dict[str, tuple[str, Choices]] = {}

    def warm(self) -> Job:
        """Have the compute child load what models need, before the first run."""
        return self._jobs.warm("compute", PREDICT.partition(":")[0])

    def ask_devices(self, done: Callable[[tuple[tuple[str, str], ...]], object]) -> Job:
        """Ask the compute child which devices there are: (value, name) of each."""
        return self._jobs.run("compute", DEVICES, done=done)

    def estimate(self, model: str, samples: int | None = None) -> Estimate | None:
        """What a run on the volume on screen will take with so many passes (None: the card's).

        From the last run of the model here, else as measured elsewhere; None where neither is.
        """
        volume = self._session.volume
        size = math.prod(volume.geometry.shape) if volume is not None else 0
        card = next((each for each in self.cards() if self.key_of(each) == model), None)
        usual = card.settings.get("samples") if card is not None else None
        passes = samples or (usual if isinstance(usual, int) else 0)
        name = model.partition("@")[0]
        here = self._shelf.estimate(name, size, passes) if self._shelf is not None else None
        return here or measured(name, size, passes)

    def cards(self) -> tuple[ModelCard, ...]:
        """The cards of the models there are, read once."""
        if self._cards is None:
            self._cards = shipped_cards(self._weights)
        return self._cards

    def key_of(self, card: ModelCard) -> str:
        """What a model is called: its id, or "ID@VERSION" where the id means another version."""
        first = next((each for each in self.cards() if each.id == card.id), card)
        return card.id if first.version == card.version else f"{card.id}@{card.version}"

    def card_of(self, prediction: Prediction) -> ModelCard | None:
        """The card of the version that gave a result, else of its model; None of unknown ones."""
        same = [each for each in self.cards() if each.id == prediction.model]
        fitting = [each for each in same if each.version == prediction.version]
        own = [] if fitting else [each.card for each in self._own_versions(prediction)]
        return next(iter((*fitting, *own, *same)), None)

    def _own_versions(self, prediction: Prediction) -> list[Version]:
        """The reader's own version that gave a result, if it is still there."""
        every = versions(prediction.model, shipped=self._weights, own=self._own)
        return [each for each in every if each.own and each.card.version == prediction.version]

    def offers(self) -> tuple[Offer, ...]:
        """Every model: whether it fits the series on screen, and if not, why not."""
        series, volume = self._session.series, self._session.volume
        tables = frozenset(self._session.tables)
        if series is None or volume is None:
            if series is None and tables:
                return tuple(offer_tables(card, tables) for card in self.cards())
            return tuple(Offer(card, why_not="no series is open") for card in self.cards())
        return tuple(offer(card, series, volume, tables) for card in self.cards())

    def run(self, model: str, choices: Choices = Choices()) -> Job | None:
        """Run a model on the series on screen; None and a message where it does not fit.

        Its maps fill slice by slice while it runs, on that series and no other. A newer result
        of the same version on the same pixels replaces the older one; of another version both
        stand.
        """
        session = self._session
        chosen = next((o for o in self.offers() if self.key_of(o.card) == model), None)
        if chosen is None:
            session.message = Message(f"There is no model called {model}.", "error")
            return None
        if not chosen.fits:
            session.message = Message(f"{chosen.card.title} {chosen.why_not}.", "error")
            return None
        about, series, volume = session.volume_id, session.series, session.volume
        if about is None or (series is None) != (volume is None):
            session.message = Message("The series is still being read. Try again in a moment.")
            return None
        if "@" in model and choices.weights is None:
            choices = replace(choices, weights=str(located(model, shipped=self._weights).weights))
        card = _card_beside(choices.weights) or chosen.card
        run = _Run(session, card, about, volume.geometry if volume is not None else None)
        self._chosen[run.key[1]] = (model, choices)
        run.done = lambda made: self._keep(made, about, series, card, (model, choices))
        run.asked = choices.maps
        run.clear()
        errand = Errand(
            chosen.card.title,
            "compute",
            PREDICT,
            (self._request(chosen, choices, series, volume),),
            about=called(session, series) if series is not None else "",
            key=f"run {model} {about}",
        )
        # Evidence of a film stays closed until it is asked for.
        if self._preferences.settings.show_overlay and _fills_a_map(chosen.card):
            session.overlay_on = True
        session.running = session.running | {run.key}
        answers = Answers(
            run.finish, run.fail, run.fill, lambda error: self._ways(error, model, choices)
        )
        return self._tasks.run(errand, answers)

    def _ways(self, error: MedviewError, model: str, choices: Choices) -> tuple[Way, ...]:
        """Where memory ran out: what is needed and free, and to try with less or on the CPU."""
        if error.code != OUT_OF_MEMORY:
            return ()
        free, told = free_memory_mb(), self.estimate(model, choices.samples)
        sizes = [f"a run needs about {told.peak_memory_mb / 1000:.1f} GB"] if told else []
        sizes += [f"{free / 1000:.1f} GB are free"] if free is not None else []
        words = "; ".join(sizes)
        error.do = f"{words[:1].upper()}{words[1:]}. {error.do}" if words else error.do
        smaller = replace(choices, batch=1)
        ways = [Way("Smaller batch", lambda: self.run(model, smaller))]
        if (choices.device or self._preferences.settings.device) != "cpu":
            on_cpu = replace(smaller, device="cpu")
            ways.append(Way("CPU", lambda: self.run(model, on_cpu)))
        return tuple(ways)

    def request(self, model: str, weights: Path, choices: Choices = Choices()) -> RunRequest | None:
        """A run of these weights on the series on screen; None where the model does not fit it."""
        session = self._session
        chosen = next((o for o in self.offers() if o.card.id == model and o.fits), None)
        if chosen is None or session.volume_id is None:
            return None
        if session.series is None or session.volume is None:
            return None
        asked = self._request(chosen, choices, session.series, session.volume)
        return replace(asked, weights=str(weights))

    def again(self, result: str, **changes: object) -> Job | None:
        """Run once more with some choices changed, such as the age or the site.

        `result` is the key of a result on screen, "ID@VERSION"; what is not changed is as it was
        when that one was made.
        """
        made = next((each for each in self._session.results if each.key == result), None)
        if result in self._chosen or made is None:
            key, before = self._chosen.get(result, (result.partition("@")[0], Choices()))
        else:
            key, before = self._as_made(made)
        return self.run(key, replace(before, **changes))  # type: ignore[arg-type]  # checked by replace

    def _as_made(self, made: Prediction) -> tuple[str, Choices]:
        """What was chosen for a result of an earlier start, as far as the result tells."""
        told = {name: made.parameters.get(name) for name in _TOLD}
        maps = made.parameters.get("maps")
        own = self._own_versions(made)
        shipped = [each for each in self.cards() if (each.id, each.version) == _names(made)]
        choices = Choices(
            seed=made.seed,
            precision=made.dtype if made.dtype in get_args(Precision) else "float32",  # type: ignore[arg-type]  # one of its values
            weights=str(own[0].weights) if own and not shipped else None,
            maps=tuple(str(name) for name in maps) if isinstance(maps, list) else (),
            **{name: value for name, value in told.items() if value is not None},  # type: ignore[arg-type]  # as the runs tell them
        )
        return (self.key_of(shipped[0]) if shipped else made.model), choices

    def _keep(
        self,
        made: Prediction,
        about: VolumeId,
        series: Series | None,
        card: ModelCard,
        chosen: tuple[str, Choices],
    ) -> None:
        """Have a finished result filed, so that it is there at the next start."""
        self._chosen[made.key] = chosen
        if self._shelf is not None:
            self._shelf.keep(about, made, series, card)

    def _request(
        self, chosen: Offer, choices: Choices, series: Series | None, volume: Volume | None
    ) -> RunRequest:
        """Everything that may change the answer, in one value."""
        settings = self._preferences.settings
        owner = self._session.catalogue.owner(series) if series is not None else None
        patient, study = owner if owner is not None else (None, None)
        age = age_at(patient.birth_date, study.date) if patient and study else None
        taken = [role for role in chosen.tables if role not in choices.without]
        tables = [self._session.tables[role] for role in taken]
        role = chosen.role if chosen.role not in choices.without else ""
        images = (self._input(role, series, volume),) if role and series and volume else ()
        return RunRequest(
            model=chosen.card.id,
            volumes={role: volume} if role and volume is not None else {},
            tables={each.role: str(each.path.absolute()) for each in tables},
            inputs=(*images, *(each.given for each in tables)),
            samples=choices.samples,
            alpha=choices.alpha,
            device=choices.device or settings.device,
            threads=choices.threads or settings.threads or None,
            seed=choices.seed,
            precision=choices.precision,
            weights=choices.weights,
            age_years=choices.age_years if choices.age_years is not None else age,
            sex=choices.sex or (patient.sex if patient else None),
            site=choices.site,
            film_hour=choices.film_hour,
            batch=choices.batch,
            maps=choices.maps,
        )

    def _input(self, role: str, series: Series, volume: Volume) -> InputRef:
        about = self._session.volume_id
        k, j, i = volume.geometry.shape
        sha256 = about.sha256 if about is not None else ""
        return InputRef(role, series.study_uid, series.uid, series.stack, sha256, (i, j, k))


class _Run:
    """Takes in what one run says: slices as they come, then the result, or nothing."""

    def __init__(
        self, session: Session, card: ModelCard, about: VolumeId, geometry: Geometry | None
    ) -> None:
        self.done: Callable[[Prediction], object] = lambda made: None
        self.asked: tuple[str, ...] = ()
        self._session = session
        self._card = card
        self._about = about
        self._geometry = geometry
        self._arrays: dict[str, NDArray[np.float32]] = {}
        fills = geometry is not None and _fills_a_map(card)
        self._blank = _Blank(geometry.shape) if geometry is not None and fills else None
        self._early: list[MapSlices] = []
        self._highest: dict[str, float] = {}
        self._shown_at = -math.inf

    @property
    def key(self) -> tuple[VolumeId, str]:
        """Pixels and version, as in ``session.running``."""
        return self._about, f"{self._card.id}@{self._card.version}"

    def clear(self) -> None:
        """Take away slices of a run of this model on these pixels."""
        unfinished = self._session.unfinished
        if unfinished is None or unfinished.model != self._card.id:
            return
        if unfinished.about == self._about:
            self._session.unfinished = None

    def fill(self, part: object) -> None:
        """Put slices into their map; shown a few times a second."""
        if not isinstance(part, MapSlices) or self._geometry is None:
            return
        self._early.append(part)
        for each in self._early[:_SLICES_AT_ONCE]:
            if not self._put(each):
                return
            self._early.pop(0)
        if time.monotonic() - self._shown_at >= SHOW_EVERY_S:
            self._shown_at = time.monotonic()
            self._session.unfinished = Unfinished(
                self._about,
                self._card.id,
                tuple(self._map(name, self._geometry) for name in self._arrays),
                self._card.settings,
            )

    def _put(self, part: MapSlices) -> bool:
        """Put slices into their map; False while there is none yet."""
        assert self._geometry is not None
        if part.name not in self._arrays:
            self._blank = self._blank or _Blank(self._geometry.shape)
            if not self._blank.is_ready:
                return False
            self._arrays[part.name], self._blank = self._blank.array(), None
        slices = np.moveaxis(self._arrays[part.name], part.axis, 0)
        slices[part.first : part.first + len(part.array)] = part.array
        self._highest[part.name] = max(_highest(part.array), self._highest.get(part.name, 0.0))
        return True

    def finish(self, prediction: Prediction) -> None:
        """File a result under its own pixels, in place of an older one of its version."""
        session, about = self._session, self._about
        older = session.predictions.get(about, ())
        kept = tuple(result for result in older if result.key != prediction.key)
        with session.together():
            self.clear()
            session.predictions = {**session.predictions, about: (*kept, prediction)}
            session.styles = _with_ranges_of(prediction, session.styles)
            session.finding = None
            session.running = session.running - {self.key}
            if session.volume_id == about:
                self._show(prediction)
        self.done(prediction)

    def _show(self, prediction: Prediction) -> None:
        """Show a map that somebody asked for and waited for; else the one that was chosen."""
        session = self._session
        there = [name for name in self.asked if prediction.map(name) is not None]
        if there:
            session.map_name, session.overlay_on = there[0], True
        elif session.map(session.map_name) is None:
            session.map_name = "score"

    def fail(self, error: MedviewError) -> None:
        """Leave nothing of a run that did not end well."""
        self._session.running = self._session.running - {self.key}
        self.clear()

    def _map(self, name: str, geometry: Geometry) -> ScalarMap:
        output = next((o for o in self._card.outputs if o.name == name), None)
        top = self._card.settings.get("top") if name == "score" else None
        high = float(top) if isinstance(top, int | float) else self._highest[name]
        return ScalarMap(
            name,
            self._arrays[name].view(),
            geometry,
            "uncertainty" if name in _UNCERTAINTIES else "anomaly",
            unit=output.unit if output is not None else "1",
            range=(0.0, high or 1.0),
        )


def _highest(values: NDArray[np.float32]) -> float:
    """The highest value that is a number and not infinite; 0 where there is none."""
    found = float(np.fmax.reduce(values, axis=None, initial=-np.inf))
    if not math.isfinite(found):
        found = float(np.max(values, where=np.isfinite(values), initial=-np.inf))
    return found if math.isfinite(found) else 0.0


class _Blank:
    """An array of NaN that is filled on a thread of its own: a large one takes half a second."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._made: NDArray[np.float32] | None = None
        self._thread = threading.Thread(target=self._fill, name="medview-blank", daemon=True)
        self._thread.start()
        if math.prod(shape) < _SMALL_VOXELS:
            self._thread.join()

    @property
    def is_ready(self) -> bool:
        """Whether nobody would have to wait for it."""
        return not self._thread.is_alive()

    def _fill(self) -> None:
        self._made = np.full(self._shape, np.nan, dtype=np.float32)

    def array(self) -> NDArray[np.float32]:
        """The array; waits for it, should it not be there yet."""
        self._thread.join()
        if self._made is None:
            raise MemoryError("no room for a map")
        return self._made


def _card_beside(weights: str | None) -> ModelCard | None:
    """The card of weights of the reader's own; None for the shipped ones, or a damaged card."""
    try:
        return read_card(Path(weights).with_name(CARD)) if weights else None
    except WeightsError:
        return None  # the run itself will say so


def _names(made: Prediction) -> tuple[str, str]:
    return made.model, made.version


def _fills_a_map(card: ModelCard) -> bool:
    """Whether the model's answer is a map, and not a score with a map behind it."""
    return any(each.name == "score" and each.kind == "map" for each in card.outputs)


def _with_ranges_of(prediction: Prediction, styles: dict[str, LayerStyle]) -> dict[str, LayerStyle]:
    """Styles with range and threshold of new maps: those of an older run may not suit them."""
    fresh = {found.name: first_style(found, prediction.parameters) for found in prediction.maps}
    return {
        name: replace(style, range=fresh[name].range, threshold=fresh[name].threshold)
        if name in fresh
        else style
        for name, style in styles.items()
    }
