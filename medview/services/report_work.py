"""What the child for files does to make a report; nothing of it is imported elsewhere."""

from __future__ import annotations

from pathlib import Path

from medview.domain.progress import Progress
from medview.io.pdf import write_report
from medview.services.reporting import Material, build_report
from medview.services.settings import Paper


def build_and_write(job: Progress, material: Material, path: Path, paper: Paper) -> int:
    """Make a report and write it; return its number of pages. Runs in the child for files."""
    job.report(0, 2, "drawing the pictures")
    report = build_report(material)
    job.check()
    job.report(1, 2, "laying out the pages")
    return write_report(job, report, path, paper)
