"""Commands for files: open, keep, forget, hand on; part of the table in ``actions``."""

from __future__ import annotations

from medview.ui import commands
from medview.ui.action import Action, has_image, has_study
from medview.ui.autosave import save_workspace
from medview.ui.leaving import LEAVING
from medview.ui.report_leaving import REPORT_LEAVING, export_report

FILE: tuple[Action, ...] = (
    Action(
        "file.open_folder", "Open folder …", commands.open_folder, "File",
        "Ctrl+O", "folder-open", "Open a folder of images",
    ),
    Action(
        "file.open_file", "Open file …", commands.open_file, "File",
        "Ctrl+Shift+O", "file", "Open one or several image files",
    ),
    Action(
        "file.export_report", "Export report …", export_report, "File",
        "Ctrl+P", "file-pdf", "Write the report as a PDF", has_study,
    ),
    Action(
        "file.preview_report", "Report preview", lambda app: app.window.toggle_preview(), "File",
        "Ctrl+Shift+R", tip="Show the pages of the report beside the images", enabled=has_study,
        checked=lambda app: not app.window.preview.isHidden(),
    ),
    *REPORT_LEAVING,
    Action(
        "file.save", "Save workspace", save_workspace, "File",
        "Ctrl+S", tip="Keep layout, views and drawings of this study now", enabled=has_image,
    ),
    Action(
        "file.forget", "Forget workspace …", commands.forget_workspace, "File",
        tip="Delete what is kept of this study's layout, views and drawings", enabled=has_image,
    ),
    Action(
        "file.forget_study", "Forget study …", commands.forget_study, "File",
        tip="Delete all that is kept of this study: results, report, layout, drawings",
        enabled=has_image,
    ),
    Action(
        "file.save_picture", "Save picture …", commands.save_picture, "File",
        "Ctrl+Shift+S", tip="Write the active pane with all that is drawn on it as a PNG",
        enabled=has_image,
    ),
    *LEAVING,
    Action(
        "file.private", "Private", commands.toggle_private, "File",
        "Ctrl+Shift+P", "shield-check", "Hide names, ids and dates",
        checked=lambda app: app.session.private,
    ),
    Action(
        "file.quit", "Quit", lambda app: app.window.close(), "File",
        "Ctrl+Q", tip="Close the window",
    ),
)  # fmt: skip
