"""The window of ``arrival``: opens a volume, has a map sent, prints the waits of its loop."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
from PySide6.QtCore import QTimer

from medview.cli.benches.viewer_run import Gaps, until
from medview.domain.resources import resource
from medview.io.cards import read_card, write_card
from medview.main import build
from medview.services import analysis
from medview.services.demo import MODEL

WORK = "medview.cli.benches.arrival_work:predict"
# exit(), not quit(): that would close the window, which asks back while the result is stored.
# What is drawn after the last slice belongs to the arrival, too.
_AFTER_MS = 1500
_GIVE_UP_MS = 300_000


def main(words: list[str]) -> None:
    """Measure: words are a folder to work in, then slices, rows and columns."""
    folder, shape = Path(words[0]), tuple(int(word) for word in words[1:4])
    card = read_card(resource("weights", MODEL, "card.json"))
    write_card(
        replace(card, settings={"threshold": 6.0, "top": 18.0}), folder / MODEL / "card.json"
    )
    program = build(weights=folder)
    program.app.window.show()
    program.app.window.open_paths((_volume(folder / "t1_large.nii", shape),))
    session = program.app.session
    until(program, lambda: session.volume_id is not None and not session.tasks)
    analysis.PREDICT = WORK
    gaps = Gaps(program.qt)
    program.app.analysis.run(MODEL)
    after = QTimer(program.qt, singleShot=True, interval=_AFTER_MS)
    after.timeout.connect(lambda: program.qt.exit())
    session.events.predictions.connect(lambda _: after.start())
    QTimer.singleShot(_GIVE_UP_MS, program.qt, lambda: program.qt.exit())
    program.qt.exec()
    program.close()
    print(json.dumps(gaps.ms if session.results else []))


def _volume(path: Path, shape: tuple[int, ...]) -> Path:
    """An ellipsoid with texture, int16."""
    k, j, i = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape)
    values = np.empty(shape[::-1], dtype=np.int16)
    inside = j[None, :] ** 2 + i[:, None] ** 2
    for n, height in enumerate(k):
        values[..., n] = np.where(inside + height**2 < 0.8, 900 - 500 * inside, 0)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-0.5, -0.5, 0.5, 1.0])), path)
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
