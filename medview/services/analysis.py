"""Run models on what is open; keep each result under the pixels it is about."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from medview.domain.card import ModelCard
from medview.domain.errors import OUT_OF_MEMORY, MedviewError
from medview.domain.prediction import InputRef, Prediction, RunRequest
from medview.domain.study import Series
from medview.domain.volume import Note, Volume
from medview.services.calling import called
from medview.services.choices import USUAL, Choices, choices_of, site_of
from medview.services.filling import Filling, fills_a_map
from medview.services.job import Listener
from medview.services.jobs import Job, Jobs
from medview.services.model_library import ModelLibrary
from medview.services.offers import (
    Offer,
    doubt_of,
    notes_against,
    offer,
    offer_tables,
    role_by_name,
)
from medview.services.session import Session
from medview.services.session_values import Message, VolumeId, Way
from medview.services.settings import Preferences
from medview.services.shelf import Shelf
from medview.services.table_fit import READABLE, why_foreign
from medview.services.takes import Estimate, free_memory_mb, may_have_gpu, measured
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.versions import Version

PREDICT = "medview.learning.predict:run"
DEVICES = "medview.learning.devices:devices_here"


def run_model(jobs: Jobs, request: RunRequest, *, progress: Listener | None = None) -> Prediction:
    """Run a model and wait for what it says. Raises a MedviewError."""
    return cast(Prediction, jobs.call("compute", PREDICT, request, progress=progress))


class Analysis:
    """Offers models for the series on screen, runs them and files their results."""

    def __init__(
        self,
        jobs: Jobs,
        session: Session,
        preferences: Preferences,
        *,
        models: ModelLibrary | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self._shelf = shelf
        self._jobs = jobs
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self._models = models or ModelLibrary(jobs, session, writer=preferences.writer)
        self._chosen: dict[str, tuple[str, Choices]] = {}
        self._devices: tuple[tuple[str, str], ...] | None = None

    def warm(self) -> Job:
        """Have the compute child load what models need, before the first run."""
        return self._jobs.warm("compute", PREDICT.partition(":")[0])

    def ask_devices(self, done: Callable[[tuple[tuple[str, str], ...]], object]) -> Job:
        """Ask the compute child which devices there are: (value, name) of each."""

        def found(devices: tuple[tuple[str, str], ...]) -> None:
            self._devices = devices
            done(devices)

        return self._jobs.run("compute", DEVICES, done=found)

    @property
    def _has_gpu(self) -> bool:
        """Whether a run may have been on a GPU; as the system says, until the child was asked."""
        if self._devices is None:
            return may_have_gpu()
        return any(value != "cpu" for value, _ in self._devices)

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
        """The cards of the models there are."""
        return tuple(each.card for each in self._models.shipped)

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
        every = self._models.versions(prediction.model)
        return [each for each in every if each.own and each.card.version == prediction.version]

    def offers(self) -> tuple[Offer, ...]:
        """Every model: whether it fits the series on screen, and if not, why not."""
        return tuple(self._offer(card) for card in self.cards())

    def _offer(self, card: ModelCard) -> Offer:
        series, volume = self._session.series, self._session.volume
        table = self._session.tables.get("series")
        foreign = why_foreign((card, *self._made_of(card)), table.record) if table else ""
        tables = frozenset(self._session.tables) - ({"series"} if foreign else set())
        if series is not None and volume is not None:
            made = offer(card, series, volume, tables)
        elif series is None and self._session.tables:
            made = offer_tables(card, tables)
        else:
            return Offer(card, why_not="no series is open", do="Open one.")
        is_its_own = any(spec.role == "series" for spec in card.inputs)
        if made.fits or not foreign or not is_its_own:
            return made
        return Offer(card, why_not=foreign, do=READABLE)

    def _made_of(self, card: ModelCard) -> list[ModelCard]:
        """The reader's own versions that stand beside a model in the list: those made from it.

        Of models that share an id the usual one has all others, too.
        """
        same = {each.weights_sha256 for each in self.cards() if each.id == card.id}
        usual = self.key_of(card) == card.id
        own = [each.card for each in self._models.versions(card.id) if each.own]
        return [
            each
            for each in own
            if each.parent == card.weights_sha256 or (usual and each.parent not in same)
        ]

    def run(self, model: str, choices: Choices = USUAL) -> Job | None:
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
            session.message = Message(f"{chosen.card.title} {chosen.words}", "error")
            return None
        about, series, volume = session.volume_id, session.series, session.volume
        if about is None or (series is None) != (volume is None):
            session.message = Message("The series is still being read. Try again in a moment.")
            return None
        if "@" in model and choices.weights is None:
            named = next(each for each in self._models.shipped if each.card is chosen.card)
            choices = replace(choices, weights=str(named.weights))
        card = self._card_beside(choices.weights) or chosen.card
        run = Filling(session, card, about, volume.geometry if volume is not None else None)
        self._chosen[run.key[1]] = (model, choices)
        image = called(session, series) if series is not None else ""

        def done(made: Prediction) -> None:
            self._keep(made, about, series, card, (model, choices))
            if not session.is_shown(about):
                session.message = Message(ready_words(card.title, image))

        run.done = done
        run.asked = choices.maps
        run.clear()
        errand = Errand(
            chosen.card.title,
            "compute",
            PREDICT,
            (self._request(chosen, choices, series, volume),),
            about=image,
            pixels=about,
            key=f"run {model} {about}",
        )
        # Evidence of a film stays closed until it is asked for.
        if self._preferences.settings.show_overlay and fills_a_map(chosen.card):
            session.overlay_on = True
        session.running = session.running | {run.key}
        again = partial(self._run_again, about, image, model)
        answers = Answers(
            run.finish, run.fail, run.fill, lambda error: self._ways(error, model, choices, again)
        )
        return self._tasks.run(errand, answers)

    def _run_again(self, about: VolumeId, named: str, model: str, choices: Choices) -> None:
        """Run as was offered after an error, on those pixels and on no others."""
        if self._session.volume_id == about:
            self.run(model, choices)
        else:
            words = f"{named} is not on screen any more. Show it, then run the model again."
            self._session.message = Message(words)

    def _card_beside(self, weights: str | None) -> ModelCard | None:
        """The card of weights that were chosen; None for the usual ones, or a damaged card."""
        every = self._models.versions() if weights else ()
        return next((each.card for each in every if str(each.weights) == weights), None)

    def _ways(
        self,
        error: MedviewError,
        model: str,
        choices: Choices,
        again: Callable[[Choices], object],
    ) -> tuple[Way, ...]:
        """Where memory ran out: what is needed and free, and to try `again` with less."""
        if error.code != OUT_OF_MEMORY:
            return ()
        free, told = free_memory_mb(), self.estimate(model, choices.samples)
        sizes = [f"a run needs about {told.peak_memory_mb / 1000:.1f} GB"] if told else []
        sizes += [f"{free / 1000:.1f} GB are free"] if free is not None else []
        words = "; ".join(sizes)
        error.do = f"{words[:1].upper()}{words[1:]}. {error.do}" if words else error.do
        smaller = replace(choices, batch=1)
        ways = [Way("Smaller batch", lambda: again(smaller))] if choices != smaller else []
        if (choices.device or self._preferences.settings.device) != "cpu" and self._has_gpu:
            on_cpu = replace(smaller, device="cpu")
            ways.append(Way("CPU", lambda: again(on_cpu)))
        return tuple(ways)

    def request(self, model: str, weights: Path, choices: Choices = USUAL) -> RunRequest | None:
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
        """Model and choices of a result of an earlier start, as far as the result tells."""
        own = self._own_versions(made)
        shipped = [each for each in self.cards() if (each.id, each.version) == _names(made)]
        weights = str(own[0].weights) if own and not shipped else None
        key = self.key_of(shipped[0]) if shipped else made.model
        return key, choices_of(made, weights)

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
        taken = [role for role in chosen.tables if role not in choices.without]
        tables = [self._session.tables[role] for role in taken]
        inputs = tuple(each.given for each in tables)
        role = chosen.role if chosen.role not in choices.without else ""
        image = volume if role else None
        notes: tuple[Note, ...] = ()
        if image is not None and series is not None:
            inputs = (self._input(role, series, image), *inputs)
            notes = _notes_on(role, series)
        age_years, sex = self._person(choices, series)
        settings, seed = self._preferences.settings, self._preferences.seed
        return RunRequest(
            model=chosen.card.id,
            volumes={role: image} if image is not None else {},
            tables={each.role: str(each.path.absolute()) for each in tables},
            inputs=inputs,
            samples=choices.samples,
            alpha=choices.alpha,
            device=choices.device or settings.device,
            threads=choices.threads or settings.threads or None,
            seed=choices.seed if choices.seed is not None else seed,
            precision=choices.precision,
            weights=choices.weights,
            age_years=age_years,
            sex=sex,
            site=site_of(choices.site, chosen.card, series),
            film_hour=choices.film_hour,
            batch=choices.batch,
            maps=choices.maps,
            notes=notes,
        )

    def _person(self, choices: Choices, series: Series | None) -> tuple[float | None, str | None]:
        """Age in years and sex: those chosen, else those that the series says."""
        owner = self._session.catalogue.owner(series) if series is not None else None
        if owner is None:
            return choices.age_years, choices.sex or None
        patient, study = owner
        said = patient.age_at(study)
        age_years = choices.age_years if choices.age_years is not None else said
        return age_years, choices.sex or patient.sex

    def _input(self, role: str, series: Series, volume: Volume) -> InputRef:
        about = self._session.volume_id
        k, j, i = volume.geometry.shape
        sha256 = about.sha256 if about is not None else ""
        return InputRef(role, series.study_uid, series.uid, series.stack, sha256, (i, j, k))


def _notes_on(role: str, series: Series) -> tuple[Note, ...]:
    """What its header says against the role that a series takes, or that it says nothing."""
    is_said = bool(role_by_name(series)[0])
    return (*notes_against(role, series), *(() if is_said else (doubt_of(role, series),)))


def _names(made: Prediction) -> tuple[str, str]:
    return made.model, made.version


def ready_words(title: str, image: str) -> str:
    """What is said when a model has finished with an image that is not on screen any more."""
    return f"{title}: the result of {image or 'that stay'} is there as soon as it is shown again."
