"""A window in a process of its own, for benchmarks: offscreen, and what it prints at its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import medview
from medview.domain.errors import WorkerDied

ROOT = Path(medview.__file__).resolve().parents[1]
"""The folder that holds the package."""


def told_by(module: str, home: Path, *words: object) -> Any:
    """Run a module with `words`; `home` is where it keeps settings and results.

    Returns
    -------
    Any
        The last line of its output, which is JSON.

    Raises
    ------
    WorkerDied
        If it does not end by itself, or not well.
    """
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "MEDVIEW_HOME": str(home)}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WorkerDied(f"the window ended with {done.returncode}", do="Report this.")
    return json.loads(done.stdout.splitlines()[-1])
