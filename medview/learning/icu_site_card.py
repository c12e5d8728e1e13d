"""What a card of the ICU model says of effects of sites: sentences made of its own figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from medview.domain.card import Figure, ModelCard, OutputSpec
from medview.learning.icu_model import IcuModel
from medview.learning.icu_unit_told import TYPE
from medview.learning.site_effects import FIXED, NETWORK, listed, worth

SOURCE = "Nguyen et al., adversarially-regularized mixed effects deep learning (ARMED)"
HOURLY = "Risk of death in hospital, hour by hour"
_TABLE_SAYS = "Where no site is named, the column ICUType of a table says it."
_TWIN = "the same networks without effects, which are told the site as a column where there is one"


def with_sites(
    card: ModelCard, model: IcuModel, effects: Sequence[Mapping[str, object]]
) -> ModelCard:
    """The card of the same networks with effects of sites: what they add stands first."""
    return replace(
        card,
        title=f"{card.title} with site effects",
        summary=f"{HOURLY}, with an effect of the site where it is known (ARMED).",
        outputs=outputs_of([each.name for each in card.outputs]),
        limits=(*site_limits(model, card.measured), *card.limits),
        method=(*card.method, *site_method(card.measured, effects)),
        source=f"{card.source}; {SOURCE}",
        settings={**card.settings, "sites": sites_of(model), "site_effects": list(effects)},
    )


def outputs_of(names: Sequence[str]) -> tuple[OutputSpec, ...]:
    """Each risk as it is said, without and with the effect of the site."""
    return tuple(
        OutputSpec(f"{name}{end}", "score") for name in names for end in ("", "_fixed", "_mixed")
    )


def sites_of(model: IcuModel) -> list[str]:
    """The sites that have effects, by name."""
    return sorted({site for part in model.parts.values() for site in part.sites})


def site_limits(model: IcuModel, figures: Sequence[Figure]) -> tuple[str, ...]:
    """What a reader must know first: what the effects are worth, and where there are any."""
    sites = sites_of(model)
    return (
        *_worth(figures),
        f"It knows {len(sites)} sites ({listed(sites)}). At any other the fixed effects speak "
        "alone, and the interval also holds what each known site would add. An effect holds all "
        "that the stays of a site have in common, also how many died; it is no cause.",
        "Phenotypes are not told: this model has risks only.",
    )


def _worth(figures: Sequence[Figure]) -> list[str]:
    """The model against its twins, on sites that it knows and on sites left out."""
    found = {(f.predictor, f.name, f.group, f.on): f for f in figures if f.value is not None}
    said = []
    for (who, name, group, on), theirs in found.items():
        ours = found.get(("model", "roc_auc", "all", on))
        apart = found.get(("model", "roc_auc_difference", f"all, against:{NETWORK}", on))
        if (who, name, group) != (NETWORK, "roc_auc", "all") or ours is None or apart is None:
            continue
        said.append(
            f"On {on} the effects of sites {worth(apart.low, apart.high)}: "
            f"AUROC {ours.value:.3f} against {theirs.value:.3f} of {_TWIN} "
            f"(difference {apart.value:+.3f} [{apart.low or 0:+.3f}, {apart.high or 0:+.3f}], "
            f"n {ours.n:,})."
        )
    return said


def site_method(figures: Sequence[Figure], effects: Sequence[Mapping[str, object]]) -> list[str]:
    """How the effects were learnt, what they are, and the answer without them."""
    said = [
        "An adversary hides the site from the networks, which are not shown the column of the ICU "
        "type either; random slopes and an intercept of each site are added to the log-odds "
        "(ARMED)."
    ]
    for one in figures:
        if (one.name, one.group) == ("roc_auc_difference", f"all, against:{FIXED}"):
            said.append(
                f"On {one.on} the effect of a known site changes the AUROC of the fixed effects by "
                f"{one.value or 0:+.3f} [{one.low or 0:+.3f}, {one.high or 0:+.3f}]."
            )
    if effects:
        added = [f"{one['site']} {float(str(one['effect_log_odds'])):+.2f}" for one in effects]
        said.append(f"What a site adds to the log-odds of an average stay: {', '.join(added)}.")
    if any(str(one["site"]).startswith(TYPE) for one in effects):
        said.append(_TABLE_SAYS)
    return said
