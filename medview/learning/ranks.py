"""One training over several processes: started by torchrun, equal to one process.

Every process draws the same batch and takes its share of the rows; DistributedDataParallel adds
the gradients. Losses, batch statistics and the chances of dropout are those of the whole batch,
so that the curve is that of one process (to rounding).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from medview.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which of how many processes this is; one alone unless torchrun says otherwise."""

    rank: int = 0
    world: int = 1

    @classmethod
    def here(cls, device: str = "cpu") -> Ranks:
        """As the environment says (RANK and WORLD_SIZE); joins the others first.

        Raises
        ------
        UsageError
            If the others cannot be reached.
        """
        world = int(os.environ.get("WORLD_SIZE", "1"))
        if world < 2:
            return cls()
        if not dist.is_initialized():
            try:
                dist.init_process_group("gloo" if device == "cpu" else "nccl")
            except (RuntimeError, ValueError) as error:
                raise UsageError(
                    "the other processes of this training cannot be reached",
                    do="Start it with torchrun, with the same address on every machine.",
                ) from error
        return cls(dist.get_rank(), world)

    @property
    def leads(self) -> bool:
        """The one that writes files and answers."""
        return self.rank == 0

    @property
    def rows(self) -> slice:
        """The rows of a batch that are for this process."""
        return slice(self.rank, None, self.world)

    def spread(self, model: nn.Module) -> nn.Module:
        """The network as it is called in training: itself alone, or joined with the others.

        Batch norms and dropouts are replaced in place; names and values of the state stay.
        """
        if self.world < 2:
            return model
        for parent in list(model.modules()):
            for name, part in list(parent.named_children()):
                if type(part) is nn.BatchNorm2d:
                    setattr(parent, name, WholeBatchNorm.of(part))
                elif type(part) is nn.Dropout:
                    setattr(parent, name, WholeBatchDropout(part.p, self))
        return DistributedDataParallel(
            model, process_group=dist.new_group(), find_unused_parameters=True
        )

    def whole(self, mine: Tensor, count: int) -> Tensor:
        """All `count` rows of a batch, of which `mine` are this process's; gradients flow back.

        A loss of all rows, computed alike in every process, then has the gradient of one process.
        """
        if self.world < 2:
            return mine
        rows = mine.new_zeros((count, *mine.shape[1:]))
        rows[self.rows] = mine
        return _over_all(rows)

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Figures averaged over the processes."""
        if self.world < 2:
            return dict(values)
        told = torch.tensor(list(values.values()), dtype=torch.float64)
        if dist.get_backend() == "nccl":
            told = told.cuda()
        dist.all_reduce(told)
        return dict(zip(values, (told / self.world).tolist(), strict=True))


def refuse_several(model: str, why: str) -> None:
    """Refuse to be one of several processes: they would all do the same, into one folder.

    Raises
    ------
    UsageError
        With the reason, where torchrun has started more than one.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            f"{model} trains in one process only: {why}", do="Start it without torchrun."
        )


class WholeBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics in training are those of all processes' rows together.

    torch's SyncBatchNorm does the same, but on GPUs only.
    """

    @classmethod
    def of(cls, part: nn.BatchNorm2d) -> WholeBatchNorm:
        """The same layer: its very parameters and buffers."""
        made = cls(part.num_features, part.eps, part.momentum, part.affine)
        made.__dict__["_parameters"] = part._parameters
        made.__dict__["_buffers"] = part._buffers
        made.train(part.training)
        return made

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(x)
        # In two passes: the difference of two large sums would lose what is to be equal.
        wide = x.float()
        sums = wide.sum((0, 2, 3))
        count = sums.new_tensor([x.numel() / x.shape[1]])
        whole = _over_all(torch.cat([sums, count]))
        n = whole[-1]
        mean = whole[:-1] / n
        away = wide - mean[:, None, None]
        variance = _over_all((away**2).sum((0, 2, 3))) / n
        with torch.no_grad():
            share = self.momentum or 0.1
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance * n / (n - 1), share)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
        scale = (variance + self.eps).rsqrt() * self.weight
        made = away * scale[:, None, None] + self.bias[:, None, None]
        return made.to(x.dtype)


class WholeBatchDropout(nn.Dropout):
    """Dropout that draws for all processes' rows together, as one process would, and takes its own.

    All processes must draw with the same seed.
    """

    def __init__(self, p: float, ranks: Ranks) -> None:
        super().__init__(p)
        self._ranks = ranks

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) to the same shape."""
        if not self.training or self.p == 0:
            return x
        count = torch.tensor([float(len(x))])
        dist.all_reduce(count)
        kept = x.new_empty((int(count), *x.shape[1:])).bernoulli_(1 - self.p).div_(1 - self.p)
        return x * kept[self._ranks.rows]


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        """The same sum in every process."""
        whole = values.clone()
        dist.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        """What every process makes of the sum."""
        whole = gradients[0].clone()
        dist.all_reduce(whole)
        return whole


def _over_all(values: Tensor) -> Tensor:
    found: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]  # torch has none
    return found


ALONE = Ranks()
"""No other process."""
