"""Figures of a card in the words of a report: measured, published, and calibrated here."""

from __future__ import annotations

import re

from medview.domain.card import Figure, ModelCard
from medview.domain.prediction import Prediction
from medview.domain.report import NOT_AVAILABLE
from medview.domain.wording import interval, number, sentence, typeset

_MOST_FIGURES = 6
FIGURE_NAMES = {
    "roc_auc": "ROC AUC",
    "pr_auc": "average precision",
    "dice_best": "best Dice",
    "dice": "Dice",
    "hit_rate": "peak hits",
    "judged_rate": "share that is judged",
    "mae": "mean absolute error",
    "rmse": "root mean square error",
    "pearson_r": "correlation r",
    "f1_weighted": "weighted F1",
    "g_mean": "G-mean",
    "g_mean_weighted": "G-mean of classes weighted by size",
    "ece": "calibration error",
    "coverage": "coverage of the interval",
    "interval_width": "width of the interval",
    "volume_coverage": "share of volumes within their interval",
    "volume_interval_width": "width of the intervals of volumes, % of the volume",
    "brier": "Brier score",
    "min_se_ppv": "sensitivity or PPV, the smaller one",
    "bias_slope": "slope of the bias",
}
_DIFFERENCE = "_difference"
_PREDICTORS = {
    "pca": "principal components",
    "intensity": "plain brightness",
    "darkness": "plain darkness",
    "middle": "nearness to the middle",
    "zscore": "a z-score against normals",
    "ridge": "a ridge regression",
    "plain ridge": "a plain ridge regression",
    "logistic": "a logistic regression",
    "boosting": "boosted trees",
    "film_count": "the number of films",
    "junior_reader": "a second human reader",
    "network": "the same network without site effects",
    "fixed": "the same without the effect of the site",
    "brain_area": "the area of the brain",
    "slice_height": "the height of the slice",
    "svr": "a support vector machine",
    "logistic_film": "a logistic regression with the film",
    "logistic_lungs": "a logistic regression on the square about the lungs",
    "bedside_share": "the share of bedside films",
    "stored_pixels": "the size of the stored picture",
    "source": "the source alone",
}
_DEVIATIONS = re.compile(r"\b(\d+)sd\b")
_HERE = ("cross-fitted", "validation")
"""Groups of figures that a version has from local cases: of a calibration, of a fine-tuning."""
LOWER_IS_BETTER = (
    "mae",
    "mae_corrected",
    "rmse",
    "brier",
    "ece",
    "interval_width",
    "volume_interval_width",
)


def of_route(figures: tuple[Figure, ...], prediction: Prediction) -> tuple[Figure, ...]:
    """The figures of the way that this result was made, where a model knows several."""
    route = prediction.parameters.get("route")
    routes = {each.extra.get("route") for each in figures}
    return tuple(
        each for each in figures if route not in routes or each.extra.get("route") == route
    )


def published_of(card: ModelCard, prediction: Prediction) -> tuple[Figure, ...]:
    """Published figures of the way that a result was made: of one of its own there are none."""
    routes = {each.extra.get("route") for each in card.measured} - {None}
    route = prediction.parameters.get("route")
    return () if route in routes else card.published


def told_whole(figures: tuple[Figure, ...]) -> list[Figure]:
    """The figures of these weights on all cases; of the groups where there is none on all."""
    own = [each for each in figures if each.predictor == "model" and not each.is_of_variants]
    return [each for each in own if each.group == "all"] or own


def measured_words(figures: tuple[Figure, ...]) -> str:
    """The model's own figures in one text; that there is none where there is none."""
    return " ".join(measured_lines(figures)) or NOT_AVAILABLE


def measured_lines(figures: tuple[Figure, ...]) -> list[str]:
    """The model's own figures, each with the best simple baseline on the same data.

    The first of each set and level, so that sets on which the model is weak are told as well;
    a set that is a part of a larger one ("a" of "a+b") stands for itself nowhere.
    """
    own = told_whole(figures)
    sets = {each.on: set(each.on.split("+")) for each in own}
    whole = [each for each in own if not any(sets[each.on] < other for other in sets.values())]
    whole = [each for each in whole if each.name != "judged_rate"] or whole  # the limits tell it
    first = {(each.on, each.level, each.group): each for each in reversed(whole)}
    texts = []
    for each in [each for each in whole if each in first.values()][:_MOST_FIGURES]:
        rivals = [other for other in figures if _rivals(each, other)]
        best = _best(each.name, rivals)
        beside = ""
        if best is not None and best.value is not None:
            who = predictor_words(best.predictor)
            beside = f"; {who} {number(best.value, 2)}"
        texts.append(sentence(f"{figure_words(each)}{beside}"))
    return texts


def published_words(figures: tuple[Figure, ...]) -> str:
    """Figures of the paper's model, not of its rivals, marked as made on other data."""
    texts: dict[str, list[str]] = {}
    own = [each for each in figures if each.predictor == "model"]
    for each in own[:_MOST_FIGURES]:
        words, _, place = figure_words(each).partition(" on ")
        texts.setdefault(place, []).append(words)
    said = "; ".join(f"{', '.join(words)} on {place}" for place, words in texts.items())
    return f"With other weights and data: {said}." if said else NOT_AVAILABLE


def figure_words(figure: Figure) -> str:
    """One figure: level, name, value, interval, data and number of cases."""
    name = name_words(figure.name)
    value = NOT_AVAILABLE if figure.value is None else number(figure.value)
    # All alike, as where each of a few cases was right, an interval says nothing of others.
    alike = figure.low == figure.high == figure.value
    bounds = "" if alike else interval(figure.low, figure.high)
    count = typeset(f", n {figure.n:,}") if figure.n else ""
    level = "" if figure.level in ("", "case") else f"{figure.level} "
    group = "" if figure.group == "all" else f" ({group_words(figure.group)})"
    return f"{level}{name} {value}{f' ({bounds})' if bounds else ''} on {figure.on}{group}{count}"


def name_words(name: str) -> str:
    """What a figure is called for a reader: "roc_auc" is "ROC AUC"."""
    plain = name.removesuffix(_DIFFERENCE)
    words = FIGURE_NAMES.get(plain, plain.replace("_", " "))
    return f"{words}, difference" if plain != name else words


def kept_figure_words(name: str) -> str:
    """A figure of an earlier training ("age patient mae") with its name in words."""
    for key, words in FIGURE_NAMES.items():
        ending = f" {key.replace('_', ' ')}"
        if name.endswith(ending):
            return f"{name.removesuffix(ending).replace('_', ' ')}, {words}"
    return name.replace("_", " ")


def predictor_words(name: str) -> str:
    """Who said it: the model itself, or a baseline in words."""
    return _PREDICTORS.get(name, name.replace("_", " "))


def group_words(group: str) -> str:
    """A group of cases as people write it: "within:1sd" is "within 1 SD"."""
    return _DEVIATIONS.sub(r"\1 SD", group.replace(":", " "))


def _rivals(own: Figure, other: Figure) -> bool:
    same = (other.name, other.on, other.level, other.group)
    # "model:residual" is a part of it; "learnt from SETS" is the same model with other weights.
    is_it = other.predictor.partition(":")[0] == "model" or other.predictor.startswith("learnt ")
    is_other = not is_it and not other.is_of_variants
    return is_other and same == (own.name, own.on, own.level, own.group)


def _best(name: str, figures: list[Figure]) -> Figure | None:
    """The best of some figures of one name; of an error the lowest is."""
    known = [(each.value, n) for n, each in enumerate(figures) if each.value is not None]
    if not known:
        return None
    chosen = min if name in LOWER_IS_BETTER else max
    return figures[chosen(known)[1]]


def calibrated_here(figures: tuple[Figure, ...]) -> str:
    """Calibration on cases of the site, as a version calibrated or fine-tuned here has it.

    The last figures count: a version can be calibrated again.
    """
    here = [each for each in figures if each.group in _HERE and each.value is not None]
    found = {(each.name, each.predictor): each for each in here}
    said = []
    for name in ("ece", "coverage"):
        new, old = found.get((name, "new")), found.get((name, "old"))
        if new is not None and new.value is not None:
            before = f", {number(old.value)} before" if old and old.value is not None else ""
            said.append(f"{FIGURE_NAMES[name]} {number(new.value)}{before} (n {new.n})")
    if not said:
        return "at this site not established, no cases of it were labelled here"
    return f"on local cases that were left out of the fit {', '.join(said)}"
