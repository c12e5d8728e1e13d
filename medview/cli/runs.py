"""``medview runs``: trainings beside each other, in what they differ and how each went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from medview.cli.contract import Answer, Context, command
from medview.domain.errors import DataError
from medview.services.report_figures import kept_figure_words, name_words

_COLUMNS = {"made": "made_at", "name": "run", "epochs": "epochs"}
_SORTS = ("best", *_COLUMNS)
_MOST_FIGURES = 3
_PARTS = {"train": "training", "val": "validation"}


def _in_words(body: Mapping[str, Any]) -> str:
    lines = []
    for one in body["runs"]:
        best = one["best"]
        told = "no curve" if best is None else _best_words(best)
        apart = ", ".join(f"{name} {one['settings'].get(name, '-')}" for name in body["differing"])
        parts = [one["model"] or "model not known", f"{one['epochs']} epochs", told, apart]
        lines.append(f"{one['run']}: " + "; ".join(part for part in parts if part))
        for name, old, new in one["figures"][:_MOST_FIGURES]:
            named = kept_figure_words(name)
            lines.append(f"  {named}: {_figure(old)} before, {_figure(new)} after")
    return "\n".join(lines)


def _best_words(best: Mapping[str, Any]) -> str:
    what = f"{_PARTS[best['part']]} {name_words(best['name'])}"
    return f"lowest {what} {best['value']:.4g} in epoch {best['epoch']}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


@command("runs", words=_in_words)
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option("--sort", type=click.Choice(_SORTS), default="best", show_default=True, help="Order.")
@click.option("--out", type=click.Path(path_type=Path), help="Write all curves as one CSV.")
def runs(context: Context, folders: tuple[Path, ...], sort: str, out: Path | None) -> Answer:
    """Compare trainings: --out folders of train and finetune, or folders that hold some.

    Settings are told where they differ. Without FOLDERS these are the ones made in the window.
    """
    from medview.services.runs import RUNS, differing, read_runs, write_curves
    from medview.services.settings import Preferences

    made_here = Preferences().folder / RUNS
    if not folders and not made_here.is_dir():
        raise DataError(
            "no training was made in the window yet",
            do="Name a folder that a training has written.",
        )
    found = read_runs(folders or (made_here,))
    if context.options.private:
        found = tuple(replace(run, name=f"run {n}") for n, run in enumerate(found, 1))
    if out is not None:
        write_curves(found, out)
    apart = differing(found)
    rows = sorted((_row(run, apart) for run in found), key=lambda row: row["run"])
    rows.sort(key=lambda row: _place(row, sort), reverse=sort in ("made", "epochs"))
    return Answer({"differing": list(apart), "runs": rows})


def _row(run: Any, apart: tuple[str, ...]) -> dict[str, Any]:
    return {
        "run": run.name,
        "model": run.model,
        "made_at": run.made_at,
        "epochs": run.epochs,
        "seconds": run.seconds,
        "weights_sha256": run.weights_sha256,
        "best": asdict(run.best) if run.best is not None else None,
        "settings": {name: run.settings[name] for name in apart if name in run.settings},
        "figures": [list(one) for one in run.figures],
    }


def _place(row: Mapping[str, Any], sort: str) -> tuple[Any, ...]:
    """The lowest best value first, but only of the same curve; the newest or longest first."""
    best = row["best"]
    if sort == "best":
        if best is None:
            return (1,)
        return (0, row["model"], f"{best['part']} {best['name']}", best["value"])
    return (row[_COLUMNS[sort]],)
