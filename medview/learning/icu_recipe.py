"""How the ICU model is trained, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self, get_args

from medview.learning.recipe_values import odd_value, recipe_of
from medview.models.armed import LossWeights
from medview.models.fusion import FilmEncoder, Fusing, FusionOptions, Missing, SeriesKind
from medview.models.label_loss import Weighting

JOINT = "joint"
MANY_LABELS = ("phenotypes", JOINT)
"""Parts with many labels: more to learn from fewer stays."""
FILM_FEATURES = 1280
"""Length of EfficientNet-Lite0's features."""
_WORDS = {
    "fusing": ("attention", "attention-cls", "concat", "lstm"),
    "missing": ("zero", "learned", "mask"),
    "film": ("none", "features"),
    "encoder": ("lstm", "hourly"),
    "loss": get_args(Weighting),
    "normaliser": ("fitted", "shipped"),
}
_NOT_THE_RUN = (
    "tune_rate",
    "folds", "leave_sites", "phases", "fewest_positives", "phenotype_epochs", "phenotype_members",
    "hourly_members", "hourly_hidden", "hourly_epochs", "hourly_rate", "hourly_dropout",
    "hourly_column_dropout", "hourly_weight_decay", "hourly_hidden_variables", "compare",
)  # fmt: skip
"""Settings that change which networks are trained, not how one is."""


@dataclass(frozen=True, slots=True)
class IcuRecipe:
    """Settings of a training; ``resources/recipes/icu.toml`` says what each means.

    Where the authors take Adam with moments of 0.9 and 0.9, 7e-5 (death: 1e-4) and batches of 16,
    halve the rate on plateaus and stop by validation, this is AdamW with the usual moments and one
    rise and fall of the rate over a fixed number of epochs: without a part for validation all stays
    of small open sets are learnt from.
    """

    variables: str = "physionet2012"
    mortality_sets: str = ""
    phenotype_sets: str = ""
    fewest_positives: int = 20
    joint: bool = False
    normaliser: str = "fitted"
    hidden: int = 32
    width: int = 32
    heads: int = 4
    feed_forward: int = 128
    blocks: int = 1
    fusing: Fusing = "attention"
    missing: Missing = "zero"
    film: FilmEncoder = "none"
    clahe: bool = False
    series_dropout: float = 0.3
    dropout: float = 0.1
    epochs: int = 10
    phenotype_epochs: int = 14
    phenotype_members: int = 0
    batch: int = 64
    rate: float = 3e-3
    loss_rate: float = 7e-4
    weight_decay: float = 0.01
    clip: float = 1.0
    loss: Weighting = "uncertainty"
    rungs: int = 2
    rungs_share: float = 0.5
    column_dropout: float = 0.2
    hidden_variables: float = 0.0
    film_dropout: float = 0.3
    series_hidden: float = 0.1
    members: int = 5
    patience: int = 0
    tune_rate: float = 3e-4
    folds: int = 0
    leave_sites: bool = False
    phases: str = "folds,sites,final"
    encoder: SeriesKind = "lstm"
    hourly_members: int = 5
    hourly_hidden: int = 128
    hourly_epochs: int = 20
    hourly_rate: float = 2e-3
    hourly_dropout: float = 0.5
    hourly_column_dropout: float = 0.3
    hourly_weight_decay: float = 0.1
    hourly_hidden_variables: float = 0.0

    MODEL: ClassVar[str] = "icu"

    @property
    def rule(self) -> LossWeights | None:
        """How effects of units are learnt; None where there are none."""
        return None

    @property
    def compares(self) -> bool:
        """Whether every network that is measured has a twin without effects of units."""
        return False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From the plain values of a recipe.

        Raises
        ------
        DataError
            A setting that there is not, or a word that means nothing; it is named.
        """
        made = recipe_of(cls, values)
        for name, words in _WORDS.items():
            if name in values and values[name] not in words:
                raise odd_value(f"{name} = {values[name]} means nothing", words)
        return made

    def network(self, columns: int, outputs: int) -> FusionOptions:
        """The network for inputs of so many columns."""
        return FusionOptions(
            columns=columns,
            hidden=self.hidden,
            width=self.width,
            heads=self.heads,
            feed_forward=self.feed_forward,
            blocks=self.blocks,
            outputs=outputs,
            series_dropout=self.series_dropout,
            dropout=self.dropout,
            film=self.film,
            film_features=FILM_FEATURES,
            missing=self.missing,
            fusing=self.fusing,
            encoder=self.encoder,
        )

    def recurrent(self, part: str) -> int:
        """How many networks of a part read the whole course."""
        return self.members if part not in MANY_LABELS else self.phenotype_members

    def of_member(self, part: str, member: int) -> Self:
        """The settings of one network of a part: after the recurrent ones come the hourly ones.

        Phenotypes have more to learn from fewer stays.
        """
        if member >= self.recurrent(part):
            return replace(
                self,
                encoder="hourly",
                fusing="attention" if self.film != "none" else "concat",
                hidden=self.hourly_hidden,
                epochs=self.hourly_epochs,
                rate=self.hourly_rate,
                series_dropout=self.hourly_dropout,
                column_dropout=self.hourly_column_dropout,
                hidden_variables=self.hourly_hidden_variables,
                weight_decay=self.hourly_weight_decay,
            )
        return replace(self, epochs=self.phenotype_epochs) if part in MANY_LABELS else self

    @property
    def run(self) -> str:
        """What two runs must share so that one can go on from the other's finished networks."""
        kept = {k: v for k, v in asdict(self).items() if k not in _NOT_THE_RUN}
        if self.encoder == "lstm":
            kept.pop("encoder")
        for name in ("clahe", "joint", "hidden_variables"):
            if not kept[name]:
                kept.pop(name)
        return str(kept)


@dataclass(frozen=True, slots=True)
class ArmedRecipe(IcuRecipe):
    """The same with effects of units; ``resources/recipes/icu-armed.toml`` says what is new."""

    members: int = 3
    hourly_members: int = 3
    mixed: float = 1.0
    fixed: float = 1.0
    adversary: float = 0.1
    kl: float = 1e-3
    compare: bool = False

    MODEL: ClassVar[str] = "icu-armed"

    @property
    def rule(self) -> LossWeights | None:
        """How effects of units are learnt."""
        return LossWeights(self.mixed, self.fixed, self.adversary, self.kl)

    @property
    def compares(self) -> bool:
        """Whether every network that is measured has a twin without effects of units."""
        return self.compare
