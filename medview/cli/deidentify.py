"""``medview deidentify``: copies of DICOM files without identity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.contract import Answer, Context, command
from medview.domain.wording import counted

DEIDENTIFY = "medview.io.deidentify:deidentify_into"


def _in_words(body: Mapping[str, Any]) -> str:
    files, patients = counted(body["files"], "file"), counted(body["patients"], "patient")
    lines = [f"{files} of {patients} copied without identity"]
    if body["results"]:
        lines.append(f"{counted(body['results'], 'DICOM object')} of results about the copies")
    lines += [f"held back: file {one['number']}: {one['what']}" for one in body["withheld"]]
    lines += [f"note: {one['text']}" for one in body["warnings"]]
    return "\n".join(lines)


@command("deidentify", words=_in_words)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--result",
    "results",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A result of one of the studies, to be written as DICOM objects about the copies.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option(
    "--with-burned-in",
    is_flag=True,
    help="Also pictures in which names may be burned in: somebody has looked at them.",
)
def deidentify(
    context: Context,
    paths: tuple[Path, ...],
    results: tuple[Path, ...],
    out: Path,
    with_burned_in: bool,
) -> Answer:
    """Copy DICOM files by the Basic Profile of PS3.15: no name, id, date; UIDs replaced.

    Documents, reports and pictures with burned-in text are held back and counted.
    """
    from medview.io.atomic import whole_folder
    from medview.io.dicom_out.parts import Handover
    from medview.services.audit import note
    from medview.services.exporting import dicom_source

    found = (dicom_source(context.call, each, *paths) for each in results)
    parts = tuple(Handover(series, ((prediction, card),)) for prediction, card, series in found)
    # The draft is of this process: a child that is ended while it copies leaves nothing behind.
    with whole_folder(out) as draft:
        body = context.call("files", DEIDENTIFY, paths, out, with_burned_in, parts, draft)
    note("deidentified", {name: body[name] for name in ("files", "patients", "results")})
    return Answer(body)
