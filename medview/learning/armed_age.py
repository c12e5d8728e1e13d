"""Ages from brain measures with site effects: rows, plans of who learns from whom, training.

All networks of a training (members of the ensemble, of every fold, with and without site effects)
are copies of one stack and learn in the same steps; see `armed_stack`. Ages are learned as
logarithms, because errors grow with age and most ages are young.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn
from torch.nn import functional as F

from medview.domain.errors import DataError
from medview.domain.training import Method
from medview.learning.armed_stack import Stack, StackBatch, StackTrainer, Steps
from medview.learning.checkpoint import (
    Due,
    EpochReport,
    HistoryRow,
    of_method,
    plain_dict,
    read_checkpoint,
    refuse_not_finite,
    write_checkpoint,
    write_history,
)
from medview.learning.subset import Subset, TrainCase
from medview.models.age_net import AgeNet, AgeNetOptions
from medview.models.armed import Armed, ArmedOptions, LossWeights

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
MODEL = "brain-age-armed"
FEWEST = 20
"""Rows with age and site below which nothing is trained."""
ICV = "MUSE_702"
"""The intracranial volume among IXI's regions: the others are divided by it."""
FURTHEST = 4.0
"""Standardised measures are cut off so many standard deviations from their mean."""
EFFECTS = ("slopes.", "intercept.")
LEARNS: dict[Method, tuple[str, ...]] = {
    "full": ("",),
    "head": ("base.out.", "base.skip.", *EFFECTS),
    "site-effects": EFFECTS,
}
"""Beginnings of the names of what each way of training changes."""
_KEPT = ("recipe", "epoch", "trainer", "dice", "order", "torch", "history")


@dataclass(frozen=True, slots=True)
class AgeRecipe:
    """How the model is trained: the shipped recipe says what each value does."""

    epochs: int = 35
    batch: int = 128
    rate: float = 2e-3
    decay: float = 1e-2
    members: int = 4
    folds: int = 5
    leave_out: bool = True
    compare: bool = True
    mixed: float = 1.0
    fixed: float = 0.5
    adversary: float = 0.03
    kl: float = 2e-4
    prior_slope: float = 0.3
    prior_intercept: float = 0.5
    width: int = 128
    width_2: int = 64
    input_dropout: float = 0.1
    dropout: float = 0.3

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AgeRecipe:
        """A recipe from plain values; what they do not say is the default.

        Raises
        ------
        DataError
            For a value that trains nothing.
        """
        known = {one.name for one in fields(cls)}
        recipe = cls(**{name: value for name, value in values.items() if name in known})
        if recipe.folds == 1 or min(recipe.members, recipe.width, recipe.width_2) < 1:
            raise DataError(
                "members and widths are at least 1, folds 0 or at least 2",
                code="MV-DAT-021",
                do="Correct the recipe.",
            )
        return recipe

    def with_inputs(self, inputs: int) -> AgeNetOptions:
        """The network for so many measures."""
        hidden = (self.width, self.width_2)
        return AgeNetOptions(inputs, hidden, self.input_dropout, self.dropout)


@dataclass(frozen=True, slots=True, eq=False)
class AgeTable:
    """Rows with measures `x` (n, d; NaN unknown), `age` (n,) years and `site` (n,) numbers."""

    names: tuple[str, ...]
    x: Floats
    age: Floats
    site: Indices
    sites: tuple[str, ...]
    cases: tuple[TrainCase, ...]

    @property
    def patients(self) -> list[str]:
        """The patient of each row."""
        return [case.patient for case in self.cases]


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How rows are made ready: means and standard deviations of training rows.

    `age` is of the logarithm of years.
    """

    mean: Floats
    sd: Floats
    age_mean: float
    age_sd: float

    @classmethod
    def of(cls, x: Floats, age: Floats) -> Scale:
        """From training rows."""
        known = np.isfinite(x)
        count = np.maximum(known.sum(0), 1)
        mean = np.where(known, x, 0).sum(0) / count
        spread = np.sqrt(np.where(known, (x - mean) ** 2, 0).sum(0) / count)
        log = np.log(age)
        return cls(mean, np.where(spread > 0, spread, 1.0), float(log.mean()), float(log.std()))

    def inputs(self, x: Floats) -> NDArray[np.float32]:
        """Standardised measures; unknown ones are at the mean."""
        z = np.clip((x - self.mean) / self.sd, -FURTHEST, FURTHEST)
        return np.where(np.isfinite(z), z, 0.0).astype(np.float32)

    def target(self, age: Floats) -> NDArray[np.float32]:
        """Standardised logarithms of ages."""
        return np.asarray((np.log(age) - self.age_mean) / self.age_sd, dtype=np.float32)

    def years(self, said: Floats) -> Floats:
        """Ages of what the network says."""
        return np.asarray(np.exp(said * self.age_sd + self.age_mean))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Who learns from whom: "seen" and "unseen" folds, and "final" on everybody."""

    kind: str
    train: Indices
    test: Indices
    scale: Scale


def divided(names: Sequence[str], x: Floats) -> Floats:
    """Regions as shares of the intracranial volume, where that is among the measures."""
    if ICV not in names:
        return x
    whole = x[:, [list(names).index(ICV)]]
    keep = np.array([name == ICV for name in names])
    return np.asarray(np.where(keep, x, x / whole))


def table_of(subsets: Sequence[Subset], sites: tuple[str, ...] = ()) -> tuple[AgeTable, list[str]]:
    """The rows that can be trained on, and in words what is left out.

    Of sets with different measures the ones with the most sites are taken. `sites` come first,
    whether they have rows or not.

    Raises
    ------
    DataError
        Too few rows, or no two sites.
    """
    groups: dict[tuple[str, ...], list[TrainCase]] = {}
    told = []
    for subset in subsets:
        usable = [
            c
            for c in subset.cases
            if "smri" in c.rows and c.age_years and c.site and c.split in ("", "train")
        ]
        groups.setdefault(subset.columns.get("smri", ()), []).extend(usable)
        if len(usable) < len(subset.cases):
            left = len(subset.cases) - len(usable)
            told.append(f"{subset.name}: {left} rows without measures, age or site, or not train")
    names = max(groups, key=lambda key: len({c.site for c in groups[key]}), default=())
    cases = groups.get(names, [])
    told += [
        f"{len(others)} rows of {others[0].subset} have other measures and were not used"
        for key, others in groups.items()
        if key != names and others
    ]
    here = {case.site for case in cases}
    sites = (*sites, *sorted(here - set(sites)))
    if len(cases) < FEWEST or len(sites) < 2:
        raise DataError(
            f"{len(cases)} rows of {len(here)} sites have measures, age and site; "
            f"{FEWEST} rows of 2 sites are needed",
            code="MV-DAT-104",
            do="Give rows with smri, age_years and site.",
        )
    x = divided(names, np.stack([case.rows["smri"] for case in cases]).astype(np.float64))
    age = np.array([case.age_years for case in cases], dtype=np.float64)
    site = np.array([sites.index(case.site) for case in cases], dtype=np.intp)
    return AgeTable(names, x, age, site, sites, tuple(cases)), told


def plans_for(table: AgeTable, recipe: AgeRecipe, scale: Scale | None = None) -> list[Plan]:
    """Folds by site, each site left out, and everybody: in this order.

    `scale` is that of weights to start from; without it every plan has that of its own rows.
    """
    made = []

    def plan(kind: str, train: Indices, test: Indices) -> None:
        own = scale or Scale.of(table.x[train], table.age[train])
        made.append(Plan(kind, train, test, own))

    everyone = np.arange(len(table.age))
    if recipe.folds:
        parts = StratifiedKFold(recipe.folds, shuffle=True, random_state=0)
        for train, test in parts.split(table.x, table.site):
            plan("seen", train, test)
    if recipe.leave_out:
        for number in np.unique(table.site):
            plan("unseen", everyone[table.site != number], everyone[table.site == number])
    plan("final", everyone, everyone[:0])
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Ages (members, n) in years by an ensemble, without and with the effect of the site."""

    fixed: Floats
    mixed: Floats


@dataclass(slots=True, eq=False)
class AgeTrainer:
    """All networks of a training. `folder` None keeps nothing on disk."""

    recipe: AgeRecipe
    table: AgeTable
    plans: Sequence[Plan]
    seed: int
    folder: Path | None = None
    method: Method = "full"
    epoch: int = 0
    stopped: str = "epochs"
    history: list[HistoryRow] = field(default_factory=list)
    _trainer: StackTrainer = field(init=False)
    _order: np.random.Generator = field(init=False)
    _dice: torch.Generator = field(init=False)
    _x: Tensor = field(init=False)
    _y: Tensor = field(init=False)
    _due: Due = field(init=False, default_factory=Due)

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        self._order = np.random.default_rng(self.seed)
        self._dice = torch.Generator().manual_seed(self.seed)
        recipe, table = self.recipe, self.table
        models = [fresh(recipe, len(table.names), len(table.sites)) for _ in self._whose]
        twins = len(self._whose) // self.twins
        weights = LossWeights(
            *(
                torch.tensor([with_sites] * twins + [without] * (len(models) - twins))
                for with_sites, without in (
                    (recipe.mixed, 0.0),
                    (recipe.fixed, 1.0),
                    (recipe.adversary, 0.0),
                    (recipe.kl, 0.0),
                )
            )
        )
        steps = Steps(recipe.rate, recipe.rate, 1e-8, recipe.decay, LEARNS[self.method])
        self._trainer = StackTrainer(Stack(models, weights), steps, self._dice)
        self._x = torch.from_numpy(np.stack([p.scale.inputs(table.x) for p in self.plans]))
        self._y = torch.from_numpy(np.stack([p.scale.target(table.age) for p in self.plans]))

    @property
    def twins(self) -> int:
        """2 where every network has a twin without site effects."""
        return 2 if self.recipe.compare else 1

    @property
    def _whose(self) -> list[int]:
        """The plan of each copy: by twin, plan, member."""
        return [n for n in range(len(self.plans)) for _ in range(self.recipe.members)] * self.twins

    @property
    def steps(self) -> int:
        """Steps in an epoch: one pass over the rows of the smallest plan."""
        return max(1, min(plan.train.size for plan in self.plans) // self._batch_size)

    @property
    def _batch_size(self) -> int:
        return min(self.recipe.batch, *(plan.train.size for plan in self.plans))

    def fit(self) -> Iterator[EpochReport]:
        """Train to the end, one report an epoch; close the iterator to stop."""
        self._trainer.stack.skeleton.train()
        while self.epoch < self.recipe.epochs:
            began = time.perf_counter()
            found = [self._trainer.step(batch, self._share(n)) for n, batch in self._batches()]
            self.epoch += 1
            figures = {
                ("train", name): float(np.mean([float(one[name].mean()) for one in found]))
                for name in found[0]
            }
            refuse_not_finite(figures["train", "main"], self.epoch)
            self.history += [(self.epoch, *name, value) for name, value in figures.items()]
            last = self.epoch == self.recipe.epochs
            if self._due.after_epoch() or last:
                self.keep()
            took = time.perf_counter() - began
            yield EpochReport(self.epoch, self.recipe.epochs, figures, took, last)

    def try_rate(self, rate: float) -> float:
        """One step of all copies at a rate; their mean loss."""
        self._trainer.stack.skeleton.train()
        _, batch = next(iter(self._batches()))
        return float(self._trainer.step(batch, rate / self.recipe.rate)["main"].mean())

    def _share(self, step: int) -> float:
        """The rate rises for a tenth of the steps and falls to zero as a cosine."""
        done = (self.epoch * self.steps + step) / (self.recipe.epochs * self.steps)
        return min(1.0, done / 0.1 + 0.02) * 0.5 * (1 + math.cos(math.pi * done))

    def _batches(self) -> Iterator[tuple[int, StackBatch]]:
        wanted, whose = self.steps * self._batch_size, self._whose
        alike = whose[: len(whose) // self.twins]
        orders = [self._order.permutation(self.plans[n].train)[:wanted] for n in alike]
        rows = torch.from_numpy(np.stack(orders * self.twins))
        plan, site = torch.tensor(whose)[:, None], torch.from_numpy(self.table.site)
        for number, here in enumerate(torch.split(rows, self._batch_size, dim=1)):
            yield number, StackBatch(self._x[plan, here], self._y[plan, here], site[here])

    # -- keeping -----------------------------------------------------------------------------

    def keep(self) -> None:
        """Write the checkpoint and the curve."""
        if self.folder is None:
            return
        write_history(self.folder / "history.csv", self.history)
        write_checkpoint(
            self.folder,
            {
                "recipe": self._run,
                "epoch": self.epoch,
                "trainer": self._trainer.state(),
                "dice": self._dice.get_state(),
                "order": str(self._order.bit_generator.state),
                "torch": torch.get_rng_state(),
                "history": [list(row) for row in self.history],
            },
        )

    @property
    def _run(self) -> str:
        shape = (len(self.table.age), len(self.table.names), len(self.table.sites))
        return of_method(f"{asdict(self.recipe)} {shape} seed {self.seed}", self.method)

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint in a folder, to the same curve as without a break.

        Raises
        ------
        DataError
            No checkpoint, a damaged one, or one of another recipe, data, seed or method.
        """
        kept = read_checkpoint(folder, names=_KEPT, run=self._run)
        self.epoch = int(kept["epoch"])
        self._trainer.load(kept["trainer"])
        self._dice.set_state(kept["dice"])
        self._order.bit_generator.state = plain_dict(kept["order"])
        torch.set_rng_state(kept["torch"])
        self.history = [(int(e), str(p), str(n), float(v)) for e, p, n, v in kept["history"]]

    @torch.no_grad()
    def begin_with(self, start: Ensemble) -> None:
        """Start every copy from the member of `start` in its place.

        Its sites are the first ones of the table; those that it does not know keep their start,
        and so does the adversary, if there are such.
        """
        parameters = self._trainer.stack.parameters
        for copy in range(len(self._whose)):
            state = start.models[copy % len(start.models)].state_dict()
            for name, value in parameters.items():
                if name.startswith(EFFECTS):
                    value[copy, : len(state[name])] = state[name]
                elif value[copy].shape == state[name].shape:
                    value[copy] = state[name]

    # -- asking ------------------------------------------------------------------------------

    def members(self, plan: int, *, twin: bool = False) -> Ensemble:
        """The networks of one plan, ready to predict; `twin` the ones without site effects."""
        members = self.recipe.members
        first = (len(self.plans) if twin else 0) * members + plan * members
        made = []
        for index in range(first, first + members):
            model = fresh(self.recipe, len(self.table.names), len(self.table.sites))
            self._trainer.stack.copy(index, model)
            made.append(model)
        return Ensemble(made).eval()


def fresh(recipe: AgeRecipe, inputs: int, sites: int) -> Armed:
    """An untrained network with site effects round it."""
    network = recipe.with_inputs(inputs)
    layers = AgeNet.hidden_layers(network)
    options = ArmedOptions(
        sites,
        layers,
        "hidden",
        layers[-1],
        "gaussian",
        adversary=(32,),
        prior_slope=recipe.prior_slope,
        prior_intercept=recipe.prior_intercept,
        start_slope=0.01,
        start_intercept=0.01,
    )
    return Armed(AgeNet(network), options, (torch.zeros(1, inputs),))


class Ensemble(nn.Module):
    """Networks with site effects that answer together."""

    def __init__(self, models: Sequence[Armed]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)

    @property
    def sites(self) -> int:
        """Number of sites with an effect."""
        first = self.models[0]
        assert isinstance(first, Armed)
        return first.options.clusters

    @torch.no_grad()
    def ask(self, scale: Scale, x: Floats, site: Indices) -> Said:
        """Ages of rows of measures `x` (n, d); a site of -1 is unknown and has no effect."""
        known = torch.from_numpy(np.asarray(site >= 0))
        z = F.one_hot(torch.from_numpy(np.maximum(site, 0)), self.sites).float() * known[:, None]
        return self.ask_z(scale, x, z)

    @torch.no_grad()
    def ask_z(self, scale: Scale, x: Floats, z: Tensor) -> Said:
        """Ages of rows with any weights `z` (n, sites) of the sites' effects."""
        rows = torch.from_numpy(scale.inputs(x))
        said = [model((rows,), z) for model in self.models]
        fixed = np.stack([one.fixed.double().numpy() for one in said])
        mixed = np.stack([one.mixed.double().numpy() for one in said])
        return Said(scale.years(fixed), scale.years(mixed))


def together(said: Floats) -> Floats:
    """The age of an ensemble: the geometric mean of its members, (n,)."""
    return np.asarray(np.exp(np.log(said).mean(0)))
