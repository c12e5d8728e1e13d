"""What is said of a version of the anomaly model: made where it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from medview.domain.card import Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_settings import AnomalySettings, Normals
from medview.learning.card_parts import UNMEASURED, licence_of, measured_in
from medview.learning.patients import patient_hash
from medview.learning.scoring import JUDGED, MODEL
from medview.learning.solid import MEDIAN_RATIO, OTHER_THRESHOLD
from medview.learning.subset import Subset
from medview.learning.upright_slices import LEAST_DEG, THICKEST_MM

_PAPER = "BraTS2020 T1ce, balanced slices (another data set)"
PUBLISHED = (
    Figure("roc_auc", 0.834, _PAPER, level="slice"),
    Figure("pr_auc", 0.833, _PAPER, level="slice"),
    # Its ablation, under the names that "medview ablate anomaly" has for the same.
    Figure("roc_auc", 0.795, _PAPER, predictor="no-attention", level="slice"),
    Figure("roc_auc", 0.801, _PAPER, predictor="no-aleatoric", level="slice"),
    Figure("roc_auc", 0.790, _PAPER, predictor="no-epistemic", level="slice"),
)
BASELINE_WORDS = {
    "intensity": "plain brightness",
    "darkness": "plain darkness",
    "middle": "nearness to the middle of the slice",
    "pca": "principal components",
    "zscore": "a z-score against normals",
}
MOSTLY = 0.9
"""A set of which fewer slices are judged is named in the limits."""
FEW_PATIENTS = 6
"""A set with fewer is an illustration: the limits say with how many."""
_MAPS = ("score", "residual", "epistemic", "aleatoric", "total", "brain", "seen")


def make_card(
    subsets: Sequence[Subset],
    patients: Sequence[str],
    recipe: Recipe,
    settings: AnomalySettings,
    normals: Normals,
    figures: Sequence[Figure],
) -> ModelCard:
    """The card of freshly trained weights; its hash is filled in when they are saved."""
    return ModelCard(
        id="anomaly",
        version="1.0",
        title="Bayesian VAE",
        summary="What is unusual in a brain MRI, with epistemic and aleatoric uncertainty.",
        inputs=(
            InputSpec("t1", "T1 volume or axial slice of the head, with or without skull", True),
            InputSpec("t1ce", "T1 volume or axial slice with contrast, instead of t1"),
        ),
        outputs=(
            OutputSpec("anomaly", "score"),
            OutputSpec("anomaly_percentile", "score", "%"),
            *(OutputSpec(name, "map") for name in _MAPS),
        ),
        preparation=(
            "canonical orientation, the volume's own slices",
            "brain mask (network of deepbet, MIT licence, at low resolution)",
            "2nd to 98th percentile of the brain to 0-1, clipped",
            "128 x 128 at 1.5 mm, centred on the brain",
        ),
        intended_use="Research on adult brain MRI (T1). Not for diagnosis, triage or treatment.",
        limits=_limits(patients, figures, settings),
        method=_method(figures, recipe, settings),
        licence=licence_of(subsets),
        source="Roy, Bayesian Autoencoder for Medical Anomaly Detection, arXiv 2504.15562",
        trained_on=tuple(
            TrainedOn(s.name, s.n_patients, s.licence, _ages(s)) for s in subsets if s.cases
        ),
        measured=tuple(figures),
        published=PUBLISHED,
        settings={
            **settings.to_card(),
            "network": asdict(recipe.network),
            "recipe": {k: v for k, v in asdict(recipe).items() if k != "network"},
            "normal_scores": normals.scores,
            "normal_peaks": normals.peaks,
        },
        seen_patients=tuple(sorted(patient_hash(p) for p in patients)),
    )


def _ages(subset: Subset) -> str:
    ages = [case.age_years for case in subset.cases if case.age_years is not None]
    return f"ages {min(ages):.0f}-{max(ages):.0f} y" if ages else "ages not stated"


def floor_words(settings: AnomalySettings) -> tuple[str, ...]:
    """From when on a slice is judged, and why; nothing for weights that judge all."""
    if settings.floor is None:
        return ()
    return (
        "A slice of whose structure the model explains less than "
        f"{100 * settings.floor:.0f} % is not judged: there the score would find whatever is "
        "brighter or darker than what is about it.",
    )


def opposite_words(settings: AnomalySettings) -> tuple[str, ...]:
    """What the share that is taken off both sides costs; nothing where none is."""
    if settings.opposite <= 0:
        return ()
    return (
        "What differs alike on both sides of the brain counts less: a lesion in the middle, or the "
        "same on both sides, stands out less than one of one side.",
    )


def draws_words(settings: AnomalySettings) -> tuple[str, ...]:
    """What draws are that the paper's are not; nothing of plain ones."""
    ways = (
        (settings.balanced, "The noise of the draws of a slice is shifted to a mean of 0"),
        (settings.mirrored, "Every other draw is of the mirror image"),
    )
    return tuple(f"{words} (not in the paper)." for made_so, words in ways if made_so)


def upright_words(settings: AnomalySettings, recipe: Recipe) -> tuple[str, ...]:
    """Which heads are shown upright; nothing where all are shown as they lie."""
    if not settings.upright:
        return ()
    learnt = "heads both as they lie and upright" if recipe.turned else "brains as they lie"
    return (
        f"A head turned by more than {LEAST_DEG:g} degrees against slices at most {THICKEST_MM:g} "
        "mm apart is shown upright and judged so, and the maps are turned back (not in the paper); "
        f"learnt from were {learnt}.",
    )


def _limits(
    patients: Sequence[str], figures: Sequence[Figure], settings: AnomalySettings
) -> tuple[str, ...]:
    return (
        f"Trained on {len(patients)} brains only; T1 without contrast, adults.",
        "Small, faint and cortical lesions are missed more often than large ones.",
        "With contrast, vessels and membranes score high.",
        "A FLAIR or T2 volume passes for T1 where neither header nor name say so; of a whole one "
        "with a bright cortex a doubt is told: 10 of 10 FLAIR, 2 of 2 T2, 1 of 20 T1 volumes.",
        *floor_words(settings),
        *opposite_words(settings),
        *(() if figures else (UNMEASURED,)),
    )


def _method(
    figures: Sequence[Figure], recipe: Recipe, settings: AnomalySettings
) -> tuple[str, ...]:
    pool, share = recipe.network.key_pool, settings.opposite
    both = (
        f"Of a difference {share:g} times that on the other side of the brain is taken off where "
        "both have the same sign (not in the paper).",
    )
    return (
        "Measured with synthetic lesions in normal brains, which are not tumours: no swelling, "
        "no displacement.",
        f"Keys and values of the largest attention are averaged over {pool} x {pool} positions.",
        *(both if share > 0 else ()),
        *draws_words(settings),
        *upright_words(settings, recipe),
        *measured_in(recipe.folds, figures),
        *thresholds_in_words(figures),
    )


def _set_of(figure: Figure) -> str:
    """The set of a figure, with the number of its patients where these are few."""
    count = int(str(figure.extra.get("n_patients", FEW_PATIENTS)))
    few = "1 patient" if count == 1 else f"{count} patients"
    return f"{figure.on} ({few})" if count < FEW_PATIENTS else figure.on


def weak_spots(figures: Sequence[Figure]) -> tuple[str, ...]:
    """Sets on which a simple score finds lesions at least as well, in plain sentences."""
    sentences = []
    for name in dict.fromkeys(f.on for f in figures):
        wanted = (name, "pixel", "pr_auc", "all")
        whole = [f for f in figures if (f.on, f.level, f.name, f.group) == wanted]
        here = [f for f in whole if not f.is_of_variants]
        found = {f.predictor: f.value for f in here if f.value is not None}
        ours = found.get("model")
        others = {who: v for who, v in found.items() if not who.startswith("model")}
        if ours is None or not others:
            continue
        best = max(others, key=lambda who: others[who])
        if others[best] >= ours:
            rival = BASELINE_WORDS.get(best, best)
            sentences.append(
                f"On {_set_of(here[0])} {rival} finds lesions better "
                f"(pixel average precision {others[best]:.2f} against {ours:.2f})."
            )
    return tuple(sentences)


def judged_in_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    """Sets of which the model does not recognise a good part, in one plain sentence."""
    parts = [
        f"{100 * f.value:.0f} % of the slices of {_set_of(f)}"
        for f in figures
        if (f.name, f.predictor) == (JUDGED, MODEL) and f.value is not None and f.value < MOSTLY
    ]
    if not parts:
        return ()
    return (
        f"It recognises {' and '.join(parts)}; the others are not judged, and count as an empty "
        "map in its figures.",
    )


def thresholds_in_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    """What other thresholds would find, and how much of it wrongly, in one plain sentence."""
    rates = [f for f in figures if f.name == "found_rate" and f.group.startswith(OTHER_THRESHOLD)]
    false = {f.group: f.value for f in figures if f.name == "false_regions"}
    parts = [
        f"{f.group.removeprefix(OTHER_THRESHOLD)} times {100 * f.value:.0f} % with {wrong:.1f}"
        for f in rates
        if f.value is not None and (wrong := false.get(f.group)) is not None
    ]
    if not parts:
        return ()
    return (
        "Solid lesions found, with findings in a normal brain, had the threshold been so many "
        f"times as high: {'; '.join(parts)}.",
    )


def findings_in_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    """What findings are worth in whole volumes, as one plain sentence; none where not measured."""
    named = {f.name: f for f in figures if f.level == "case" and f.group in ("solid", "clean")}
    found, false = named.get("found_rate"), named.get("false_regions")
    if found is None or false is None or found.value is None or false.value is None:
        return ()
    sizes = ""
    if (ratio := named.get(MEDIAN_RATIO)) and ratio.value is not None:
        sizes = f", of {ratio.value:.1f} times their true volume in the median"
    return (
        f"Of solid synthetic lesions in whole brains {100 * found.value:.0f} % give a finding"
        f"{sizes}; a normal brain gives {false.value:.1f} findings on average.",
    )
