"""Adapters: a trained network learns by thin matrices beside its weights (Hu and others 2021).

Each weight W of a convolution or linear layer becomes W + B A with A and B of a low rank, of which
only A and B learn; B begins at zero, so that training begins at the old version. Afterwards the
sum is stored as the plain weight. The library for such adapters (peft) is made for transformers
and brings two further libraries of their maker; for plain layers torch's own parametrisations do.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

RANK = 4
_WEIGHT = "weight"
_LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


class LowRank(nn.Module):
    """Adds the product of two thin matrices to a weight of any shape (rows first)."""

    def __init__(self, weight: Tensor, rank: int, seed: int) -> None:
        super().__init__()
        rows, columns = weight.shape[0], weight[0].numel()
        generator = torch.Generator().manual_seed(seed)
        thin = torch.randn(rank, columns, generator=generator) / columns**0.5
        self.down = nn.Parameter(thin.to(weight.device))
        self.up = nn.Parameter(torch.zeros(rows, rank, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with what was learnt."""
        return weight + (self.up @ self.down).view_as(weight)


def add_adapters(model: nn.Module, *, rank: int = RANK, seed: int = 0) -> int:
    """Let only adapters learn from now on; how many numbers these are.

    Layers with fewer rows or columns than twice the rank stay as they are. Batch norms go on
    counting their means and variances.
    """
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    layers = [part for part in model.modules() if isinstance(part, _LAYERS)]
    learnt = 0
    for number, layer in enumerate(layers):
        weight = layer.weight
        if min(weight.shape[0], weight[0].numel()) < 2 * rank:
            continue
        thin = LowRank(weight, rank, seed + number)
        parametrize.register_parametrization(layer, _WEIGHT, thin)
        learnt += sum(parameter.numel() for parameter in thin.parameters())
    return learnt


@torch.no_grad()
def plain_state(model: nn.Module) -> dict[str, Tensor]:
    """The state of a network as if it had never had adapters: their sums are its weights."""
    state = model.state_dict()
    for path, part in model.named_modules():
        if not parametrize.is_parametrized(part):
            continue
        before = f"{path}." if path else ""
        inner = f"{before}parametrizations."
        state = {name: value for name, value in state.items() if not name.startswith(inner)}
        state[before + _WEIGHT] = getattr(part, _WEIGHT)
    return dict(state)
