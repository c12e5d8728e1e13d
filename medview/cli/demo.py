"""``medview demo``: the window on the demo study, or the same unseen with pictures of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from medview import RESEARCH_USE
from medview.cli.contract import Answer, Context, command
from medview.domain.errors import Cancelled, MedviewError

if TYPE_CHECKING:
    from medview.main import Program
    from medview.services.choices import Choices

OUT = "medview-demo"


def _in_words(body: Mapping[str, Any]) -> str:
    if body["out"] is None:
        return "The demo window was closed."
    lines = [f"Written to {body['out']}:", *(f"  {name}" for name in body["files"])]
    return "\n".join([*lines, RESEARCH_USE])


@command("demo", words=_in_words)
@click.option("--headless", is_flag=True, help="Show no window; write pictures and end.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(OUT),
    show_default=True,
    help="Folder to write, without a display or with --headless.",
)
def demo(context: Context, headless: bool, out: Path) -> Answer:
    """Open the demo study, a real brain with a synthetic lesion, and run the anomaly model.

    With "--headless", or where there is no display, the same window works unseen and writes
    pictures, report, result and maps into --out.
    """
    from medview.services.choices import Choices
    from medview.services.demo import study_folder

    options = context.options
    choices = Choices(seed=options.seed, device=options.device, threads=options.threads)
    study = study_folder()
    if headless or not has_display():
        return Answer(_unseen(context, study, out, choices))
    _on_screen(context, study, choices)
    return Answer({"out": None, "files": []})


def has_display() -> bool:
    """Whether a window could be seen here."""
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    offscreen = os.environ.get("QT_QPA_PLATFORM", "") in ("offscreen", "minimal")
    return not offscreen and bool(named or not sys.platform.startswith("linux"))


def _on_screen(context: Context, study: Path, choices: Choices) -> None:
    """The window as a user has it, with the demo study in it, until it is closed."""
    from medview.main import build
    from medview.ui.demo import DemoRun
    from medview.ui.ending import leaving_when_asked

    program = build()
    program.app.session.private = context.options.private or program.app.session.private
    run = DemoRun(program.app, choices, lambda _: None)
    with leaving_when_asked(program.qt.exit) as asked:
        program.app.window.show()
        _soon(lambda: run.begin(study))
        program.run()
    if asked:
        raise Cancelled("stopped before the end")


def _unseen(context: Context, study: Path, out: Path, choices: Choices) -> dict[str, Any]:
    """The same window offscreen, with settings of its own; what it has written."""
    from medview.io.atomic import whole_folder
    from medview.main import build
    from medview.services.settings import Preferences

    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with TemporaryDirectory(prefix="medview-") as home, whole_folder(out) as folder:
        program = build(Preferences(Path(home) / "settings.json"))
        program.app.session.private = context.options.private
        write_demo(context, program, study, folder, choices)
        files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return {"out": out.name if context.options.private else str(out), "files": files}


def write_demo(
    context: Context, program: Program, study: Path, folder: Path, choices: Choices
) -> None:
    """Run the model on a study in a window and write pictures, report and result into a folder.

    Raises
    ------
    MedviewError
        What went wrong on the way.
    Cancelled
        If the program was asked to stop.
    """
    from medview.services.demo import Keeping
    from medview.ui.demo import DemoPictures, DemoRun
    from medview.ui.ending import leaving_when_asked

    app, ended = program.app, list[MedviewError | None]()

    def finish(error: MedviewError | None) -> None:
        ended.append(error)
        program.qt.exit()

    keeping = Keeping(program.jobs, app.session, app.analysis)
    pictures = DemoPictures(app, keeping, folder, finish)
    run = DemoRun(app, choices, lambda error: finish(error) if error else pictures.begin())

    def tell(_: object = None) -> None:
        for task in app.session.tasks:
            context.report(task.done, task.total, task.text or task.title)

    app.session.events.tasks.connect(tell)
    with leaving_when_asked(program.qt.exit):
        app.window.show()
        _soon(lambda: run.begin(study))
        program.run()
    if not ended:
        raise Cancelled("stopped before the end")
    if ended[0] is not None:
        raise ended[0]


def _soon(call: Any) -> None:
    from PySide6.QtCore import QTimer

    QTimer.singleShot(0, call)
