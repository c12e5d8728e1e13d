"""Commands for rules of hanging: the next one that fits, keep this arrangement, own rules."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QInputDialog

from medview.services.session_values import Message
from medview.ui.action import Action, has_image
from medview.ui.app import App
from medview.ui.hanging_dialog import HangingDialog, layout_words
from medview.ui.words import tr

_MENU = "View/Hanging"


def keep(app: App) -> None:
    """Ask for a name and keep how the panes lie as a rule."""
    rule = app.hanging.arrangement("")
    if rule is None:
        return
    first = " ".join((*rule.modality, *rule.body)) + ", " + layout_words(rule.layout)
    name, agreed = QInputDialog.getText(
        app.window,
        tr("Save this arrangement as a rule"),
        tr("Studies of this kind are hung so when they are opened. Name of the rule:"),
        text=first,
    )
    made = app.hanging.arrangement(" ".join(name.split()))
    if agreed and made is not None and made.name:
        app.hanging.keep(made)


def choose(app: App) -> None:
    """List the rules that fit, to hang the study by one."""
    app.hanging.own.look(lambda: _choose(app))


def _choose(app: App) -> None:
    rules = app.hanging.fitting()
    if not rules:
        app.session.message = Message(app.hanging.refusal, "warning")
        return
    HangingDialog(app, rules).show()


def delete(app: App) -> None:
    """Ask for one of the reader's own rules and take it away."""
    app.hanging.own.look(lambda: _delete(app))


def _delete(app: App) -> None:
    names = app.hanging.own.names
    if not names:
        app.session.message = Message(tr("There is no rule of your own."), "warning")
        return
    name, agreed = QInputDialog.getItem(
        app.window, tr("Delete a rule"), tr("Your own rules:"), list(names), 0, False
    )
    if agreed:
        app.hanging.own.delete(name)


def show_file(app: App) -> None:
    """Open the reader's own rules in the editor of the system."""

    def show(file: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(file))):
            text = tr("No program here opens text files. Your rules lie in {file}", file=file)
            app.session.message = Message(text, "warning")

    app.hanging.own.begin(show)


def _toggle(app: App) -> None:
    app.preferences.change(hang=not app.preferences.settings.hang)


HANGING: tuple[Action, ...] = (
    Action(
        "hanging.next", "Next hanging", lambda app: app.hanging.step(1), _MENU,
        ".", "skip-forward", "Hang the study by the next rule that fits it", has_image,
    ),
    Action(
        "hanging.previous", "Previous hanging", lambda app: app.hanging.step(-1), _MENU,
        ",", "skip-back", "Hang the study by the rule before", has_image,
    ),
    Action(
        "hanging.choose", "Choose hanging …", choose, _MENU,
        tip="Choose among the rules that fit this study", enabled=has_image,
    ),
    Action(
        "hanging.keep", "Save this arrangement as a rule …", keep, _MENU,
        tip="Hang studies of this kind so from now on: layout, series, planes and windows",
        enabled=has_image,
    ),
    Action(
        "hanging.delete", "Delete own rule …", delete, _MENU,
        tip="Take one of your own rules away",
    ),
    Action(
        "hanging.file", "Own rules …", show_file, _MENU,
        tip="Open the file of your own rules to change or delete them",
    ),
    Action(
        "hanging.auto", "Hang studies when they are opened", _toggle, _MENU,
        tip="Use the first rule that fits whenever a study is opened for the first time",
        checked=lambda app: app.preferences.settings.hang,
    ),
)  # fmt: skip
