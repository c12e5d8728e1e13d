"""Reports that were written before: one that is signed is not written over."""

from __future__ import annotations

from pathlib import Path

from medview.domain.errors import ReadError, UsageError
from medview.domain.progress import Progress
from medview.io.pdf import read_report
from medview.services.report_history import is_final


def keep_signed(job: Progress, path: Path, report_id: str = "") -> None:
    """Refuse to write a report to `path` where another one stands that is signed.

    The report of that very id may be written again: its words are the ones that were signed.

    Raises
    ------
    UsageError
        If a signed report stands there, also one that was changed after it was written.
    """
    try:
        there = read_report(job, path).manifest
    except ReadError:  # nothing, or no report of this program
        return
    if is_final(str(there.get("status"))) and there.get("report_id") != report_id:
        raise UsageError(
            "is a report that is signed, and is not written over",
            file=path.name,
            do="Give another name, or move that report away.",
        )
