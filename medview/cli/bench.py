"""``medview bench``: speed, memory and hardiness, beside peers in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from medview.cli.benches import BENCHES
from medview.cli.contract import Answer, Context, command


def table(body: Mapping[str, Any]) -> str:
    """Write the rows below each other, with the machine on top."""
    machine = body["machine"]
    head = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"GPU {machine['gpu'] or 'none'}, load {machine['load_1_min']}"
    )
    return "\n".join([head, *(_line(row) for row in body["rows"])])


def _line(row: Mapping[str, Any]) -> str:
    verdict = {True: "met   ", False: "MISSED", None: "      "}[row["met"]]
    words = f"{verdict}  {row['what']}: {_figure(row['value'])} {row['unit']}"
    if row["peer_value"] is not None:
        peer = f"{row['peer']}: {_figure(row['peer_value'])} {row['unit']}"
        words += f"; {peer} (x {row['ratio']:.2f})"
    elif row["peer"] is not None:
        words += f"; {row['peer']}: cannot"
    if row["aim"] is not None:
        bound = "at least" if row["at_least"] else "at most"
        words += f"; aim {bound} {'x ' if row['ratio'] is not None else ''}{row['aim']:g}"
    return words


def _figure(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


@command("bench", words=table)
@click.argument("name", type=click.Choice(list(BENCHES)))
@click.option("--check", is_flag=True, help="Exit code 1 when a row misses its aim.")
@click.option("--quick", is_flag=True, help="The same rows from less data.")
def bench(context: Context, name: str, check: bool, quick: bool) -> Answer:
    """Measure medview and a peer on this machine, in the same run."""
    from medview.cli.benches.rows import machine

    module, _, function = BENCHES[name].partition(":")
    on = machine()
    rows = getattr(import_module(module), function)(context, quick)
    missed = any(row.met is False for row in rows)
    body = {"name": name, "machine": on, "rows": [row.as_dict() for row in rows]}
    return Answer(body, exit_code=int(check and missed))
