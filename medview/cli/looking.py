"""``medview info`` and ``medview convert``: what lies under a path, and the same as NIfTI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medview.cli.arguments import keep_apart, reader_choice
from medview.cli.contract import Answer, Context, command
from medview.domain.errors import InputRefused, ReadError, UsageError
from medview.domain.formats import ENDINGS
from medview.domain.wording import legible

if TYPE_CHECKING:
    from medview.domain.study import Catalogue, Choice, Series

_FILE_ENDS = (".nii", ".nii.gz")
# Names of files, not of folders.
_OTHER_ENDS = (*ENDINGS, ".img", ".mgz", ".gz")
CONVERT = "medview.io.conversion:convert"


def _in_words(body: Mapping[str, Any]) -> str:
    """One line a series, as a reader would list them, and one a warning."""
    lines = []
    for patient in body["patients"]:
        who = (patient["name"], patient["id"], patient["sex"], patient["birth_date"])
        lines.append("  ".join(str(part) for part in who if part) or f"patient {patient['key']}")
        for study in patient["studies"]:
            lines.append("  " + "  ".join(p for p in (study["date"], study["description"]) if p))
            for series in study["series"]:
                lines += _series_lines(series)
    counts = body["counts"]
    lines.append(f"{counts['read']} of {counts['files']} files read")
    skipped = ((legible(item["file"] or "a file"), item["what"]) for item in body["skipped"])
    lines += [f"  skipped {name}: {what}" for name, what in skipped]
    return "\n".join(lines)


def _series_lines(series: Mapping[str, Any]) -> list[str]:
    from medview.domain.study import follow_in_time

    size = " x ".join(str(n) for n in series["size"])
    counted = "times" if follow_in_time(series["split_by"]) else "volumes"
    times = f" x {series['times']} {counted}" if series["times"] > 1 else ""
    if series["time_step_s"] and times:
        times += f" every {series['time_step_s']:.4g} s"
    spacing = series["spacing_mm"]
    mm = " x ".join(f"{s:.4g}" for s in spacing if s is not None) if spacing else "unknown"
    words = (series["number"], series["modality"], series["description"], size + times)
    head = "  ".join(str(word) for word in words if word not in (None, ""))
    place = f"{mm} mm" if spacing else "size of a pixel unknown"
    lines = [f"    {head}  {place}  {series['orientation'] or 'orientation unknown'}"]
    lines.append(f"      {series['uid']}#{series['stack']}")
    lines += [f"      {note['code']}: {note['text']}" for note in series["warnings"]]
    return lines


@command("info", words=_in_words)
@click.argument("path", type=click.Path(path_type=Path, readable=False))
@reader_choice
def info(context: Context, path: Path, choice: Choice | None) -> Answer:
    """Say what PATH (a file, folder, ZIP or DICOMDIR) holds, and what is doubtful about it."""
    from medview.services import library
    from medview.services.describing import describe, summary_of

    catalogue = library.scan(context.jobs, (path,), choice=choice, progress=context.report)

    def summarise(series: Series) -> Any:
        return summary_of(context.jobs, series, progress=context.report)

    return Answer(describe(catalogue, summarise, private=context.options.private))


@command("convert")
@click.argument("path", type=click.Path(path_type=Path, readable=False))
@click.option("--series", metavar="UID[#STACK]", help="Which series, if there are several.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="A FILE.nii.gz, or a folder for every series.",
)
@reader_choice
def convert(
    context: Context, path: Path, series: str | None, out: Path, choice: Choice | None
) -> Answer:
    """Write the values of PATH after rescale as NIfTI; missing slices are blank."""
    from medview.io.atomic import whole_file
    from medview.services import library

    catalogue = library.scan(context.jobs, (path,), choice=choice, progress=context.report)
    chosen = _chosen(catalogue, series, path)
    if out.suffix.lower() in _OTHER_ENDS and not out.name.lower().endswith(_FILE_ENDS):
        raise UsageError(
            f"no {out.suffix} file is written here",
            file=out.name,
            do="End the name in .nii.gz or .nii, or name a folder.",
        )
    if not out.name.lower().endswith(_FILE_ENDS):
        return Answer(_into_folder(context, chosen, out))
    if len(chosen) > 1:
        keys = ", ".join(item.key for item in chosen[:4])
        raise UsageError(
            f"there are {len(chosen)} stacks: {keys}{', ...' if len(chosen) > 4 else ''}",
            file=path.name,
            do='Name one with "--series UID#STACK", or give a folder after "--out".',
        )
    keep_apart(out, (path, *chosen[0].files))
    with whole_file(out) as draft:
        notes = context.call("files", CONVERT, chosen[0], draft)
    return Answer({"outputs": [_output(context, chosen[0], out.name, notes)]})


def _chosen(catalogue: Catalogue, key: str | None, path: Path) -> list[Series]:
    """The series named by "UID" (all its stacks) or "UID#STACK", or all."""
    found = [s for s in catalogue.all_series() if s.geometry is not None]
    if key is not None:
        # Files that are the same byte for byte have one key: one of them is enough.
        found = list({s.key: s for s in found if key in (s.key, s.uid)}.values())
    if not found:
        what = "holds no images" if key is None else f'holds no series "{key}"'
        raise InputRefused(what, file=path.name, do='See what there is with "medview info".')
    return found


def _into_folder(context: Context, chosen: list[Series], out: Path) -> dict[str, Any]:
    """Write each series into a file of its own; one that cannot be read stops no other."""
    from medview.io.atomic import whole_folder

    outputs: list[dict[str, Any]] = []
    refused: list[ReadError] = []
    here = out.resolve()
    read = {f.name for series in chosen for f in series.files if f.parent.resolve() == here}
    with whole_folder(out) as folder:
        for series in chosen:
            name = _file_name(series, read | {output["file"] for output in outputs}, context)
            try:
                notes = context.call("files", CONVERT, series, folder / name)
            except ReadError as error:
                refused.append(error)
                continue
            outputs.append(_output(context, series, name, notes))
        if not outputs:
            raise refused[0]
    private = context.options.private
    skipped = [
        {"file": None if private else e.file, "code": e.code, "what": e.what} for e in refused
    ]
    return {"outputs": outputs, "skipped": skipped}


def _file_name(series: Series, taken: set[str], context: Context) -> str:
    """A short name in plain letters: number and description, never anything of a patient."""
    text = "" if context.options.private else series.description
    words = [re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or series.modality.lower()]
    if series.number is not None:
        words.insert(0, f"{series.number:03d}")
    stem = "-".join(word for word in words if word) or "series"
    n = 1
    while (name := f"{stem}{'' if n == 1 else f'-{n}'}.nii.gz") in taken:
        n += 1
    return name


def _output(context: Context, series: Series, file: str, notes: Any) -> dict[str, Any]:
    from medview.domain.discretion import without_file_names

    hidden = series.files if context.options.private else ()
    return {
        "series": series.uid,
        "stack": series.stack,
        "file": file,
        "size": list(series.size),
        "times": series.times,
        "warnings": [
            {"code": note.told_code, "text": without_file_names(note.text, hidden)}
            for note in notes
        ],
    }
