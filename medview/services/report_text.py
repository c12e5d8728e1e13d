"""What the reader writes: question, comparison, findings, impression, and yes or no to a model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_HEADINGS = {
    "question": "question",
    "clinical information": "question",
    "indication": "question",
    "comparison": "comparison",
    "findings": "findings",
    "impression": "impression",
    "conclusion": "impression",
    "agreement": "verdicts",
}
_VERDICT = re.compile(r"^\W*(?:finding\s+)?(\d+)\s*[:.)]\s*(\S.*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReaderText:
    """The reader's own words. `in_one` says that findings and impression were written together.

    `verdicts` maps the number of a finding of the model to the reader's answer, such as
    "agree" or "rejected: vessel".
    """

    question: str = ""
    comparison: str = ""
    findings: str = ""
    impression: str = ""
    in_one: bool = False
    verdicts: dict[int, str] = field(default_factory=dict)


def reader_text(markdown: str) -> ReaderText:
    """Understand a text with the headings Question, Comparison, Findings, Impression, Agreement.

    Headings are lines that start with "#" or are one of these words with a colon. A text without
    any heading is findings and impression in one. Lines under Agreement read "2: rejected:
    vessel". Text before the first heading, under headings not known, and what is no such line under
    Agreement belongs to the findings.
    """
    parts: dict[str, list[str]] = {}
    current, seen = "findings", False
    for line in markdown.splitlines():
        heading = _heading(line)
        if heading is None:
            parts.setdefault(current, []).append(line.rstrip())
            continue
        seen = seen or heading in _HEADINGS
        current = _HEADINGS.get(heading, "findings")
    words = {name: _tidy(lines) for name, lines in parts.items()}
    verdicts, others = _verdicts(words.pop("verdicts", ""))
    if others:
        words["findings"] = "\n".join([*words.get("findings", "").splitlines(), *others])
    in_one = not seen and bool(words.get("findings"))
    return ReaderText(**words, in_one=in_one, verdicts=verdicts)


def _heading(line: str) -> str | None:
    text = line.strip()
    if text.startswith("#"):
        return text.lstrip("#").strip().rstrip(":").lower()
    word = text.rstrip(":").lower()
    return word if text.endswith(":") and word in _HEADINGS else None


def _tidy(lines: list[str]) -> str:
    """Drop empty lines and the marks of emphasis and lists."""
    kept = [re.sub(r"(\*\*|__|`)", "", line).strip() for line in lines]
    return "\n".join(re.sub(r"^[*+-]\s+", "• ", line) for line in kept if line)


def _verdicts(text: str) -> tuple[dict[int, str], list[str]]:
    """The answers by number, and the lines that are none."""
    found = [(line, _VERDICT.match(line)) for line in text.splitlines()]
    answers = {int(match[1]): match[2].strip() for _, match in found if match}
    return answers, [line for line, match in found if not match]
