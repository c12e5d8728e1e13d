"""``medview cases``: a case list of studies read here, or a list that is read once and checked."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.contract import Answer, Context, command
from medview.domain.wording import counted

GATHER = "medview.services.local_work:gather"
WRITE = "medview.services.local_work:write"
CHECK = "medview.learning.case_check:check"
CHECKED = "checked-cases"
RANK, NEXT = "medview.learning.next_case:rank", "next-cases"
TRIAL, SHORT = "choice-trial", ("epochs=30", "warmup=0")
"""A trial, and what makes each of its many trainings short."""


def _in_words(body: Mapping[str, Any]) -> str:
    lines = [f"{one['case']}  {one['label']}" + (f": {one['wrong']}" if one["wrong"] else "")
             for one in body["cases"]]  # fmt: skip
    lines += [f"{one['path']}: {one['what']}" for one in body["skipped"]]
    used = sum(one["used"] for one in body["cases"])
    return "\n".join([*lines, f"{used} of {len(lines)} cases have a label: {body['file']}"])


def _checked_words(body: Mapping[str, Any]) -> str:
    lines = [f"{one['case']}: {one['what']}" for one in body["skipped"]]
    sites = f", {counted(body['sites'], 'site')}" if body["sites"] else ""
    cases, patients = counted(body["cases"], "case"), counted(body["patients"], "patient")
    count = f"can be used: {cases} of {patients}{sites}"
    return "\n".join([*lines, count])


def _next_words(body: Mapping[str, Any]) -> str:
    lines = [
        f"{n}. {one['case']}"
        + (f"  {one['doubt']:.2f}" if one["doubt"] is not None else "  -")
        + f"  {one['why']}"
        for n, one in enumerate(body["next"], 1)
    ]
    count = f"{len(lines)} of {body['open']} cases without a label"
    return "\n".join([*lines, count, body["worth"]])


def _trial_words(body: Mapping[str, Any]) -> str:
    counts = list(dict.fromkeys(row["labelled"] for row in body["rows"]))
    lines = ["labelled patients  " + "  ".join(f"{n:5d}" for n in counts)]
    for order in dict.fromkeys(row["order"] for row in body["rows"]):
        areas = [row["roc_auc"] for row in body["rows"] if row["order"] == order]
        lines.append(f"{order:17s}  " + "  ".join(f"{area:.3f}" for area in areas))
    lines += [
        f"{one['order']} minus random: {one['minus_random']:+.3f} "
        f"[{one['low']:+.3f}, {one['high']:+.3f}], "
        + ("better" if one["low"] > 0 else "worse" if one["high"] < 0 else "no clear difference")
        for one in body["differences"]
    ]
    people = f"ROC AUC on a third of {body['patients']} patients, mean of {body['repeats']} repeats"
    return "\n".join([*lines, people])


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
@click.option(
    "--next",
    "count",
    type=click.IntRange(min=1),
    help="PATHS are data: the cases without a label that the model doubts most, this many.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="Weights that --next asks.")
@click.option(
    "--trial",
    is_flag=True,
    help="PATHS are data with labels: would choosing by doubt have beaten random order? (cxr)",
)
@click.option("--repeats", type=click.IntRange(min=2), default=10, help="How often --trial is run.")
def cases(
    context: Context, model: str, paths: tuple[Path, ...], out: Path | None, **wanted: Any
) -> Answer:
    """Make a case list for MODEL of studies that were read here, labelled by the readers' answers.

    A finding that was agreed with is a lesion; a brain is normal where all findings were rejected,
    or none was found and that was agreed with. Patients go by pseudonyms. Without PATHS what was
    opened last is looked through. "finetune --data OUT/cases.csv" takes the list. With --check
    every file is decoded, one bad file never stops the rest; exit code 1 when some cannot be used.
    With --next the cases of a list whose label is empty come in the order in which to label them.
    """
    for flag, way in (("check", _check), ("trial", _trial), ("count", _next)):
        if wanted[flag]:
            return way(context, model, paths, wanted)
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
            states=bool(wanted["states"]),
            private=context.options.private,
        )
        found = context.call("files", GATHER, wish)
        usable = tuple(case for case in found.cases if case.is_labelled)
        context.call("files", WRITE, draft / "cases.csv", usable)
    told = [
        {"case": one.case, "patient": one.patient, "label": one.label,
         "used": one.is_labelled, "wrong": one.wrong, "doubt": one.doubt, "why": one.why}
        for one in found.cases
    ]  # fmt: skip
    skipped = [{"path": path, "what": what} for path, what in found.skipped]
    shown = "cases.csv" if context.options.private else str(out / "cases.csv")
    return Answer({"model": model, "file": shown, "cases": told, "skipped": skipped})


def _named(paths: tuple[Path, ...], what: str) -> tuple[str, ...]:
    from medview.domain.errors import UsageError

    if not paths:
        raise UsageError(f"there is nothing to {what}", do="Name a case list or a data set.")
    return tuple(str(path) for path in paths)


def _next(
    context: Context, model: str, paths: tuple[Path, ...], wanted: Mapping[str, Any]
) -> Answer:
    """The unlabelled cases of data that the model doubts most."""
    from medview.domain.choice import UNTRIED, WORTH
    from medview.domain.evaluation import EvaluateRequest
    from medview.io.case_names import case_hash
    from medview.services.versions import located

    data, options = _named(paths, "choose from"), context.options
    found = located(model, wanted["weights"])
    with tempfile.TemporaryDirectory() as spare:
        request = EvaluateRequest(
            found.card.id, data, spare, weights=str(found.weights.absolute()), split="all",
            include_seen=True, device=options.device, threads=options.threads,
            seed=options.seed, private=options.private,
        )  # fmt: skip
        ranked = context.call("compute", RANK, request)
    if options.private:
        ranked = [{**one, "case": case_hash(one["case"])} for one in ranked]
    body = {"model": found.card.id, "version": found.card.version,
            "weights_sha256": found.card.weights_sha256, "open": len(ranked),
            "next": ranked[: wanted["count"]],
            "worth": WORTH.get(found.card.id, UNTRIED)}  # fmt: skip
    return Answer(body, kind=NEXT, text=_next_words(body))


def _trial(
    context: Context, model: str, paths: tuple[Path, ...], wanted: Mapping[str, Any]
) -> Answer:
    """What the order of labelling is worth on data whose labels are known."""
    from medview.domain.errors import UsageError
    from medview.domain.training import ChoicePlan, TrainRequest
    from medview.services.recipes import read_recipe
    from medview.services.training import TRIALS

    if model not in TRIALS:
        raise UsageError(
            f"a training of {model} takes too long for so many", do=f"Choose {' or '.join(TRIALS)}."
        )
    options = context.options
    recipe = read_recipe(model, None, SHORT)
    request = TrainRequest(
        _named(paths, "try"), "", recipe, seed=options.seed, threads=options.threads
    )
    body = context.call("train", TRIALS[model], request, ChoicePlan(repeats=wanted["repeats"]))
    return Answer({"model": model, **body}, kind=TRIAL, text=_trial_words(body))


def _check(
    context: Context, model: str, paths: tuple[Path, ...], _wanted: Mapping[str, Any]
) -> Answer:
    from medview.io.case_names import without_case_names

    data = _named(paths, "check")
    found = context.call("compute", CHECK, model, data)
    skipped = [{"case": case, "what": what} for case, what in found.pop("skipped")]
    found.pop("files")
    body = {"model": model, **found, "skipped": skipped}
    if context.options.private:
        body = without_case_names(body)
    return Answer(body, int(bool(skipped)), kind=CHECKED, text=_checked_words(body))
