"""M-AVAE: a multi-task adversarial variational autoencoder of two feature vectors.

Source: Usman et al., arXiv 2411.10100, with the sizes of the authors' program. Each modality has
an encoder and a mirrored decoder; its code is parted into a generic half, which an adversary
compares with draws of a prior, N(0, I) in the paper, and a unique half, which a KL term draws to
it. All four halves tell age and sex. Unpublished parts (split, heads of the code, discriminator,
distance ratio) are said where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medview.models.priors import Prior, divergence

ROLES = ("smri", "fmri")
TERMS = ("rec", "cross", "adv", "kl", "ratio", "age", "sex")
"""Names of the loss terms, in the order in which they are reported."""
Predictor = Literal["all", "shared"]


@dataclass(frozen=True, slots=True)
class MavaeOptions:
    """Widths of the network.

    Parameters
    ----------
    smri, fmri : int
        Number of features of each modality; 0 leaves it out. The paper has 800 and 800.
    hidden : tuple[int, ...]
        Widths of an encoder between its input and the code.
    code, generic : int
        Width of a code and of its generic half. The split is unpublished: half and half, for the
        distance ratio compares generic with unique codes.
    predictor : Predictor
        What age and sex are read from: all four halves (the authors' figure) or the two generic.
    dropout : float
        Chance that a hidden activation is dropped in training.
    skip : bool
        Add a linear function of the features to age and sex (not in the paper).
    prior : Prior
        What the codes are to look like.
    """

    smri: int = 800
    fmri: int = 800
    hidden: tuple[int, ...] = (500, 200, 120)
    code: int = 60
    generic: int = 30
    predictor: Predictor = "all"
    age_head: tuple[int, ...] = (360, 150)
    sex_head: tuple[int, ...] = (120, 100)
    dropout: float = 0.0
    skip: bool = False
    prior: Prior = "normal"

    def width(self, role: str) -> int:
        """Number of features of a modality."""
        return self.smri if role == "smri" else self.fmri

    @property
    def roles(self) -> tuple[str, ...]:
        """The modalities that the network has an encoder for."""
        return tuple(role for role in ROLES if self.width(role) > 0)


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weight of each term; the six of the paper are unpublished, `cross` is the seventh.

    The authors' program sums the KL over dimensions; here it is their mean, so that its weight
    does not hang on the width of the code: 0.01 of the mean of 30 is 0.0003 of the sum.
    """

    rec: float = 0.3
    cross: float = 0.5
    adv: float = 0.1
    kl: float = 0.01
    ratio: float = 0.1
    age: float = 1.0
    sex: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What the network is given of B rows.

    `inputs` by role are (B, width), zero where absent; `present` by role (B,), 1 or 0; `age` (B,)
    is standardised, `sex` (B,) is 1 for female, both NaN where unknown.
    """

    inputs: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    age: Tensor
    sex: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Codes of B rows by role: means and log variances (B, code), a draw of them parted in two.

    Halves of an absent modality are filled in: the generic one from the other modality, the unique
    one with its prior mean, 0.
    """

    mean: Mapping[str, Tensor]
    log_variance: Mapping[str, Tensor]
    generic: Mapping[str, Tensor]
    unique: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class MavaeOutput:
    """What the network says of B rows: standardised age (B,), logit of female (B,), codes."""

    age: Tensor
    sex: Tensor
    codes: Codes


def perceptron(
    widths: tuple[int, ...], *, dropout: float = 0.0, last: bool = False
) -> nn.Sequential:
    """Linear layers with ReLU between them; `last` puts one behind the last layer, too."""
    layers: list[nn.Module] = []
    for number, (inner, outer) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(inner, outer))
        if last or number < len(widths) - 2:
            layers.append(nn.ReLU())
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    """Features of one modality to the mean and log variance of its code."""

    def __init__(self, width: int, options: MavaeOptions) -> None:
        super().__init__()
        self.trunk = perceptron(
            (width, *options.hidden, options.code), dropout=options.dropout, last=True
        )
        # Heads of the code's own width: those of the authors' program are a placeholder.
        self.to_mean = nn.Linear(options.code, options.code)
        self.to_log_variance = nn.Linear(options.code, options.code)
        nn.init.zeros_(self.to_log_variance.weight)
        nn.init.constant_(self.to_log_variance.bias, -2.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, width) to two of (B, code)."""
        hidden = self.trunk(x)
        return self.to_mean(hidden), self.to_log_variance(hidden).clamp(-10, 10)


class Discriminator(nn.Module):
    """Tells generic codes from draws of their prior; sizes are unpublished."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(width, 64), nn.LeakyReLU(0.2), nn.Linear(64, 32), nn.LeakyReLU(0.2)),
            nn.Linear(32, 1),
        )

    def forward(self, code: Tensor) -> Tensor:
        """Logit (B,) that codes (B, generic) are draws of the prior."""
        return self.layers(code).squeeze(-1)  # type: ignore[no-any-return]  # nn.Sequential is untyped


class Mavae(nn.Module):
    """The network: encoders, decoders, heads of age and sex, and the adversary beside them."""

    def __init__(self, options: MavaeOptions) -> None:
        super().__init__()
        if not options.roles:
            raise ValueError("the network needs at least one modality")
        self.options = options
        back = (options.code, *reversed(options.hidden))
        self.encoders = nn.ModuleDict(
            {r: Encoder(options.width(r), options) for r in options.roles}
        )
        self.decoders = nn.ModuleDict(
            {r: perceptron((*back, options.width(r))) for r in options.roles}
        )
        all_codes = options.predictor == "all"
        width = len(ROLES) * (options.code if all_codes else options.generic)
        self.age_head = perceptron((width, *options.age_head, 1), dropout=options.dropout)
        self.sex_head = perceptron((width, *options.sex_head, 1), dropout=options.dropout)
        skipped = options.roles if options.skip else ()
        self.skips = nn.ModuleDict({r: nn.Linear(options.width(r), 2, bias=False) for r in skipped})
        for skip in self.skips.values():
            nn.init.zeros_(skip.weight)  # type: ignore[arg-type]  # each is a Linear
        self.discriminator = Discriminator(options.generic)

    def encode(self, rows: Rows, noise: Mapping[str, Tensor] | None = None) -> Codes:
        """Codes of rows; `noise` by role (B, code), standard normal, or None for the means."""
        means, spreads, generic, unique = {}, {}, {}, {}
        split = self.options.generic
        for role in self.options.roles:
            mean, log_variance = self.encoders[role](rows.inputs[role])
            z = mean
            if noise is not None:
                z = mean + noise[role] * torch.exp(0.5 * log_variance)
            means[role], spreads[role] = mean, log_variance
            generic[role], unique[role] = z[:, :split], z[:, split:]
        return Codes(means, spreads, *self._filled(rows, generic, unique))

    def _filled(
        self, rows: Rows, generic: dict[str, Tensor], unique: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        here = self.options.roles
        weight = {role: rows.present[role][:, None] for role in here}
        total = sum(weight.values(), torch.zeros_like(weight[here[0]]))
        # Of the present modalities: with two roles that is the other one, or none.
        shared = sum(
            (generic[r] * weight[r] for r in here), torch.zeros_like(generic[here[0]])
        ) / total.clamp_min(1)
        nothing = torch.zeros_like(unique[here[0]])
        full, own = {}, {}
        for role in ROLES:
            given = role in here
            full[role] = (
                generic[role] * weight[role] + shared * (1 - weight[role]) if given else shared
            )
            own[role] = unique[role] * weight[role] if given else nothing
        return full, own

    def vector(self, codes: Codes) -> Tensor:
        """What the heads read: (B, 120) of all codes, (B, 60) of the generic ones."""
        parts = [codes.generic[role] for role in ROLES]
        if self.options.predictor == "all":
            parts += [codes.unique[role] for role in ROLES]
        return torch.cat(parts, 1)

    def forward(self, rows: Rows, noise: Mapping[str, Tensor] | None = None) -> MavaeOutput:
        """Age, sex and codes of rows."""
        codes = self.encode(rows, noise)
        vector = self.vector(codes)
        age, sex = self.age_head(vector).squeeze(-1), self.sex_head(vector).squeeze(-1)
        for role, skip in self.skips.items():
            direct = skip(rows.inputs[role]) * rows.present[role][:, None]  # (B, 2)
            age, sex = age + direct[:, 0], sex + direct[:, 1]
        return MavaeOutput(age, sex, codes)

    def decode(self, role: str, generic: Tensor, unique: Tensor) -> Tensor:
        """Features (B, width) of a modality from two halves of a code."""
        return self.decoders[role](torch.cat([generic, unique], 1))  # type: ignore[no-any-return]  # ModuleDict is untyped

    def losses(self, output: MavaeOutput, rows: Rows) -> dict[str, Tensor]:
        """Terms of the encoders' step, unweighted scalars by the names of ``TERMS``."""
        codes, here = output.codes, self.options.roles
        split = self.options.generic
        nothing = output.age.sum() * 0
        rec, adv, kl = nothing, nothing, nothing
        for role in here:
            present = rows.present[role]
            again = self.decode(role, codes.generic[role], codes.unique[role])
            rec = rec + mean_over((again - rows.inputs[role]).abs().mean(1), present)
            told = self.discriminator(codes.generic[role])
            adv = adv + mean_over(F.softplus(-told), present) / len(here)
            own = (codes.mean[role][:, split:], codes.log_variance[role][:, split:])
            kl = kl + mean_over(divergence(self.options.prior, *own).mean(1), present)
        both = rows.present[here[0]] * rows.present[here[1]] if len(here) == 2 else None
        return {
            "rec": rec,
            "cross": nothing if both is None else self._crossed(codes, rows, both),
            "adv": adv,
            "kl": kl,
            "ratio": nothing if both is None else mean_over(distance_ratio(codes), both),
            "age": masked(lambda truth: (output.age - truth).abs(), rows.age),
            "sex": masked(
                lambda truth: F.binary_cross_entropy_with_logits(
                    output.sex, truth, reduction="none"
                ),
                rows.sex,
            ),
        }

    def _crossed(self, codes: Codes, rows: Rows, both: Tensor) -> Tensor:
        """Each modality from its own unique half and the other's generic half (L1)."""
        total = torch.zeros_like(both).sum()
        for role, other in (ROLES, ROLES[::-1]):
            again = self.decode(role, codes.generic[other], codes.unique[role])
            total = total + mean_over((again - rows.inputs[role]).abs().mean(1), both)
        return total

    def adversary_loss(self, codes: Codes, present: Mapping[str, Tensor], prior: Tensor) -> Tensor:
        """The discriminator's own step: draws `prior` (B, generic) are true, codes are not."""
        true = F.softplus(-self.discriminator(prior)).mean()
        false = torch.zeros_like(true)
        for role in self.options.roles:
            told = self.discriminator(codes.generic[role].detach())
            false = false + mean_over(F.softplus(told), present[role]) / len(self.options.roles)
        return true + false


def distance_ratio(codes: Codes) -> Tensor:
    """Distance of the generic codes over those of generic and unique ones, per row (B,).

    The formula is unpublished; this one is small when the generic codes of the two modalities are
    close and the unique ones are far from them and from each other.
    """
    g1, g2 = (codes.generic[role] for role in ROLES)
    u1, u2 = (codes.unique[role] for role in ROLES)
    apart = [((a - b) ** 2).sum(1) for a, b in ((g1, u1), (g2, u2), (u1, u2))]
    return ((g1 - g2) ** 2).sum(1) / (apart[0] + apart[1] + apart[2] + 1e-8)


def mean_over(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of values (B,) where `weight` (B,) is 1; 0 where it is 1 nowhere."""
    return (values * weight).sum() / weight.sum().clamp_min(1)


def masked(loss: Callable[[Tensor], Tensor], truth: Tensor) -> Tensor:
    """Mean loss over the rows whose truth is known; 0, with a gradient of 0, where none is."""
    known = torch.isfinite(truth)
    return mean_over(loss(torch.where(known, truth, torch.zeros_like(truth))), known.float())
