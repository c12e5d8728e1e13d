"""What is said of a version of the chest model: made where it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from medview.domain.card import Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.domain.prediction import ZONES
from medview.domain.study import FILM_MODALITIES
from medview.domain.wording import counted
from medview.learning.card_parts import UNMEASURED, figure_of, licence_of, measured_in
from medview.learning.cases import ARMED
from medview.learning.cxr_evidence import HIGHEST_LIKENESS, LIKENESS, kinds_to_show
from medview.learning.cxr_metrics import ADMISSION, FIRST, SHORTCUTS
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.cxr_site_card import SITE_SCORES, site_limits, site_method
from medview.learning.metrics import MetricRow
from medview.learning.patients import patient_hash
from medview.learning.subset import Subset

CROSSED = "chest-outcome, left-out source"
"""What repeated trainings without a source were measured on (`ablate cxr --leave-out site`)."""
DRIFTED = 0.25
"""From this calibration error on a source is named on which probabilities do not hold."""
_AFC = "AIforCOVID, five folds, mean of 18 backbones (other films, other outcome)"
PUBLISHED = (
    Figure("accuracy", 0.686, _AFC, level="case"),
    Figure("f1_weighted", 0.666, _AFC, level="case"),
    Figure("g_mean_weighted", 0.685, _AFC, level="case"),
)
DETECTED = (
    "It mostly detects that a patient already is in intensive care (bedside film, tubes, lines): "
    "that is what nearly all severe films it learnt from show. It does not forecast the course."
)
SEVERE_IS = (
    "SEVERE is ICU, intubation or death at any time of the illness; MILD is known to have had "
    "none of them."
)
BESIDE = "much of it often lies beside the lungs"
DEEP_HEAD = (
    "Its outcome has the paper's head of three layers, which effects multiply. That of cxr is one "
    "layer that shrinks: without effects it ranks patients of sources left out better (its card)."
)
ZONES_ARE = "Zones are thirds of the height of each lung found; white lungs are found in part."


def make_card(
    subsets: Sequence[Subset],
    patients: Sequence[str],
    recipe: CxrRecipe,
    settings: dict[str, object],
    figures: Sequence[Figure],
    model: str = "cxr",
) -> ModelCard:
    """The card of freshly trained weights; its hash is filled in when they are saved."""
    by_sites = model.endswith(ARMED)
    return ModelCard(
        id=model,
        version="1.0",
        title="Chest film severity with site effects" if by_sites else "Chest film severity (MDMT)",
        summary="How severe COVID-19 looks on a chest film: course and Brixia scores of zones"
        + (", with an effect of the film's source on the course (ARMED)." if by_sites else "."),
        inputs=(
            InputSpec("film", "frontal chest film (PA or AP)", True, modalities=FILM_MODALITIES),
        ),
        outputs=(
            OutputSpec("severe", "score"),
            *(OutputSpec(name, "score") for name in (SITE_SCORES if by_sites else ())),
            *(OutputSpec(f"brixia_{zone}", "score", "points") for zone in ZONES),
            OutputSpec("brixia_total", "score", "points"),
            *(OutputSpec(name, "map") for name in (*kinds_to_show(settings), "lungs", "seen")),
        ),
        preparation=(
            "2nd to 98th percentile of the film to 0-1, air dark",
            "lungs by a built-in network; square about both lungs with 5 % room, real pixels",
            f"{recipe.size} x {recipe.size}, three equal channels",
        ),
        intended_use="Research on frontal chest films of adults with COVID-19. Not for diagnosis, "
        "triage or treatment.",
        limits=_site_limits(figures, settings) if by_sites else _limits(figures),
        method=(
            *(_site_method(figures, settings) if by_sites else ()),
            *_method(recipe, figures),
        ),
        licence=licence_of(subsets),
        source="Ruffini and others, Multi-Dataset Multi-Task Learning for COVID-19 Prognosis, "
        "MICCAI 2024, arXiv 2405.13771"
        + ("; Nguyen and others, ARMED, IEEE TPAMI 2023" if by_sites else ""),
        trained_on=tuple(
            TrainedOn(s.name, s.n_patients, s.licence, _labels(s)) for s in subsets if s.cases
        ),
        measured=tuple(figures),
        published=PUBLISHED,
        settings={**settings, "recipe": asdict(recipe)},
        seen_patients=tuple(sorted({patient_hash(p) for p in patients})),
    )


def _labels(subset: Subset) -> str:
    outcome = sum("prognosis" in case.cells for case in subset.cases)
    scored = sum("brixia" in case.cells for case in subset.cases)
    known = ((outcome, "outcome"), (scored, "Brixia scores"))
    said = [f"{counted(count, 'film')} with {what}" for count, what in known if count]
    return ", ".join(said) or "films without labels"


def _limits(figures: Sequence[Figure]) -> tuple[str, ...]:
    return (
        DETECTED,
        *_shortcut_words(figures),
        *_weak_sources(figures),
        *_crossed_words(figures),
        *_drifted_words(figures),
        *_brixia_words(figures),
        *_map_words(figures),
        SEVERE_IS,
        ZONES_ARE,
        *(() if figures else (UNMEASURED,)),
    )


def _site_limits(figures: Sequence[Figure], settings: Mapping[str, object]) -> tuple[str, ...]:
    """First what effects of sites are worth; what a film shows, and zones, stands in the method."""
    weak = " ".join(_weak_sources(figures))
    return (
        *site_limits(figures, settings),
        DETECTED,
        *_shortcut_words(figures),
        *((weak,) if weak else ()),
        *_brixia_words(figures),
        SEVERE_IS,
        *(() if figures else (UNMEASURED,)),
    )


def _site_method(figures: Sequence[Figure], settings: Mapping[str, object]) -> tuple[str, ...]:
    return (DEEP_HEAD, *site_method(figures, settings), *_map_words(figures), ZONES_ARE)


def _method(recipe: CxrRecipe, figures: Sequence[Figure]) -> tuple[str, ...]:
    return (
        "Films of two sources, one hospital and a collection from publications; reduced JPEG "
        "copies, most of them bedside AP films.",
        "Patients of whom neither SEVERE nor MILD is known were left out.",
        *_within_words(figures),
        *_shuffled_words(figures),
        *measured_in(recipe.folds, figures),
    )


def _shortcut_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    """The headline figure beside what the bare number of films gives, and the fairer groups."""
    sentences = []
    ours = _find(figures, "model", "all")
    films = _find(figures, "film_count", "all")
    if ours is not None and films is not None:
        sentences.append(
            f"AUROC by patient {ours.value:.2f}; the mere number of films of a patient gives "
            f"{films.value:.2f}."
        )
    sentences += _against_words(figures)
    for group, words in (
        (FIRST, "on the first film of each patient"),
        (ADMISSION, "on films up to the day of ICU admission"),
    ):
        one = _find(figures, "model", group)
        if one is not None and one.value is not None:
            count = _find(figures, "film_count", group)
            bare = 0.0 if count is None or count.value is None else count.value
            beside = f", of the number of films {bare:.2f}" if bare > one.value else ""
            sentences.append(f"AUROC {words}: {one.value:.2f}{beside} (n {one.n}).")
    return tuple(sentences)


def _against_words(figures: Sequence[Figure]) -> list[str]:
    """How the network stands to a logistic regression on frozen features of whole films."""
    plain = _find(figures, "logistic", "all")
    ahead = next(
        (
            f
            for f in figures
            if (f.name, f.group) == ("roc_auc_difference", "all, against:logistic")
            and f.value is not None
        ),
        None,
    )
    if plain is None or ahead is None or ahead.low is None or ahead.high is None:
        return []
    verdict = "ahead of it" if ahead.low > 0 else "not shown to be ahead of it"
    verdict = "behind it" if ahead.high < 0 else verdict
    return [
        f"A logistic regression on frozen features of the whole film gives {plain.value:.2f}: the "
        f"network is {verdict} (difference {ahead.value:+.2f} [{ahead.low:+.2f}, "
        f"{ahead.high:+.2f}])."
    ]


def _within_words(figures: Sequence[Figure]) -> list[str]:
    """What that regression gives on the part of the film that the network sees."""
    lungs = _find(figures, "logistic_lungs", "all")
    if lungs is None or not _against_words(figures):
        return []
    return [
        "A logistic regression fitted on the square about the lungs, which is all that the "
        f"network sees, gives {lungs.value:.2f}: what the whole film gives more probably lies "
        "beside the lungs."
    ]


def _weak_sources(figures: Sequence[Figure]) -> tuple[str, ...]:
    """Sources on which something that is no picture does at least as well."""
    sentences = []
    groups = dict.fromkeys(f.group for f in figures if f.group.startswith("site:"))
    for group in groups:
        ours = _find(figures, "model", group)
        others = {who: _find(figures, who, group) for who in SHORTCUTS}
        best = max(others, key=lambda who: _value(others[who]))
        if ours is not None and _value(others[best]) >= _value(ours):
            words = best.replace("_", " ")
            sentences.append(
                f"Within {group.removeprefix('site:')} it is no better than the {words} of a "
                f"patient (AUROC {ours.value:.2f} against {_value(others[best]):.2f})."
            )
    return tuple(sentences)


def _crossed_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    """By source, of the one training with these folds, and of more seeds where they were tried."""
    groups = dict.fromkeys(f.group for f in figures if f.group.startswith("source-left-out:"))
    once = {group.partition(":")[2]: _find(figures, "model", group) for group in groups}
    parts = [f"{source} {_value(ours):.2f}" for source, ours in once.items() if ours is not None]
    if not parts:
        return ()
    said = f"AUROC on a source it was not trained on: {', '.join(parts)}"
    again = [figure for source in once for figure in _over_seeds(figures, source)]
    if len(again) < len(parts):
        return (f"{said}.",)
    spread = [f"{_plain(f.value)} [{_plain(f.low)}, {_plain(f.high)}]" for f in again]
    return (f"{said} (one seed; over {again[0].extra['runs']} seeds {', '.join(spread)}).",)


def _drifted_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    """Sources left out on which a probability is far from how often it happens."""
    parts = []
    for group in dict.fromkeys(f.group for f in figures if f.group.startswith("source-left-out:")):
        off, right = (_find(figures, "model", group, name) for name in ("ece", "accuracy"))
        if off is not None and right is not None and _value(off) >= DRIFTED:
            source = group.partition(":")[2]
            parts.append(
                f"On {source} left out its probabilities are off by {_value(off):.2f} (ECE): with "
                f"the limit at one half {100 * _value(right):.0f} % of the patients are told "
                "right. Elsewhere use it to rank, or calibrate it there."
            )
    return tuple(parts)


def _over_seeds(figures: Sequence[Figure], source: str) -> list[Figure]:
    """The figure of the network as it ships over several seeds, trained without a source."""
    wanted = ("roc_auc", "model", f"folds-x-seeds:{source}", CROSSED)
    return [f for f in figures if (f.name, f.predictor, f.group, f.on) == wanted]


def _plain(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _value(figure: Figure | None) -> float:
    return -1.0 if figure is None or figure.value is None else figure.value


def _brixia_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    found = {
        f.predictor: f
        for f in figures
        if (f.name, f.level, f.group) == ("mae", "case", "all")
        and f.extra.get("task") == "severity"
    }
    ours, human, median = (found.get(who) for who in ("model", "junior_reader", "median"))
    if ours is None or ours.value is None:
        return ()
    rest = [
        f"{words} {one.value:.2f}"
        for words, one in (("a second human reader", human), ("always the median", median))
        if one is not None and one.value is not None
    ]
    weak = human is not None and human.value is not None and ours.value > human.value
    verdict = "Weak at scoring: the" if weak else "The"
    return (f"{verdict} Brixia total is off by {ours.value:.2f} points ({', '.join(rest)}).",)


def _map_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    """What the maps show, and which are not shown as they hardly hang on the head."""
    found = _likeness(figures)
    failed = [kind for kind, one in found.items() if abs(_value(one)) >= HIGHEST_LIKENESS]
    verdict = f" Not shown, as it hardly hangs on the head: {', '.join(failed)}." if failed else ""
    said = f"The maps show what moves this model's answer, not disease: {BESIDE}.{verdict}"
    return (said,) if found else ()


def _shuffled_words(figures: Sequence[Figure]) -> tuple[str, ...]:
    """How far the maps hang on the head."""
    parts = [f"{kind} {_value(figure):.2f}" for kind, figure in _likeness(figures).items()]
    said = "Rank correlation of the maps with those of a head with shuffled weights (0 is best): "
    return (f"{said}{', '.join(parts)}.",) if parts else ()


def _likeness(figures: Sequence[Figure]) -> dict[str, Figure]:
    return {f.group.partition(":")[2]: f for f in figures if f.name == LIKENESS}


def _find(
    figures: Sequence[Figure], predictor: str, group: str, name: str = "roc_auc"
) -> Figure | None:
    for figure in figures:
        key = (figure.predictor, figure.group, figure.name)
        if key == (predictor, group, name) and figure.value is not None:
            return figure
    return None


def card_figures(rows: Sequence[MetricRow], command: str) -> tuple[Figure, ...]:
    """Metric rows as figures of a card."""
    return tuple(figure_of(row.as_dict(), command) for row in rows)
