"""The training loop of MDMT: delayed selection, early stopping, plateau schedule, resumable."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import Method
from medview.learning.checkpoint import (
    FOLDER,
    Due,
    of_method,
    plain_dict,
    read_checkpoint,
    refuse_not_finite,
    write_checkpoint,
    write_history,
)
from medview.learning.film_set import FilmSet, mirror_targets, pooled_features, targets_of
from medview.learning.finetune_method import restrict
from medview.learning.ranks import ALONE, Ranks
from medview.models.backbones import Backbone
from medview.models.mdmt import (
    SEVERITIES,
    Mdmt,
    MdmtOptions,
    beta_average,
    refuse_foreign,
    take_fitting,
    task_losses,
    total_loss,
)

METHODS = ("mdmt", "ft", "stl-prognosis", "stl-severity")
ALL = -1
"""`frozen` of an encoder that is not trained at all."""


@dataclass(frozen=True, slots=True)
class CxrRecipe:
    """How the chest model is trained; ``resources/recipes/cxr.toml`` says what each means.

    The paper's values where it has some; on a CPU the encoder is frozen and a narrow shared
    layer (`adapter`) is trained beside its features.
    """

    backbone: str = "efficientnet_lite0"
    method: str = "mdmt"
    severity: str = "pooled"
    size: int = 224
    copies: int = 3
    frozen: int = ALL
    adapter: int = 32
    beta: float = 0.5
    prognosis_loss: str = "ce"
    reduction: str = "per_task"
    select: str = "all"
    epochs: int = 60
    steps: int = 3
    batch: int = 64
    rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup: int = 15
    patience: int = 20
    plateau: int = 8
    factor: float = 0.65
    least_rate: float = 1e-8
    val_share: float = 0.15
    folds: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> CxrRecipe:
        """Make a recipe from plain values.

        Raises
        ------
        DataError
            A key that no recipe has, or a word that is no choice.
        """
        known = {f.name for f in fields(cls)}
        odd = [name for name in values if name not in known]
        if odd:
            raise DataError(
                f"the recipe has no setting called {odd[0]}",
                do=f"Known are: {', '.join(sorted(known))}.",
                code="MV-DAT-020",
            )
        made = cls(**values)
        for name, choices in (
            ("method", METHODS),
            ("severity", SEVERITIES),
            ("prognosis_loss", ("ce", "mse_logits")),
            ("reduction", ("per_task", "whole_batch")),
            ("select", ("all", "prognosis")),
        ):
            if getattr(made, name) not in choices:
                raise DataError(
                    f'{name} "{getattr(made, name)}" is no choice',
                    do=f"Choose one of: {', '.join(choices)}.",
                    code="MV-DAT-020",
                )
        if made.size % 32:
            raise DataError("size must be a multiple of 32", do="Use 224.", code="MV-DAT-020")
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What the trained part sees of n films in c copies, and their labels.

    `pooled` (n, c, 7, F) where the encoder is frozen; else `maps` (n, c, C, h, w) before the
    first trained stage. `labels` and `turned` (of mirrored copies) by task.
    """

    films: FilmSet
    backbone: Backbone
    frozen: int
    labels: dict[str, Tensor]
    turned: dict[str, Tensor]
    pooled: Tensor | None = None
    maps: Tensor | None = None

    @property
    def n(self) -> int:
        """Number of films."""
        return len(self.films.cases)

    def batch(self, chosen: NDArray[np.intp], copies: NDArray[np.intp]) -> tuple[Tensor, ...]:
        """Inputs of chosen films, one copy each, and their zone shares."""
        source = self.pooled if self.pooled is not None else self.maps
        assert source is not None
        rows, columns = torch.from_numpy(chosen), torch.from_numpy(copies)
        shares = torch.from_numpy(self.films.shares[chosen, copies]).float()
        return source[rows, columns].float(), shares

    def targets(self, chosen: NDArray[np.intp], copies: NDArray[np.intp]) -> dict[str, Tensor]:
        """Labels of chosen films as their copies show them."""
        turned = torch.from_numpy(self.films.mirrored[chosen, copies])
        rows = torch.from_numpy(chosen)
        return {
            task: torch.where(
                turned.view(-1, *(1,) * (labels.ndim - 1)), self.turned[task][rows], labels[rows]
            )
            for task, labels in self.labels.items()
        }


def make_given(job: Progress, films: FilmSet, backbone: Backbone, frozen: int) -> Given:
    """Run the frozen stages once over all films and copies."""
    found = targets_of(films.cases)
    labels = {task: torch.from_numpy(values) for task, values in found.items()}
    turned = {t: torch.from_numpy(v) for t, v in mirror_targets(found).items()}
    refuse_foreign(labels)
    if frozen in (ALL, len(backbone.stages)):
        pooled = torch.from_numpy(pooled_features(job, films, backbone)).float()
        return Given(films, backbone, ALL, labels, turned, pooled=pooled)
    maps = _maps(job, films, backbone, frozen)
    return Given(films, backbone, frozen, labels, turned, maps=maps)


@torch.inference_mode()
def _maps(job: Progress, films: FilmSet, backbone: Backbone, frozen: int) -> Tensor:
    """What the first `frozen` stages give, float16."""
    stages = nn.Sequential(*list(backbone.stages)[:frozen]).eval()
    rows = []
    for n, copies in enumerate(films.squares):
        job.check()
        job.report(n, len(films.squares), "first stages of the encoder")
        grey = torch.from_numpy(copies).float() / 255
        rows.append(stages(backbone.normalised(grey)).half())
    return torch.stack(rows).clone()


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A trained network with its curve: lines (epoch, part, name, value)."""

    model: Mdmt
    best_epoch: int
    epochs: int
    stopped: str
    history: tuple[tuple[int, str, str, float], ...]


def network_for(recipe: CxrRecipe, given: Given, phase: str) -> Mdmt:
    """An untrained network for a phase: a single-task one, or the one with both heads."""
    options = MdmtOptions(
        given.backbone.features,
        prognosis=phase != "stl-severity",
        severity="none" if phase in ("stl-prognosis", "ft") else recipe.severity,  # type: ignore[arg-type]  # checked by the recipe
        single=phase in ("stl-prognosis", "ft"),
        adapter=recipe.adapter,
    )
    tail = None
    if given.frozen != ALL:
        tail = nn.Sequential(*copy.deepcopy(list(given.backbone.stages)[given.frozen :]))
    return Mdmt(options, tail)


PHASES = {
    "stl-prognosis": ("stl-prognosis",),
    "stl-severity": ("stl-severity",),
    "ft": ("stl-severity", "ft"),
    "mdmt": ("stl-prognosis", "stl-severity", "mdmt"),
}
"""What is trained before what; the last one is the result."""


def taught(recipe: CxrRecipe, given: Given, train: NDArray[np.intp]) -> CxrRecipe:
    """The recipe, of one task alone where no film to train on has a label of the other.

    A head that nothing teaches would answer all the same.

    Raises
    ------
    DataError
        No film has a label that the method needs.
    """
    outcome = chances(given, train, "prognosis").sum() > 0
    others = [task for task in given.labels if task != "prognosis"]
    severity = any(chances(given, train, task).sum() > 0 for task in others)
    if outcome and severity:
        return recipe
    alone = "stl-prognosis" if outcome else "stl-severity"
    fitting = (alone, "mdmt", "ft") if outcome else (alone, "mdmt")
    if not (outcome or severity) or recipe.method not in fitting:
        raise DataError(
            f"no film to train on has {'a Brixia score' if outcome else 'an outcome'}, which the "
            f"method {recipe.method} needs",
            do="Give films with such labels, or another method.",
            code="MV-DAT-156",
        )
    return replace(recipe, method=alone)


def fit_method(
    job: Progress,
    recipe: CxrRecipe,
    given: Given,
    parts: tuple[NDArray[np.intp], NDArray[np.intp]],
    seed: int,
    *,
    folder: Path | None = None,
    resume: bool = False,
    until: float = float("inf"),
    init: Mapping[str, Tensor] | None = None,
    known: dict[str, Fitted] | None = None,
    after: Callable[[int, Mdmt], None] | None = None,
    learns: Method = "full",
    ranks: Ranks = ALONE,
) -> Fitted:
    """Train the phases of a method on the training films (first of `parts`).

    From first weights (`init`) only the last phase is trained, and of it what `learns` says.

    `folder` is where checkpoint/ is kept. At `until` (of ``time.perf_counter``) training stops
    and goes on with what there is. `known` holds phases that are already trained on the
    same films with the same seed, and takes in those that are trained here. `after` is told of
    each epoch of the last phase. Of several processes (`ranks`) only the first one writes.
    Where films have labels of one task only, only that one is trained (``taught``).
    """
    recipe = taught(recipe, given, parts[0]) if init is None else recipe
    done = known if known is not None else {}
    phases = PHASES[recipe.method] if init is None else PHASES[recipe.method][-1:]
    for phase in phases:
        if phase in done:
            continue
        model = begun(recipe, given, parts[0], phase, done, seed, init, learns)
        run = Run(recipe, given, parts, model, phase, seed, folder, ranks, learns)
        if resume:
            run.resume()
        done[phase] = run.to_end(job, until, after if phase == phases[-1] else None)
    return done[phases[-1]]


def begun(
    recipe: CxrRecipe,
    given: Given,
    train: NDArray[np.intp],
    phase: str,
    done: Mapping[str, Fitted],
    seed: int,
    init: Mapping[str, Tensor] | None = None,
    learns: Method = "full",
) -> Mdmt:
    """The network of a phase before its first step, with only that learning which shall."""
    model = _started(recipe, given, train, phase, done, seed)
    if init is not None:
        take_fitting(model, init)
        restrict(model, learns, ("heads.",), seed=seed)
    return model


def _started(
    recipe: CxrRecipe,
    given: Given,
    train: NDArray[np.intp],
    phase: str,
    done: Mapping[str, Fitted],
    seed: int,
) -> Mdmt:
    """First weights of a phase: random, or from the single-task nets."""
    torch.manual_seed(seed)
    model = network_for(recipe, given, phase)
    if given.pooled is not None:
        model.settle(given.pooled[torch.from_numpy(train), 0])
    if phase == "ft" and "stl-severity" in done:
        take_fitting(model, done["stl-severity"].model.state_dict(), ("heads.",))
    if phase == "mdmt" and "stl-prognosis" in done:
        ours = done["stl-prognosis"].model.state_dict()
        theirs = done["stl-severity"].model.state_dict()
        take_fitting(model, beta_average(ours, theirs, recipe.beta))
    return model


def chances(given: Given, chosen: NDArray[np.intp], task: str) -> NDArray[np.float64]:
    """How often each of the chosen films is drawn: patients alike, outcome classes alike."""
    labels = given.labels[task][torch.from_numpy(chosen)].numpy()
    known = np.isfinite(labels.reshape(len(chosen), -1)).all(1)
    patients = np.array([given.films.cases[n].patient for n in chosen])
    weight = np.zeros(len(chosen))
    for n in np.flatnonzero(known):
        weight[n] = 1 / (patients[known] == patients[n]).sum()
    if task == "prognosis":
        for value in (0, 1):
            here = known & (labels == value)
            weight[here] /= max(weight[here].sum(), 1e-9)
    return np.asarray(weight / max(weight.sum(), 1e-9), dtype=np.float64)


class Run:
    """One phase of training; ``to_end`` goes through its epochs."""

    def __init__(
        self,
        recipe: CxrRecipe,
        given: Given,
        parts: tuple[NDArray[np.intp], NDArray[np.intp]],
        model: Mdmt,
        phase: str,
        seed: int,
        folder: Path | None,
        ranks: Ranks = ALONE,
        learns: Method = "full",
    ) -> None:
        self.recipe, self.given, self.model, self.phase = recipe, given, model, phase
        self._same = of_method(same_run(recipe), learns)
        self.ranks, self._network = ranks, ranks.spread(model)
        self.train, self.val = parts
        self.folder = folder
        self.prefix = "" if phase == recipe.method else f"{phase}-"
        self.tasks = tuple(model.heads)
        self.epoch, self.best_epoch, self.best_value = 0, 0, float("inf")
        self.stopped = "epochs"
        self._due = Due()
        self.history: list[tuple[int, str, str, float]] = []
        self.best = copy.deepcopy(model.state_dict())
        self._rng = np.random.default_rng((seed, len(phase)))
        torch.manual_seed(seed + 1)
        self._chance = {task: chances(given, self.train, task) for task in self.tasks}
        learnt = [p for p in model.parameters() if p.requires_grad]
        self._optimiser = torch.optim.Adam(
            learnt, recipe.rate, betas=(0.9, 0.999), weight_decay=recipe.weight_decay
        )
        self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self._optimiser, factor=recipe.factor, patience=recipe.plateau,
            min_lr=recipe.least_rate,
        )  # fmt: skip

    def to_end(
        self,
        job: Progress,
        until: float = float("inf"),
        after: Callable[[int, Mdmt], None] | None = None,
    ) -> Fitted:
        """Train until the epochs, the patience or the time are over; the best network."""
        recipe = self.recipe
        while self.epoch < recipe.epochs and not self._is_late:
            job.check()
            job.report(self.epoch, recipe.epochs, f"{self.phase}: epoch {self.epoch + 1}")
            self._one_epoch()
            if after is not None:
                after(self.epoch, self.model)
            if self._due.after_epoch():
                self.keep()
            if time.perf_counter() > until and self.epoch < recipe.epochs:
                self.stopped = "time"
                break
        self.keep()
        if self._is_late:
            self.stopped = "patience"
        if self.best_epoch:
            self.model.load_state_dict(self.best)
        model = self.model.eval()
        best = self.best_epoch or self.epoch
        return Fitted(model, best, self.epoch, self.stopped, tuple(self.history))

    @property
    def _is_late(self) -> bool:
        late = self.epoch - max(self.best_epoch, self.recipe.warmup)
        return bool(self.best_epoch) and late >= self.recipe.patience

    def _one_epoch(self) -> None:
        self._set_training()
        sums: dict[str, float] = {}
        for _ in range(self.recipe.steps):
            for name, value in self._step().items():
                sums[name] = sums.get(name, 0.0) + value / self.recipe.steps
        self.epoch += 1
        self.history += [(self.epoch, f"{self.prefix}train", n, v) for n, v in sums.items()]
        losses = self._validate()
        self.history += [(self.epoch, f"{self.prefix}val", n, v) for n, v in losses.items()]
        value = self._judged(losses)
        self._plateau.step(value)
        # Selection begins after the warm-up: until then the loss of few films says little.
        if self.epoch > min(self.recipe.warmup, self.recipe.epochs - 1) and value < self.best_value:
            self.best_value, self.best_epoch = value, self.epoch
            self.best = copy.deepcopy(self.model.state_dict())

    def _judged(self, losses: Mapping[str, float]) -> float:
        """What the best epoch is chosen by: low is good; without validation the last is best."""
        if not losses:
            return -float(self.epoch)
        if self.recipe.select == "prognosis" and "prognosis" in losses:
            return losses["prognosis"]
        return sum(losses.values())

    def _set_training(self) -> None:
        self.model.train()
        if self.given.frozen > 0:  # few films: the statistics of ImageNet are the better ones
            for part in self.model.tail.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()

    def try_rate(self, rate: float) -> float:
        """One step at a rate; the loss."""
        self._set_training()
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        return self._step()["loss"]

    def _drawn(self) -> NDArray[np.intp]:
        """Films of a batch: as many by the chances of each task."""
        each = self.recipe.batch // len(self.tasks)
        drawn = [self._rng.choice(self.train, each, p=self._chance[t]) for t in self.tasks
                 if self._chance[t].sum() > 0]  # fmt: skip
        return np.concatenate(drawn)

    def _step(self) -> dict[str, float]:
        chosen = self._drawn()
        copies = self._rng.integers(self.given.films.squares.shape[1], size=len(chosen))
        losses = self._losses(chosen, copies)
        loss = total_loss(losses)
        refuse_not_finite(loss, self.epoch + 1)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation for it
        self._optimiser.step()
        return {"loss": loss.item(), **{task: value.item() for task, value in losses.items()}}

    def _losses(self, chosen: NDArray[np.intp], copies: NDArray[np.intp]) -> dict[str, Tensor]:
        mine = self.ranks.rows
        said = answers(self.model, self.given, chosen[mine], copies[mine], self._network)
        return task_losses(
            {task: self.ranks.whole(rows, len(chosen)) for task, rows in said.items()},
            self.given.targets(chosen, copies),
            prognosis_loss=self.recipe.prognosis_loss,  # type: ignore[arg-type]  # checked by the recipe
            reduction=self.recipe.reduction,  # type: ignore[arg-type]  # checked by the recipe
        )

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        if not len(self.val):
            return {}
        self.model.eval()
        plain = np.zeros(len(self.val), np.intp)
        targets = self.given.targets(self.val, plain)
        found = task_losses(answers(self.model, self.given, self.val, plain), targets)
        return {task: value.item() for task, value in found.items()}

    def keep(self) -> None:
        """Write the checkpoint of this phase and the curve."""
        if self.folder is None or not self.ranks.leads:
            return
        kept = {name: getattr(self, name) for name in _PLAIN_STATE} | {
            "model": self.model.state_dict(),
            "best": self.best,
            "optimiser": self._optimiser.state_dict(),
            "plateau": self._plateau.state_dict(),
            "torch": torch.get_rng_state(),
            "rng": str(self._rng.bit_generator.state),
            "recipe": self._same,
        }
        write_history(self.folder / "history.csv", self.history)
        write_checkpoint(self.folder, kept, self._file)

    @property
    def _file(self) -> str:
        return f"{self.phase}.pt"

    def resume(self) -> None:
        """Go on from the checkpoint of this phase, if there is one of the same recipe.

        Raises
        ------
        DataError
            A damaged checkpoint, or one of another recipe or method.
        """
        if self.folder is None or not (self.folder / FOLDER / self._file).is_file():
            return
        kept = read_checkpoint(self.folder, names=_KEPT, run=self._same, name=self._file)
        for name in _PLAIN_STATE:
            setattr(self, name, kept[name])
        self.history = [tuple(line) for line in kept["history"]]
        self.model.load_state_dict(kept["model"])
        self.best = kept["best"]
        self._optimiser.load_state_dict(kept["optimiser"])
        self._plateau.load_state_dict(kept["plateau"])
        torch.set_rng_state(kept["torch"])
        self._rng.bit_generator.state = plain_dict(kept["rng"])


_PLAIN_STATE = ("epoch", "best_epoch", "best_value", "history")
_KEPT = (*_PLAIN_STATE, "model", "best", "optimiser", "plateau", "torch", "rng", "recipe")


def same_run(recipe: CxrRecipe) -> str:
    """What two runs must share so that one can go on from the other's checkpoint."""
    return str(asdict(replace(recipe, folds=0)))


def answers(
    model: Mdmt,
    given: Given,
    chosen: NDArray[np.intp],
    copies: NDArray[np.intp],
    network: nn.Module | None = None,
) -> dict[str, Tensor]:
    """What a network says of chosen films; `network` is the model joined with other processes."""
    inputs, shares = given.batch(chosen, copies)
    pooled = inputs if given.pooled is not None else model.run_tail(inputs, shares)
    said: dict[str, Tensor] = (network or model)(pooled)
    return said


@torch.no_grad()
def predict(model: Mdmt, given: Given, chosen: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
    """Scores of films, each seen as it is: ``severe`` (n,), ``zones`` (n, 6), ``severity`` (n,).

    Those that the network has heads for; ``severity`` is the most likely class, or that of the
    summed zones.
    """
    model.eval()
    said = answers(model, given, chosen, np.zeros(len(chosen), np.intp))
    return scores_of(said)


def scores_of(said: Mapping[str, Tensor]) -> dict[str, NDArray[np.float64]]:
    """Outputs of the heads as scores."""
    found: dict[str, NDArray[np.float64]] = {}
    if "prognosis" in said:
        found["severe"] = torch.softmax(said["prognosis"], 1)[:, 1].double().numpy()
    if "zones" in said:
        found["zones"] = said["zones"].clamp(0, 3).double().numpy()
        found["severity"] = np.digitize(found["zones"].sum(1), (4.5, 9.5, 14.5)).astype(np.float64)
    if "severity" in said:
        found["severity"] = said["severity"].argmax(1).double().numpy()
    if "lungs" in said:
        found["lungs"] = said["lungs"].argmax(2).double().numpy()
    return found
