"""What a reader has written about a study so far: kept between starts."""

from __future__ import annotations

from dataclasses import dataclass

from medview.domain.signing import Signature

#: The fields that the reader writes, in the order of the report.
FIELDS = ("question", "comparison", "findings", "impression")


@dataclass(frozen=True, slots=True)
class Draft:
    """The reader's words about one study, the template they are for, and who signed when.

    `template` empty means the one that fits the results.
    """

    question: str = ""
    comparison: str = ""
    findings: str = ""
    impression: str = ""
    template: str = ""
    signatures: tuple[Signature, ...] = ()
