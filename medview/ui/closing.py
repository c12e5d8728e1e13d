"""Whether the window may be closed: one question where something would be lost."""

from __future__ import annotations

from medview.services.printing import REPORT_TITLE
from medview.services.session_values import Task
from medview.services.shelf import KEEP_TITLE
from medview.ui.app import App
from medview.ui.notify import ask
from medview.ui.words import tr


def may_close(app: App) -> bool:
    """Ask where work goes on; without it, or when it may be stopped, True."""
    work = work_under_way(app)
    if not work:
        return True
    text = tr("{job} is still running. Stop it and close?", job=tr(work[0].title))
    if any(task.title == app.tuning.title for task in work):
        again = tr("The training can go on from its last whole epoch at the next start.")
        text = f"{text} {again}"
    return ask(app.window, text, tr("Stop and close"), tr("Keep open"))


def work_under_way(app: App) -> list[Task]:
    """Jobs whose stop would lose something: models, trainings, reports, not reading."""
    titles = {card.title for card in app.analysis.cards()} | {REPORT_TITLE, KEEP_TITLE}
    titles.add(app.tuning.title)
    return [task for task in app.session.tasks if task.title in titles]
