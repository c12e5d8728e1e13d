"""What a reader must know of region weights, and how they were made, told from their figures."""

from __future__ import annotations

from collections.abc import Sequence

from medview.learning.metrics import MetricRow
from medview.learning.region_age import NAMES, AgeModel
from medview.learning.region_grid import Boxed
from medview.learning.region_intervals import COVERAGE, ELSEWHERE
from medview.learning.region_trainer import RegionRecipe
from medview.learning.subset import TrainCase

_TABLE = "ixi-roi-2mm"
_FOLLOWS = 0.3
"""Correlation under which ages that are told do not follow the true ones."""


def limits_of(
    learnt: Sequence[TrainCase],
    age: AgeModel | None,
    rows: Sequence[MetricRow],
    recipe: RegionRecipe,
) -> tuple[str, ...]:
    """The limits of weights that learnt from these heads; `rows` are of left-out ones."""
    limits = [_few(learnt, recipe), *_weakest(rows, recipe), *_held(rows)]
    if recipe.folds <= 1:
        limits.append("These weights have not been measured on heads of their own sets.")
    if age is not None:
        limits += [
            f"Age: learnt from people of {age.low:.0f}-{age.high:.0f} years on few scanners; "
            "beyond these ages it extrapolates.",
            *_ages_of_heads(rows, recipe),
        ]
    return (*limits, *_elsewhere(rows, recipe))


def method_of(
    heads: Sequence[Boxed],
    age: AgeModel | None,
    rows: Sequence[MetricRow],
    recipe: RegionRecipe,
) -> tuple[str, ...]:
    """How they were trained and measured; `heads` are what was learnt from."""
    said = ["Its truth are labels of DLMUSE, a network too, not of human readers."]
    if recipe.folds > 1:
        said.append(
            f"Figures come from {recipe.folds} folds by patient; these weights are a refit on all."
        )
    if age is not None:
        said += [
            f"Age: ridge regression on {len(NAMES)} volumes of {age.n} people; not the "
            "adversarial autoencoder.",
            f"The error of the volumes alone moves the age by {age.volume_sd:.1f} years (one "
            "standard deviation, from the figures of heads that were left out).",
            *_from_volumes(rows, recipe),
        ]
    turned = sum(box.pose is not None and box.pose.is_turned for box in heads)
    said.append(f"Of the {len(heads)} heads learnt from, {turned} lay far off and were turned.")
    return tuple(said)


def _few(learnt: Sequence[TrainCase], recipe: RegionRecipe) -> str:
    """How few heads the network learnt from, and of which ages."""
    parts = []
    for name in recipe.set_names:
        mine = [case for case in learnt if case.subset == name]
        ages = [case.age_years for case in mine if case.age_years is not None]
        span = f" ({min(ages):.0f}-{max(ages):.0f} years)" if ages else ""
        parts.append(f"{len({case.patient for case in mine})} of {name}{span}")
    return (
        f"Weak: the network learnt from {len({case.patient for case in learnt})} heads only, "
        f"{' and '.join(parts)}; other scanners it has not seen."
    )


def _weakest(rows: Sequence[MetricRow], recipe: RegionRecipe) -> list[str]:
    """The groups found worst and most biased on left-out heads of each set learnt from."""
    said = []
    for name in recipe.set_names:
        found: dict[str, dict[str, float]] = {"dice": {}, "volume_bias": {}}
        for row in rows:
            is_group = row.subset == name and row.group.startswith("group:")
            if is_group and row.name in found and row.value is not None:
                found[row.name][row.group.removeprefix("group:")] = row.value
        dice, bias = found["dice"], found["volume_bias"]
        if not dice or not bias:
            continue
        low = sorted(dice, key=lambda group: dice[group])[:2]
        odd = max(bias, key=lambda group: abs(bias[group]))
        words = " and ".join(f"{group} (Dice {dice[group]:.2f})" for group in low)
        side = "large" if bias[odd] > 0 else "small"
        said.append(
            f"Found worst in {name}: {words}. Most biased there: {odd}, {abs(bias[odd]):.0f} % "
            f"too {side} on average."
        )
    if said:
        said.append("Volumes are told as found; only the age takes their mean error off.")
    return said


def _held(rows: Sequence[MetricRow]) -> list[str]:
    """How often the interval of a volume holds the true one, of measured sets and of others."""
    held = {
        group: {
            row.subset: f"{100 * row.value:.0f} %"
            for row in rows
            if (row.name, row.group) == (COVERAGE, group) and row.value is not None
        }
        for group in ("all", ELSEWHERE)
    }
    known, elsewhere = (held[group] for group in ("all", ELSEWHERE))
    if not known:
        return []
    told = [f"{share} ({name})" for name, share in known.items()]
    said = f"The interval of a volume holds the true one in {' and '.join(told)} of left-out heads"
    if elsewhere:
        said += f"; had nothing of their set been measured, in {' and '.join(elsewhere.values())}"
    return [f"{said}."]


def _ages_of_heads(rows: Sequence[MetricRow], recipe: RegionRecipe) -> list[str]:
    """How far off the age of left-out heads is, of the sets learnt from."""
    return [
        f"The age of left-out heads of {name} is off by {off['model']:.1f} years on average"
        f"{_beside(rows, name)}"
        for name, off in _off(rows, recipe).items()
    ]


def _from_volumes(rows: Sequence[MetricRow], recipe: RegionRecipe) -> list[str]:
    """What the volumes' error does to that age."""
    return [
        f"With the mean error of the volumes left in, the age of left-out heads of {name} is off "
        f"by {off['uncorrected volumes']:.1f} years, from the volumes of the labels by "
        f"{off['label volumes']:.1f}."
        for name, off in _off(rows, recipe).items()
    ]


def _off(rows: Sequence[MetricRow], recipe: RegionRecipe) -> dict[str, dict[str, float]]:
    """Mean absolute errors in years by set learnt from and predictor, where all three are known."""
    every = {
        name: {
            row.predictor: row.value
            for row in rows
            if (row.subset, row.name) == (name, "mae") and row.value is not None
        }
        for name in recipe.set_names
    }
    wanted = {"model", "uncorrected volumes", "label volumes"}
    return {name: found for name, found in every.items() if wanted <= set(found)}


def _elsewhere(rows: Sequence[MetricRow], recipe: RegionRecipe) -> list[str]:
    """How large the error of the age is on sets that nothing was learnt from."""
    return [
        f"On {row.subset} ({row.n} people, other scanners and ages) the age is off by "
        f"{row.value:.1f} years on average{_beside(rows, row.subset)}"
        for row in rows
        if row.subset not in (*recipe.set_names, _TABLE)
        and (row.name, row.predictor) == ("mae", "model")
        and row.value is not None
    ]


def _beside(rows: Sequence[MetricRow], name: str) -> str:
    """The end of a sentence on the error of a set's ages: whether they are followed or odd."""
    own = {
        row.name: row.value
        for row in rows
        if (row.subset, row.predictor) == (name, "model") and row.value is not None
    }
    r, unlike = own.get("pearson_r"), own.get("share_told_unlike")
    follows = r is None or r >= _FOLLOWS
    said = "." if follows else f", and does not follow their ages (r {r:.2f})."
    if unlike:
        said += (
            f" Of {100 * unlike:.0f} % of them the answer says that the volumes are unlike those "
            "learnt from."
        )
    return said
