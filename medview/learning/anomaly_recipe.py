"""How the anomaly model is trained: every setting of its recipe."""

from __future__ import annotations

from dataclasses import dataclass, field

from medview.learning.augment import Augmentation
from medview.learning.checkpoint import all_but_folds
from medview.learning.recipe_values import recipe_of
from medview.models.anomaly_vae import VaeOptions


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the anomaly model is trained; ``resources/recipes/anomaly.toml`` holds the shipped one.

    The paper prints neither optimiser nor epochs, and of `beta` only that it starts at 0.1.
    Sizes are counted in steps of `batch` slices; an epoch is `steps` of them. Learning rates of
    the wide latent layers are a fraction of `rate`: with 16,384 inputs a step of Adam moves
    them that much further. For the first `plain` share of epochs the variance is fixed, so that
    the mean learns before the variance can excuse it. The two small attention blocks work from
    the start; the two with 1,024 and 4,096 positions, which cost four times the rest on a CPU,
    are switched on after the share `attention_from` of epochs, then with batches of
    `attention_batch`. All start as if they were not there. `beta`
    rises from `beta_start` to `beta_end` over the first `beta_share`. A share `disturb_share`
    of the slices is given with smooth noise of strength `disturb` added (knots every 19 mm) and
    the plain slice is what is wanted back: the network learns to undo what is not anatomy, as
    denoising autoencoders do (not in the paper; 0 trains without). With `turned` heads that lie
    turned are learnt from both as they lie and upright. The other three are about the finished
    network: with `mirrored` every other draw is of the mirror image, with `balanced` the noise of
    all draws of a slice has a mean of 0, with `upright` heads that lie turned are shown as if
    they did not.
    """

    epochs: int = 20
    steps: int = 25
    batch: int = 32
    attention_batch: int = 12
    rate: float = 2e-3
    latent_share: float = 0.04
    code_share: float = 0.4
    weight_decay: float = 1e-5
    clip: float = 1.0
    plain: float = 0.3
    attention_from: float = 0.4
    beta_start: float = 0.1
    beta_end: float = 1.0
    beta_share: float = 0.33
    patience: int = 0
    val_slices: int = 96
    folds: int = 0
    disturb: float = 0.2
    disturb_share: float = 0.7
    mirrored: bool = False
    balanced: bool = True
    upright: bool = True
    turned: bool = True
    bfloat16: bool = True
    network: VaeOptions = field(default_factory=VaeOptions)
    augment: Augmentation = field(default_factory=Augmentation)

    @classmethod
    def of(cls, values: dict[str, object]) -> Recipe:
        """Make a recipe from plain values, refusing names it does not know.

        Raises
        ------
        DataError
            A key that no recipe has, or a value of the wrong kind.
        """
        return recipe_of(cls, values, {"network": VaeOptions, "augment": Augmentation})


def same_run(recipe: Recipe) -> str:
    """What two runs must share so that one can go on from the other's checkpoint."""
    values = all_but_folds(recipe)
    for name in ("mirrored", "balanced", "upright"):  # no matter of training
        values.pop(name)
    # What is off was unknown to older checkpoints.
    if not recipe.turned:
        values.pop("turned")
    if not recipe.network.deterministic:
        values["network"].pop("deterministic")
    for name in ("curve", "dim"):
        if not values["augment"][name]:
            values["augment"].pop(name)
    return str(values)
