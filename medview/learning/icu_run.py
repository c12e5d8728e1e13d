"""A stay, with or without its film, to its Prediction. Runs in the compute child."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.errors import ModelInputError
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction, RunRequest
from medview.domain.progress import Progress
from medview.domain.variable_names import variable_name
from medview.domain.volume import Note
from medview.domain.wording import counted
from medview.learning.devices import choose_device
from medview.learning.icu_draws import samples_of
from medview.learning.icu_evidence import film_map, shown
from medview.learning.icu_films import features_of, seen_map, steps_of
from medview.learning.icu_grid import Events, clean, discretise
from medview.learning.icu_model import IcuModel, load_icu
from medview.learning.icu_one_stay import OneStay
from medview.learning.icu_readings import reading_of
from medview.learning.icu_scores import RISKS, Given, scores_of
from medview.learning.icu_series import MASS, Series, read_series
from medview.learning.icu_site_card import sites_of
from medview.learning.icu_unit_told import unit_told
from medview.learning.icu_variables import VariableMap
from medview.learning.run_stamp import stamped
from medview.learning.site_effects import GivenSite

_MOST_NAMES = 40
_MOST_IMPUTED = 12
"""Of columns that are not used; a table may have thousands."""


def run_icu(job: Progress, request: RunRequest) -> Prediction:
    """Risk of death with its course, phenotypes, and what series and film contribute.

    Raises
    ------
    ModelInputError
        Neither a series nor a film that these weights can use.
    DataError
        The table of the series is broken: row and column are named.
    WeightsError
        Weights missing, damaged or foreign.
    """
    began = time.perf_counter()
    device = choose_device("cpu" if request.device == "auto" else request.device)
    model, card = load_icu(Path(request.weights) if request.weights else None, name=request.model)
    given = _given(request, model, card)
    job.check()
    samples = samples_of(request.samples, card)
    sites = tuple(sites_of(model))
    request = replace(request, site=given.site)
    scores, trace = scores_of(job, model, given, samples, request)
    notes = GivenSite(request.site, sites).notes("the risk") if sites else ()
    maps = _maps(job, request, model, card, given)
    used = {"series"} if "series" in request.tables else set()
    used |= {"film"} if given.film is not None else set()
    told = {
        "samples": samples,
        "age_years": request.age_years,
        "sex": request.sex,
        "film_hour": given.film_hour if given.film is not None else None,
        "site": request.site if sites else None,
    }
    parameters = {name: value for name, value in told.items() if value is not None}
    return replace(
        stamped(card, request, began, scores, parameters, used, device=device, mode="whole"),
        maps=maps,
        trace=trace,
        preparation=given.steps,
        warnings=(*notes, *given.notes),
    )


def _maps(
    job: Progress, request: RunRequest, model: IcuModel, card: ModelCard, given: Given
) -> tuple[ScalarMap, ...]:
    """The film as the model saw it, and where on it the risk comes from.

    The latter only where the card says that such maps can be believed.
    """
    if given.film is None:
        return ()
    volume = request.volumes["film"]
    seen = seen_map(volume, equalise=model.clahe)
    risk = next((model.parts[name] for name in RISKS if name in model.parts), None)
    if risk is None or not shown(card.settings):
        return (seen,)
    stay = OneStay.of(given.grid, model, risk, given.film, given.film_hour)
    return (film_map(job, model, risk.name, stay, volume), seen)


def _given(request: RunRequest, model: IcuModel, card: ModelCard) -> Given:
    """The table and the film of a stay as the model takes them, with what was found odd."""
    variables = model.variables
    volume = request.volumes.get("film") if model.uses_film else None
    table = request.tables.get("series")
    if table is None and volume is None:
        raise _nothing_given(model, card)
    found = _Found(Events.of([]), request.site)
    if table is not None:
        found = _of_table(request, model, Path(table))
        if not found.events.hours.size and volume is None:
            raise _nothing_left(Path(table), found.notes)
    film, steps, notes = None, [*card.preparation, *found.steps], list(found.notes)
    if volume is not None:
        film = features_of(volume, equalise=model.clahe)
        steps += steps_of(volume, equalise=model.clahe)
    hours = max([*found.events.hours.tolist(), request.film_hour or 0.0, variables.bin_hours])
    limit = variables.longest * variables.bin_hours
    if hours > limit:
        who = "the series reaches" if film is None else "series and film reach"
        text = f"{who} hour {hours:g}; the model takes the first {limit:g} h"
        notes.append(Note("OUTSIDE_TRAINING", text))
    hour = request.film_hour or 0.0
    if film is not None and request.film_hour is None:
        hour = hours
        notes.append(Note("NO_FILM_HOUR", "the hour of the film is not known; taken as the last"))
    grid = discretise(found.events, variables, hours)
    return Given(grid, film, hour, tuple(notes), tuple(steps), found.site)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a table tells: its values, the site, what was odd, and what was done to it."""

    events: Events
    site: str | None
    notes: Sequence[Note] = ()
    steps: Sequence[str] = ()


def _of_table(request: RunRequest, model: IcuModel, table: Path) -> _Found:
    variables = model.variables
    told = unit_told(read_series(table, variables), variables)
    site, steps = request.site, []
    if site is None and told.sites and (site := told.among(sites_of(model))):
        steps.append(f"site: {site}, as the table says")
    series = told.series
    events = _with_patient(series.events(variables, table.name), variables, request)
    events, said = clean(events, variables)
    notes = [*_notes(series, variables, events, said), *_odd_rows(series)]
    return _Found(events, site, notes, steps)


def _nothing_given(model: IcuModel, card: ModelCard) -> ModelInputError:
    wanted = "a time series or a film" if model.uses_film else "a time series"
    return ModelInputError(
        f"{card.title} {card.version} needs {wanted}",
        do="Give the table of a stay (CSV with hours and variables) as its input.",
        code="MV-MOD-004",
    )


def _nothing_left(table: Path, notes: Sequence[Note]) -> ModelInputError:
    """What is said of a table of which no value can be used: why each kind was left out."""
    why = [note.text for note in notes if note.code == "OUT_OF_RANGE"]
    return ModelInputError(
        "none of its values can be used" + (f": {'; '.join(why)}" if why else ""),
        file=table.name,
        do="Give the values in the units that the model knows.",
        code="MV-DAT-164",
    )


def _with_patient(events: Events, variables: VariableMap, request: RunRequest) -> Events:
    """Age and sex from outside the table, where the table does not say them."""
    known = {"age": request.age_years, "gender": {"F": 0.0, "M": 1.0}.get(request.sex or "")}
    rows = [
        (0.0, variables.codes[name], value)
        for name, value in known.items()
        if value is not None
        and name in variables.codes
        and not (events.codes == variables.codes[name]).any()
    ]
    more = Events.of(rows)
    return Events(
        np.concatenate([events.hours, more.hours]),
        np.concatenate([events.codes, more.codes]),
        np.concatenate([events.values, more.values]),
    )


def _notes(
    found: Series, variables: VariableMap, events: Events, said: dict[str, int]
) -> list[Note]:
    notes = [
        Note(
            "UNIT" if "converted" in text else "OUT_OF_RANGE", f"{text} ({counted(count, 'value')})"
        )
        for text, count in (found.converted(variables) | said).items()
    ]
    if unsure := found.unsure(variables):
        names = ", ".join(unsure[:_MOST_NAMES])
        text = f"no unit is told of {names}, beside others in mmol/l or umol/l; taken as {MASS}"
        notes.append(Note("UNIT", text))
    notes += _unused(found, variables)
    seen = {variables.variables[code].name for code in np.unique(events.codes).tolist()}
    absent = [v.name for v in variables.variables if v.name not in seen]
    if absent:
        more = " ..." if len(absent) > _MOST_IMPUTED else ""
        # A name may have a comma of its own, such as "Mean BP, cuff".
        names = f"imputed: {'; '.join(map(variable_name, absent[:_MOST_IMPUTED]))}{more}"
        text = f"{len(absent)} of {len(variables.variables)} variables are not there and are"
        notes.append(Note("IMPUTED", f"{text} {names}"))
    return notes


def _unused(found: Series, variables: VariableMap) -> list[Note]:
    """The columns that the model takes nothing from, and what would make a unit known."""
    notes = []
    ignored = {name: reading_of(name, variables).wanted for name in found.ignored(variables)}
    if strange := [name for name, unit in ignored.items() if unit is None]:
        more = f" and {len(strange) - _MOST_NAMES} more" if len(strange) > _MOST_NAMES else ""
        text = f"not used: {', '.join(strange[:_MOST_NAMES])}{more}"
        notes.append(Note("IGNORED_COLUMNS", text))
    for name, unit in ignored.items():
        if unit is not None:
            do = f"; give it in {unit}" if unit else ""
            text = f"not used: {name}, whose unit is not known{do}"
            notes.append(Note("IGNORED_COLUMNS", text))
    return notes


def _odd_rows(found: Series) -> list[Note]:
    """What was odd in how the table is written, each kind once with its count."""
    notes = []
    if found.commas:
        were = "was" if found.commas == 1 else "were"
        text = f"{counted(found.commas, 'number')} with a decimal comma {were} read as such"
        notes.append(Note("DECIMAL_COMMA", text))
    if found.limits:
        first, count = next(iter(found.limits.values())), len(found.limits)
        what = "value is a limit" if count == 1 else "values are limits"
        text = f'{count} {what} of what was measured ("{first}"); the limit was taken'
        notes.append(Note("LIMIT", text))
    if found.before:
        verb = "lies" if found.before == 1 else "lie"
        text = f"{counted(found.before, 'row')} {verb} before admission; nothing of it is used"
        notes.append(Note("BEFORE_ADMISSION", text))
    if found.twice:
        values = f"{counted(found.twice, 'value')} {'is' if found.twice == 1 else 'are'}"
        text = f"{values} told again for the same time; each counts once"
        notes.append(Note("DUPLICATE", text))
    return notes
