"""Drafts of reports on disk: one file a study, named by a hash, whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medview.domain.draft import FIELDS, Draft
from medview.domain.errors import WriteError
from medview.domain.signing import Signature, Statement
from medview.io.atomic import own_file
from medview.io.plain import plain, record_of

SCHEMA = "medview.draft/1"


def draft_file(folder: Path, study: str) -> Path:
    """Where the draft about a study lies: the name says nothing of the study or the patient."""
    return folder / f"{hashlib.sha256(study.encode()).hexdigest()[:32]}.json"


def read_draft(folder: Path, study: str) -> Draft:
    """The draft about a study; an empty one where there is none or the file is damaged."""
    try:
        body = json.loads(draft_file(folder, study).read_text("utf-8"))
        return _draft(body) if body["schema"] == SCHEMA else Draft()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Draft()


def write_draft(folder: Path, study: str, draft: Draft) -> None:
    """Keep a draft, for the owner's eyes only; an empty one leaves no file.

    Raises
    ------
    WriteError
        If the disk refuses; what was kept before is untouched.
    """
    path = draft_file(folder, study)
    if draft == Draft():
        forget_draft(folder, study)
        return
    with own_file(path) as place:
        text = json.dumps({"schema": SCHEMA} | plain(draft), ensure_ascii=False, indent=1)
        place.write_text(text + "\n", "utf-8")


def forget_draft(folder: Path, study: str) -> None:
    """Delete what was kept about a study.

    Raises
    ------
    WriteError
        If the disk refuses.
    """
    path = draft_file(folder, study)
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise WriteError("a draft cannot be deleted", file=path.name, do="Try again.") from error


def signature_of(body: Mapping[str, Any]) -> Signature:
    """A signature from plain values.

    Raises
    ------
    TypeError, AttributeError
        If it is none.
    """
    statements = tuple(record_of(Statement, each) for each in body.get("statements", ()))
    return record_of(Signature, {**body, "statements": statements})


def _draft(body: Mapping[str, Any]) -> Draft:
    words = {name: str(body.get(name, "")) for name in (*FIELDS, "template")}
    return Draft(**words, signatures=tuple(signature_of(s) for s in body.get("signatures", ())))
