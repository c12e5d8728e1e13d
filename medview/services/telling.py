"""What a result says in one line, and where on the image: the same on screen and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from medview.domain.card import ModelCard
from medview.domain.prediction import ZONES, Prediction, Score
from medview.domain.record import Strip
from medview.domain.wording import number, span
from medview.imaging.marks import Mark, zone_marks

# The score that stands for a model, the first of these that has a value.
_FIRST = {
    "anomaly": ("anomaly",),
    "brain-age": ("gap_corrected", "gap_raw", "age"),
    "cxr": ("severe", "brixia_total"),
    "icu": ("mortality", "icu_admission"),
}
_NAMES = {
    "gap_corrected": "Gap",
    "gap_raw": "Gap, not corrected",
    "age": "Brain age",
    "severe": "Severe",
    "brixia_total": "Brixia",
    "mortality": "Mortality",
    "icu_admission": "ICU admission",
    "anomaly": "Anomaly",
}
_GAPS = ("gap_corrected", "gap_raw")
_YEARS = (*_GAPS, "age", "age_fixed", "age_mixed")
SIDES = ("attention_", "shapley_")
"""What names of scores begin with that say what a risk rests on."""
_LEAST = 0.005
_SHARES = ("severe", "mortality", "icu_admission", "sex_male", "imputed_share")
BRIXIA_TOP = 18


def family(model: str) -> str:
    """The model without its site effects: "cxr-armed" is of the family "cxr"."""
    return model.removesuffix("-armed")


def main_score(prediction: Prediction) -> Score | None:
    """The score that is told first; the first one there is where none has a value."""
    names = _FIRST.get(family(prediction.model), ())
    known = [score for name in names if (score := prediction.score(name)) is not None]
    having = [score for score in known if score.value is not None]
    return next(iter(having or known or prediction.scores), None)


def score_text(score: Score) -> str:
    """Value with unit, a gap with its sign, a Brixia sum out of 18; "–" when there is none."""
    if score.value is None:
        return "–"
    unit = "" if score.unit in ("", "1", "probability") else f" {_short_unit(score.unit)}"
    text = f"{value_text(score)}{unit}"
    return f"{text} / {BRIXIA_TOP}" if score.name == "brixia_total" else text


def value_text(score: Score) -> str:
    """The value of a score without its unit; "–" when there is none."""
    return "–" if score.value is None else _alike(score, score.value)


def interval_text(score: Score) -> str:
    """The interval of a score, a gap with signs; empty where there is none."""
    if score.low is None or score.high is None:
        return ""
    return span(_alike(score, score.low), _alike(score, score.high))


def unit_tag(strip: Strip, results: Iterable[Prediction]) -> str:
    """What a model has changed about the unit of a variable, else what speaks against it.

    Empty where nothing does.
    """
    if turned := _turned_tag(strip.name, results):
        return turned
    if "Fahrenheit" in strip.doubt:
        return "looks like °F"
    if "within" in strip.doubt:
        return "odd values"
    return "another unit?" if strip.doubt else ""


def _turned_tag(name: str, results: Iterable[Prediction]) -> str:
    """What a model has changed about the unit of a variable; empty where none says so."""
    about = re.compile(rf"{re.escape(name)}\b", re.IGNORECASE)
    icu = (each for each in results if family(each.model) == "icu")
    told = (note.text.lower() for each in icu for note in each.warnings if about.match(note.text))
    for text in told:
        if "fahrenheit" in text:
            return "°F, converted"
        if "converted" in text or "unit" in text:
            return "unit converted"
    return ""


def titles_of(cards: Iterable[ModelCard]) -> dict[str, str]:
    """What models are called, by "ID@VERSION" and by id; of one id the first card counts."""
    known: dict[str, str] = {}
    for card in cards:
        known[f"{card.id}@{card.version}"] = card.title
        known.setdefault(card.id, card.title)
    return known


def titled(result: Prediction, titles: Mapping[str, str]) -> str:
    """The model and version that gave a result: by its title, where that is known, else its id."""
    title = titles.get(result.key) or titles.get(result.model) or result.model
    return f"{title} {result.version}"


def result_line(prediction: Prediction, titles: Mapping[str, str]) -> str:
    """A result in one line, such as "Mortality 0.34 [0.22 – 0.48] · ICU series 1.0".

    A corrected gap never stands without the raw one, where there is that.
    """
    score = main_score(prediction)
    if score is None or score.value is None:
        return ""
    name = _NAMES.get(score.name, score.name.replace("_", " ").capitalize())
    bounds = interval_text(score)
    said = f"{name} {score_text(score)}" + (f" [{bounds}]" if bounds else "")
    raw = prediction.score("gap_raw") if score.name == "gap_corrected" else None
    if raw is not None and raw.value is not None:
        said = f"{said} corrected, {score_text(raw)} raw"
    doubt = " (outside training)" if score.status == "extrapolating" else ""
    return f"{said}{doubt} · {titled(prediction, titles)}"


def result_lines(predictions: tuple[Prediction, ...], titles: Mapping[str, str]) -> tuple[str, ...]:
    """One line for each result that has a score."""
    return tuple(line for each in predictions if (line := result_line(each, titles)))


def zones_line(predictions: tuple[Prediction, ...], titles: Mapping[str, str]) -> tuple[str, ...]:
    """Whose zones are drawn, where several results have some."""
    having = [each for each in predictions if _has_zones(each)]
    return (f"Zones: {titled(having[-1], titles)}",) if len(having) > 1 else ()


def result_marks(predictions: tuple[Prediction, ...]) -> tuple[Mark, ...]:
    """The zones of the lungs with their scores, of the newest result that has them."""
    for each in reversed(predictions):
        lungs = each.map("lungs")
        if lungs is not None and _has_zones(each):
            return zone_marks(lungs, zone_texts(each))
    return ()


def _has_zones(prediction: Prediction) -> bool:
    lungs = prediction.map("lungs")
    is_flat = lungs is not None and lungs.geometry.shape[0] == 1
    return is_flat and any(prediction.score(f"brixia_{letter}") for letter in ZONES)


def zone_texts(prediction: Prediction) -> dict[str, str]:
    """The grades of the zones by their letters, all whole or all with tenths."""
    scores = {letter: prediction.score(f"brixia_{letter}") for letter in ZONES}
    known = {zone: s for zone, s in scores.items() if s is not None and s.value is not None}
    texts = figure_texts([s.value or 0.0 for s in known.values()], "brixia_total")
    return dict(zip(known, texts, strict=True))


def figure_texts(values: Sequence[float], name: str) -> list[str]:
    """Figures of one kind that stand together, with as many decimals each."""
    texts = [figure_text(value, name) for value in values]
    if name.startswith("brixia_") and any("." in text for text in texts):
        return [f"{value:.1f}" for value in values]
    return texts


def _alike(score: Score, value: float) -> str:
    """The value or a bound of a score, with as many decimals as the others."""
    known = [each for each in (score.value, score.low, score.high) if each is not None]
    return figure_texts([value, *known], score.name)[0]


def figure_text(value: float, name: str) -> str:
    """The figure of a score with the digits that mean something: tenths of a year, hundredths of
    a probability and of what it rests on, whole points of a Brixia score.
    """
    if name in _YEARS or name.startswith(SIDES):
        text = f"{abs(value):.{1 if name in _YEARS else 2}f}"
        sign = "+" if name in _GAPS and value > 0 else ""
        return f"\u2212{text}" if value < 0 and float(text) else f"{sign}{text}"
    whole = name.removesuffix("_fixed").removesuffix("_mixed")
    if whole in _SHARES or name.startswith("phenotype_"):
        return _share_text(value)
    if name.startswith("brixia_"):
        return f"{value:.0f}" if value == round(value) else f"{value:.1f}"
    return number(value)


def _share_text(value: float) -> str:
    """A probability; one that is only nearly 0 or 1 is not told as 0 or 1."""
    if 0 < value < _LEAST:
        return "< 0.01"
    return "> 0.99" if 1 - _LEAST < value < 1 else f"{value:.2f}"


def _short_unit(unit: str) -> str:
    return {"years": "y", "year": "y"}.get(unit, unit)
