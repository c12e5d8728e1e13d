"""A small network from a vector of brain measures to an age."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class AgeNetOptions:
    """Widths and dropout of the network; `inputs` is the number of measures."""

    inputs: int
    hidden: tuple[int, ...] = (128, 64)
    input_dropout: float = 0.1
    dropout: float = 0.3


class AgeNet(nn.Module):
    """Hidden layers with GELU and dropout, and a linear function of the measures beside them.

    The linear part starts at zero and the last layer small, so that a fresh network says the
    mean age.
    """

    def __init__(self, options: AgeNetOptions) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Dropout(options.input_dropout)]
        for inner, outer in pairwise((options.inputs, *options.hidden)):
            layers += [nn.Linear(inner, outer), nn.GELU(), nn.Dropout(options.dropout)]
        self.body = nn.Sequential(*layers)
        self.out = nn.Linear(options.hidden[-1], 1)
        self.skip = nn.Linear(options.inputs, 1, bias=False)
        nn.init.xavier_uniform_(self.out.weight, 0.1)
        nn.init.zeros_(self.out.bias)
        nn.init.zeros_(self.skip.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Standardised ages (n, 1) of standardised measures `x` (n, inputs)."""
        said: Tensor = self.out(self.body(x)) + self.skip(x)
        return said

    @staticmethod
    def hidden_layers(options: AgeNetOptions) -> tuple[str, ...]:
        """Names of the hidden activations."""
        return tuple(f"body.{2 + 3 * number}" for number in range(len(options.hidden)))
