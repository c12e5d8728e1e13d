"""What is said of a version of the region network and of the age model beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from medview.domain.card import ROUTE_LIMITS, Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.learning.anomaly_card import figure_of, licence_of
from medview.learning.metrics import MetricRow
from medview.learning.region_age import NAMES, AgeModel
from medview.learning.region_cases import LabelledHead
from medview.learning.region_groups import REGIONS
from medview.learning.region_measure import Table
from medview.learning.region_sets import MODEL
from medview.learning.region_trainer import RegionRecipe
from medview.learning.subset import Subset
from medview.learning.upright import MOST_DEG
from medview.learning.weights import card_beside, patient_hash, shipped
from medview.models.region_net import RegionOptions

COMMAND = "medview train region-net --data ../shared/data --out DIR"

_FROM_T1 = ROUTE_LIMITS["t1"]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What the weights came from: `learnt` heads, and the `table` of the age model."""

    subsets: Sequence[Subset]
    learnt: Sequence[LabelledHead]
    table: Table | None
    recipe: RegionRecipe
    options: RegionOptions


def make_card(trained: Trained, age: AgeModel | None, rows: Sequence[MetricRow]) -> ModelCard:
    """The card; its hash is filled in when the weights are saved.

    It names no input: the network is a part of the brain-age model, not a model of its own.
    """
    heads = {head.case.patient for head in trained.learnt}
    people = {*heads, *(trained.table.patients if trained.table and age else ())}
    used = _used(trained, age)
    return ModelCard(
        id=MODEL,
        version="1.0",
        title="Brain regions",
        summary="27 brain regions from a T1 volume, their volumes, and an age from these.",
        inputs=(),
        outputs=(OutputSpec("regions", "map"), OutputSpec("age", "score", "years")),
        preparation=(
            "brain mask (network of deepbet, MIT licence, at low resolution)",
            "2 mm voxels along the patient's axes, 160 x 208 x 160 mm round the brain",
            f"a head turned by more than {MOST_DEG:.0f} degrees against the mean head is turned "
            "upright",
            "2nd percentile of the brain to 0, white matter near 1 everywhere (means over 20 mm)",
            "nothing is shown beyond 6 mm of the brain",
            "network asked four times: the head as it is and moved by a voxel, each once mirrored; "
            "volumes are sums of probabilities",
        ),
        intended_use="Research on adult brain MRI (T1). Not for diagnosis, triage or treatment.",
        limits=_limits(len(heads), age, rows, trained.recipe),
        method=_method(age, rows, trained.recipe),
        licence=licence_of(used),
        source="3-D U-Net after Cicek and others (MICCAI 2016) with sub-pixel convolution; ridge "
        "regression with errors in variables",
        trained_on=tuple(
            TrainedOn(s.name, s.n_patients, s.licence, _note(s, trained.recipe)) for s in used
        ),
        measured=tuple(_figure(row) for row in rows),
        settings={
            "network": asdict(trained.options),
            "recipe": asdict(trained.recipe),
            "regions": [region.title for region in REGIONS],
            "features": list(NAMES),
            "age": age.to_card() if age else None,
        },
        seen_patients=tuple(sorted(patient_hash(p) for p in people)),
    )


def with_image_route(card: ModelCard, regions: ModelCard | None = None) -> ModelCard:
    """The card of the brain-age model with what is known of its T1 route; once, however often.

    Figures keep their own command; limits begin with "From a T1 volume". `regions` is the card
    of the region network, the shipped one by default; without one nothing is added.
    """
    if regions is None:
        path = shipped(MODEL)
        if not path.is_file():
            return card
        regions = card_beside(path)
    told = tuple(
        replace(figure, extra={**figure.extra, "route": "t1"})
        for figure in regions.measured
        if figure.group == "all"
    )
    own = tuple(f for f in card.measured if f.extra.get("route") != "t1")
    spec = InputSpec(
        "t1",
        "T1 volume of the head instead of features: the program finds regions, and a ridge "
        "regression on their volumes tells the age",
    )
    maps = OutputSpec("regions", "map")
    return replace(
        card,
        inputs=(*(i for i in card.inputs if i.role != spec.role), spec),
        outputs=(*(o for o in card.outputs if o != maps), maps),
        trained_on=_with_sets(card.trained_on, regions.trained_on),
        measured=(*own, *told),
        limits=_with_route(card.limits, regions.limits),
        method=_with_route(card.method, regions.method),
    )


def _with_route(own: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """A card's sentences without those of the route, and then these."""
    kept = (line for line in own if not line.startswith(_FROM_T1))
    return (*kept, *(f"{_FROM_T1} {line[0].lower()}{line[1:]}" for line in more))


def _with_sets(own: tuple[TrainedOn, ...], more: tuple[TrainedOn, ...]) -> tuple[TrainedOn, ...]:
    """The same with data sets."""
    kept = (each for each in own if not each.note.startswith(_FROM_T1))
    return (*kept, *(replace(each, note=f"{_FROM_T1} {each.note}") for each in more))


def _used(trained: Trained, age: AgeModel | None) -> list[Subset]:
    names = trained.recipe.sets.split(",")
    return [s for s in trained.subsets if s.name in names or (age and s.layout == "ixi-roi-2mm")]


def _note(subset: Subset, recipe: RegionRecipe) -> str:
    ages = [case.age_years for case in subset.cases if case.age_years is not None]
    span = f"ages {min(ages):.0f}-{max(ages):.0f} y" if ages else "ages not stated"
    return f"{span}; {'network' if subset.name in recipe.sets.split(',') else 'age model'}"


def _figure(row: MetricRow) -> Figure:
    return figure_of(row.as_dict(), COMMAND)


def _limits(
    heads: int, age: AgeModel | None, rows: Sequence[MetricRow], recipe: RegionRecipe
) -> tuple[str, ...]:
    limits = [
        f"Weak: the network learnt from {heads} heads of one scanner and one age range only.",
        *_weakest(rows, recipe),
    ]
    if recipe.folds <= 1:
        limits.append("These weights have not been measured on heads of their own set.")
    if age is not None:
        limits += [
            f"Age: learnt from people of {age.low:.0f}-{age.high:.0f} years at one site; beyond "
            "these ages it extrapolates.",
            *_ages_of_heads(rows, recipe),
        ]
    return (*limits, *_elsewhere(rows, recipe))


def _method(
    age: AgeModel | None, rows: Sequence[MetricRow], recipe: RegionRecipe
) -> tuple[str, ...]:
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
    return tuple(said)


def _weakest(rows: Sequence[MetricRow], recipe: RegionRecipe) -> list[str]:
    """The groups found worst and most biased on left-out heads of the sets learnt from."""
    found: dict[str, dict[str, float]] = {"dice": {}, "volume_bias": {}}
    for row in rows:
        is_group = row.subset in recipe.sets.split(",") and row.group.startswith("group:")
        if is_group and row.name in found and row.value is not None:
            found[row.name][row.group.removeprefix("group:")] = row.value
    dice, bias = found["dice"], found["volume_bias"]
    if not dice or not bias:
        return []
    low = sorted(dice, key=lambda name: dice[name])[:2]
    odd = max(bias, key=lambda name: abs(bias[name]))
    words = " and ".join(f"{name} (Dice {dice[name]:.2f})" for name in low)
    side = "large" if bias[odd] > 0 else "small"
    return [
        f"Found worst: {words}. Most biased: {odd}, {abs(bias[odd]):.0f} % too {side} on average; "
        "the volumes are told as found, and only the age takes the mean error off."
    ]


def _ages_of_heads(rows: Sequence[MetricRow], recipe: RegionRecipe) -> list[str]:
    """How far off the age of left-out heads is, of the sets learnt from."""
    return [
        f"The age of left-out heads of {name} is off by {off['model']:.1f} years on average."
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
        for name in recipe.sets.split(",")
    }
    wanted = {"model", "uncorrected volumes", "label volumes"}
    return {name: found for name, found in every.items() if wanted <= set(found)}


def _elsewhere(rows: Sequence[MetricRow], recipe: RegionRecipe) -> list[str]:
    """How large the error of the age is on sets that nothing was learnt from."""
    own = {
        (row.subset, row.name): row.value
        for row in rows
        if row.predictor == "model" and row.value is not None
    }
    said = []
    for row in rows:
        learnt = row.subset in (*recipe.sets.split(","), "ixi-roi-2mm")
        if learnt or row.name != "mae" or row.predictor != "model" or row.value is None:
            continue
        r, unlike = (own.get((row.subset, n)) for n in ("pearson_r", "share_told_unlike"))
        more = f", and does not follow their ages (r {r:.2f})" if r is not None and r < 0.3 else ""
        said.append(
            f"On {row.subset} ({row.n} people, other scanners and ages) the age is off by "
            f"{row.value:.1f} years on average{more}."
        )
        if unlike:
            said[-1] += (
                f" Of {100 * unlike:.0f} % of them the answer says that the volumes are unlike "
                "those learnt from."
            )
    return said
