"""Layers: the image and every map over it, and how each is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QPushButton, QVBoxLayout

from medview.domain.overlay import ScalarMap
from medview.domain.volume import Window
from medview.imaging.intensity import presets_for
from medview.services.layering import base_name
from medview.ui.app import App
from medview.ui.containers import Card, Column, Row
from medview.ui.controls import clear, label, name
from medview.ui.eliding import ElidedButton
from medview.ui.identity import shown_name
from medview.ui.inputs import RangeRow
from medview.ui.panels.layer_rows import LayerRow
from medview.ui.panels.style_editor import StyleEditor, map_title
from medview.ui.tab_order import in_order
from medview.ui.words import foldable, number, tr


class LayersPanel(Column):
    """The image's window, a row for each map, and the style of the chosen one."""

    def __init__(self, app: App) -> None:
        super().__init__("panel_layers", tr("Layers"))
        self._app = app
        self._image = ImageCard(app)
        self._maps = Card("layers_maps", tr("Maps"))
        self._listed: tuple[tuple[str, str], ...] = ()
        self._rows: dict[str, LayerRow] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._overlay = QCheckBox(tr("Show maps"))
        name(self._overlay, "layers_overlay", tr("Show maps"))
        self._overlay.setToolTip(tr("Show or hide all maps (O)"))
        self._overlay.toggled.connect(self._on_overlay)
        self._empty = label(
            tr("No maps yet. Run a model, and its maps are listed here."), "quiet", wraps=True
        )
        self._maps.add(Row(label(tr("Maps"), "strong"), 1, self._overlay), self._empty)
        self._maps.add(self._list)
        self._style_card = Card("layers_style", tr("Chosen map"))
        self._style_title = label("", "strong", wraps=True)
        self._style_card.add(self._style_title, StyleEditor(app, "layers"))
        for card in (self._image, self._maps, self._style_card):
            self.add(card)
        for field in _HEARD:
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """List the maps again."""
        session = self._app.session
        maps = [layer.map for layer in reversed(session.layers)]
        self._list_again(maps)
        drawn = session.maps_drawn if session.overlay_on else frozenset()
        for place, (key, row) in enumerate(self._rows.items()):
            ends = (place == 0, place == len(self._rows) - 1)
            row.show_state(is_chosen=key == session.map_name, is_drawn=key in drawn, ends=ends)
        self._empty.setVisible(not maps)
        self._overlay.setVisible(bool(maps))
        self._overlay.blockSignals(True)
        self._overlay.setChecked(session.overlay_on)
        self._overlay.blockSignals(False)
        chosen = session.map(session.map_name)
        self._style_card.setVisible(chosen is not None)
        self._style_title.setText(foldable(map_title(chosen)) if chosen is not None else "")

    def _list_again(self, maps: Sequence[ScalarMap]) -> None:
        """A row for each map, in their order; the rows stay where the maps are the same."""
        names = tuple((found.name, found.title) for found in maps)
        if set(names) != set(self._listed):
            clear(self._list)
            self._rows = {
                found.name: LayerRow(self._app, found, self._maker(found.name, names))
                for found in maps
            }
        if names != self._listed:
            # The same rows in another order: the one that was pressed keeps the keyboard.
            self._rows = {key: self._rows[key] for key, _ in names}
            for place, row in enumerate(self._rows.values()):
                self._list.insertWidget(place, row)
            self._listed = names
            in_order(self._overlay, (*self._rows.values(), self._style_card))

    def _maker(self, key: str, names: tuple[tuple[str, str], ...]) -> str:
        """The model of the newest of several maps of one name; the others say theirs already."""
        alike = [other for other, _ in names if base_name(other) == key]
        owner = self._app.session.owner(key) if len(alike) > 1 else None
        return self._app.session.named(owner) if owner is not None else ""

    def _on_overlay(self, on: bool) -> None:
        if on != self._app.session.overlay_on:
            self._app.viewing.maps.toggle_overlay()


_HEARD = (
    *("styles", "map_name", "kept_maps", "map_order", "predictions", "unfinished"),
    *("volume_id", "overlay_on", "read", "first_reader"),
)


class ImageCard(Card):
    """The image beneath: its window in figures, the presets of its kind, invert."""

    def __init__(self, app: App) -> None:
        super().__init__("layers_image", tr("Image"))
        self._app = app
        self._title = label("", "strong", wraps=True)
        self._what = label("", "quiet", wraps=True)
        self._window = RangeRow(
            tr("Grey from"), "image_range", tip=tr("Values drawn black and white")
        )
        self._window.changed.connect(self._on_range)
        self._presets = QVBoxLayout()
        self._presets.setSpacing(4)
        self.add(self._title, self._what, self._window)
        self.add(self._presets)
        self._offered: tuple[str, ...] = ()
        for field in ("volume", "series", "views", "active_pane", "private"):
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Read the image and its window again."""
        session = self._app.session
        series, volume = session.series, session.volume
        if series is None or volume is None:
            self._title.setText(tr("No image"))
            self._what.setText(tr("Drop a folder here, or press Ctrl+O"))
            self._window.hide()
            self._offer(())
            return
        self._title.setText(foldable(shown_name(session)))
        window = self._app.viewing.window(session.active_pane)
        self._window.setVisible(window is not None)
        if window is not None:
            low, high = window.level - window.width / 2, window.level + window.width / 2
            self._window.set_value(low, high)
            text = tr("Width {w}, level {l}", w=number(window.width), l=number(window.level))
            self._what.setText(f"{text} · {volume.quantity}")
        else:
            self._what.setText(tr("colour image"))
        self._offer(tuple((each.key, each.title) for each in presets_for(volume) if each.key))

    def _offer(self, presets: tuple[tuple[str, str], ...]) -> None:
        """A button for each preset, two in a row, with its key."""
        asked = tuple(title for _, title in presets)
        if asked == self._offered:
            return
        self._offered = asked
        clear(self._presets)
        for place in range(0, len(presets), 2):
            self._presets.addWidget(
                Row(*(self._preset(*each) for each in presets[place : place + 2]))
            )

    def _preset(self, key: str, title: str) -> QPushButton:
        by_key = tr("{title} (key {key})", title=title, key=key)
        tip = by_key if len(key) == 1 else tr("{title}, as the file proposes", title=title)
        # What a file calls its windows may be of any length.
        made = ElidedButton(tr(title), f"preset_{key}", tip)
        made.setProperty("look", "narrow")
        viewing, session = self._app.viewing, self._app.session
        made.clicked.connect(lambda: viewing.use_preset(session.active_pane, key))
        return made

    def _on_range(self, low: float, high: float) -> None:
        window = Window(high - low, (low + high) / 2, "LINEAR_EXACT")
        self._app.viewing.set_window(self._app.session.active_pane, window)
