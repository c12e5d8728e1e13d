"""``medview versions``: the tree of versions of the models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.contract import Answer, Context, command


def in_words(body: Mapping[str, Any]) -> str:
    """The tree of versions, a line each; under each what was trained from it."""
    rows = body["versions"]
    by_parent: dict[str | None, list[Mapping[str, Any]]] = {}
    parents = {row["weights_sha256"]: row["parent"] for row in rows}
    for row in rows:
        by_parent.setdefault(_parent(row, parents), []).append(row)
    lines = list(_branch(by_parent, None, 0))
    return "\n".join(lines) or "There are no models."


def _parent(row: Mapping[str, Any], parents: Mapping[str, str | None]) -> str | None:
    """The parent under which a version is listed: one that is here, and does not come from it."""
    above, seen = row["parent"], set[str]()
    while above in parents and above not in seen:
        seen.add(above)
        above = parents[above]
    return row["parent"] if seen and row["weights_sha256"] not in seen else None


def _branch(
    by_parent: Mapping[str | None, list[Mapping[str, Any]]], parent: str | None, depth: int
) -> list[str]:
    lines = []
    for row in by_parent.get(parent, ()):
        origin = "own" if row["own"] else "shipped"
        name = f"{row['id']}@{row['version']}"
        lines.append(f"{'  ' * depth}{name}  {origin}  {row['weights_sha256'][:12]}")
        lines += _branch(by_parent, row["weights_sha256"], depth + 1)
    return lines


@command("versions", words=in_words)
@click.argument("model", required=False)
@click.option("--export", "export_to", type=click.Path(path_type=Path), help="Write it as a file.")
@click.option("--import", "import_from", type=click.Path(path_type=Path), help="Add from a file.")
@click.option("--remove", is_flag=True, help="Take MODEL (ID@VERSION) of your own away.")
def versions(
    context: Context,
    model: str | None,
    export_to: Path | None,
    import_from: Path | None,
    remove: bool,
) -> Answer:
    """List the versions of all models, or of MODEL (ID or ID@VERSION), with their parents."""
    from medview.domain.errors import UsageError
    from medview.services import versions as service
    from medview.services.models import CHECK

    if (export_to or remove) and (model is None or "@" not in model):
        raise UsageError("one version must be named", do="Name it as ID@VERSION.")
    if import_from is not None and (export_to or remove):
        raise UsageError(
            "a version is added, written or taken away, one at a time",
            do="Give one of --import, --export and --remove.",
        )
    if import_from is not None:
        service.import_file(
            import_from,
            model=model,
            check=lambda id_, path: context.call("compute", CHECK, id_, str(path)),
        )
    if export_to is not None and model is not None:
        service.export(service.located(model), export_to)
    if remove and model is not None:
        service.remove(service.located(model))
        model = model.partition("@")[0]
    name, _, version = (model or "").partition("@")
    if name:
        service.located(model or name)
    found = [one for one in service.versions(name or None) if version in ("", one.card.version)]
    return Answer({"versions": [_entry(one) for one in found]})


def _entry(version: Any) -> dict[str, Any]:
    card = version.card
    return {
        "id": card.id,
        "version": card.version,
        "title": card.title,
        "weights_sha256": card.weights_sha256,
        "parent": card.parent,
        "own": version.own,
        "licence": card.licence,
        "device_uid": card.settings.get("device_uid"),
    }
