"""What the ICU networks with effects of sites say of stays, at known sites and at others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from medview.learning.armed_rules import one_hot
from medview.learning.icu_armed import ask
from medview.learning.icu_baselines import baseline_rows
from medview.learning.icu_draws import ends_of
from medview.learning.icu_fit import StaySet
from medview.learning.icu_measure import Said, curve_rows
from medview.learning.icu_model import IcuModel
from medview.learning.metrics import MetricRow
from medview.learning.site_effects import FIXED, GivenSite, by_site_known, odd_sites_note
from medview.models.armed import Armed

Scores = NDArray[np.float64]
NOTE = (
    "mortality is with the effect of the site where the weights know it, and the fixed effects "
    "alone elsewhere; predictor fixed is the same without that effect."
)


@dataclass(frozen=True, slots=True, eq=False)
class AtSites:
    """Of stays with their `sites`: probability (N,) as the model says it (`best`), without and
    with (NaN where there is none) the effect of the site; where the draws of the best and of the
    fixed answer end, (2, N); and where an alarm starts.
    """

    sites: tuple[GivenSite, ...]
    best: Scores
    fixed: Scores
    mixed: Scores
    ends: Scores
    ends_fixed: Scores
    threshold: Scores | None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which stays are of a site with an effect, (N,)."""
        return np.array([site.is_known for site in self.sites])

    def only(self, here: NDArray[np.bool_]) -> AtSites:
        """Some of the stays."""
        sites = tuple(site for site, one in zip(self.sites, here, strict=True) if one)
        return AtSites(
            sites,
            self.best[here],
            self.fixed[here],
            self.mixed[here],
            self.ends[:, here],
            self.ends_fixed[:, here],
            None if self.threshold is None else self.threshold[here],
        )

    def columns(self, output: str, row: int) -> dict[str, float | None]:
        """What predictions.csv says of a stay beside `output`."""
        found: dict[str, float | None] = {}
        for name, value, (low, high) in (
            (f"{output}_fixed", self.fixed[row], self.ends_fixed[:, row]),
            (f"{output}_mixed", self.mixed[row], self.ends[:, row]),
        ):
            ends = (value, min(low, value), max(high, value))
            given = (None if np.isnan(value) else float(end) for end in ends)
            found |= zip((name, f"{name}_low", f"{name}_high"), given, strict=True)
        return found


def at_sites(
    model: IcuModel,
    name: str,
    given: StaySet,
    sites: Sequence[str],
    samples: int = 1,
    seed: int = 0,
) -> AtSites:
    """Ask the networks of a part about stays of these sites; ends are of so many draws."""
    part = model.parts[name]
    nets = [cast(Armed, net) for net in model.whole(name)]
    places = tuple(GivenSite(site, part.sites) for site in sites)
    known = np.array([site.is_known for site in places])
    elsewhere = part.at(GivenSite(None, part.sites))

    def said(shares: torch.Tensor) -> tuple[Scores, Scores]:
        """Probabilities (members, N), without and with the effects of these shares."""
        found = [ask(net, given, shares) for net in nets]
        fixed, mixed = (torch.stack([getattr(o, n) for o in found]) for n in ("fixed", "mixed"))
        return torch.sigmoid(fixed).double().numpy(), torch.sigmoid(mixed).double().numpy()

    count = len(part.sites)
    own = said(one_hot(torch.tensor([site.number for site in places]), count))
    fixed, mixed = elsewhere.calmed(own[0].mean(0)), part.calmed(own[1].mean(0))
    nowhere = tuple(GivenSite(None, part.sites) for _ in places)
    ends, ends_fixed = (
        ends_of(model, name, given, where, samples, seed)[:, :, 0] for where in (places, nowhere)
    )
    cuts = (part.threshold, elsewhere.threshold)
    return AtSites(
        places,
        np.where(known, mixed, fixed),
        fixed,
        np.where(known, mixed, np.nan),
        ends,
        ends_fixed,
        None if None in cuts else np.where(known, *cast(tuple[float, float], cuts)),
    )


def site_rows(said: Said, found: AtSites) -> Iterator[MetricRow]:
    """The fixed effects alone beside the whole, and known and unknown sites apart; nothing where no
    site is known: all is of the fixed effects then.
    """
    if not found.known.any():
        return
    yield from baseline_rows(said, {FIXED: found.fixed})
    for group, here in by_site_known(range(len(found.best)), found.known).items():
        chosen = np.isin(np.arange(len(found.best)), here)
        part = replace(said.only(chosen), group=group)
        yield from curve_rows(part)
        yield from curve_rows(replace(part, score=found.fixed[chosen], predictor=FIXED))


def notes(found: Sequence[AtSites]) -> list[str]:
    """What is said of the sites of a measurement."""
    return [NOTE, *odd_sites_note(site for one in found for site in one.sites)] if found else []
