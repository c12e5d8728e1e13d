"""A training of the ICU model with effects of units: what it asks of its stays, what it keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.domain.training import Method
from medview.learning.icu_armed import average_layer
from medview.learning.icu_measure import best_threshold
from medview.learning.icu_model import Cut, IcuModel
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_stays import encoded
from medview.learning.icu_tasks import PLAIN, to_train_on, units_of
from medview.learning.icu_work import Work
from medview.learning.site_effects import FIXED, NETWORK, joined
from medview.learning.temperature import best_temperature, calmed
from medview.models.armed import Armed

DRAWS = 200
"""Of the effects of each network, for the interval of what a site adds."""


def refuse_films(recipe: IcuRecipe) -> None:
    """Refuse a film branch where effects of units are learnt.

    Raises
    ------
    DataError
        The recipe has one.
    """
    if recipe.film != "none":
        raise DataError(
            f"{recipe.MODEL} takes no films: its effects of units are of the series alone",
            do='Leave film = "none", or train icu.',
            code="MV-DAT-020",
        )


def with_units(works: Sequence[Work]) -> list[Work]:
    """The risks of which stays of two units are known.

    Raises
    ------
    DataError
        There are none.
    """
    found = [work for work in works if len(units_of(work.stays, to_train_on(work.stays))) > 1]
    if not found:
        raise DataError(
            "the stays name fewer than two sites, so there are no effects to learn",
            do='Fill the column "site", or train icu, which needs none.',
            code="MV-DAT-171",
        )
    return found


def refuse_no_unit(method: Method, units: Mapping[str, Sequence[str]]) -> None:
    """Refuse stays without any site where nothing but effects of sites is to learn.

    Raises
    ------
    DataError
        No stay says its site.
    """
    if method == "site-effects" and not any(units.values()):
        raise DataError(
            "no stay says its site, so there are no effects to learn",
            do='Fill the column "site", or choose the method full.',
            code="MV-DAT-171",
        )


def grown(model: IcuModel, units: Mapping[str, Sequence[str]]) -> IcuModel:
    """The model with effects of more units (by part) behind those that it has.

    New ones start near no effect; an adversary that is to tell more units apart starts anew.
    """
    parts = [
        replace(part, sites=joined(part.sites, units.get(part.name, ())))
        for part in model.parts.values()
    ]
    made = IcuModel(model.variables, parts, clahe=model.clahe)
    state = made.state_dict()
    for name, value in model.state_dict().items():
        if state[name].shape == value.shape:
            state[name].copy_(value)
        elif "adversary." not in name:
            state[name][: len(value)] = value
    return made.eval()


def cut_of(work: Work, scores: NDArray[np.float64] | None) -> Cut:
    """Temperature and threshold of a risk by what was said of stays left out, (N, 1)."""
    if scores is None or len(work.outputs) > 1:
        return Cut()
    known = np.isfinite(scores[:, 0])
    truth, left_out = work.labels[known, 0] == 1, scores[known, 0]
    temperature = best_temperature(left_out, truth)
    # The threshold is of what the part says, which the temperature changes.
    return Cut(best_threshold(truth, calmed(left_out, temperature)), temperature)


def cut_elsewhere(work: Work) -> Cut:
    """The same for units that are not known: by units left out, or by the fixed effects alone."""
    left_out = work.scores("sites")
    return cut_of(work, work.scores("folds", FIXED) if left_out is None else left_out)


def rivals(work: Work, phase: str) -> dict[str, NDArray[np.float64]]:
    """What else was said of the stays (N,) that a phase left out, by name: the fixed effects alone
    and the twins without effects, which are told the unit as a column.
    """
    found = {NETWORK: work.scores(PLAIN + phase)}
    if phase == "folds" and any(FIXED in done.variants for _, done in work.done.values()):
        found[FIXED] = work.scores(phase, FIXED)
    return {name: scores[:, 0] for name, scores in found.items() if scores is not None}


@torch.no_grad()
def site_effects(model: IcuModel, work: Work) -> list[dict[str, object]]:
    """What each site adds to the log-odds of an average stay, with its 95 % interval.

    The interval is of all networks and of what their effects may be.
    """
    part = model.parts[work.name]
    stays = [work.stays[n] for n in to_train_on(work.stays).tolist()]
    given = encoded(stays, model.variables, part.normaliser, part.outputs)
    dice, found = torch.Generator().manual_seed(0), []
    for whole in model.whole(work.name):
        assert isinstance(whole, Armed)
        mean = torch.cat([average_layer(whole, given), torch.ones(1)])
        mu = torch.cat([whole.slopes.mu, whole.intercept.mu], 1)
        sd = torch.cat([whole.slopes.sd, whole.intercept.sd], 1)
        noise = torch.randn(DRAWS, *mu.shape, generator=dice)
        found.append((mu + sd * noise) @ mean)
    added = torch.cat(found).double().numpy()
    low, high = np.percentile(added, (2.5, 97.5), axis=0)
    return [
        {
            "site": site,
            "rows": sum(stay.case.site == site for stay in stays),
            "effect_log_odds": round(float(added[:, k].mean()), 4),
            "low": round(float(low[k]), 4),
            "high": round(float(high[k]), 4),
        }
        for k, site in enumerate(part.sites)
    ]
