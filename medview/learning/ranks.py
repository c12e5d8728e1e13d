"""One training over several processes: started by torchrun, equal to one process.

Every process draws the same batch and takes its share of the rows; DistributedDataParallel adds
the gradients. Losses, batch statistics and the chances of dropout are those of the whole batch,
so that the curve is that of one process (to rounding).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import cast

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

        Batch norms, dropouts and attention are replaced in place; names and values of the state
        stay.
        """
        if self.world < 2:
            return model
        for parent in list(model.modules()):
            for name, part in list(parent.named_children()):
                if type(part) is nn.BatchNorm2d:
                    setattr(parent, name, WholeBatchNorm.of(part))
                elif type(part) is nn.Dropout:
                    setattr(parent, name, WholeBatchDropout(part.p, self))
                elif type(part) is nn.MultiheadAttention:
                    setattr(parent, name, WholeBatchAttention.of(part, self))
        return DistributedDataParallel(
            model, process_group=_gradients(), find_unused_parameters=True
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

    def agreed(self, wish: bool) -> bool:
        """What the first process wishes; clocks differ."""
        return self.mean({"wish": float(wish and self.leads) * self.world})["wish"] > 0.5

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

    All processes must draw with the same seed. `each` rows of a batch are of one case, and cases
    are what processes share (``repeated``).
    """

    def __init__(self, p: float, ranks: Ranks) -> None:
        super().__init__(p)
        self._ranks, self.each = ranks, 1

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) to the same shape."""
        if not self.training or self.p == 0:
            return x
        count = torch.tensor([float(len(x))])
        dist.all_reduce(count)
        kept = _laid_as(x, (int(count), *x.shape[1:])).bernoulli_(1 - self.p).div_(1 - self.p)
        every = torch.arange(int(count)).view(int(count) // self.each, self.each)
        return x * kept[every[self._ranks.rows].flatten()]


def _laid_as(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """An empty tensor whose dimensions lie in memory as those of `x`: draws go by memory.

    The output of an LSTM lies by time first.
    """
    apart = x.stride()
    order = sorted(range(x.dim()), key=lambda n: (-apart[n], n == 0))
    return x.new_empty([shape[n] for n in order]).permute([order.index(n) for n in range(x.dim())])


@contextmanager
def repeated(model: nn.Module, each: int) -> Iterator[None]:
    """In the block `each` rows of a batch, one below the other, are of one case."""
    parts = [part for part in model.modules() if isinstance(part, WholeBatchDropout)]
    for part in parts:
        part.each = each
    try:
        yield
    finally:
        for part in parts:
            part.each = 1


class WholeBatchAttention(nn.MultiheadAttention):
    """Attention of tokens (B, T, W) on themselves whose dropout is that of the whole batch.

    torch's own draws inside of it, where nobody can take a share.
    """

    drop: WholeBatchDropout

    @classmethod
    def of(cls, part: nn.MultiheadAttention, ranks: Ranks) -> WholeBatchAttention:
        """The same layer: its very parameters."""
        with torch.random.fork_rng(devices=[]):  # its own first weights are drawn for nothing
            made = cls(part.embed_dim, part.num_heads, part.dropout, batch_first=True)
        made.__dict__["_parameters"] = part._parameters
        made.out_proj = part.out_proj
        made.drop = WholeBatchDropout(part.dropout, ranks)
        made.train(part.training)
        return made

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As torch's; in training only for `query` that is `key` and `value`, without weights."""
        if not self.training:
            return super().forward(
                query, key, value, key_padding_mask, need_weights, attn_mask,
                average_attn_weights, is_causal,
            )  # fmt: skip
        rows, tokens, width = query.shape
        both = nn.functional.linear(query, cast(Tensor, self.in_proj_weight), self.in_proj_bias)
        split = both.view(rows, tokens, 3, self.num_heads, width // self.num_heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / (width // self.num_heads) ** 0.5
        if key_padding_mask is not None:
            scores = scores + key_padding_mask[:, None, None]
        found = self.drop(torch.softmax(scores, -1)) @ v
        # By token first, as torch's lies in memory: what is dropped next is drawn in that order.
        return self.out_proj(found.permute(2, 0, 1, 3).flatten(2)).transpose(0, 1), None


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


@cache
def _gradients() -> dist.ProcessGroup:
    """The group that adds gradients, apart from the other sums."""
    return cast(dist.ProcessGroup, dist.new_group())


ALONE = Ranks()
"""No other process."""
