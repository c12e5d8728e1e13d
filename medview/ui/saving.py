"""Where to save a file, with the ending of its kind."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from medview.ui.notify import ask
from medview.ui.words import tr


def ask_for_file(parent: QWidget, title: str, start: str, kind: str, ending: str) -> Path | None:
    """Ask where to; None where the reader thinks better of it.

    A name that nothing has yet is offered: what was exported before stays without a thought.

    A name without the `ending` gets it behind all that was typed ("scan.1" is "scan.1.png"). The
    dialog has asked about a file of the name that was typed, not about one of the longer name.
    """
    offered = _free(Path.home() / start)
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(offered), f"{kind} (*{ending})")
    if not chosen:
        return None
    path = Path(chosen)
    if path.suffix.lower() == ending:
        return path
    path = path.with_name(path.name + ending)
    text = tr("{name} is there already. Replace it?", name=path.name)
    if path.exists() and not ask(parent, text, tr("Replace"), tr("Keep")):
        return None
    return path


def _free(path: Path) -> Path:
    """The path, or the next one beside it that nothing has: "report-2.pdf", "report-3.pdf"."""
    names = chain([path.name], (f"{path.stem}-{n}{path.suffix}" for n in count(2)))
    return next(there for name in names if not (there := path.with_name(name)).exists())
