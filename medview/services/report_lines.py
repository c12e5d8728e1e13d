"""What each kind of model says in a report: its one bold line, the words and the table below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medview.domain.card import Figure, ModelCard
from medview.domain.prediction import Prediction, Score
from medview.domain.report import NOT_AVAILABLE, Section, Table
from medview.domain.wording import interval, number, typeset
from medview.services.evidence import LEAST_SHARE, share_in_lungs
from medview.services.report_figures import of_route, told_whole
from medview.services.telling import (
    BRIXIA_TOP,
    SIDES,
    family,
    figure_text,
    interval_text,
    main_score,
    value_text,
    zone_texts,
)

_NO_FORECAST = "intensive care"
_VOLUME = "_ml"
_NO_AGE = "No age was given, so there is no gap."
_NAMES = {
    "attention_series": "attention to the series",
    "attention_film": "attention to the film",
    "shapley_series": "contribution of the series",
    "shapley_film": "contribution of the film",
    "sex_male": "sex",
    "severe_mixed": "severe course with the effect of the site",
    "mortality_mixed": "risk of death with the effect of the site",
    "age_mixed": "age with the effect of the site",
}
_WHOLE = "intracranial_volume_ml"
_MOST_SETS = 3
_MOST_PHENOTYPES = 6
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Told:
    """The bold line of a result and the sentences below it."""

    line: str
    details: tuple[str, ...] = ()


def told(prediction: Prediction, card: ModelCard | None) -> Told | None:
    """Line and sentences of a brain age, a chest film or an ICU stay; None for other models."""
    say = _FAMILIES.get(family(prediction.model))
    return say(prediction, card) if say else None


def measures(prediction: Prediction) -> tuple[Section, ...]:
    """The many scores beside the main one, as a table: volumes, zones or phenotypes."""
    made = _TABLES.get(family(prediction.model))
    section = made(prediction) if made else None
    return (section,) if section and section.table and section.table.rows else ()


def score_name(score: Score) -> str:
    """What a reader calls a score: in words of their own where its name is a word of the trade."""
    return _NAMES.get(score.name, score.name.replace("_", " "))


def score_words(score: Score) -> str:
    """A score with unit, interval and where the interval comes from."""
    name = score_name(score)
    if score.value is None:
        return f"{name} not available{': ' if score.meaning else ''}{score.meaning}"
    unit = "" if score.unit in ("", "1") else f" {score.unit}"
    text = f"{name} {value_text(score)}{unit}"
    bounds = interval_text(score)
    if bounds:
        method = f", {score.method}" if score.method else ""
        text += f" ({score.level:.0%} interval {bounds}{method})".replace("%", " %")
    return text + (", outside the range of the training data" * (score.status == "extrapolating"))


def not_available_words(scores: tuple[Score, ...]) -> str:
    """Scores without a value, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for score in scores:
        if score.value is None:
            reasons.setdefault(score.meaning or "no reason given", []).append(score_name(score))
    texts = [f"{', '.join(names)} ({reason})" for reason, names in reasons.items()]
    return f"Not available: {'; '.join(texts)}." if texts else ""


def _brain_age(prediction: Prediction, card: ModelCard | None) -> Told:
    age = prediction.score("age")
    raw, corrected = prediction.score("gap_raw"), prediction.score("gap_corrected")
    line = f"Brain age {_with_interval(age, 'years')}"
    gaps = [each for each in (raw, corrected) if each is not None and each.value is not None]
    if gaps:
        words = ", ".join(
            f"{each.name.removeprefix('gap_')} {figure_text(each.value or 0.0, each.name)}"
            for each in gaps
        )
        line += f"; gap {words} years"
    given = _given_words(prediction)
    details = [given, _gap_words(gaps), _effects_words(prediction), _doubt(prediction)]
    sex = prediction.score("sex_male")
    if sex is not None and sex.value is not None:
        share = figure_text(sex.value, sex.name)
        details.append(f"Sex told from the features: male {share} ({sex.meaning}).")
    rest = _rest(prediction)
    if given == _NO_AGE:  # which says of the gaps all there is to say
        rest = tuple(each for each in rest if not each.name.startswith("gap_"))
    details += [_measured(prediction, card, (("mae", " years"),)), not_available_words(rest)]
    return _told(f"{line}.", details)


def _given_words(prediction: Prediction) -> str:
    given = prediction.parameters
    parts = []
    age = given.get("age_years")
    if isinstance(age, int | float):
        parts.append(f"age {age:.1f} years")
    parts += [f"{name} {given[name]}" for name in ("sex", "site") if given.get(name)]
    return f"Given with it: {', '.join(parts)}." if parts else _NO_AGE


def _gap_words(gaps: list[Score]) -> str:
    """The gaps with their intervals, and whether these say anything."""
    bounded = [each for each in gaps if each.low is not None and each.high is not None]
    if not bounded:
        return "The gaps have no interval." if gaps else ""
    words = "; ".join(
        f"{each.name.removeprefix('gap_')} {_percent(each.level)} interval {interval_text(each)}"
        for each in bounded
    )
    within = all((each.low or 0.0) <= 0 <= (each.high or 0.0) for each in bounded)
    read = " Zero lies within: no difference from the age given is shown." if within else ""
    return f"Gap, {words} years.{read}"


def _effects_words(prediction: Prediction) -> str:
    """The answer without the effect of a site, of models that have such effects."""
    fixed = next((one for one in prediction.scores if one.name.endswith("_fixed")), None)
    if fixed is None or fixed.value is None:
        return ""
    unit = fixed.unit if fixed.unit != "1" else ""
    return f"Without the effect of a site {_with_interval(fixed, unit)}."


def _chest(prediction: Prediction, card: ModelCard | None) -> Told:
    severe, total = prediction.score("severe"), prediction.score("brixia_total")
    parts = []
    if severe is not None:
        parts.append(f"Probability of a severe course {_with_interval(severe)}")
    if total is not None:
        score = _with_interval(total, f"of {BRIXIA_TOP}")
        parts.append(f"Brixia total {score}")
    method = f"Calibration of the probability: {severe.method}." if severe and severe.method else ""
    wanted = (("roc_auc", ""), ("mae", " points of the Brixia total"))
    details = [method, detects(card), _evidence_words(prediction)]
    details += [_measured(prediction, card, wanted), _doubt(prediction)]
    details += [_effects_words(prediction), not_available_words(prediction.scores)]
    return _told(f"{'; '.join(parts)}." if parts else "No score.", details)


def _evidence_words(prediction: Prediction) -> str:
    """How much of the evidence lies inside the lungs."""
    share = share_in_lungs(prediction)
    if share is None:
        return ""
    doubt = ": most of it is about something else" if share < LEAST_SHARE else ""
    return f"{_percent(share)} of the evidence for a severe course lies inside the lungs{doubt}."


def detects(card: ModelCard | None) -> str:
    """That films tell who already is in intensive care, where the card says so."""
    return next((each for each in (card.limits if card else ()) if _NO_FORECAST in each), "")


def _stay(prediction: Prediction, card: ModelCard | None) -> Told:
    score = main_score(prediction)
    name = risk_name(prediction)
    share = prediction.score("imputed_share")
    imputed = ""
    if share is not None and share.value is not None:
        imputed = f"{_percent(share.value)} of the values were not measured but imputed."
    sides = [each for each in prediction.scores if each.name.startswith(SIDES)]
    rest = tuple(each for each in _rest(prediction) if not each.name.startswith("phenotype_"))
    if card is not None and all(each.role != "film" for each in card.inputs):
        rest = tuple(each for each in rest if each not in sides)  # nothing to share with a film
    words = "; ".join(score_words(each) for each in sides if each.value is not None)
    line = f"{name} {_with_interval(score)}."
    caution = detects(card) if prediction.score("icu_admission") is not None else ""
    measured = _measured(prediction, card, (("roc_auc", ""),))
    effects = _effects_words(prediction)
    details = [caution, effects, imputed, measured, _doubt(prediction)]
    return _told(
        line, [*details, f"{_capital(words)}." if words else "", not_available_words(rest)]
    )


def risk_name(prediction: Prediction) -> str:
    """What the risk of an ICU result and its trace is a risk of."""
    score = main_score(prediction)
    if score is not None and score.name == "icu_admission":
        return "Probability of ICU admission"
    return "Risk of death in hospital"


def _told(line: str, details: list[str]) -> Told:
    return Told(line, tuple(_capital(each) for each in details if each))


def _rest(prediction: Prediction) -> tuple[Score, ...]:
    """All scores but the one that the line is about."""
    first = main_score(prediction)
    return tuple(each for each in prediction.scores if each is not first)


def _doubt(prediction: Prediction) -> str:
    """Which figures extrapolate; where every volume does they are told in two words."""
    far = [each.name for each in prediction.scores if each.status == "extrapolating"]
    volumes = [each.name for each in prediction.scores if each.name.endswith(_VOLUME)]
    if len(volumes) > 1 and set(volumes) <= set(far):
        far = [*(each for each in far if each not in volumes), "all volumes"]
    names = ", ".join(each.removesuffix(_VOLUME).replace("_", " ") for each in far)
    return f"Outside the range of the training data: {names}." if far else ""


def _with_interval(score: Score | None, unit: str = "") -> str:
    """A value with its unit and interval, or that there is none and why."""
    if score is None:
        return NOT_AVAILABLE
    if score.value is None:
        return f"{NOT_AVAILABLE}{f' ({score.meaning})' if score.meaning else ''}"
    bounds = interval_text(score)
    beside = f" ({_percent(score.level)} interval {bounds})" if bounds else ""
    return f"{value_text(score)}{f' {unit}' if unit else ''}{beside}"


def _measured(
    prediction: Prediction, card: ModelCard | None, wanted: tuple[tuple[str, str], ...]
) -> str:
    """How well the model did where it was measured: beside each result, not on the last page.

    `wanted` are the names of figures with the unit to write. Every set counts, so that one on
    which the model is weak is told as well.
    """
    if card is None:
        return ""
    found = []
    known = [each for each in of_route(card.measured, prediction) if each.value is not None]
    for name, unit in wanted:
        figures = tuple(each for each in known if (each.name, each.level) == (name, "case"))
        once = {(each.on, each.group): each for each in reversed(told_whole(figures))}
        first = [each for each in told_whole(figures) if each in once.values()]
        found += [_accuracy(each, unit) for each in first[:_MOST_SETS]]
    return f"Measured on people the weights had not seen: {'; '.join(found)}." if found else ""


def _accuracy(figure: Figure, unit: str) -> str:
    name = {"roc_auc": "ROC AUC", "mae": "mean absolute error"}[figure.name]
    bounds = interval(figure.low, figure.high)
    count = typeset(f", n {figure.n:,}") if figure.n else ""
    value = number(figure.value or 0.0, 3)
    beside = f"{bounds}, " if bounds else ""
    group = "" if figure.group == "all" else f", {figure.group}"
    return f"{name} {value}{unit} ({beside}{figure.on}{group}{count})"


def _volumes(prediction: Prediction) -> Section:
    """Volumes of regions, each with its share of the room inside the skull."""
    whole = prediction.score(_WHOLE)
    known = [each for each in prediction.scores if each.name.endswith(_VOLUME)]
    rows = tuple(
        (
            _capital(each.name.removesuffix(_VOLUME).replace("_", " ")),
            f"{number(each.value)} ml",
            interval(each.low, each.high) or NOT_AVAILABLE,
            _share(each.value, whole.value if whole else None),
        )
        for each in known
        if each.value is not None
    )
    methods = dict.fromkeys(each.method for each in known if each.method)
    headings = ("Region", "Volume", "95 % interval", "Share")
    words = f"Intervals: {'; '.join(methods)}." if methods else ""
    if whole is not None and whole.value:
        words = f"Shares are of the intracranial volume. {words}".strip()
    return Section("Volumes", words, table=_table(headings, rows), narrow=True)


def _share(part: float, whole: float | None) -> str:
    return f"{number(100 * part / whole)} %" if whole else NOT_AVAILABLE


def _zones(prediction: Prediction) -> Section:
    texts = zone_texts(prediction)
    known = [(zone, prediction.score(f"brixia_{zone}"), text) for zone, text in texts.items()]
    rows = tuple(
        (
            zone,
            text,
            interval_text(score) or NOT_AVAILABLE,
            score.meaning.partition(",")[0],
        )
        for zone, score, text in known
        if score is not None
    )
    headings = ("Zone", "Of 3", "95 % interval", "Where")
    return Section("Brixia score", table=_table(headings, rows), narrow=True)


def _phenotypes(prediction: Prediction) -> Section:
    """Phenotypes, the most likely first; those without a value are named with the reason."""
    every = [each for each in prediction.scores if each.name.startswith("phenotype_")]
    known = sorted(
        (each for each in every if each.value is not None), key=lambda each: -(each.value or 0.0)
    )
    rows = tuple(
        (
            each.name.removeprefix("phenotype_"),
            figure_text(each.value or 0.0, each.name),
            interval_text(each) or NOT_AVAILABLE,
            each.meaning.partition(":")[0],
        )
        for each in known[:_MOST_PHENOTYPES]
    )
    words = []
    if len(rows) < len(known):
        most = f"The {len(rows)} most likely of {len(known)}"
        words.append(f"{most}; all are in the attached manifest.")
    if left_out := _without_value(every):
        words.append(f"Not available: {left_out}.")
    headings = ("No.", "Probability", "95 % interval", "Phenotype")
    return Section("Phenotypes", " ".join(words), table=_table(headings, rows), narrow=True)


def _without_value(phenotypes: list[Score]) -> str:
    """Those that have no value, together with the others that lack one for the same reason."""
    missing: dict[str, list[str]] = {}
    for each in phenotypes:
        if each.value is None:
            name, _, reason = each.meaning.partition(":")
            missing.setdefault(reason.strip() or "no reason given", []).append(name)
    return "; ".join(f"{_some(names)} ({why})" for why, names in missing.items())


def _table(headings: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Table:
    """A table without columns in which no row has anything, such as intervals that are not told."""
    kept = [n for n in range(len(headings)) if any(row[n] != NOT_AVAILABLE for row in rows)]
    chosen = tuple(tuple(row[n] for n in kept) for row in rows)
    return Table(chosen, tuple(headings[n] for n in kept))


def _some(names: list[str]) -> str:
    """Names, or how many there are where they would fill a paragraph."""
    return ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} others"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


_FAMILIES: dict[str, Callable[[Prediction, ModelCard | None], Told]] = {
    "brain-age": _brain_age,
    "cxr": _chest,
    "icu": _stay,
}
_TABLES: dict[str, Callable[[Prediction], Section]] = {
    "brain-age": _volumes,
    "cxr": _zones,
    "icu": _phenotypes,
}
