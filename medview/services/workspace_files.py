"""Workspaces on the disk: one file a study, and a draft beside it while the study is open."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from medview.domain.errors import DataError, WriteError
from medview.io.atomic import own_file
from medview.services.plain_form import from_plain, to_plain
from medview.services.workspace import Workspace

SCHEMA = "medview.workspace/1"
_DRAFT = ".draft.json"
_DAMAGED = ".damaged"


@dataclass(frozen=True, slots=True)
class Draft:
    """What was not saved when a program ended: of which study (its hash), when, and where from.

    `paths` are the folders that were open, none in private mode; `running` names the models whose
    results were still to come, for whatever was open.
    """

    study: str
    at: str
    workspace: Workspace
    paths: tuple[str, ...] = ()
    running: tuple[str, ...] = ()


def file_of(root: Path, study: str) -> Path:
    """Where the workspace of a study (its hash) lies."""
    return root / f"{study}.json"


def draft_of(root: Path, study: str) -> Path:
    """Where its draft lies."""
    return root / f"{study}{_DRAFT}"


def read_workspace(root: Path, study: str) -> Workspace | None:
    """How the study was left; None when nothing is kept.

    Raises
    ------
    DataError
        If the file is damaged; it is put aside under another name.
    """
    path = file_of(root, study)
    try:
        return from_plain(Workspace, _body(path)["workspace"])
    except OSError:
        return None
    except (ValueError, KeyError) as error:
        with suppress(OSError):
            os.replace(path, path.with_suffix(_DAMAGED))
        raise DataError("the kept workspace is damaged", do="It was put aside.") from error


def write_workspace(root: Path, study: str, workspace: Workspace) -> None:
    """Keep how a study was left, whole or not at all; its draft goes. Raises WriteError."""
    _write(file_of(root, study), {"workspace": to_plain(workspace)})
    draft_of(root, study).unlink(missing_ok=True)


def delete_workspace(root: Path, study: str) -> None:
    """Delete what is kept of a study, and its draft. Raises WriteError."""
    try:
        file_of(root, study).unlink(missing_ok=True)
        draft_of(root, study).unlink(missing_ok=True)
    except OSError as error:
        what = "what was kept of this study cannot be deleted"
        raise WriteError(what, do="Try again.") from error


def write_draft(root: Path, draft: Draft) -> None:
    """Keep a draft; it is ours as long as this process lives. Raises WriteError."""
    body = {"process": _me(), "draft": to_plain(draft)}
    _write(draft_of(root, draft.study), body)


def lost_drafts(root: Path) -> list[Draft]:
    """Drafts of programs that did not end well, the newest first; damaged ones are deleted."""
    found = []
    for path in root.glob(f"*{_DRAFT}"):
        try:
            body = _body(path)
            if not _lives(body["process"]):
                found.append(from_plain(Draft, body["draft"]))
        except (OSError, ValueError, KeyError):
            path.unlink(missing_ok=True)
    return sorted(found, key=lambda draft: draft.at, reverse=True)


def delete_drafts(root: Path) -> None:
    """Delete what ``lost_drafts`` finds."""
    for draft in lost_drafts(root):
        draft_of(root, draft.study).unlink(missing_ok=True)


def _body(path: Path) -> dict[str, object]:
    body = json.loads(path.read_text("utf-8"))
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise ValueError("not a workspace")
    return body


def _write(path: Path, body: Mapping[str, object]) -> None:
    try:
        with own_file(path) as draft:
            draft.write_text(json.dumps({"schema": SCHEMA, **body}) + "\n", "utf-8")
    except WriteError as error:  # the name of the file says nothing to anybody
        raise WriteError(
            "drawings and layout of this study could not be kept in medview's own folder "
            f"({error.what})",
            do="Make room there or allow writing, or name another folder in MEDVIEW_HOME.",
        ) from error


def _me() -> dict[str, float]:
    return {"pid": os.getpid(), "started": psutil.Process().create_time()}


def _lives(process: object) -> bool:
    """Whether the process that wrote a draft still runs; a number may have been given again."""
    if not isinstance(process, dict):
        raise ValueError("no process")
    try:
        found = psutil.Process(int(process["pid"]))
        return bool(abs(found.create_time() - float(process["started"])) < 1.0)
    except psutil.Error:
        return False
