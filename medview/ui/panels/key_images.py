"""The list of key images: jump to one, take its mark away."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from medview.domain.key_image import KeyImage
from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, clear, label
from medview.ui.words import place, tr


class KeyImagesCard(Card):
    """A row for each marked image of the series on screen; a click goes there."""

    def __init__(self, app: App) -> None:
        super().__init__("key_images", tr("Key images"))
        self._app = app
        self._empty = label(tr("None yet. K marks the image that is shown."), "quiet", wraps=True)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self.add(label(tr("Key images"), "strong"), self._empty, self._rows)
        for field in ("key_images", "series", "volume", "time", "views", "active_pane"):
            getattr(app.session.events, field).connect(self._on_change)
        self._shown: tuple[object, ...] | None = None
        self._on_change()

    def _on_change(self) -> None:
        """List them again, if anything of it has changed: views change with every slice."""
        here = self._app.measuring.key_images
        current = self._app.measuring.key_image(self._app.session.active_pane)
        shown = (here, next((n for n, each in enumerate(here) if each == current), None))
        if shown != self._shown:
            self._shown = shown
            self._fill(here, shown[1])

    def _fill(self, here: tuple[KeyImage, ...], current: int | None) -> None:
        clear(self._rows)
        self._empty.setVisible(not here)
        for number, each in enumerate(here):
            words = self._words(each)
            go = button(words, f"key_{number}", look="row", tip=tr("Go there"))
            go.setCheckable(True)
            go.setChecked(number == current)
            go.clicked.connect(lambda _, each=each: self._jump(each))
            gone = button("×", f"key_delete_{number}", look="link", tip=tr("Take the mark away"))
            where = words.partition("\n")[0]
            gone.setAccessibleName(tr("Take the mark away: {image}", image=where))
            gone.clicked.connect(lambda _, each=each: self._app.measuring.set_key(each, on=False))
            self._rows.addWidget(Row(go, gone, grow=(0,)))

    def _words(self, image: KeyImage) -> str:
        """Which slice, which time point, and where."""
        series, volume = self._app.session.series, self._app.session.volume
        if volume is not None and volume.is_film:
            return tr("Film")
        words = [tr(image.plane.value.capitalize()) + f" {image.slice + 1}"]
        if image.tilt:
            words.append(tr("tilted"))
        if series is not None and series.times > 1:
            words.append(tr("time {n}", n=image.time + 1))
        return f"{' · '.join(words)}\n{place(image.point_lps)}"

    def _jump(self, image: KeyImage) -> None:
        """Go to its time point, then to its place: views stay as they are with the time."""
        series = self._app.session.series
        if series is not None and image.time != self._app.session.time:
            self._app.library.show(series, image.time)
        self._app.measuring.jump_to_key(image)
        self._shown = None
        self._on_change()
