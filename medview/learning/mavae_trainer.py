"""Train several M-AVAEs at once: members of one ensemble, in one pass of one loop.

Each member has its own rows, statistics and first weights; their weights are stacked and every
step is one batched pass (``torch.func.vmap``). Several processes share the members. Steps
alternate as in the paper's kind of model: the discriminator first, then the rest with the
discriminator standing still.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from medview.domain.training import Method
from medview.learning.brain_age_recipe import TrainOptions
from medview.learning.checkpoint import (
    Due,
    EpochReport,
    HistoryRow,
    keep_run,
    of_method,
    plain_dict,
    read_checkpoint,
    refuse_not_finite,
)
from medview.learning.mavae_batches import Batches, Member
from medview.learning.mavae_health import gradient_shares, health
from medview.learning.mavae_ranks import Deal
from medview.learning.ranks import ALONE, Ranks
from medview.models.mavae import TERMS, LossWeights, Mavae, MavaeOptions, Rows

DISCRIMINATOR = "net.discriminator."


class _Losses(nn.Module):
    """Both steps of one member as calls of one module: what ``functional_call`` can reach."""

    def __init__(self, net: Mavae) -> None:
        super().__init__()
        self.net = net

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        age: Tensor,
        sex: Tensor,
        noise: Mapping[str, Tensor] | None,
        prior: Tensor | None,
    ) -> dict[str, Tensor]:
        rows = Rows(inputs, present, age, sex)
        if prior is not None:
            codes = self.net.encode(rows, noise)
            return {"adversary": self.net.adversary_loss(codes, present, prior)}
        return self.net.losses(self.net(rows, noise), rows)


@dataclass(slots=True)
class MavaeTrainer:
    """One training run of an ensemble; iterate over ``fit()``.

    Parameters
    ----------
    network : MavaeOptions
        Widths, the same for all members.
    weights : LossWeights
        Weight of each loss term.
    options : TrainOptions
        Everything else.
    members : tuple[Member, ...]
        One or more; all over the same N rows.
    present : Mapping[str, NDArray]
        By role (N,), whether a row has that modality.
    sex : NDArray
        (N,) 1 for female, 0 for male, NaN unknown.
    folder : Path | None
        Where checkpoint/ and history.csv go; None keeps nothing on disk.
    ranks : Ranks
        This process among several, each of which trains some members; the first one writes.
    """

    network: MavaeOptions
    weights: LossWeights
    options: TrainOptions
    members: tuple[Member, ...]
    present: Mapping[str, NDArray[np.bool_]]
    sex: NDArray[np.float32]
    seed: int = 0
    folder: Path | None = None
    ranks: Ranks = ALONE
    epoch: int = field(init=False, default=0)
    best_epoch: int = field(init=False, default=0)
    stopped: str = field(init=False, default="epochs")
    history: list[HistoryRow] = field(init=False, default_factory=list)
    state: dict[str, Tensor] = field(init=False)
    _best: dict[str, Tensor] = field(init=False, default_factory=dict)
    _best_value: float = field(init=False, default=float("inf"))
    _base: _Losses = field(init=False)
    _rng: np.random.Generator = field(init=False)
    _main: torch.optim.Optimizer = field(init=False)
    _adversary: torch.optim.Optimizer = field(init=False)
    _batches: Batches = field(init=False)
    _due: Due = field(init=False, default_factory=Due)
    _method: Method = field(init=False, default="full")
    _deal: Deal = field(init=False)

    def __post_init__(self) -> None:
        self._deal = Deal(self.ranks, len(self.members))
        networks = []
        for number in range(len(self.members))[self._deal.own]:
            torch.manual_seed(1000 * self.seed + number)
            networks.append(_Losses(Mavae(self.network)))
        self._base = networks[0]
        stacked, _ = stack_module_state(list[nn.Module](networks))
        self._deal.spread(self._base)
        self.state = {name: value.detach().requires_grad_() for name, value in stacked.items()}
        torch.manual_seed(self.seed)
        self._rng = np.random.default_rng(self.seed)
        named = self.state.items()
        decay = self.options.weight_decay
        first = self.options.rate
        self._main = torch.optim.AdamW(
            [value for name, value in named if not name.startswith(DISCRIMINATOR)],
            first,
            (0.9, 0.99),
            weight_decay=decay,
        )
        self._adversary = torch.optim.AdamW(
            [value for name, value in named if name.startswith(DISCRIMINATOR)],
            first,
            (0.5, 0.99),
        )
        self._batches = Batches(
            self.members, self.network.roles, self.present, self.sex, self.options, self._rng
        )

    def fit(self) -> Iterator[EpochReport]:
        """Train to the end, one report an epoch; close the iterator to stop."""
        while self.epoch < self.options.epochs and not self._is_late:
            began = time.perf_counter()
            figures = {("train", name): value for name, value in self._train_epoch().items()}
            self.epoch += 1
            last = self.epoch == self.options.epochs
            if last or self.epoch % self.options.health_every == 0 or self.options.patience:
                figures |= self._measure()
            best = self._keep_best(figures)
            self.history += [(self.epoch, *name, value) for name, value in figures.items()]
            due = self.ranks.agreed(self._due.after_epoch())
            if due or self._is_late or last:
                self.keep()
            yield EpochReport(
                self.epoch, self.options.epochs, figures, time.perf_counter() - began, best
            )
        if self._is_late:
            self.stopped = "patience"

    @property
    def _is_late(self) -> bool:
        patience = self.options.patience
        return bool(patience) and self.epoch - self.best_epoch >= patience

    def _train_epoch(self) -> dict[str, float]:
        self._base.train()
        orders = [self._batches.order(member) for member in self.members]
        sums: dict[str, Tensor] = {}
        size = orders[0].size // self._batches.steps
        for step in range(self._batches.steps):
            self._set_rate(self.epoch + step / self._batches.steps)
            chosen = np.stack([order[step * size : (step + 1) * size] for order in orders])
            for name, value in self._step(self._batches.drawn(chosen)).items():
                sums[name] = sums.get(name, torch.zeros(())) + value / self._batches.steps
        return self.ranks.mean({name: float(value) for name, value in sums.items()})

    def try_rate(self, rate: float) -> float:
        """One step of all members at a rate; their mean loss."""
        self._base.train()
        for optimiser in (self._main, self._adversary):
            for group in optimiser.param_groups:
                group["lr"] = rate
        orders = np.stack([self._batches.order(member) for member in self.members])
        size = orders.shape[1] // self._batches.steps
        return float(self._step(self._batches.drawn(orders[:, :size]))["loss"])

    def _set_rate(self, epoch: float) -> None:
        """The rate rises for a tenth of the epochs and falls as a cosine."""
        share = epoch / self.options.epochs
        factor = share / 0.1 if share < 0.1 else (1 + np.cos(np.pi * (share - 0.1) / 0.9)) / 2
        for optimiser in (self._main, self._adversary):
            for group in optimiser.param_groups:
                group["lr"] = self.options.rate * max(float(factor), 0.01)

    def _noise(self, rows: int) -> dict[str, Tensor]:
        shape = (len(self.members), rows, self.network.code)
        return {role: self._batches.normal(shape)[self._deal.own] for role in self.network.roles}

    def _call(
        self, batch: Rows, noise: Mapping[str, Tensor], prior: Tensor | None
    ) -> dict[str, Tensor]:
        def one(state: dict[str, Tensor], given: tuple[object, ...]) -> dict[str, Tensor]:
            told: dict[str, Tensor] = functional_call(self._base, state, given)
            return told

        given = (batch.inputs, batch.present, batch.age, batch.sex, noise, prior)
        dims = (0, (*(0 for _ in range(5)), None if prior is None else 0))
        said: dict[str, Tensor] = vmap(one, in_dims=dims, randomness="different")(self.state, given)
        return said

    def _step(self, batch: Rows) -> dict[str, Tensor]:
        """One step of the discriminators, then one of everything else."""
        rows, batch = batch.age.shape[1], self._deal.rows(batch)
        shape = (len(self.members), rows, self.network.generic)
        prior = self._batches.of_prior(self.network.prior, shape)[self._deal.own]
        told: dict[str, Tensor] = {}
        learns = any(p.requires_grad for p in self._adversary.param_groups[0]["params"])
        if self.weights.adv > 0 and learns:
            found = self._call(batch, self._noise(rows), prior)["adversary"]
            self._adversary.zero_grad(set_to_none=True)
            found.sum().backward()  # type: ignore[no-untyped-call]  # torch has no annotation for it
            self._adversary.step()
            told["adversary"] = self._deal.average(found.detach())
        losses = self._call(batch, self._noise(rows), None)
        loss = sum((getattr(self.weights, name) * losses[name] for name in TERMS), torch.zeros(()))
        refuse_not_finite(loss, self.epoch + 1)
        self._main.zero_grad(set_to_none=True)
        loss.sum().backward()
        self._clip()
        self._main.step()
        terms = {name: self._deal.average(value.detach()) for name, value in losses.items()}
        return {"loss": self._deal.average(loss.detach()), **terms, **told}

    def _clip(self) -> None:
        """Shorten the gradient of each member on its own."""
        grads = [p.grad for g in self._main.param_groups for p in g["params"] if p.grad is not None]
        norm = torch.stack([grad.flatten(1).norm(dim=1) for grad in grads]).norm(dim=0)
        factor = (self.options.clip / norm.clamp_min(1e-12)).clamp_max(1.0)
        for grad in grads:
            grad.mul_(factor.view(-1, *([1] * (grad.dim() - 1))))

    def begin_from(self, networks: Sequence[Mavae], *, only: Sequence[str] = ()) -> None:
        """Take the weights of given members; `only` names the parts that go on learning.

        Raises
        ------
        ValueError
            If their number or their widths are others.
        """
        if len(networks) != len(self.members) or networks[0].options != self.network:
            raise ValueError("the members to begin from have other widths or another number")
        own = networks[self._deal.own]
        stacked, _ = stack_module_state([_Losses(net) for net in own])
        with torch.no_grad():
            for name, value in self.state.items():
                value.copy_(stacked[name])
        if only:
            self._method = "head"
            begins = tuple(f"net.{part}." for part in only)
            for name, value in self.state.items():
                value.requires_grad_(name.startswith(begins))

    # -- measuring -------------------------------------------------------------------------

    def networks(self, *, best: bool = True) -> list[Mavae]:
        """The members as they are, or as they were in their best epoch; ready to predict."""
        state = self._deal.gathered(self._best if best and self._best else self.state)
        made = []
        for number in range(len(self.members)):
            net = Mavae(self.network)
            own = {n.removeprefix("net."): v[number].detach() for n, v in state.items()}
            net.load_state_dict(own)
            made.append(net.eval())
        return made

    def _measure(self) -> dict[tuple[str, str], float]:
        """Error on the rows left out, and health of the first member on its training rows."""
        networks = self.networks(best=False)
        errors = []
        with torch.inference_mode():
            for number, (net, member) in enumerate(zip(networks, self.members, strict=True)):
                if member.held.size:
                    rows = self._batches.of_member(number, member.held)
                    errors.append((net(rows).age - rows.age).abs() * member.years)
        found: dict[tuple[str, str], float] = {}
        known = torch.cat(errors) if errors else torch.zeros(0)
        known = known[torch.isfinite(known)]
        if known.numel():
            found["val", "mae"] = float(known.mean())
        rows = self._batches.of_member(0, self.members[0].train)
        found |= {("health", name): value for name, value in health(networks[0], rows).items()}
        shares = gradient_shares(networks[0], rows, self.weights)
        return found | {("gradient", name): value for name, value in shares.items()}

    def _keep_best(self, figures: Mapping[tuple[str, str], float]) -> bool:
        """With patience the best epoch on the rows left out, without it the last one."""
        if not self.options.patience:
            self.best_epoch = self.epoch
            return True
        value = figures.get(("val", "mae"), -float(self.epoch))
        if value >= self._best_value:
            return False
        self._best_value, self.best_epoch = value, self.epoch
        self._best = {name: kept.detach().clone() for name, kept in self.state.items()}
        return True

    # -- on disk ---------------------------------------------------------------------------

    def keep(self) -> None:
        """Write the checkpoint and the curve; of several processes all must ask for it."""
        kept = {
            "epoch": self.epoch,
            "state": self._deal.gathered(self.state),
            "best": self._deal.gathered(self._best),
            "best_epoch": self.best_epoch,
            "best_value": self._best_value,
            "main": self._deal.gathered_optimiser(self._main),
            "adversary": self._deal.gathered_optimiser(self._adversary),
            "torch": torch.get_rng_state(),
            "rng": str(self._rng.bit_generator.state),
            "history": self.history,
            "recipe": self._same_run(),
        }
        if self.ranks.leads:
            keep_run(self.folder, kept)

    def _same_run(self) -> str:
        """What two runs must share so that one can go on from the other's checkpoint."""
        sizes = [(member.train.tolist(), member.held.tolist()) for member in self.members]
        parts = (asdict(self.network), asdict(self.weights), asdict(self.options), sizes)
        return of_method(str((*parts, self.seed)), self._method)

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of an interrupted run of the same recipe and rows.

        Raises
        ------
        DataError
            No checkpoint there, a damaged one, or one of another recipe or method.
        """
        kept = read_checkpoint(folder, names=_KEPT, run=self._same_run())
        with torch.no_grad():
            for name, value in self.state.items():
                value.copy_(kept["state"][name][self._deal.own])
        self.epoch, self.best_epoch = kept["epoch"], kept["best_epoch"]
        own = {name: value[self._deal.own] for name, value in kept["best"].items()}
        self._best, self._best_value = own, kept["best_value"]
        self._deal.load_optimiser(self._main, kept["main"])
        self._deal.load_optimiser(self._adversary, kept["adversary"])
        torch.set_rng_state(kept["torch"])
        self._rng.bit_generator.state = plain_dict(kept["rng"])
        self.history = [tuple(row) for row in kept["history"]]


_KEPT = (
    *("epoch", "state", "best", "best_epoch", "best_value", "main", "adversary"),
    *("torch", "rng", "history", "recipe"),
)
