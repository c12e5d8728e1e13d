"""Whether a report is signed, what of it became different since, and its history in words."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.prediction import Prediction
from medview.domain.report import Section, Table
from medview.domain.signing import Signature, Statement, changes
from medview.domain.wording import time_words
from medview.services.report_material import Material
from medview.services.telling import main_score, score_text

DRAFT, FINAL, AMENDED, AMENDMENT = "DRAFT", "FINAL", "AMENDED", "DRAFT AMENDMENT"
_HEADINGS = ("When", "Who", "What")
_AT_FOOT = "the time at the foot of each page"


def is_final(status: str) -> bool:
    """Whether a report of that status is signed as it stands."""
    return status in (FINAL, AMENDED)


def statements(material: Material) -> tuple[Statement, ...]:
    """What a signature covers: words, results, answers to them, marked images and drawings."""
    words = material.reader
    parts = {
        "Question": words.question,
        "Comparison": words.comparison,
        "Findings": words.findings,
        "Impression": words.impression,
        "Results": "; ".join(_result_words(each.prediction) for each in material.outcomes),
        "Answers to the results": _answers(material),
        "Key images and drawings": "; ".join(each.in_words for each in material.marked),
    }
    return tuple(Statement.of(name, text) for name, text in parts.items())


def signed(material: Material) -> Material:
    """The material with the signature that was asked for now, if an impression is there."""
    has_words = material.reader.impression or material.reader.in_one
    if not (material.signer and has_words):
        return material
    mine = Signature(material.signer, material.role, statements=statements(material))
    return replace(material, history=(*material.history, mine))


def status(material: Material) -> str:
    """Of a report of this (``signed``) material."""
    if not material.history:
        return DRAFT
    if since(material):
        return AMENDMENT
    return FINAL if len(material.history) == 1 else AMENDED


def since(material: Material) -> tuple[str, ...]:
    """What is different from what was signed last; empty if nothing, or never signed."""
    if not material.history:
        return ()
    return changes(material.history[-1].statements, statements(material))


def signature_words(material: Material) -> str:
    """The row that says who signs."""
    if not material.history:
        if material.signer:
            return f"{material.signer}; a draft until there is an impression"
        return "not signed"
    last = material.history[-1]
    words = f"{_who(last)} · signed {time_words(last.at) or f'at {_AT_FOOT}'}"
    return f"{words}; changed since and not signed again" if since(material) else words


def history(material: Material) -> tuple[Section, ...]:
    """Every signature with what was different from the one before; only of amended reports."""
    rows: list[tuple[str, str, str]] = []
    for number, each in enumerate(material.history):
        what = "Signed."
        if number:
            before = material.history[number - 1].statements
            what = " ".join(changes(before, each.statements)) or "Signed again without a change."
        rows.append((time_words(each.at) or _AT_FOOT, _who(each), f"{what}{_written(each)}"))
    pending = since(material)
    if pending:
        rows.append(("not signed yet", "not signed", " ".join(pending)))
    if len(rows) < 2:
        return ()
    return (Section("Signatures and amendments", table=Table(tuple(rows), _HEADINGS)),)


def _who(signature: Signature) -> str:
    return ", ".join(part for part in (signature.by, signature.role) if part)


def _written(signature: Signature) -> str:
    parts = []
    if signature.report_id:
        parts.append(f"Report {signature.report_id}")
    if signature.content_sha256:
        parts.append(f"content {signature.content_sha256[:12]}")
    return f" {', '.join(parts)}." if parts else ""


def _result_words(prediction: Prediction) -> str:
    score = main_score(prediction)
    value = f" {score.name} {score_text(score)}" if score is not None else ""
    return f"{prediction.model} {prediction.version} {prediction.weights_sha256[:12]}{value}"


def _named(prediction: Prediction, models: list[str]) -> str:
    """The model, as in statements signed before; of several versions of it which one."""
    return prediction.key if models.count(prediction.model) > 1 else prediction.model


def _answers(material: Material) -> str:
    models = [each.prediction.model for each in material.outcomes]
    said = [
        f"{_named(each.prediction, models)} {opinion.about} {opinion.verdict}"
        for each in material.outcomes
        for opinion in each.opinions
    ]
    said += [f"{number}: {verdict}" for number, verdict in material.reader.verdicts.items()]
    return "; ".join(sorted(said))
