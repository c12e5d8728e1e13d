"""What ages with site effects are worth: figures on rows left out, intervals, effects of sites."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from medview.io.atomic import whole_file
from medview.learning.armed_age_ensemble import Ensemble, together
from medview.learning.armed_age_table import AgeTable, Floats, Plan, Scale
from medview.learning.armed_age_trainer import AgeTrainer
from medview.learning.brain_age_rows import FIGURES, interval
from medview.learning.conformal import half_width
from medview.learning.metrics import (
    CI,
    Interval,
    MetricRow,
    mean_interval,
    paired_mean_difference,
)
from medview.learning.site_effects import UNSEEN
from medview.models.armed import Armed

DRAWS = 200
"""Draws of the posterior of each member for the interval of a site's effect."""
SUMMARIES = ("rmse", "pearson_r", "bias_slope")


@dataclass(frozen=True, slots=True, eq=False)
class LeftOutAges:
    """Ages (n,) of rows by networks that never saw them, by predictor; and the fold of each row.

    "model" knows the site where it has an effect, "fixed" is the same without its effect,
    "network" the twin trained without site effects.
    """

    said: Mapping[str, Floats]
    fold: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Conformal:
    """Half widths of intervals, as a factor on ages, and the bias of the gap with age.

    `gap = gap_at_zero + gap_slope * age` in rows left out.
    """

    known: float
    unknown: float
    gap_at_zero: float
    gap_slope: float


@dataclass(frozen=True, slots=True)
class SiteEffect:
    """What a site adds to the age of an average brain, years, with its 95 % interval."""

    site: str
    rows: int
    effect_years: float
    low: float
    high: float


def left_out(trainer: AgeTrainer, kind: str) -> LeftOutAges | None:
    """Ages of all rows that folds of one kind leave out; None without such folds."""
    table = trainer.table
    chosen = [n for n, plan in enumerate(trainer.plans) if plan.kind == kind]
    if not chosen:
        return None
    names = ["model", "fixed", "ridge", "mean", *(["network"] if trainer.twins == 2 else [])]
    said = {name: np.full(len(table.age), np.nan) for name in names}
    fold = np.full(len(table.age), -1)
    for n in chosen:
        plan = trainer.plans[n]
        x, fold[plan.test] = table.x[plan.test], n
        site = table.site[plan.test] if kind == "seen" else np.full(plan.test.size, -1)
        own = trainer.members(n).ask(plan.scale, x, site)
        said["model"][plan.test] = together(own.mixed)
        said["fixed"][plan.test] = together(own.fixed)
        if "network" in said:
            twin = trainer.members(n, twin=True).ask(plan.scale, x, site)
            said["network"][plan.test] = together(twin.fixed)
        said["ridge"][plan.test] = ridge(table, plan)
        said["mean"][plan.test] = table.age[plan.train].mean()
    return LeftOutAges(said, fold)


def ridge(table: AgeTable, plan: Plan) -> Floats:
    """Ages by a ridge regression on the same rows, its penalty chosen by leaving one row out."""
    x = plan.scale.inputs(table.x).astype(np.float64)
    with threadpool_limits(1):  # small matrices: more threads only wait for each other
        model = RidgeCV(np.logspace(0, 5, 21)).fit(x[plan.train], table.age[plan.train])
    return np.asarray(model.predict(x[plan.test]), dtype=np.float64)


# -- figures -------------------------------------------------------------------------------


def age_rows(
    predictor: str,
    age: Floats,
    said: Floats,
    patients: Sequence[str],
    *,
    subset: str,
    group: str = "all",
    brief: bool = False,
) -> Iterator[MetricRow]:
    """Rows of figures of merit of ages, with intervals over patients; `brief` the error alone."""

    def row(name: str, found: Interval) -> MetricRow:
        people = len(set(patients))
        return MetricRow(
            *(predictor, "case", name, subset, found.value, age.size, people, found.low),
            *(found.high, group, "age"),
        )

    yield row("mae", mean_interval(np.abs(said - age), patients))
    if brief:
        return
    for name in SUMMARIES:
        yield row(name, Interval(*interval(FIGURES[name], age, said, patients)))


def fold_rows(table: AgeTable, found: LeftOutAges, subset: str, group: str) -> list[MetricRow]:
    """Figures of every predictor on rows left out; for unseen sites also over sites."""
    rows: list[MetricRow] = []
    for name, said in found.said.items():
        rows += age_rows(name, table.age, said, table.patients, subset=subset, group=group)
        if group == UNSEEN:
            by_site = mean_interval(np.abs(said - table.age), [str(s) for s in table.site])
            rows.append(
                MetricRow(
                    *(name, "case", "mae", subset, by_site.value, table.age.size),
                    *(len(set(table.patients)), by_site.low, by_site.high, group, "age"),
                    ci=CI.replace("patient", "site"),
                )
            )
    return rows


def differences(table: AgeTable, found: LeftOutAges, group: str) -> list[dict[str, Any]]:
    """How much the model's absolute error is above that of each other predictor, row by row.

    For unseen sites all rows of a site are drawn together.
    """
    whole = group == UNSEEN
    units = [str(site) for site in table.site] if whole else table.patients
    ours = np.abs(found.said["model"] - table.age)
    made = []
    for name, said in found.said.items():
        if name == "model" or np.array_equal(said, found.said["model"]):
            continue
        apart = paired_mean_difference(ours, np.abs(said - table.age), units)
        words = CI.replace("patient", "site") if whole else CI
        made.append(
            {"name": "mae_difference", "against": name, "group": group, "n": table.age.size}
            | asdict(apart)
            | {"ci": words}
        )
    return made


# -- intervals -----------------------------------------------------------------------------


def log_half_width(age: Floats, said: Floats) -> float:
    """How far logarithms of ages lie from the truth in 95 % of the rows."""
    return half_width(np.log(age) - np.log(said))


def coverage(table: AgeTable, found: LeftOutAges, name: str) -> tuple[Floats, Floats]:
    """Whether each row lies in an interval made from the other folds, and its width in years."""
    said = found.said[name]
    inside, width = np.zeros(said.size), np.zeros(said.size)
    for fold in np.unique(found.fold):
        here = found.fold == fold
        half = log_half_width(table.age[~here], said[~here])
        inside[here] = np.abs(np.log(table.age[here] / said[here])) <= half
        width[here] = said[here] * (np.exp(half) - np.exp(-half))
    return inside, width


def coverage_rows(
    table: AgeTable, found: LeftOutAges, subset: str, group: str
) -> Iterator[MetricRow]:
    """Coverage of the 95 % interval and its mean width, years."""
    inside, width = coverage(table, found, "model")
    for name, values in (("coverage", inside), ("interval_width", width)):
        mean = mean_interval(values, table.patients)
        yield MetricRow(
            *("model", "case", name, subset, mean.value, values.size),
            *(len(set(table.patients)), mean.low, mean.high, group, "age"),
        )


def conformal(
    table: AgeTable, seen: LeftOutAges | None, unseen: LeftOutAges | None
) -> Conformal | None:
    """Intervals and bias from rows left out; None where nothing was left out."""
    known, unknown = seen or unseen, unseen or seen
    if known is None or unknown is None:
        return None
    said = known.said["model"]
    slope, at_zero = np.polyfit(table.age, said - table.age, 1)
    return Conformal(
        log_half_width(table.age, said),
        log_half_width(table.age, unknown.said["fixed"]),
        float(at_zero),
        float(slope),
    )


# -- effects of sites ------------------------------------------------------------------------


@torch.no_grad()
def site_effects(table: AgeTable, ensemble: Ensemble, scale: Scale, seed: int) -> list[SiteEffect]:
    """The forest of site effects: by how many years each site makes an average brain older.

    Intervals cover draws of the posterior in all members.
    """
    dice = torch.Generator().manual_seed(seed)
    sites = len(table.sites)
    average, each = torch.zeros(sites, len(table.names)), torch.eye(sites)
    drawn: list[Floats] = []
    means: list[Floats] = []
    for model in ensemble.models:
        assert isinstance(model, Armed)
        for number in range(DRAWS + 1):
            noise = torch.randn(sites, model.units, generator=dice) if number else None
            said = model((average,), each, noise)
            years = [scale.years(v.double().numpy()) for v in (said.mixed, said.fixed)]
            (drawn if number else means).append(years[0] - years[1])
    low, high = np.percentile(np.stack(drawn), (2.5, 97.5), axis=0)
    count = np.bincount(table.site, minlength=sites)
    middle = np.stack(means).mean(0)
    return [
        SiteEffect(name, int(count[k]), *(round(float(v[k]), 3) for v in (middle, low, high)))
        for k, name in enumerate(table.sites)
    ]


@torch.no_grad()
def effect_share(ensemble: Ensemble, scale: Scale, table: AgeTable) -> float:
    """Share of the variance of what is said that the site effects make: var(RE)/(RE + FE)."""
    said = ensemble.ask(scale, table.x, table.site)
    added = np.log(together(said.mixed)) - np.log(together(said.fixed))
    return float(added.var() / (added.var() + np.log(together(said.fixed)).var()))


def write_effects(path: Path, effects: Sequence[SiteEffect]) -> None:
    """site_effects.csv: site, rows, effect_years, low, high."""
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("site", "rows", "effect_years", "low", "high"))
        writer.writerows((e.site, e.rows, e.effect_years, e.low, e.high) for e in effects)
