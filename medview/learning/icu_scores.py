"""The scores of a stay: risks with their course, phenotypes, and what series and film are worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medview.domain.prediction import RunRequest, Score, TracePoint
from medview.domain.progress import Progress
from medview.domain.volume import Note
from medview.learning.icu_grid import Floats, Grid
from medview.learning.icu_model import IcuModel, Part, Probabilities
from medview.learning.icu_one_stay import Effects, OneStay, attention, drawn, hourly, shapley
from medview.learning.icu_phenotypes import PHENOTYPES, phenotypes
from medview.learning.icu_stays import imputed_share, observed_until
from medview.learning.site_effects import GivenSite

RISKS = ("mortality", "icu_admission")
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
    """What a run was given, in bins; `site` is the one that is named, else that of the table."""

    grid: Grid
    film: Floats | None
    film_hour: float
    notes: tuple[Note, ...]
    steps: tuple[str, ...]
    site: str | None = None


def scores_of(
    job: Progress, model: IcuModel, given: Given, samples: int, request: RunRequest
) -> tuple[tuple[Score, ...], tuple[TracePoint, ...]]:
    """Scores in the order of the contract, and the course of the risk."""
    seed = request.seed
    share = imputed_share(given.grid, model.variables)
    thin = 1 - share < _FEW_OBSERVED
    scores: list[Score] = []
    trace: tuple[TracePoint, ...] = ()
    risk = next((model.parts[name] for name in RISKS if name in model.parts), None)
    stay = None
    for name in RISKS:
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
        method=f"{len(part.networks)} networks \u00d7 {samples} dropout draws"
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
                method=f"{len(part.networks)} networks \u00d7 {samples} dropout draws",
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
