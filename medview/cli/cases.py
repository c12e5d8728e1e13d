"""``medview cases``: a case list of studies read here, or a list that is read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.contract import Answer, Context, command

GATHER = "medview.services.local_work:gather"
WRITE = "medview.services.local_work:write"
CHECK = "medview.learning.case_check:check"
CHECKED = "checked-cases"


def _in_words(body: Mapping[str, Any]) -> str:
    lines = [f"{one['case']}  {one['label']}" + (f": {one['wrong']}" if one["wrong"] else "")
             for one in body["cases"]]  # fmt: skip
    lines += [f"{one['path']}: {one['what']}" for one in body["skipped"]]
    used = sum(one["used"] for one in body["cases"])
    return "\n".join([*lines, f"{used} of {len(lines)} cases have a label: {body['file']}"])


def _checked_words(body: Mapping[str, Any]) -> str:
    lines = [f"{one['case']}: {one['what']}" for one in body["skipped"]]
    sites = f", {body['sites']} sites" if body["sites"] else ""
    count = f"{body['cases']} cases of {body['patients']} patients{sites} can be used"
    return "\n".join([*lines, count])


@command("cases", words=_in_words)
@click.argument("model")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder for cases.csv and its masks.")
@click.option(
    "--states",
    is_flag=True,
    help="Drawn regions are lesions (anomaly); answers to the outcome are what became of the "
    "patient (cxr).",
)
@click.option("--check", is_flag=True, help="PATHS are data as of --data: read each case once.")
def cases(
    context: Context, model: str, paths: tuple[Path, ...], out: Path | None, **wanted: bool
) -> Answer:
    """Make a case list for MODEL of studies that were read here, labelled by the readers' answers.

    A finding that was agreed with is a lesion; a brain is normal where all findings were rejected,
    or none was found and that was agreed with. Patients go by pseudonyms. Without PATHS what was
    opened last is looked through. "finetune --data OUT/cases.csv" takes the list. With --check
    every file is decoded, one bad file never stops the rest; exit code 1 when some cannot be used.
    """
    if wanted["check"]:
        return _check(context, model, paths)
    from medview.domain.errors import UsageError
    from medview.domain.local_case import LocalWish
    from medview.io.atomic import whole_folder
    from medview.services.settings import Preferences

    if out is None:
        raise UsageError("it is not said where to write", do="Give a folder with --out.")
    preferences = Preferences()
    root = preferences.folder
    recent = tuple(Path(path) for path in preferences.settings.recent)
    with whole_folder(out) as draft:
        wish = LocalWish(
            model=model,
            paths=paths or recent,
            results=root / "results",
            out=draft,
            workspaces=root / "workspaces",
            states=wanted["states"],
            private=context.options.private,
        )
        found = context.call("files", GATHER, wish)
        usable = tuple(case for case in found.cases if case.is_labelled)
        context.call("files", WRITE, draft / "cases.csv", usable)
    told = [
        {"case": one.case, "patient": one.patient, "label": one.label,
         "used": one.is_labelled, "wrong": one.wrong}
        for one in found.cases
    ]  # fmt: skip
    skipped = [{"path": path, "what": what} for path, what in found.skipped]
    shown = "cases.csv" if context.options.private else str(out / "cases.csv")
    return Answer({"model": model, "file": shown, "cases": told, "skipped": skipped})


def _check(context: Context, model: str, data: tuple[Path, ...]) -> Answer:
    from medview.domain.errors import UsageError

    if not data:
        raise UsageError("there is nothing to check", do="Name a case list or a data set.")
    found = context.call("compute", CHECK, model, tuple(str(path) for path in data))
    skipped = [{"case": case, "what": what} for case, what in found.pop("skipped")]
    found.pop("files")
    body = {"model": model, **found, "skipped": skipped}
    return Answer(body, int(bool(skipped)), kind=CHECKED, text=_checked_words(body))
