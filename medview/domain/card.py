"""The card of a model: what it needs, gives, was trained on and cannot do."""

from __future__ import annotations

from dataclasses import dataclass, field

ROUTE_LIMITS = {"t1": "From a T1 volume:"}
"""Route of a result -> how limits, words on the method and notes on data begin that are of it."""

ON_DEMAND = ("occlusion",)
"""Maps that are made only where somebody asks: they take longer than all else of their run."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input role and, in words, what fits it."""

    role: str
    needs: str
    required: bool = False
    modalities: tuple[str, ...] = ("MR",)


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output: a score or a map."""

    name: str
    kind: str
    unit: str = "1"


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """One data set the weights have seen."""

    set: str
    n_patients: int
    licence: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured or published figure; `command` is what reproduces a measured one."""

    name: str
    value: float | None
    on: str
    low: float | None = None
    high: float | None = None
    n: int = 0
    predictor: str = "model"
    level: str = ""
    group: str = "all"
    command: str = ""
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def is_of_variants(self) -> bool:
        """Whether it compares variants: of networks trained for that, not of these weights."""
        return "runs" in self.extra


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything that is said of one version of a model; kept as card.json beside the weights.

    `limits` is what a reader must know before trusting a result: where it is weak, what it is not
    for, where it extrapolates. `method` is how it was trained and measured. `trained_at` is the
    day of the training (ISO), empty where it is not known. `seen_patients` are marks of the
    patients that the weights have learnt from, made with `seen_salts` (``medview.io.seen``): one
    salt of the card's own, and those of versions it comes from.
    """

    id: str
    version: str
    title: str
    summary: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    preparation: tuple[str, ...]
    intended_use: str
    limits: tuple[str, ...]
    licence: str
    source: str
    weights_sha256: str = ""
    parent: str | None = None
    trained_on: tuple[TrainedOn, ...] = ()
    measured: tuple[Figure, ...] = ()
    published: tuple[Figure, ...] = ()
    settings: dict[str, object] = field(default_factory=dict)
    seen_patients: tuple[str, ...] = ()
    seen_salts: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    trained_at: str = ""

    @property
    def on_demand(self) -> tuple[str, ...]:
        """Names of the maps that a run makes only when it is asked for them."""
        return tuple(each.name for each in self.outputs if each.name in ON_DEMAND)

    def limits_on(self, route: object) -> tuple[str, ...]:
        """The limits of results made on a route, or of all others where it has none of its own."""
        return _on_route(self.limits, route)

    def trained_on_by(self, route: object) -> tuple[TrainedOn, ...]:
        """The data sets behind results of a route; as `limits_on`."""
        notes = _on_route(tuple(each.note for each in self.trained_on), route)
        return tuple(each for each in self.trained_on if each.note in notes)

    def method_on(self, route: object) -> tuple[str, ...]:
        """How results made on a route were trained and measured; as `limits_on`."""
        return _on_route(self.method, route)


def _on_route(lines: tuple[str, ...], route: object) -> tuple[str, ...]:
    own = ROUTE_LIMITS.get(str(route), "")
    marks = tuple(ROUTE_LIMITS.values())
    found = tuple(line for line in lines if own and line.startswith(own))
    return found or tuple(line for line in lines if not line.startswith(marks))
