"""A stay, with or without its film, to its Prediction. Runs in the compute child."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.errors import ModelInputError
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction, RunRequest, Score, TracePoint
from medview.domain.progress import Progress
from medview.domain.volume import Note
from medview.learning.devices import choose_device
from medview.learning.icu_evidence import film_map, shown
from medview.learning.icu_films import features_of, seen_map, steps_of
from medview.learning.icu_grid import Events, Floats, Grid, clean, discretise
from medview.learning.icu_model import (
    Effects,
    IcuModel,
    OneStay,
    Part,
    Probabilities,
    attention,
    drawn,
    hourly,
    load_icu,
    shapley,
)
from medview.learning.icu_phenotypes import PHENOTYPES, phenotypes
from medview.learning.icu_series import Series, read_series
from medview.learning.icu_site_card import sites_of
from medview.learning.icu_stays import imputed_share, observed_until
from medview.learning.icu_variables import VariableMap
from medview.learning.run_stamp import stamped
from medview.learning.site_effects import GivenSite

DEFAULT_SAMPLES = 8
_RISKS = ("mortality", "icu_admission")
_MEANS = {
    "mortality": "probability of death in hospital, from what is known at the end of the series",
    "icu_admission": "probability of intensive care at some time of the illness (the target of "
    "the Hannover films); detection, not a forecast",
}
_NO_HEAD = "no part of these weights was trained for it"
_NO_FILM = "the film branch of these weights is not trained"
_FEW_OBSERVED = 0.02
"""Below this share of measured values the stay says next to nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a run was given, in bins."""

    grid: Grid
    film: Floats | None
    film_hour: float
    notes: tuple[Note, ...]
    steps: tuple[str, ...]


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
    samples = request.samples or int(str(card.settings.get("samples", DEFAULT_SAMPLES)))
    scores, trace = _said(job, model, given, samples, request)
    sites = tuple(sites_of(model))
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
    risk = next((model.parts[name] for name in _RISKS if name in model.parts), None)
    if risk is None or not shown(card.settings):
        return (seen,)
    stay = OneStay.of(given.grid, model, risk, given.film, given.film_hour)
    return (film_map(job, model, risk.name, stay, volume), seen)


def _given(request: RunRequest, model: IcuModel, card: ModelCard) -> Given:
    series, volume = request.tables.get("series"), request.volumes.get("film")
    if series is None and (volume is None or not model.uses_film):
        wanted = "a time series or a film" if model.uses_film else "a time series"
        raise ModelInputError(
            f"{card.title} {card.version} needs {wanted}",
            do='Give it with "--input series=FILE.csv".',
            code="MV-MOD-004",
        )
    variables, notes = model.variables, list[Note]()
    events = Events.of([])
    if series is not None:
        found = read_series(Path(series), variables)
        events = _with_patient(found.events(variables, Path(series).name), variables, request)
        events, said = clean(events, variables)
        notes += _notes(found, variables, events, said)
        if found.commas:
            text = f"{found.commas} numbers with a decimal comma were read as such"
            notes.append(Note("DECIMAL_COMMA", text))
        if found.before:
            noun = "row lies" if found.before == 1 else "rows lie"
            text = f"{found.before} {noun} before admission; nothing of it is used"
            notes.append(Note("BEFORE_ADMISSION", text))
        if found.twice:
            noun = "value is" if found.twice == 1 else "values are"
            text = f"{found.twice} {noun} told again for the same time; each counts once"
            notes.append(Note("DUPLICATE", text))
    steps = list(card.preparation)
    film = None
    if volume is not None and model.uses_film:
        film = features_of(volume, equalise=model.clahe)
        steps += steps_of(equalise=model.clahe)
    hour = request.film_hour
    hours = max([*events.hours.tolist(), hour or 0.0, variables.bin_hours])
    if hours > variables.longest * variables.bin_hours:
        limit = variables.longest * variables.bin_hours
        text = f"series and film reach hour {hours:g}; the model takes the first {limit:g} h"
        notes.append(Note("OUTSIDE_TRAINING", text))
    grid = discretise(events, variables, hours)
    if film is not None and hour is None:
        hour = hours
        notes.append(Note("NO_FILM_HOUR", "the hour of the film is not known; taken as the last"))
    return Given(grid, film, hour or 0.0, tuple(notes), tuple(steps))


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


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"


def _notes(
    found: Series, variables: VariableMap, events: Events, said: dict[str, int]
) -> list[Note]:
    notes = [
        Note("UNIT" if "converted" in text else "OUT_OF_RANGE", f"{text} ({_values(count)})")
        for text, count in said.items()
    ]
    ignored = found.ignored(variables)
    if ignored:
        notes.append(Note("IGNORED_COLUMNS", f"not used: {', '.join(ignored)}"))
    seen = {variables.variables[code].name for code in np.unique(events.codes).tolist()}
    absent = [v.name for v in variables.variables if v.name not in seen]
    if absent:
        text = f"{len(absent)} of {len(variables.variables)} variables are not there and are "
        notes.append(Note("IMPUTED", text + f"imputed: {', '.join(absent[:12])}"
                          + (" ..." if len(absent) > 12 else "")))  # fmt: skip
    return notes


def _said(
    job: Progress, model: IcuModel, given: Given, samples: int, request: RunRequest
) -> tuple[tuple[Score, ...], tuple[TracePoint, ...]]:
    """Scores in the order of the contract, and the course of the risk."""
    seed = request.seed
    share = imputed_share(given.grid, model.variables)
    thin = 1 - share < _FEW_OBSERVED
    scores: list[Score] = []
    trace: tuple[TracePoint, ...] = ()
    risk = next((model.parts[name] for name in _RISKS if name in model.parts), None)
    stay = None
    for name in _RISKS:
        part = model.parts.get(name)
        if part is None:
            if name == "mortality":
                scores.append(_missing(name, _NO_HEAD))
            continue
        stay = OneStay.of(given.grid, model, part, given.film, given.film_hour)
        site = GivenSite(request.site, part.sites)
        made = _course(model, given, name, stay, site, samples, seed)
        job.check()
        best = _score(name, made[-1], part.at(site), samples, site, thin=thin)
        scores.append(best)
        if part.sites:
            fixed = best
            if site.is_known:
                nowhere = GivenSite(None, part.sites)
                alone = _course(model, given, name, stay, nowhere, samples, seed)[-1]
                fixed = _score(name, alone, part.at(nowhere), samples, nowhere, thin=thin)
            scores += _by_effect(name, best, fixed, site)
        trace = made if name == "mortality" or not trace else trace
    scores += _phenotype_scores(model, given, samples, seed, thin=thin)
    scores += _modality_scores(model, risk, stay)
    scores.append(
        Score("imputed_share", share, meaning="share of the values of all bins and variables that "
              "were not measured in their bin but repeated or imputed")
    )  # fmt: skip
    return tuple(scores), trace


def _course(
    model: IcuModel,
    given: Given,
    name: str,
    stay: OneStay,
    site: GivenSite,
    samples: int,
    seed: int,
) -> tuple[TracePoint, ...]:
    """The risk of a part after each bin, as it is at this site."""
    part = model.parts[name].at(site)
    value = hourly(model, name, stay, Effects(site.number)).mean(0)
    spread = drawn(model, name, stay, samples, seed, site.number)
    return _curve(part.calmed(value), part.calmed(spread), given.grid, model)


def _by_effect(name: str, best: Score, fixed: Score, site: GivenSite) -> list[Score]:
    """The risk without the effect of the site, and with it where there is one."""
    alone = f"{_MEANS[name]}; without the effect of a site"
    mixed = replace(best, name=f"{name}_mixed")
    return [
        replace(fixed, name=f"{name}_fixed", meaning=alone),
        mixed if site.is_known else _missing(f"{name}_mixed", site.words),
    ]


def _curve(
    value: Probabilities, spread: Probabilities, grid: Grid, model: IcuModel
) -> tuple[TracePoint, ...]:
    """Risk after each bin: `value` (bins, outputs), 2.5th to 97.5th percentile of the draws."""
    mean = value[:, 0]
    low, high = np.percentile(spread[:, :, 0], (2.5, 97.5), axis=0)
    shares = observed_until(grid, model.variables)
    return tuple(
        TracePoint(
            (n + 1) * model.variables.bin_hours,
            float(mean[n]),
            float(min(low[n], mean[n])),
            float(max(high[n], mean[n])),
            float(shares[n]),
        )
        for n in range(len(mean))
    )


def _score(
    name: str, last: TracePoint, part: Part, samples: int, site: GivenSite, *, thin: bool
) -> Score:
    where = f"; {site.words}" if part.sites else ""
    effects = "draws of the site's effect" if site.is_known else "each known site's effect in turn"
    return Score(
        name,
        last.mortality,
        last.low,
        last.high,
        method=f"{len(part.networks)} networks x {samples} dropout draws"
        + (f", with {effects}" if part.sites else "")
        + ": their own spread"
        + ("; temperature from stays left out in training" if part.temperature != 1.0 else ""),
        status="extrapolating" if thin else "ok",
        meaning=f"{_MEANS[name]}{where}",
    )


def _phenotype_scores(
    model: IcuModel, given: Given, samples: int, seed: int, *, thin: bool
) -> list[Score]:
    part = model.parts.get("phenotypes")
    names = [one.name for one in phenotypes()]
    if part is None:
        return [
            _missing(n, f"{title}: {_NO_HEAD}") for n, title in zip(PHENOTYPES, names, strict=True)
        ]
    stay = OneStay.of(given.grid, model, part, given.film, given.film_hour)
    value = hourly(model, "phenotypes", stay)[:, -1].mean(0)
    spread = drawn(model, "phenotypes", stay, samples, seed)[:, -1]
    low, high = np.percentile(spread, (2.5, 97.5), axis=0)
    reasons = part.unavailable or {}
    scores = []
    for k, (name, title) in enumerate(zip(PHENOTYPES, names, strict=True)):
        if name in reasons:
            scores.append(_missing(name, f"{title}: {reasons[name]}"))
            continue
        scores.append(
            Score(
                name,
                float(value[k]),
                float(min(low[k], value[k])),
                float(max(high[k], value[k])),
                method=f"{len(part.networks)} networks x {samples} dropout draws",
                status="extrapolating" if thin else "ok",
                meaning=f"{title}: probability that the stay is coded with it",
            )
        )
    return scores


def _modality_scores(model: IcuModel, part: Part | None, stay: OneStay | None) -> list[Score]:
    """Attention and Shapley shares of series and film; only of a trained film branch."""
    names = ("attention_series", "attention_film", "shapley_series", "shapley_film")
    if part is None or stay is None or not part.uses_film:
        return [_missing(name, _NO_FILM) for name in names]
    if stay.film is None or not stay.has_series:
        absent = "no film was given" if stay.film is None else "no series was given"
        return [_missing(name, absent) for name in names]
    scores = []
    if any(one.fusing.startswith("attention") for one in part.networks):
        shares = attention(model, part.name, stay)
        for name, share in zip(names[:2], shares, strict=True):
            scores.append(Score(name, float(share), meaning="share of the attention; no cause"))
    else:
        scores += [_missing(name, "these weights fuse without attention") for name in names[:2]]
    series, film, start = shapley(model, part.name, stay)
    meaning = (
        f"how much it moves the risk from {start:.3f} (neither given): Shapley value of two players"
    )
    both = zip(names[2:], (series, film), strict=True)
    return [*scores, *(Score(name, value, meaning=meaning) for name, value in both)]


def _missing(name: str, why: str) -> Score:
    return Score(name, None, status="not_available", meaning=why)
