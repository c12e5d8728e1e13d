"""What a step of one network moves, and what of it a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medview.learning.checkpoint import plain_dict, refuse_not_finite


@dataclass(slots=True, eq=False)
class Learner:
    """A network, its optimiser, the schedule of its rate (a step each), and the dice of its data.

    Parameters
    ----------
    clip : float | None
        The longest gradient of the whole network; None takes it as it is.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    rng: np.random.Generator
    clip: float | None = None

    def learn(self, loss: Tensor, epoch: int) -> None:
        """One step down a loss, in the epoch of that number.

        Raises
        ------
        MedviewError
            The loss is no number.
        """
        refuse_not_finite(loss, epoch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation for it
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimiser.step()
        self.schedule.step()

    def state(self) -> dict[str, Any]:
        """All that is needed to go on, adapters as the parts that they are."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": str(self.rng.bit_generator.state),
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.model.load_state_dict(kept["model"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.schedule.load_state_dict(kept["schedule"])
        self.rng.bit_generator.state = plain_dict(kept["rng"])


KEPT = ("model", "optimiser", "schedule", "rng")
"""The names of what ``Learner.state`` gives."""
