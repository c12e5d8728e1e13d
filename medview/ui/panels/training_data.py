"""The cases of a training: where they come from, what was found, what cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton, QSizePolicy, QWidget

from medview.services.tuned import Tuned
from medview.ui.app import App
from medview.ui.containers import Card, Row, beside
from medview.ui.controls import button, label, name, styled
from medview.ui.panels.training_library import LibraryCases
from medview.ui.words import tr

_LABELS = {
    "label 0": "normal",
    "label 1": "abnormal",
    "mortality 0": "survived",
    "mortality 1": "died",
    "prognosis MILD": "mild course",
    "prognosis SEVERE": "severe course",
}
_MOST_SITES = 6


class CasesCard(Card):
    """Which cases: studies read here, a case list or a folder, and what was found there."""

    def __init__(self, app: App) -> None:
        super().__init__("training_cases", tr("Cases"))
        self._app = app
        self._said = ""
        self._counts = label("")
        name(self._counts, "training_counts", tr("How many cases"))
        self._summary = label("", "quiet", wraps=True)
        self._tag = label("", "tag-attention")
        self._refused = label("", "attention", wraps=True)
        name(self._refused, "training_refused", tr("Why the cases cannot be used"))
        self._parts, self._parts_name = label("", "value"), label("")
        name(self._parts, "training_parts", tr("Cases for training, validation and the locked set"))
        self._locked = label("", "quiet", wraps=True)
        name(self._locked, "training_locked", tr("The locked set"))
        self._sources = (
            self._source("library", tr("Read here"), tr("Studies read here, by your answers")),
            self._source("list", tr("Case list"), tr("A CSV that names the files")),
            self._source("folder", tr("Folder"), tr("A data set or a folder of images")),
            self._source(
                "lock",
                tr("Locked set"),
                tr("A case list never trained on: old and new are compared on it, too"),
            ),
        )
        for made, slot in zip(
            self._sources, (self._on_library, self._on_list, self._on_folder, self._on_lock),
            strict=True,
        ):  # fmt: skip
            made.clicked.connect(slot)
        self._refusal = QWidget()
        row = beside(self._refusal, self._tag, self._refused, grow=(1,))
        row.setAlignment(self._tag, Qt.AlignmentFlag.AlignTop)
        self.library = LibraryCases(app)
        self.add(Row(label(tr("Cases"), "strong"), 1, self._counts), self._refusal)
        self._split = Row(self._parts_name, 1, self._parts)
        self.add(self._split, self._summary, self._locked)
        self.add(Row(*self._sources, gap=6), self.library)

    def _source(self, key: str, text: str, tip: str) -> QPushButton:
        made = button(text, f"training_{key}", look="narrow", tip=tip)
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return made

    def show_state(self, now: Tuned) -> None:
        """Counts, parts and what was refused; what was said of other cases is taken back."""
        if now.refused != self._said:
            self._app.window.notes.take_back(self._said)
            self._said = now.refused
        self._counts.setText(counts_words(now))
        self._summary.setText(cases_words(now))
        self._summary.setVisible(bool(self._summary.text()))
        self._show_parts(now)
        skipped = now.found.get("skipped", ())
        lines = [f"{case}: {what}" for case, what in skipped[:3]]
        if len(skipped) > len(lines):
            lines.append(tr("and {n} more", n=len(skipped) - len(lines)))
        self._refused.setText(now.refused or "\n".join(lines))
        self._tag.setText(tr("refused") if now.refused else tr("{n} refused", n=len(skipped)))
        self._refusal.setVisible(bool(self._refused.text()))
        self._show_locked(now)
        for source in self._sources:
            source.setEnabled(now.phase != "running")

    def _show_locked(self, now: Tuned) -> None:
        """The locked set by its file, or why it is none."""
        locked = now.reference
        words = tr("Locked set: {file}", file=locked.name) if locked else ""
        self._locked.setText(f"{words}. {now.not_locked}" if now.not_locked else words)
        styled(self._locked, "attention" if now.not_locked else "quiet")
        self._locked.setVisible(locked is not None)

    def _show_parts(self, now: Tuned) -> None:
        """Training / validation / locked, as far as the cases say it."""
        parts = now.found.get("parts", {})
        numbers = {
            tr("Training"): parts.get("train", 0) + parts.get("", 0),
            tr("validation"): parts.get("val", 0) if any(parts) else None,
            tr("locked"): now.locked.get("cases"),
        }
        told = {name: n for name, n in numbers.items() if n is not None}
        self._parts_name.setText(" / ".join(told))
        self._parts.setText(" / ".join(map(str, told.values())))
        self._split.setVisible(len(told) > 1)

    def _on_library(self) -> None:
        tuning = self._app.tuning
        tuning.library.look(tuning.now.model)

    def _on_lock(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Locked set"), "", tr("Tables (*.csv)"))
        self._app.tuning.locked.choose(Path(chosen) if chosen else None)

    def _on_list(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Case list"), "", tr("Tables (*.csv)"))
        if chosen:
            self._app.tuning.look(Path(chosen))

    def _on_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Folder with cases"))
        if chosen:
            self._app.tuning.look(Path(chosen))


def counts_words(now: Tuned) -> str:
    """How many cases, patients and sites."""
    found = now.found
    if not found:
        return ""
    counts = [
        tr("{n} cases", n=found["cases"]),
        tr("{n} patients", n=found["patients"]),
        tr("{n} sites", n=found["sites"]) if found["sites"] else "",
    ]
    return " · ".join(part for part in counts if part)


def _held_out_words(found: Mapping[str, Any]) -> str:
    """Who is held out of the patients whom the version has not learnt from."""
    seen, patients = found.get("seen", 0), found["patients"]
    chosen_here = not any(found["parts"])
    if not seen:
        return tr("A fifth of the patients is held out.") if chosen_here else ""
    told = tr("The version has learnt from {n} of the {all} patients", n=seen, all=patients)
    if patients == seen:
        return f"{told}: {tr('old and new cannot be compared on them.')}"
    rest = tr("a fifth of the others is held out.") if chosen_here else ""
    return f"{told}; {rest or tr('old and new are compared on others.')}"


def cases_words(now: Tuned) -> str:
    """Who is held out, how the labels are spread; or what to do."""
    if now.phase == "looking":
        return tr("Looking at the cases ...")
    found = now.found
    if not found:
        return tr("Choose studies read here, a case list or a folder with cases that are labelled.")
    lines = []
    if now.phase == "checking":
        lines.append(tr("Each file is read once before anything runs ..."))
    elif not now.is_checked and now.phase == "ready":
        lines.append(tr("Not all files were read: what cannot be read is left out later."))
    lines.append(_held_out_words(found))
    labels = sorted(found["labels"].items())
    lines.append(", ".join(f"{tr(_LABELS.get(key, key))}: {n}" for key, n in labels))
    sites = found.get("by_site", {})
    if 1 < len(sites) <= _MOST_SITES:
        lines.append(", ".join(f"{site}: {n}" for site, n in sorted(sites.items())))
    ages = found.get("ages")
    if ages:
        lines.append(tr("ages {a} to {b}", a=f"{ages[0]:.0f}", b=f"{ages[1]:.0f}"))
    return "\n".join(line for line in lines if line)
