"""The line at the bottom: what runs, what lies under the mouse, and what this is for."""

from __future__ import annotations

import os

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QStatusBar, QWidget

from medview import RESEARCH_USE
from medview.services.session import Session
from medview.services.session_values import Task
from medview.services.settings import Preferences
from medview.ui.containers import beside
from medview.ui.controls import button, label, name
from medview.ui.eliding import ElidedLabel, Held
from medview.ui.probe import Probe, short_text
from medview.ui.words import time_left, tr

_DOT = "  ·  "


class TaskLine(QWidget):
    """The job that runs: title, bar, time left and Cancel."""

    def __init__(self) -> None:
        super().__init__()
        name(self, "task", tr("Running job"))
        self._task: Task | None = None
        self._last: Task | None = None
        self._title = label()
        self._bar = QProgressBar()
        name(self._bar, "task_bar", tr("Progress"))
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(190)
        self._left = label()
        self._cancel = button(
            tr("Cancel"), "task_cancel", tip=tr("Stop this job (Shift+Esc stops all)")
        )
        self._cancel.clicked.connect(self.cancel)
        beside(self, self._title, self._bar, self._left, self._cancel, gap=12)

    def show_tasks(self, tasks: tuple[Task, ...]) -> None:
        """Show the first that is under way and say how many wait."""
        last = self._last
        self._task = next((task for task in tasks if task.done), tasks[0] if tasks else None)
        self._last = self._task or last
        busy = self._task is not None
        for part in (self._bar, self._left, self._cancel):
            part.setVisible(busy)
        if self._task is None:
            # Until the next job the line says that this one was stopped and left nothing.
            said = tr("Ready")
            if last is not None and last.is_cancelled:
                said = tr("{job}: cancelled", job=tr(last.title))
            self._title.setText(said)
            return
        self._title.setText(_title_of(self._task, len(tasks) - 1))
        self._bar.setRange(0, max(self._task.total, 0))
        self._bar.setValue(self._task.done)
        self._left.setText(_left_of(self._task))

    def cancel(self) -> None:
        """Stop the job that is shown."""
        if self._task is not None:
            self._task.cancel()


class StatusBar(QStatusBar):
    """Jobs on the left; research sentence, probe and device on the right."""

    def __init__(self, session: Session, preferences: Preferences) -> None:
        super().__init__()
        name(self, "status", tr("Status"))
        self.setSizeGripEnabled(False)
        self._session, self._preferences = session, preferences
        self.task = TaskLine()
        self._probe = ElidedLabel()
        self._probe.setObjectName("probe")
        self._device = label()
        name(self._device, "device", tr("Device for models"))
        research = label(tr(RESEARCH_USE), "research")
        name(research, "research_use", tr(RESEARCH_USE))
        holder = QWidget()
        self._probe.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        parts = (self.task, Held(self._probe), self._device, research)
        row = beside(holder, *parts, gap=20, grow=(1,))
        row.setContentsMargins(12, 0, 12, 0)
        self.addWidget(holder, 1)
        session.events.tasks.connect(self.refresh)
        session.events.predictions.connect(self.refresh)
        session.events.volume_id.connect(self.refresh)
        preferences.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Read jobs and device again."""
        self.task.show_tasks(self._session.tasks)
        self._device.setText(self._device_text())

    def show_probe(self, read: Probe | None) -> None:
        """Write place and values under the mouse; None clears them."""
        if read is None:
            self._probe.set_text("")
            return
        # Beside the mouse masks are told as well; here figures have no room to share with them.
        parts = [read.where, *(short_text(value) for value in read.values if not value.is_mask)]
        self._probe.set_text(_DOT.join(parts))

    @property
    def probe_text(self) -> str:
        """What the probe says now, in full."""
        return self._probe.accessibleName()

    def _device_text(self) -> str:
        results = self._session.results
        device = results[-1].device if results else self._preferences.settings.device
        if device == "cpu":
            threads = self._preferences.settings.threads or os.cpu_count() or 1
            return tr("CPU, {n} threads", n=threads)
        if device == "auto":
            return tr("Device: automatic")
        return device


def _title_of(task: Task, waiting: int) -> str:
    parts = [tr(task.title), tr(task.text)] if task.text else [tr(task.title)]
    if waiting:
        parts.append(tr("{n} more", n=waiting))
    return " · ".join(parts)


def _left_of(task: Task) -> str:
    if task.is_silent:
        return tr("no answer for a while")
    return time_left(task.seconds_left)
