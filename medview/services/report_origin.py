"""Sections of a report that say who, with what, how well, and how to do it again."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata

from medview import __version__
from medview.domain.card import ROUTE_LIMITS, ModelCard, TrainedOn
from medview.domain.exam import Exam
from medview.domain.prediction import InputRef, Prediction
from medview.domain.report import NOT_AVAILABLE, Section, Table
from medview.domain.resources import resource
from medview.domain.volume import Volume
from medview.domain.wording import (
    counted,
    date_words,
    duration_words,
    number,
    sentence,
    time_words,
    typeset,
)
from medview.services.offers import TABLES, part_cards
from medview.services.report_figures import (
    calibrated_here,
    figure_words,
    measured_words,
    of_route,
    published_of,
    published_words,
    told_whole,
)
from medview.services.telling import family

_MOST_CALIBRATIONS = 4
_ROW_LETTERS = 225
_ROUNDED = 1e-4
# So many letters of how a model was trained are printed; its card has all of it.
_SMALL_PRINT = 1000
_GIVEN = {
    "age_years": "age {} years",
    "sex": "sex {}",
    "site": "site {}",
    "film_hour": "film of hour {}",
}
_SYMBOLS = {"samples": "K", "alpha": "\u03b1"}


def identity(exam: Exam) -> tuple[str, ...]:
    """Who the report is about, in two lines; a pseudonym alone in private reports."""
    if exam.name or exam.patient_id:
        born = date_words(exam.birth_date)
        who = [
            name_words(exam.name) or f"name {NOT_AVAILABLE}",
            exam.patient_id or f"id {NOT_AVAILABLE}",
            *_sex_and_birth(exam.sex, born),
        ]
    elif exam.patient_key:
        who = [f"Patient {exam.patient_key}", exam.sex]
    else:
        who = [f"Patient {NOT_AVAILABLE}", exam.sex]
    when = date_words(exam.study_date) or f"date {NOT_AVAILABLE}"
    number_ = f"Accession {exam.accession}" if exam.accession else ""
    return tuple(" · ".join(part for part in line if part) for line in (who, (number_, when)))


def _sex_and_birth(sex: str, born: str) -> tuple[str, ...]:
    if not sex and not born:
        return (f"sex, birth date {NOT_AVAILABLE}",)
    birth = f"born {born}" if born else f"birth date {NOT_AVAILABLE}"
    return sex or f"sex {NOT_AVAILABLE}", birth


def name_words(name: str) -> str:
    """Write a DICOM name "Yamada^Tarou=山田^太郎" as "Yamada, Tarou (山田 太郎)"."""
    groups = [[part.strip() for part in group.split("^")] for group in name.split("=")]
    first = ", ".join(part for part in groups[0] if part)
    second = " ".join(part for part in groups[1] if part) if len(groups) > 1 else ""
    return f"{first} ({second})" if first and second else first or second


def facts(exam: Exam, comparison: str) -> tuple[tuple[str, str], ...]:
    """Four facts under the title."""
    return (
        ("Examination", exam.study_description.replace("^", " ") or _modality(exam)),
        ("Series used", _series(exam)),
        ("Scanner", _scanner(exam)),
        ("Comparison", comparison or _not_compared(exam)),
    )


def earlier_words(exam: Exam) -> str:
    """The newest earlier study, "02 Mar 2024, MR head"; empty where none is known."""
    parts = (date_words(exam.earlier_date), exam.earlier_description)
    return ", ".join(part for part in parts if part)


def _not_compared(exam: Exam) -> str:
    """What stands for a comparison that the reader did not write."""
    if not exam.earlier_studies:
        return "none available"
    which = earlier_words(exam)
    return f"not stated; earlier study {which}" if which else "not stated; an earlier study exists"


def table_facts(results: tuple[Prediction, ...], comparison: str) -> tuple[tuple[str, str], ...]:
    """Four facts under the title where there are tables and no image."""
    inputs = {each.sha256: each for result in results for each in result.inputs}
    sizes = [
        f"{each.role} · {counted(each.size[0], 'column')} · {counted(each.size[1], 'row')}"
        for each in inputs.values()
    ]
    given = {
        words.format(_plain(result.parameters[key])): None
        for result in results
        for key, words in _GIVEN.items()
        if result.parameters.get(key) is not None
    }
    words = " · ".join(given)
    made = max(result.made_at for result in results)
    return (
        ("Table used", " · ".join(sizes) or NOT_AVAILABLE),
        ("Given with it", words or "nothing"),
        ("Analysed", time_words(made) or NOT_AVAILABLE),
        ("Comparison", comparison or "none available"),
    )


def trust(
    prediction: Prediction, card: ModelCard | None, volume: Volume | None, exam: Exam
) -> Section:
    """What the model is for, how well it did, and how good its input was."""
    rows: list[tuple[str, str]] = []
    if card is None:
        rows.append(("Model card", f"{NOT_AVAILABLE}: nothing is known of what it was made for"))
    else:
        trained = "; ".join(map(_cohort, card.trained_on_by(prediction.parameters.get("route"))))
        rows += [
            ("Intended use", _intended(prediction, card)),
            *_limits(tuple(map(typeset, card.limits_on(prediction.parameters.get("route"))))),
            ("Trained on", trained or NOT_AVAILABLE),
            ("Measured here", measured_words(of_route(card.measured, prediction))),
            ("Published elsewhere", published_words(published_of(card, prediction))),
        ]
    rows += [
        ("Uncertainty", _uncertainty(prediction, card)),
        ("Input quality", quality_words(prediction, volume, exam)),
        ("Preparation", typeset(" · ".join(prediction.preparation)) or NOT_AVAILABLE),
    ]
    return table("How far to trust this", tuple(rows))


def method(prediction: Prediction, card: ModelCard | None) -> tuple[Section, ...]:
    """How the model was trained and measured, in small print; nothing where nothing is known.

    Of a long card the first lines, and where the others stand: a report of one model has two pages.
    """
    lines = card.method_on(prediction.parameters.get("route")) if card else ()
    told = [sentence(_unmarked(each)) for each in lines]
    kept = [each for n, each in enumerate(told) if sum(map(len, told[: n + 1])) <= _SMALL_PRINT]
    if card is not None and len(kept) < len(told):
        more = counted(len(told) - len(kept), "more sentence")
        kept.append(f'{more} on the card of the model ("medview models {card.id}").')
    text = typeset(" ".join(kept))
    return (Section("How it was trained and measured", text, small=True),) if text else ()


def origin_rows(
    prediction: Prediction, card: ModelCard | None, *, private: bool = False
) -> list[tuple[str, str]]:
    """Model, weights, run and input: what is needed to get the same numbers again."""
    title = f" · {card.title}" if card else ""
    licence = f" · {card.licence}" if card and card.licence else ""
    made = f"{_trained(prediction, card)} · {_base(prediction)}"
    rows = [
        ("Model", f"{prediction.model} {prediction.version}{title} · {made}{licence}"),
        ("Weights (SHA-256)", prediction.weights_sha256 or NOT_AVAILABLE),
        ("Run", _run(prediction)),
    ]
    for each in prediction.inputs:
        tail = "" if private or not each.series else f" · series \u2026{each.series[-10:]}"
        size = _size(each)
        rows.append((f"Input {each.role}", f"{each.sha256 or NOT_AVAILABLE} · {size}{tail}"))
    if prediction.maps:
        rows.append(("Maps", " · ".join(each.name for each in prediction.maps)))
    return rows


def _size(given: InputRef) -> str:
    """How large an input is; of a table the third size says nothing."""
    if given.role in TABLES:
        return f"{counted(given.size[0], 'column')}, {counted(given.size[1], 'row')}"
    return " × ".join(str(n) for n in given.size[: 2 if given.size[2] == 1 else 3])


def exam_row(exam: Exam) -> tuple[str, str]:
    """The rest of what the headers say of the examination, in one line."""
    parts = (
        ("facility", exam.institution),
        ("referred by", name_words(exam.referring)),
        ("body part", exam.body_part.lower()),
        ("contrast", exam.contrast),
        ("acquired", time_words(exam.acquired) or exam.acquired),
        ("series UID", exam.series_uid),
    )
    known = [f"{name} {value}" for name, value in parts if value]
    missing = [name for name, value in parts if not value]
    if missing:
        known.append(f"{', '.join(missing)} {NOT_AVAILABLE}")
    return "Examination", " · ".join(known)


def software() -> str:
    """The program and the libraries of its figures, as they are when the report is made."""
    names = ("torch", "numpy", "weasyprint")
    parts = []
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            parts.append(f"{name} {metadata.version(name)}")
    python = ".".join(str(n) for n in sys.version_info[:3])
    return " · ".join([f"medview {__version__}", f"Python {python}", *parts])


def involvement(models: int) -> str:
    """Say what part a model had in the report."""
    if not models:
        return "level 0: no model was run"
    return (
        "level 1 of 0 to 4 (none, assistive, draft for approval, supervised, autonomous): "
        "a model marks regions and gives scores; the reader finds and concludes"
    )


def table(title: str, rows: tuple[tuple[str, str], ...]) -> Section:
    """Return a section that is a list of names and values."""
    return Section(title, table=Table(rows))


def _limits(limits: tuple[str, ...]) -> list[tuple[str, str]]:
    """All limits, short ones together; what they begin with for their route is said once."""
    rows: list[str] = []
    for text in limits:
        said = sentence(_unmarked(text) if rows else text)
        if rows and len(rows[-1]) + len(said) < _ROW_LETTERS:
            rows[-1] += f" {said}"
        else:
            rows.append(said)
    return [("Limits", text) for text in rows]


def _unmarked(text: str) -> str:
    """A sentence without what it begins with for its route."""
    for mark in ROUTE_LIMITS.values():
        text = text.removeprefix(mark).strip()
    return text


def quality_words(prediction: Prediction, volume: Volume | None, exam: Exam) -> str:
    """Everything doubtful about the input, or that there was nothing."""
    notes = quality_notes(prediction, volume, exam)
    if not notes:
        slices = volume.geometry.shape[0] if volume else exam.size[2]
        return "No warning; no slice is missing." if slices else "No warning."
    return " ".join(map(sentence, notes))


def quality_notes(prediction: Prediction, volume: Volume | None, exam: Exam) -> tuple[str, ...]:
    """Everything doubtful about the input, each once."""
    notes = [note.text for note in (*prediction.warnings, *(volume.warnings if volume else ()))]
    missing = len(volume.missing_slices) if volume else exam.missing_slices
    slices = volume.geometry.shape[0] if volume else exam.size[2]
    if missing:
        notes.append(f"{missing} of {slices} slices missing")
    counted = volume is not None and any(note.code == "PARTLY_LOSSY" for note in volume.warnings)
    if not counted and (volume.lossy if volume is not None else exam.lossy):
        notes.append("the images were compressed with loss")
    return tuple(dict.fromkeys(notes))


def _cohort(seen: TrainedOn) -> str:
    note = f" ({_unmarked(seen.note)})" if seen.note else ""
    noun = "patient" if seen.n_patients == 1 else "patients"
    return typeset(f"{seen.set}, {seen.n_patients:,} {noun}{note}")


def _intended(prediction: Prediction, card: ModelCard) -> str:
    """What the card says, and the six items that every statement of use should have."""
    body = json.loads(resource("report", "intended_use.json").read_text("utf-8"))
    items = body.get(family(prediction.model), {})
    return " ".join([sentence(card.intended_use), *(f"{k}: {v}." for k, v in items.items())])


def _uncertainty(prediction: Prediction, card: ModelCard | None) -> str:
    """Where the uncertainty comes from and whether it was checked against the truth."""
    texts = []
    samples = prediction.parameters.get("samples")
    if samples and prediction.map("total") is not None:
        texts.append(
            f"Spread between {samples} samples of the model (epistemic) plus the noise it expects "
            "itself (aleatoric)."
        )
    methods = dict.fromkeys(each.method for each in prediction.scores if each.value is not None)
    if not texts and any(methods):
        texts.append(sentence(f"Intervals: {'; '.join(each for each in methods if each)}"))
    figures = of_route(card.measured, prediction) if card else ()
    known = told_whole(tuple(each for each in figures if each.name in ("ece", "coverage")))
    found = "; ".join(figure_words(each) for each in known[:_MOST_CALIBRATIONS])
    texts.append(f"Calibration: {found or 'not established'}; {calibrated_here(figures)}.")
    return " ".join(texts)


def _trained(prediction: Prediction, card: ModelCard | None) -> str:
    """The day of the training of the weights that answered: the model's, or those of a part."""
    cards = (each for each in (card, *part_cards()) if each is not None)
    own = (each for each in cards if each.weights_sha256 == prediction.weights_sha256)
    day = next((date_words(each.trained_at) for each in own), "")
    return f"trained {day}" if day else f"day of training {NOT_AVAILABLE}"


def _base(prediction: Prediction) -> str:
    if prediction.parent:
        return f"fine-tuned from {prediction.parent}"
    return "not fine-tuned"


def _run(prediction: Prediction) -> str:
    parameters = [
        f"{_SYMBOLS.get(key, key.replace('_', ' '))} {_plain(value)}"
        for key, value in prediction.parameters.items()
        if isinstance(value, int | float | str)
    ]
    parts = [
        time_words(prediction.made_at) or f"time {NOT_AVAILABLE}",
        prediction.device,
        prediction.dtype,
        prediction.mode,
        *parameters,
        f"seed {prediction.seed}",
        duration_words(prediction.seconds),
        f"{number(prediction.peak_memory_mb, 2)} MB",
        f"code {prediction.code}",
    ]
    return " · ".join(part for part in parts if part)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _modality(exam: Exam) -> str:
    return exam.modality or NOT_AVAILABLE


def _series(exam: Exam) -> str:
    name = exam.series_description or NOT_AVAILABLE
    count = f" (no. {exam.series_number})" if exam.series_number is not None else ""
    axes = 2 if exam.size[2] == 1 else 3  # of one image nothing says how far the next would be
    size = " × ".join(str(n) for n in exam.size[:axes]) if any(exam.size) else ""
    step = " × ".join(_spacings((exam.spacing_mm or ())[:axes]))
    if step:
        step += " mm at the detector" if exam.at_detector else " mm"
    return " · ".join(part for part in (f"{name}{count}", size, step) if part)


def _spacings(spacing_mm: Sequence[float]) -> list[str]:
    """Sizes of a voxel with as many decimals each, at most three."""
    digits = (n for n in range(3) if all(abs(round(mm, n) - mm) < _ROUNDED for mm in spacing_mm))
    decimals = next(digits, 3)
    return [f"{mm:.{decimals}f}" for mm in spacing_mm]


def _scanner(exam: Exam) -> str:
    field = f"{exam.field_strength_t:.1f} T" if exam.field_strength_t else ""
    return ", ".join(part for part in (field, exam.scanner) if part) or NOT_AVAILABLE
