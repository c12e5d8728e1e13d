"""Signing a report, and what was signed before."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QVBoxLayout

from medview.domain.wording import time_words
from medview.services.report_history import is_final, since
from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, clear, label, name, styled
from medview.ui.words import tr


class SigningCard(Card):
    """Name, role and Sign; every signature with its time; what was changed since."""

    def __init__(self, app: App) -> None:
        super().__init__("report_signing", tr("Signature"))
        self._app = app
        self._refusal = ""
        self._badge = label("", "tag")
        self._sign = button(
            tr("Sign"), "report_sign", tip=tr("Make it final; later changes are amendments")
        )
        self._name = self._line("report_signer", tr("Signed by"), tr("your name"), 190)
        self._role = self._line("report_role", tr("Role"), tr("such as radiologist"), 190)
        self._name.setText(app.preferences.settings.reader)
        self._before = QVBoxLayout()
        self._before.setSpacing(2)
        self.add(Row(label(tr("Signature"), "strong"), 1, self._badge))
        self.add(Row(label(tr("Signed by")), 1, self._name))
        self.add(Row(label(tr("Role")), 1, self._role), Row(1, self._sign))
        self.add(self._before)
        self._name.textChanged.connect(self._on_named)
        self._sign.clicked.connect(self._on_sign)
        app.reading.changed.connect(self.refresh)
        for field in ("series", "volume", "volume_id", "predictions", "opinions"):
            getattr(app.session.events, field).connect(self.refresh)
        self._on_named(self._name.text())
        self.refresh()

    def refresh(self) -> None:
        """Read status and history again."""
        material, status = self._app.reading.material, self._app.reading.status
        self._sign.setEnabled(material is not None and not is_final(status))
        self._badge.setVisible(material is not None)
        self._badge.setText(status)
        styled(self._badge, "tag-good" if is_final(status) else "tag-attention")
        words = {"DRAFT": "Sign", "DRAFT AMENDMENT": "Sign the amendment"}.get(status, "Signed")
        self._sign.setText(tr(words))
        clear(self._before)
        if material is None:
            return
        lines = [
            tr("{who} · signed {when}", who=", ".join(filter(None, (each.by, each.role))),
               when=time_words(each.at))
            for each in material.history
        ]  # fmt: skip
        lines += list(since(material))
        for text in lines:
            self._before.addWidget(label(text, "quiet", wraps=True))

    def _line(self, key: str, title: str, hint: str, least: int) -> QLineEdit:
        made = QLineEdit()
        name(made, key, title)
        made.setPlaceholderText(hint)
        made.setToolTip(title)
        made.setMinimumWidth(least)
        return made

    def _on_named(self, text: str) -> None:
        self._app.reading.signer = text.strip()

    def _on_sign(self) -> None:
        if self._app.reading.sign(self._name.text(), self._role.text()):
            self._app.window.notes.take_back(self._refusal)
        elif self._app.session.message is not None:
            self._refusal = self._app.session.message.text
