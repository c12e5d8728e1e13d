"""From an examination, results and the reader's words to the content of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from medview.domain.exam import Exam
from medview.domain.prediction import Opinion
from medview.domain.report import NOT_AVAILABLE, Report, Section, content_sha256
from medview.domain.wording import time_words
from medview.services import (
    report_history,
    report_lines,
    report_marks,
    report_origin,
    report_pictures,
    report_plots,
    report_result,
)
from medview.services.report_layout import READING, arranged, of_model
from medview.services.report_manifest import manifest_of, new_report_id
from medview.services.report_material import Material, Outcome
from medview.services.report_templates import Template, template_for

SectionMaker = Callable[[Material], tuple[Section, ...]]


def question(material: Material) -> tuple[Section, ...]:
    """Why the examination was made."""
    return (Section("Question", material.reader.question or NOT_AVAILABLE),)


def result(material: Material) -> tuple[Section, ...]:
    """One bold line per model with what makes it more or less certain."""
    if not material.outcomes:
        pending = " A model is still running; only finished results are reported."
        text = f"No model has been run on this study.{pending if material.pending else ''}"
        return (Section("Computed analysis", text),)
    made = [_with_answers(material, each) for each in material.outcomes]
    if material.pending:
        note = "Another model is still running; only finished results are reported."
        made[-1] = replace(made[-1], text=f"{made[-1].text}\n{note}")
    return tuple(made)


def _with_answers(material: Material, outcome: Outcome) -> Section:
    """A result with what the reader answered to its scores, who and when."""
    prediction, exam = outcome.prediction, material.exam
    doubts = report_origin.quality_notes(prediction, material.volume, exam)
    made = report_result.result(exam, prediction, outcome.card, doubts)
    made = replace(made, title=_titled(made.title, material, outcome))
    said = [each for each in outcome.opinions if each.about.startswith("score ")]
    words = [
        f"Reader on {each.about.removeprefix('score ').replace('_', ' ')}: "
        f"{', '.join(part for part in (each.verdict, _who(material, each)) if part)}."
        for each in said
    ]
    # Before all else that stands behind the line: the table that says it is further down.
    rejected = report_result.rejected_words(prediction, _answers(material, outcome))
    return replace(made, text=" ".join([rejected, made.text, *words]).strip())


def _titled(title: str, material: Material, outcome: Outcome) -> str:
    """A title that says of which model a section is, where there are several."""
    if len(material.outcomes) < 2:
        return title
    made = outcome.prediction
    name = outcome.card.title if outcome.card else made.model
    return of_model(title, f"{name} {made.version}")


def _each(
    material: Material, make: Callable[[Outcome], tuple[Section, ...]]
) -> tuple[Section, ...]:
    """The sections of each result; of several, each section says of which model it is."""
    return tuple(
        replace(section, title=_titled(section.title, material, each))
        for each in material.outcomes
        for section in make(each)
    )


def _answers(material: Material, outcome: Outcome) -> dict[int, str]:
    """What the reader answered to each finding, who and when; written words come first."""
    answers = {}
    for each in outcome.opinions:
        number = each.about.removeprefix("finding ")
        if each.about.startswith("finding ") and number.isdigit():
            written = material.reader.verdicts.get(int(number), each.verdict)
            parts = (written, _who(material, each))
            answers[int(number)] = ", ".join(part for part in parts if part)
    return material.reader.verdicts | answers


def _who(material: Material, opinion: Opinion) -> str:
    by = "" if material.private else opinion.by
    return ", ".join(part for part in (by, time_words(opinion.at)) if part)


def pictures(material: Material) -> tuple[Section, ...]:
    """Key slices of the result, or of the images alone."""
    if material.volume is None:
        return ()
    volume = material.volume
    made = _each(
        material,
        lambda each: (
            (report_pictures.pictures(volume, each.prediction),)
            if report_pictures.has_marks(each.prediction)
            else ()
        ),
    )
    # Where no result says anything of a place, the images are shown once.
    results = [each.prediction for each in material.outcomes]
    return made or (report_pictures.pictures(volume, results[0] if results else None),)


def findings(material: Material) -> tuple[Section, ...]:
    """The regions a model found and what the reader says to each."""
    return _each(
        material,
        lambda each: (
            (report_result.findings(each.prediction, material.reader, _answers(material, each)),)
            if each.prediction.findings
            else ()
        ),
    )


def measures(material: Material) -> tuple[Section, ...]:
    """The many scores beside the main one: volumes, zones, phenotypes."""
    return _each(material, lambda each: report_lines.measures(each.prediction))


def plots(material: Material) -> tuple[Section, ...]:
    """A brain age among others, and the risk over the hours of a stay."""
    return _each(material, lambda each: report_plots.plots(each.prediction, each.card))


def record(material: Material) -> tuple[Section, ...]:
    """The variables of the stay, hour by hour, with the hour of the film."""
    return report_plots.record(material.record, tuple(e.prediction for e in material.outcomes))


def reading(material: Material) -> tuple[Section, ...]:
    """What the reader found and concluded."""
    words = material.reader
    if words.findings and words.in_one:
        return (Section("Findings and impression", words.findings),)
    both = zip(READING, (words.findings, words.impression), strict=True)
    return tuple(Section(title, text or NOT_AVAILABLE) for title, text in both)


def trust(material: Material) -> tuple[Section, ...]:
    """What the model is for, how well it does and how good its input was; then its method."""
    return _each(
        material,
        lambda each: (
            report_origin.trust(each.prediction, each.card, material.volume, material.exam),
            *report_origin.method(each.prediction, each.card),
        ),
    )


def origin(material: Material) -> tuple[Section, ...]:
    """Everything needed to make the same numbers again, and who signs."""
    rows = [
        row
        for each in material.outcomes
        for row in report_origin.origin_rows(each.prediction, each.card, private=material.private)
    ]
    rows.append(report_origin.exam_row(material.exam))
    rows.append(("Part of the model", report_origin.involvement(len(material.outcomes))))
    rows.append(("Made with", report_origin.software()))
    signature = report_history.signature_words(material)
    rows.append(("Signature", f"{report_history.status(material)} · {signature}"))
    return (report_origin.table("Origin", tuple(rows)),)


def marked(material: Material) -> tuple[Section, ...]:
    """Key images and measurements of the reader."""
    return report_marks.key_images(material.marked, private=material.private)


# Names that a template may use.
SECTIONS: dict[str, SectionMaker] = {
    "question": question,
    "result": result,
    "pictures": pictures,
    "findings": findings,
    "measures": measures,
    "plots": plots,
    "record": record,
    "reading": reading,
    "marked": marked,
    "trust": trust,
    "history": report_history.history,
    "origin": origin,
}


def build_report(
    material: Material,
    template: Template | None = None,
    *,
    report_id: str = "",
    made_at: str = "",
    ready: Mapping[str, tuple[Section, ...]] | None = None,
) -> Report:
    """Make the content of a report.

    A report is a DRAFT until it is signed, and a signature needs the reader's own words.
    `report_id` and `made_at` (ISO time) are made up when not given; nothing else differs
    between two reports of the same material. `ready` are sections that were made before, by
    their names in the template.
    """
    names = tuple(each.prediction.model for each in material.outcomes)
    roles = tuple(ref.role for each in material.outcomes for ref in each.prediction.inputs)
    template = template or template_for(None, names, roles)
    material = report_history.signed(material.as_told())
    known = ready or {}
    report = Report(
        title=template.title,
        identity=report_origin.identity(material.exam),
        facts=_facts(material),
        sections=arranged(
            tuple(
                made
                for name in template.sections
                for made in (known[name] if name in known else SECTIONS[name](material))
            )
        ),
        report_id=report_id or new_report_id(),
        status=report_history.status(material),
        made_at=made_at or datetime.now(UTC).isoformat(timespec="seconds"),
    )
    digest = content_sha256(report)
    return replace(
        report,
        content_sha256=digest,
        manifest=manifest_of(material, report, digest) | {"template": template.name},
    )


def _facts(material: Material) -> tuple[tuple[str, str], ...]:
    """Of the image; where there is none, of the tables that the results were made from."""
    results = tuple(each.prediction for each in material.outcomes)
    comparison = material.reader.comparison
    if results and material.volume is None and material.exam == Exam():
        return report_origin.table_facts(results, comparison)
    return report_origin.facts(material.exam, comparison)
