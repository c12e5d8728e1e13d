"""A reader's day at the window, with a study of canaries: run as a program of its own.

Arguments: a folder of studies, and where exported files go. What is written anywhere else is
what the program writes by itself. The last study is read without private mode.
"""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit
from result_phantom import card, prediction_on

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.prediction import InputRef, Prediction
from medview.io.cards import write_card
from medview.io.installation import home
from medview.main import build
from medview.services.settings import Preferences
from medview.ui import closing, commands, report_leaving
from medview.ui.screenshot import save_pictures

PATIENCE_S = 240


def until(what) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > end:
            sys.exit("waited too long")
        QApplication.processEvents()
        time.sleep(0.01)


def accept_dialog(folder: Path) -> None:
    """Answer the file dialog that is about to open."""
    open_ones = [w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog)]
    if not open_ones or not open_ones[0].isVisible():
        QTimer.singleShot(50, lambda: accept_dialog(folder))
        return
    open_ones[0].setDirectory(str(folder))
    open_ones[0].findChild(QLineEdit, "fileNameEdit").setText("report.pdf")
    open_ones[0].accept()


def result_about(session) -> Prediction:
    """What a model says of the study on screen."""
    about, volume = session.volume_id, session.volume
    seen = InputRef(
        "t1", session.series.study_uid, about.series, 0, about.sha256, volume.geometry.shape[::-1]
    )
    return replace(prediction_on(volume), inputs=(seen,))


def day(app, study: Path, out: Path) -> None:
    """Open, draw, get a result, write, sign, export, open what is not there, meet a mistake."""
    window, session = app.window, app.session
    before = session.volume
    window.open_paths((study,))
    until(lambda: session.volume is not before and session.volume_id and not session.tasks)
    x, y, z = (float(mm) for mm in session.volume.geometry.to_mm((12, 16, 14)))
    line = Measurement(1, "length", ((x, y, z), (x + 20, y, z)), (1.0, 0, 0), (0, 1.0, 0))
    session.drawings = {session.series.key: (line,)}
    session.key_images = {session.series.key: (KeyImage(Plane.AXIAL, 12, point_lps=(x, y, z)),)}
    made = result_about(session)
    session.predictions = {session.volume_id: (made,)}
    app.shelf.keep(session.volume_id, made, session.series, card())
    app.reading.write(findings="A lesion.", impression="A tumour.")
    app.reading.judge(1, "agree")
    app.workspaces.keep_draft()
    QTimer.singleShot(50, lambda: accept_dialog(out))
    report_leaving.export_report(app)
    until(lambda: (out / "report.pdf").exists() and not session.tasks)
    app.outgoing.deidentify(out / "copy")
    until(lambda: (out / "copy").exists() and not session.tasks)
    save_pictures(window, out / "pictures")
    window.open_paths((study / f"{study.name}-nothing.dcm",))
    until(lambda: not session.tasks)
    sys.excepthook(ValueError, ValueError(f"{study} of {session.catalogue}"), None)


def main() -> None:
    studies, out = (Path(word) for word in sys.argv[1:])
    closing.ask = lambda *_: True
    logging.getLogger().addHandler(logging.FileHandler(out.with_name("debug.log")))
    logging.getLogger().setLevel(logging.DEBUG)
    write_card(card(), out / "weights" / "anomaly" / "card.json")
    program = build(Preferences(home() / "settings.json"), weights=out / "weights")
    program.app.window.show()
    found = sorted(studies.iterdir())
    for study in found:
        is_last = study == found[-1]
        if program.app.session.private is is_last:
            commands.toggle_private(program.app)
        (out / study.name[-1]).mkdir(parents=True)
        day(program.app, study, out / study.name[-1])
    program.close()


main()
