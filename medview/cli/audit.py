"""``medview audit``: what was done with studies here, and whether that record is whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from medview.cli.contract import Answer, Context, command


def _in_words(body: Mapping[str, Any]) -> str:
    from medview.services.audit import in_words

    lines = [
        f"{one['when']}  {one['who']}  {one['what']}  {in_words(one['detail'])}".rstrip()
        for one in body["entries"]
    ]
    if body["holds"] is not None:
        verdict = "the trail is whole"
        if not body["holds"]:
            verdict = f"line {body['broken']} {body['why']}"
        lines.append(f"{body['lines']} lines: {verdict}")
    return "\n".join(lines) or "Nothing was written down yet."


@command("audit", words=_in_words)
@click.option("--verify", is_flag=True, help="Check the chain; exit code 1 when a line is broken.")
def audit(context: Context, verify: bool) -> Answer:
    """Show the audit trail: opened, ran, changed, accepted, exported, signed, deleted."""
    from medview.io import trail
    from medview.services.audit import trail_file

    path = trail_file()
    found = trail.entries(path)
    if not verify:
        return Answer({"entries": found, "lines": len(found), "holds": None})
    verdict = trail.verify(path)
    return Answer(
        {
            "entries": [],
            "lines": verdict.lines,
            "holds": verdict.holds,
            "broken": verdict.broken,
            "why": verdict.what,
        },
        exit_code=int(not verdict.holds),
    )
