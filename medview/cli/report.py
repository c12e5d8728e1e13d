"""``medview report``: a PDF of results or of a study, and whether such a PDF still holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medview.cli.arguments import NewFile, keep_apart
from medview.cli.contract import Answer, Context, command
from medview.domain.errors import ReadError, UsageError

if TYPE_CHECKING:
    from medview.domain.report import Report

WRITE = "medview.io.pdf:write_report"
KEEP = "medview.services.report_kept:keep_signed"
# Options that say nothing to a report that stands.
_OF_WRITING = ("out", "template", "findings", "sign", "role", "amends")


def _in_words(body: Mapping[str, Any]) -> str:
    lines = [f"{body['file']}: {body['pages']} pages, {body['status']}, report {body['report_id']}"]
    return "\n".join([*lines, *body["notes"]])


def _verdict_in_words(body: Mapping[str, Any]) -> str:
    if body["holds"]:
        ran = (
            "and the model says the same again" if body["rerun"] else "the model was not run again"
        )
        return f"The report holds: nothing in it was changed, {ran}."
    lines = ["The report does not hold."]
    if not body["hash_ok"]:
        lines.append("The file was changed after it was written.")
    for each in body["differences"]:
        what = next(iter(each))
        lines.append(f"{what} {each[what]}: printed {each['printed']}, now {each['now']}")
    return "\n".join(lines)


@command("report", words=_in_words)
@click.argument("source", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=NewFile(".pdf"), help="The PDF to write.")
@click.option("--template", metavar="NAME", help="Which sections; by default as the model needs.")
@click.option("--paper", type=click.Choice(["a4", "letter"]), default="a4", show_default=True)
@click.option("--findings", type=click.Path(path_type=Path), help="The reader's words, FILE.md.")
@click.option("--sign", metavar="NAME", help="Sign it: no draft any more.")
@click.option("--role", metavar="ROLE", help="What the signer is, such as radiologist.")
@click.option(
    "--amends", type=click.Path(path_type=Path), help="The signed PDF that this corrects."
)
@click.option("--study", type=click.Path(path_type=Path), help="The study the result is about.")
@click.option("--verify", type=click.Path(path_type=Path), help="Check this report instead.")
@click.option("--weights", type=click.Path(path_type=Path), help="To verify with other weights.")
def report(context: Context, source: Path | None, verify: Path | None, **wanted: Any) -> Answer:
    """Write a report of SOURCE: a folder of "medview run", or a study.

    A folder of results is enough for a report without the patient's name; "--study" adds the
    name and, where the result has no image of its own, the pictures. The findings are plain text
    or Markdown with the headings Question, Comparison, Findings, Impression and Agreement
    ("2: rejected: vessel"). "--amends SIGNED.pdf" prints who signed that report when, and what
    is different in this one.

    With "--sign" the exit code is 1 where the report stays a draft, for want of an impression.
    A signed report is never written over: give another name.

    "--verify FILE.pdf" says whether a report was changed, and with "--study" whether the model
    still comes to the same numbers.
    """
    if verify is not None:
        idle = [f"--{name}" for name in _OF_WRITING if wanted[name] is not None]
        if source is not None or idle:
            named = f"; {', '.join(idle)} writes one" if idle else ""
            what = f"a report is either written or verified{named}"
            raise UsageError(what, do="Leave one of them out.")
        return _verified(context, verify, wanted["study"], wanted["weights"])
    if source is None or wanted["out"] is None:
        raise UsageError(
            "a report needs a source and a file to write",
            do='Use "medview report DIR --out FILE.pdf".',
        )
    return _written(context, source, wanted)


def _written(context: Context, source: Path, wanted: dict[str, Any]) -> Answer:
    from medview.io.atomic import whole_file
    from medview.services.audit import Deed, note
    from medview.services.report_history import is_final
    from medview.services.report_source import amending, gather, with_words
    from medview.services.report_templates import template_for
    from medview.services.report_text import ReaderText, reader_text
    from medview.services.reporting import build_report

    out: Path = wanted["out"]
    if wanted["sign"] is not None and not wanted["sign"].strip():
        raise UsageError("the name to sign with is empty", do="Give a name with --sign.")
    if wanted["role"] is not None and wanted["sign"] is None:
        raise UsageError("a role is told of who signs", do="Give a name with --sign.")
    # A signed report that is amended stays as it is.
    keep_apart(out, filter(None, (wanted["amends"], wanted["findings"])))
    context.call("files", KEEP, out)
    template = template_for(wanted["template"], ()) if wanted["template"] else None
    words = reader_text(_text_of(wanted["findings"])) if wanted["findings"] else ReaderText()
    material = with_words(
        gather(context.call, source, wanted["study"]),
        words,
        signer=wanted["sign"] or "",
        role=wanted["role"] or "",
        private=context.options.private,
    )
    if wanted["amends"]:
        material = amending(context.call, material, wanted["amends"])
    made = build_report(material, template)
    # The draft is of this process: a child that is ended while it writes leaves nothing behind.
    with whole_file(out) as draft:
        pages = context.call("files", WRITE, made, draft, wanted["paper"])
    deed: Deed = "signed" if is_final(made.status) else "exported"
    note(deed, {"kind": "report", "report": made.report_id, "content": made.content_sha256})
    return Answer(
        {
            "file": out.name,
            "pages": pages,
            "report_id": made.report_id,
            "content_sha256": made.content_sha256,
            "status": made.status,
            "results": [each.file_sha256 for each in material.outcomes],
            "notes": _notes(made, material.signer),
        },
        exit_code=int(bool(wanted["sign"]) and deed != "signed"),
    )


def _notes(made: Report, signer: str) -> list[str]:
    """What the writer of the report should know."""
    if signer and made.status.startswith("DRAFT"):
        return ["It is not signed: it stays a draft until there is an impression in --findings."]
    return []


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ReadError("does not exist", file=path.name, do="Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            "cannot be read as text", file=path.name, do="Save it as plain text (UTF-8)."
        ) from error


def _verified(context: Context, report: Path, study: Path | None, weights: Path | None) -> Answer:
    from medview.services.verifying import Again, verify

    options = context.options
    again = Again(options.device, options.threads, str(weights) if weights else None)
    verdict = verify(context.call, report, study, again)
    body = {
        "holds": verdict.holds,
        "hash_ok": verdict.hash_ok,
        "rerun": verdict.rerun,
        "differences": list(verdict.differences),
        "report_id": verdict.report_id,
    }
    return Answer(body, 0 if verdict.holds else 1, "verify", _verdict_in_words(body))
