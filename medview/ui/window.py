"""The window: menus and bars from the tables, list on the left, panes, panels on the right."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QMenu,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from medview.domain.formats import is_table
from medview.domain.tag import Tag
from medview.services.session import Session
from medview.services.settings import Settings
from medview.ui.action_table import ActionTable
from medview.ui.actions import ACTIONS, CONTEXT
from medview.ui.app import App
from medview.ui.autosave import Autosave
from medview.ui.blink import Blink
from medview.ui.button_keys import ButtonKeys
from medview.ui.cine import Cine
from medview.ui.closing import may_close
from medview.ui.controls import name
from medview.ui.curve_bar import CurveBar
from medview.ui.gestures import with_own
from medview.ui.help import show_about, show_shortcuts
from medview.ui.mouse import Mouse
from medview.ui.notify import NoteBar
from medview.ui.palette import Palette
from medview.ui.pane_grid import PaneGrid
from medview.ui.panels.analysis import AnalysisCard
from medview.ui.panels.details import DetailsPanel
from medview.ui.panels.results import ResultsPanel
from medview.ui.panels.studies import StudiesPanel
from medview.ui.probe import probe_under
from medview.ui.recent_menu import RecentMenu
from medview.ui.record_pane import RecordPane
from medview.ui.regions import focus_next
from medview.ui.report_leaving import written
from medview.ui.report_preview import ReportPreview
from medview.ui.shortcut_editor import ShortcutEditor
from medview.ui.shortcuts import profile_of
from medview.ui.side import Side
from medview.ui.status_bar import StatusBar
from medview.ui.tag_browser import TagBrowser
from medview.ui.theme import Theme, apply, theme_named
from medview.ui.time_bar import TimeBar
from medview.ui.tool_bar import ToolBar
from medview.ui.volume_pane import VolumePane
from medview.ui.words import tr

_LEFT_PX, _SIDE_PX = 264, 348
_WIDE_PX = 1380
_SLIM_PX = (232, 340)
# Fields of the session that decide which actions can be used, and which are ticked.
_MATTERING = (
    "volume", "catalogue", "active_pane", "maximised", "overlay_on", "drawings", "chosen_drawing",
    "key_images", "layout", "linked", "alone", "swipe", "predictions", "volume_id", "unfinished",
    "tasks", "private", "styles",
)  # fmt: skip


class MainWindow(QMainWindow):
    """Draws the session and sends wishes to the services; holds nothing else."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "main_window", "medview")
        self.setWindowTitle("medview")
        self.setAcceptDrops(True)
        self.resize(_first_size())
        self._app = app
        app.window = self
        self._theme = self._dress(app.preferences.settings)
        self.blink: Blink = Blink(app, self)
        self._is_wide: bool | None = None
        self._reported = ""
        self.mouse: Mouse = Mouse(
            app.session, app.viewing, app.measuring, app.preferences.settings.left_drag
        )
        self._use_mouse(app.preferences.settings)
        self.mouse.menu_wanted = self._on_menu_wanted
        self.mouse.hovered = self._read_values
        self.mouse.series_dropped = app.arranging.put
        self.grid = PaneGrid(app.session, self.mouse)
        self.cine: Cine = Cine(app.session, app.viewing, app.library, app.preferences, self.grid)
        self.notes = NoteBar()
        self.studies = StudiesPanel(app)
        self.side = Side(app)
        self.table = ActionTable(app, self, self.grid)
        self._build_bars()
        self._split = self._middle()
        self.setCentralWidget(self._split)
        self.table.spare_widgets(self)
        self.side.made.connect(self.table.spare_widgets)
        ButtonKeys(self)
        self.status = StatusBar(app.session, app.preferences)
        self.setStatusBar(self.status)
        self.table.set_icons(self._theme)
        self.table.refresh()
        self.autosave = Autosave(app, self)
        self._connect()
        self.grid.visible_panes[0].setFocus()

    # -- built once ------------------------------------------------------------------------

    def _middle(self) -> QSplitter:
        """Made in its place: what moves to another parent is dressed anew, with all it holds."""
        split = _splitter("split", tr("Studies, images, panels"), self)
        split.addWidget(self.studies)
        centre = QWidget(split)
        rows = QVBoxLayout(centre)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.notes)
        rows.addWidget(self._images(centre), 1)
        self.curve: CurveBar = CurveBar(self._app, self.mouse)
        rows.addWidget(self.curve)
        rows.addWidget(TimeBar(self._app, self.cine))
        split.addWidget(self.side)
        split.setStretchFactor(1, 1)
        split.setSizes([_LEFT_PX, self.width() - _LEFT_PX - _SIDE_PX, _SIDE_PX])
        self.studies.setMinimumWidth(180)
        self.side.setMinimumWidth(_SLIM_PX[1])
        centre.setMinimumWidth(320)
        return split

    def _images(self, centre: QWidget) -> QSplitter:
        """The panes, and beside them the record of a stay where one is open."""
        beside = _splitter("split_record", tr("Images and record"), centre)
        beside.addWidget(self.grid)
        self.volume: VolumePane = VolumePane(self._app)
        beside.addWidget(self.volume)
        beside.addWidget(RecordPane(self._app))
        self.preview: ReportPreview = ReportPreview(self._app)
        beside.addWidget(self.preview)
        beside.setStretchFactor(0, 2)
        for place in range(1, beside.count()):
            beside.setStretchFactor(place, 1)
        return beside

    def _build_bars(self) -> None:
        menus = self.menuBar()
        name(menus, "menus", tr("Menus"))
        self.table.fill_menus(menus)
        self._menu = QMenu(self)
        file_menu = menus.findChild(QMenu, "menu_file")
        if file_menu is not None:
            recent = RecentMenu(self._app, self)
            file_menu.insertMenu(self.table["file.export_report"], recent)
        self._bar = ToolBar(self.table)
        self.addToolBar(self._bar)

    def _connect(self) -> None:
        app = self._app
        for field in _MATTERING:
            getattr(app.session.events, field).connect(self.table.refresh)
        app.session.events.views.connect(self.table.refresh_soon)
        self._analysis.turned.connect(self.table.refresh)
        self.cine.changed.connect(self.table.refresh)
        self.blink.changed.connect(self.table.refresh)
        self.grid.drawn.connect(self._read_values)
        self.notes.follow(app.session)
        app.preferences.changed.connect(self._on_settings)
        app.preferences.unsaved.connect(self.notes.show_error)
        app.reading.exported.connect(self._on_exported)
        app.headers.arrived.connect(self._on_header)

    @property
    def session(self) -> Session:
        """The state that is drawn."""
        return self._app.session

    # -- asked for by actions and panels ---------------------------------------------------

    def use_tool(self, key: str) -> None:
        """Let the left button mean this tool from now on."""
        self.mouse.tool = key
        self.table.refresh()

    def run_analysis(self) -> None:
        """Run the chosen model and show its panel."""
        self.show_panel("results")
        self._analysis.run()

    @property
    def can_run_analysis(self) -> bool:
        """A model that fits can be started now."""
        return self._analysis.can_run

    @property
    def _analysis(self) -> AnalysisCard:
        panel = self.side.panel("results")
        assert isinstance(panel, ResultsPanel)
        return panel.analysis

    def show_panel(self, key: str) -> None:
        """Bring a panel of the side to the front, and the side with it."""
        self.side.show_panel(key)
        self.side.show()
        self.table.refresh()

    def toggle_preview(self) -> None:
        """Show the pages of the report beside the images, or hide them."""
        if self.preview.isHidden():
            self.show_panel("report")
            self.preview.open()
        else:
            self.preview.hide()
        self.table.refresh()

    def toggle_volume(self) -> None:
        """Show or hide the volume seen from outside."""
        self.volume.setVisible(self.volume.isHidden())
        self.table.refresh()

    def toggle_studies(self) -> None:
        """Show or hide the list on the left."""
        self.studies.setVisible(self.studies.isHidden())

    def toggle_side(self) -> None:
        """Show or hide the panels on the right."""
        self.side.setVisible(self.side.isHidden())

    @property
    def shows_studies(self) -> bool:
        """The list on the left is there."""
        return not self.studies.isHidden()

    @property
    def shows_side(self) -> bool:
        """The panels on the right are there."""
        return not self.side.isHidden()

    def find_study(self) -> None:
        """Put the keyboard into the find box."""
        self.studies.show()
        self.studies.find_box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.studies.find_box.selectAll()

    def next_region(self) -> None:
        """Move the keyboard on: list, what was said last, images, side panel, and round again."""
        newest = self.notes.newest
        focus_next(
            self,
            (self.studies, self.studies.tree),
            *((newest,) if newest is not None else ()),
            (self.grid, self.grid.visible_panes[0]),
            (self.side, self.side.tabBar()),
        )

    def toggle_full_screen(self) -> None:
        """Use the whole screen, or give it back."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def show_shortcuts(self) -> None:
        """List what mouse and keys do."""
        show_shortcuts(self, self._app.preferences.settings, self.edit_shortcuts)

    def edit_shortcuts(self) -> None:
        """Choose other keys."""
        ShortcutEditor(self, self._app, ACTIONS).show()

    def find_command(self) -> None:
        """Type to find a command."""
        Palette(self._app, self.table, ACTIONS).show()

    def show_about(self) -> None:
        """Version, models and licence."""
        show_about(self, self._app.analysis.cards())

    def open_paths(self, paths: tuple[Path, ...]) -> None:
        """Open folders and files in place of what is open; tables alone go to what is open."""
        if all(is_table(path) for path in paths):
            self._app.records.add(paths)
            return
        self.notes.let_go()
        self._app.records.expect(paths)
        self._app.library.open(tuple(path for path in paths if not is_table(path)))

    # -- something happened ----------------------------------------------------------------

    def _dress(self, settings: Settings) -> Theme:
        theme, instance = theme_named(settings.theme), QApplication.instance()
        if isinstance(instance, QApplication):
            apply(instance, theme)
        return theme

    def _use_mouse(self, settings: Settings) -> None:
        self.mouse.map = with_own(profile_of(settings).mouse, settings)

    def _on_settings(self, settings: Settings) -> None:
        self._use_mouse(settings)
        if settings.theme != self._theme.name:
            self._theme = self._dress(settings)
            self.table.set_icons(self._theme)
        self.table.refresh()

    def _on_header(self, title: str, tags: tuple[Tag, ...]) -> None:
        TagBrowser(self, title, tags).show()

    def _on_exported(self, path: Path, pages: int) -> None:
        self.notes.take_back(self._reported)
        self._reported, way_there = written(path, pages)
        self.notes.show_note(self._reported, way_there)

    def _read_values(self) -> None:
        """Tell the values under the mouse, or at the crosshair, wherever they are shown."""
        read = probe_under(self.session, self.mouse.under)
        self.status.show_probe(read)
        self.curve.follow()
        details = self.side.shown
        if isinstance(details, DetailsPanel) and details.isVisible():
            details.show_probe(read)

    def _on_menu_wanted(self, at: QPoint) -> None:
        """Offer what can be done with an image; the menu is made once."""
        if self._menu.isEmpty():
            name(self._menu, "menu_pane", tr("Image"))
            self.table.fill(self._menu, CONTEXT)
        self._menu.popup(at)

    def _fold(self, *, is_wide: bool) -> None:
        """Leave words on the tool bar away and make the sides slim where the window is narrow."""
        self._bar.fold(is_wide=is_wide)
        left, right = (_LEFT_PX, _SIDE_PX) if is_wide else _SLIM_PX
        self._split.setSizes([left, self.width() - left - right, right])

    # -- Qt's hooks ------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802  # Qt's hook
        """Take folders and files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  # Qt's hook
        """Open what was dropped."""
        paths = tuple(
            Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()
        )
        if paths:
            event.acceptProposedAction()
            self.open_paths(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Keep all buttons in reach."""
        super().resizeEvent(event)
        is_wide = event.size().width() >= _WIDE_PX
        if is_wide != self._is_wide:
            self._is_wide = is_wide
            self._fold(is_wide=is_wide)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's hook
        """End a peek."""
        self.table.key_released(event)
        super().keyReleaseEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  # Qt's hook
        """Ask once when work goes on; then stop it."""
        if not may_close(self._app):
            event.ignore()
            return
        for task in self._app.session.tasks:
            task.cancel()
        event.accept()


def _splitter(key: str, text: str, parent: QWidget) -> QSplitter:
    """For parts side by side, none of which can be pushed away."""
    made = QSplitter(Qt.Orientation.Horizontal, parent)
    name(made, key, text)
    made.setHandleWidth(1)
    made.setChildrenCollapsible(False)
    return made


def _first_size() -> QSize:
    """Large, but not larger than the screen; windows in memory have no screen."""
    wanted, screen = QSize(1600, 1000), QGuiApplication.primaryScreen()
    if screen is None or QGuiApplication.platformName() == "offscreen":
        return wanted
    return wanted.boundedTo(screen.availableSize())
