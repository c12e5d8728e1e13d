"""``medview export``: a result as DICOM objects of its study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.contract import Answer, Context, command

EXPORT = "medview.io.dicom_out.export:export"


def _in_words(body: Mapping[str, Any]) -> str:
    lines = [f"{one['file']}  {one['description']}" for one in body["objects"]]
    return "\n".join([*lines, *filter(None, [body["left_out"]])])


@command("export", words=_in_words)
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--study",
    required=True,
    type=click.Path(path_type=Path),
    help="The DICOM images that the result was made from.",
)
@click.option("--report", type=click.Path(path_type=Path), help="A PDF to put beside them.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
def export(context: Context, result: Path, study: Path, report: Path | None, out: Path) -> Answer:
    """Write a result folder as DICOM: segmentation, parametric maps, structured report, key images.

    The objects belong to the study of the images and refer to them. Research use only.
    """
    from medview.domain.errors import UsageError
    from medview.io.atomic import whole_folder
    from medview.io.dicom_out.parts import Handover
    from medview.services.audit import note, of_result
    from medview.services.exporting import dicom_source

    if context.options.private:
        raise UsageError(
            "DICOM objects of a study carry name and number of the patient",
            do='Copy both without identity: "medview deidentify STUDY --result RESULT --out DIR".',
        )
    if report is not None and not report.is_file():
        raise click.UsageError(f"{report.name} does not exist")
    prediction, card, series = dicom_source(context.call, result, study)
    with whole_folder(out) as draft:
        objects = context.call("files", EXPORT, prediction, card, series, draft, report)
    note("exported", {"kind": "dicom", **of_result(prediction)})
    left_out = Handover(series, ((prediction, card),)).left_out
    return Answer({"out": out.name, "objects": objects, "left_out": left_out})
