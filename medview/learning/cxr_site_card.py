"""What effects of sites are worth on chest films: sentences made of the card's own figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medview.domain.card import Figure
from medview.learning.site_effects import FIXED, NETWORK, listed, worth

SITE_SCORES = ("severe_fixed", "severe_mixed")
"""The outcome without and with the effect of the film's site; "severe" is the better informed."""
OUT, SEEDS = "source-left-out:", "seeds:"
"""How groups begin: of sources that a training left out; of several trainings (``ablate cxr``)."""


def site_limits(figures: Sequence[Figure], settings: Mapping[str, object]) -> tuple[str, ...]:
    """What a reader must know first: whether the effects gain anything, and where they are."""
    sites = [str(one) for one in _listed(settings.get("sites"))]
    return (
        *_gain_words(figures),
        *_left_out_words(figures),
        f"It knows the effects of {listed(sites)}; at any other site the fixed effects speak "
        "alone. Brixia scores have no effects of sites.",
    )


def site_method(figures: Sequence[Figure], settings: Mapping[str, object]) -> tuple[str, ...]:
    """What the effects are, beside the answer without them."""
    said = []
    fixed, less = _figure(figures, FIXED, "all"), _apart(figures, FIXED, "all")
    if fixed is not None and less is not None:
        said.append(
            f"Without the effect of its source a film's AUROC by patient is {fixed.value:.2f}: "
            f"with it {_difference(less)} (one seed)."
        )
    if any(f.group.startswith(OUT) for f in figures) and len(_listed(settings.get("sites"))) == 2:
        said.append(
            "With one of two sources left out there is nothing for the adversary to guess; what "
            "differs most is that the outcome counts twice in the loss, with and without the "
            "effect. That was not tried on its own."
        )
    added = [
        f"{one['site']} {float(one['effect_log_odds']):+.2f}"
        for one in _listed(settings.get("site_effects"))
        if isinstance(one, Mapping)
    ]
    if added:
        said.append(
            f"What a site adds to the log-odds of a severe course: {', '.join(added)}. It also "
            "holds how many of its patients had one, which is no property of a film."
        )
    return tuple(said)


def _gain_words(figures: Sequence[Figure]) -> list[str]:
    """The network with effects against the same without, on patients of sources it knows."""
    for group in (f"{SEEDS}all", "all"):
        ours, plain = (_figure(figures, who, group) for who in ("model", NETWORK))
        apart = _apart(figures, NETWORK, group)
        if ours is not None and plain is not None and apart is not None:
            once = _figure(figures, "model", "all")
            own = (
                f"; {once.value:.3f} with the seed of these weights"
                if once not in (ours, None)
                else ""
            )
            return [
                f"The effects of sources {worth(apart.low, apart.high)}: AUROC by patient "
                f"{ours.value:.3f} with them, "
                f"{plain.value:.3f} of the same network without them ({_difference(apart)}, "
                f"n {ours.n}; {_seeds(ours)}{own})."
            ]
    return []


def _left_out_words(figures: Sequence[Figure]) -> list[str]:
    """The same on each source that a training left out: its fixed effects."""
    parts, seeds = [], ""
    groups = [f.group for f in figures if f.group.startswith(OUT) and ", " not in f.group]
    for source in dict.fromkeys(group.removeprefix(OUT) for group in groups):
        for group in (f"{SEEDS}{OUT}{source}", f"{OUT}{source}"):
            ours, plain = (_figure(figures, who, group) for who in ("model", NETWORK))
            apart = _apart(figures, NETWORK, group)
            if ours is not None and plain is not None and apart is not None:
                seeds = _seeds(ours)
                parts.append(
                    f"{source} {ours.value:.2f}, without {plain.value:.2f} ({_difference(apart)})"
                )
                break
    if not parts:
        return []
    said = "Trained without a source, AUROC by patient of the fixed effects on it"
    alone = " With one source left there are no sites to tell apart." if len(parts) == 2 else ""
    return [f"{said} ({seeds}): {', '.join(parts)}.{alone}"]


def _seeds(figure: Figure) -> str:
    """How many trainings of each part a figure is the mean of."""
    seeds = figure.extra.get("seeds")
    return f"{seeds} seeds" if seeds else "one seed"


def _difference(apart: Figure) -> str:
    return f"{apart.value:+.3f} [{apart.low or 0:+.3f}, {apart.high or 0:+.3f}]"


def _figure(figures: Sequence[Figure], predictor: str, group: str) -> Figure | None:
    wanted = (predictor, group, "roc_auc")
    return next((f for f in figures if (f.predictor, f.group, f.name) == wanted), None)


def _apart(figures: Sequence[Figure], other: str, group: str) -> Figure | None:
    """How far the model is ahead of another predictor, where that has an interval."""
    wanted = ("model", f"{group}, against:{other}", "roc_auc_difference")
    found = next((f for f in figures if (f.predictor, f.group, f.name) == wanted), None)
    return None if found is None or found.low is None or found.high is None else found


def _listed(told: object) -> Sequence[object]:
    return told if isinstance(told, list | tuple) else ()
