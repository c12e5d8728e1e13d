"""Models: the card of each version, a check of its weights, and weights of one's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QSizePolicy, QVBoxLayout, QWidget

from medview.domain.card import Figure, ModelCard
from medview.domain.card_plots import card_plots
from medview.domain.wording import counted, date_words, typeset
from medview.services.report_figures import FIGURE_NAMES, measured_lines
from medview.services.versions import Version
from medview.ui.app import App
from medview.ui.containers import Card, Column, Row
from medview.ui.controls import button, clear, label
from medview.ui.notify import ask
from medview.ui.panels.uncertainty_chart import UncertaintyChart
from medview.ui.saving import ask_for_file
from medview.ui.words import breakable, interval, number, tr, unbroken

_INTERVAL = re.compile(r"(?<=\()\S+ (?:–|to) \S+(?=\))")


class ModelsPanel(Column):
    """A card for each version; what it says is what stands in its card file."""

    def __init__(self, app: App) -> None:
        super().__init__("panel_models", tr("Models"))
        self._app = app
        add = button(
            tr("Add weights …"),
            "models_add",
            tip=tr("A .safetensors file with its card.json, or an exported version"),
        )
        add.clicked.connect(self._on_add)
        head = Card("models_head", tr("Models"))
        head.add(Row(label(tr("Models"), "strong"), 1, add))
        head.add(
            label(tr("Weights are checked against their card each time."), "quiet", wraps=True)
        )
        self._cards = QVBoxLayout()
        self._cards.setContentsMargins(0, 0, 0, 0)
        self._cards.setSpacing(10)
        holder = QWidget()
        holder.setLayout(self._cards)
        self.add(head)
        self.add(holder)
        app.models.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """List the versions again."""
        clear(self._cards)
        every = self._app.models.versions()
        for version in by_descent(every):
            self._cards.addWidget(VersionCard(self._app, version, made_from(version, every)))

    def _on_add(self) -> None:
        kinds = tr("Weights (*.safetensors *.zip);;All files (*)")
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Add weights"), "", kinds)
        if chosen:
            self._app.models.add(Path(chosen))


def by_descent(versions: Sequence[Version]) -> list[Version]:
    """The models in their order, each with the versions that were made from it behind it."""
    order = list(dict.fromkeys(each.card.id for each in versions))
    return sorted(versions, key=lambda each: (order.index(each.card.id), each.own))


def made_from(version: Version, versions: Sequence[Version]) -> str:
    """The version that one was trained from; empty where it is not known or not here any more."""
    parent = version.card.parent
    found = (each.card.version for each in versions if each.card.weights_sha256 == parent)
    return next(found, "") if parent else ""


class VersionCard(Card):
    """Title, what it is for, what it cannot do, and how well it did; the rest on demand."""

    def __init__(self, app: App, version: Version, parent: str = "") -> None:
        card = version.card
        super().__init__(f"version_{version.name}", f"{card.title} {card.version}")
        self._app, self._version = app, version
        tag = label(tr("own") if version.own else tr("shipped"), "tag")
        tag.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        named = label(f"{card.title} {card.version}", "strong", wraps=True)
        self.add(Row(named, tag, grow=(0,)))
        if parent:
            self.add(label(tr("Trained further from {version}", version=parent), "quiet"))
        self.add(label(card.summary, wraps=True))
        for text in card.limits[:2]:
            self.add(label(tr("Limit: {what}", what=typeset(text)), "quiet", wraps=True))
        self._more = QWidget()
        rows = QVBoxLayout(self._more)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        for title, text in card_words(card):
            rows.addWidget(label(title, "heading"))
            rows.addWidget(label(breakable(typeset(text)), "quiet", wraps=True))
        for title, plot in card_plots(card):
            rows.addWidget(label(tr(title).upper(), "heading"))
            rows.addWidget(UncertaintyChart(plot))
            rows.addWidget(label(plot.caption, "quiet", wraps=True))
        if card.method:
            rows.addWidget(_Fold(f"method_{version.name}", typeset(_listed(card.method))))
        self._more.hide()
        self.add(self._more)
        self._show = button(tr("Whole card"), f"card_{version.name}", look="link")
        self._show.clicked.connect(self._on_more)
        check = button(
            tr("Check"), f"check_{version.name}", tip=tr("Compare the weights with their card")
        )
        check.clicked.connect(lambda: app.models.check(version))
        self.add(Row(self._show, 1, check))
        if version.own:
            out = button(
                tr("Export …"), f"export_{version.name}",
                tip=tr("Write weights and card as one file, for another installation"),
            )  # fmt: skip
            out.clicked.connect(self._on_export)
            away = button(tr("Remove"), f"remove_{version.name}", tip=tr("Delete this version"))
            away.clicked.connect(self._on_remove)
            # A line of their own: beside the others there is no room in a slim panel.
            self.add(Row(1, out, away))

    def _on_export(self) -> None:
        card = self._version.card
        start = f"{card.id}-{card.version}.zip"
        chosen = ask_for_file(self, tr("Export version"), start, "ZIP", ".zip")
        if chosen is not None:
            self._app.models.export(self._version, chosen)

    def _on_remove(self) -> None:
        card = self._version.card
        text = tr(
            "Delete {title} {version}? Its training cannot be brought back; its results stay. "
            "Export it first to keep it elsewhere.",
            title=card.title,
            version=card.version,
        )
        if ask(self, text, tr("Delete"), tr("Keep")):
            self._app.models.remove(self._version)

    def _on_more(self) -> None:
        self._more.setVisible(self._more.isHidden())
        self._show.setText(tr("Whole card") if self._more.isHidden() else tr("Less"))


class _Fold(QWidget):
    """Words on the method that come out when they are asked for."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        more = button(tr("How it was trained and measured"), key, look="link")
        told = label(text, "quiet", wraps=True)
        told.hide()
        more.clicked.connect(lambda: told.setVisible(told.isHidden()))
        rows.addWidget(Row(more, 1))
        rows.addWidget(told)


def card_words(card: ModelCard) -> list[tuple[str, str]]:
    """The parts of a card with something in them, as heading and text."""
    trained = "\n".join(
        f"{each.set}: {counted(each.n_patients, tr('patient'))}, {each.licence}"
        + (f" ({each.note})" if each.note else "")
        for each in card.trained_on
    )
    parts = [
        (tr("INTENDED USE"), card.intended_use),
        (tr("INPUTS"), "\n".join(f"{each.role}: {each.needs}" for each in card.inputs)),
        (tr("LIMITS"), _listed(card.limits)),
        (tr("MEASURED HERE"), _listed([_whole(line) for line in measured_lines(card.measured)])),
        (tr("PUBLISHED, NOT MEASURED HERE"), "\n".join(map(figure_words, card.published))),
        (tr("TRAINED ON"), trained),
        (tr("DAY OF TRAINING"), date_words(card.trained_at)),
        (tr("LICENCE"), card.licence),
        (tr("SOURCE"), card.source),
        (tr("PARENT"), card.parent or ""),
        (tr("WEIGHTS, SHA-256"), card.weights_sha256),
    ]
    return [(title, text) for title, text in parts if text]


def _whole(line: str) -> str:
    """A line of which no interval is broken."""
    return _INTERVAL.sub(lambda found: unbroken(found[0]), line)


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"• {line}" for line in lines)


def figure_words(figure: Figure) -> str:
    """A figure in one line: what, how much, interval, where, and of how many."""
    bounds = interval(figure.low, figure.high)
    name = FIGURE_NAMES.get(figure.name, figure.name.replace("_", " "))
    parts = [
        f"{name} {number(figure.value)}" + (f" ({bounds})" * bool(bounds)),
        figure.on,
        figure.level,
        f"n\u00a0=\u00a0{figure.n}" if figure.n else "",
        figure.predictor if figure.predictor != "model" else "",
    ]
    return " · ".join(part for part in parts if part)
