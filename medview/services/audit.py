"""What is written down of what was done: opened, ran, changed, exported, signed, deleted."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from medview.domain.errors import WriteError
from medview.domain.prediction import Prediction
from medview.domain.wording import counted
from medview.io import trail
from medview.io.installation import home
from medview.io.trail import Verdict

Deed = Literal[
    "opened", "ran", "threshold", "accepted", "exported", "signed", "deidentified", "deleted"
]


def trail_file() -> Path:
    """Where the trail lies."""
    return home() / "audit.jsonl"


def note(deed: Deed, detail: Mapping[str, Any], path: Path | None = None) -> bool:
    """Write down a deed; False when the disk refused. `detail` names no patient and no path."""
    with suppress(WriteError):
        put_down(deed, detail, path)
        return True
    return False


def put_down(deed: Deed, detail: Mapping[str, Any], path: Path | None = None) -> None:
    """Write down a deed as ``note`` does. Raises WriteError when the disk refuses."""
    trail.append(path or trail_file(), deed, detail, _user())


def of_result(prediction: Mapping[str, Any] | Prediction) -> dict[str, Any]:
    """What the trail says of a result: model, weights and the hashes of the inputs."""
    if isinstance(prediction, Prediction):
        inputs = [item.sha256 for item in prediction.inputs]
        model, version = prediction.model, prediction.version
        weights = prediction.weights_sha256
    else:
        inputs = [item["sha256"] for item in prediction["inputs"]]
        model, version = prediction["model"], prediction["version"]
        weights = prediction["weights_sha256"]
    return {"model": f"{model}@{version}", "weights_sha256": weights, "inputs": inputs}


def in_words(detail: Mapping[str, Any]) -> str:
    """The details of a deed in one line; what is empty is left out."""
    known = {name: value for name, value in detail.items() if value not in ("", [], {})}
    return ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in known.items())


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return " and ".join(f"{name} {_plain(each)}" for name, each in value.items())
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def broken_words(verdict: Verdict) -> str:
    """Whether the chain holds, and the first line that does not."""
    if verdict.holds:
        return f"{counted(verdict.lines, 'line')}: the trail is whole"
    return f"{verdict.lines} lines: line {verdict.broken} {verdict.what}"


def _user() -> str:
    """The name of the account; empty where the system knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
