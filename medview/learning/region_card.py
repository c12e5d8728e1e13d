"""What is said of a version of the region network and of the age model beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from medview.domain.card import ROUTE_LIMITS, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.domain.wording import date_words
from medview.learning.card_parts import figure_of, licence_of
from medview.learning.metrics import MetricRow
from medview.learning.patients import patient_hash
from medview.learning.region_age import NAMES, AgeModel
from medview.learning.region_cases import LabelledHead
from medview.learning.region_groups import REGIONS
from medview.learning.region_limits import limits_of, method_of
from medview.learning.region_people import Table
from medview.learning.region_sets import MODEL
from medview.learning.region_trainer import RegionRecipe
from medview.learning.subset import Subset
from medview.learning.upright import MOST_DEG
from medview.learning.weights import card_beside, shipped
from medview.models.region_net import RegionOptions

_COMMAND = "medview train region-net --data ../shared/data --out DIR"

_FROM_T1 = ROUTE_LIMITS["t1"]
_LICENCE_FROM_T1 = f"; {_FROM_T1[0].lower()}{_FROM_T1[1:]} "


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What the weights came from: `learnt` heads, and the `table` of the age model."""

    subsets: Sequence[Subset]
    learnt: Sequence[LabelledHead]
    table: Table | None
    recipe: RegionRecipe
    options: RegionOptions


def command_of(recipe: RegionRecipe) -> str:
    """What makes weights of a recipe, and their figures; it names what is not as usual."""
    usual = RegionRecipe()
    odd = [
        f" --set {name}={value}"
        for name, value, known in (
            ("sets", recipe.sets, usual.sets),
            ("epochs", recipe.epochs, usual.epochs),
        )
        if value != known
    ]
    return _COMMAND + "".join(odd)


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
        limits=limits_of([head.case for head in trained.learnt], age, rows, trained.recipe),
        method=method_of([head.box for head in trained.learnt], age, rows, trained.recipe),
        licence=licence_of(used),
        source="3-D U-Net after Cicek and others (MICCAI 2016) with sub-pixel convolution; ridge "
        "regression with errors in variables",
        trained_on=tuple(
            TrainedOn(s.name, s.n_patients, s.licence, _note(s, trained, age)) for s in used
        ),
        measured=tuple(figure_of(row.as_dict(), command_of(trained.recipe)) for row in rows),
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
    trained = date_words(regions.trained_at)
    day = [f"Its weights were trained on {trained}."] if trained else []
    return replace(
        card,
        licence=_with_licence(card.licence, regions.licence),
        inputs=(*(i for i in card.inputs if i.role != spec.role), spec),
        outputs=(*(o for o in card.outputs if o != maps), maps),
        trained_on=_with_sets(card.trained_on, regions.trained_on),
        measured=(*own, *told),
        limits=_with_route(card.limits, regions.limits),
        method=_with_route(card.method, (*regions.method, *day)),
    )


def with_licence_of_sets(card: ModelCard) -> ModelCard:
    """The card with the licences of all sets that it names, the route's own apart."""
    _, there, route = card.licence.partition(_LICENCE_FROM_T1)
    own = [each for each in card.trained_on if not each.note.startswith(_FROM_T1)]
    return replace(card, licence=f"{licence_of(own)}{there}{route}")


def _with_route(own: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """A card's sentences without those of the route, and then these."""
    kept = (line for line in own if not line.startswith(_FROM_T1))
    return (*kept, *(f"{_FROM_T1} {line[0].lower()}{line[1:]}" for line in more))


def _with_licence(own: str, more: str) -> str:
    """A card's own licence, and that of the route where it is another."""
    own = own.partition(_LICENCE_FROM_T1)[0]
    return own if more == own else f"{own}{_LICENCE_FROM_T1}{more}"


def _with_sets(own: tuple[TrainedOn, ...], more: tuple[TrainedOn, ...]) -> tuple[TrainedOn, ...]:
    """The same with data sets."""
    kept = (each for each in own if not each.note.startswith(_FROM_T1))
    return (*kept, *(replace(each, note=f"{_FROM_T1} {each.note}") for each in more))


def _used(trained: Trained, age: AgeModel | None) -> list[Subset]:
    names = trained.recipe.set_names
    return [s for s in trained.subsets if s.name in names or (age and s.layout == "ixi-roi-2mm")]


def _note(subset: Subset, trained: Trained, age: AgeModel | None) -> str:
    """The ages of a set, and what has learnt from it."""
    ages = [case.age_years for case in subset.cases if case.age_years is not None]
    span = f"ages {min(ages):.0f}-{max(ages):.0f} y" if ages else "ages not stated"
    has_aged = age is not None and trained.table is not None and subset.name in trained.table.sets
    uses = {"network": subset.name in trained.recipe.set_names, "age model": has_aged}
    return f"{span}; {' and '.join(name for name, is_used in uses.items() if is_used)}"
