"""The weights of a training under way, left where the reader's window can try them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from medview.domain.card import ModelCard
from medview.domain.errors import WriteError
from medview.domain.training import TrainRequest
from medview.io.atomic import whole_folder
from medview.learning.weights import card_beside, save

PREVIEW = "preview"
KEPT = 3
"""So many stay: the reader's run may still be loading one when the next is written."""


@dataclass(frozen=True, slots=True)
class Previews:
    """``preview/<epoch>/`` below a folder: weights, and the card of the version they come from.

    The card's thresholds and norms are the old version's, so that both are drawn alike; they are
    settled anew when the training ends.
    """

    folder: Path
    parent: ModelCard

    @classmethod
    def of(cls, request: TrainRequest) -> Previews | None:
        """Where a request wants them; None where nobody looks or there is no old version."""
        if not request.preview or request.init is None:
            return None
        return cls(Path(request.out) / PREVIEW, card_beside(Path(request.init)))

    def leave(
        self,
        epoch: int,
        model: nn.Module,
        settings: Mapping[str, object] | None = None,
        *,
        half: bool = True,
    ) -> None:
        """Write the weights after an epoch, whole or not at all; a full disk is no reason to stop.

        `settings` are what the card says otherwise than the old version's.
        """
        card = replace(
            self.parent,
            version=f"{self.parent.version} epoch {epoch}",
            parent=self.parent.weights_sha256,
            settings={**self.parent.settings, **(settings or {})},
        )
        with suppress(WriteError), whole_folder(self.folder / f"{epoch:05d}") as draft:
            save(model, card, draft, half=half)
        for old in sorted(self.folder.glob("[0-9]*"))[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
