from types import SimpleNamespace

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog
from services.stubs import catalogue_of, series_of
from ui.fakes import drag

from medview.domain.errors import ReadError, WriteError
from medview.domain.progress import Silent
from medview.services.movies import write_picture
from medview.services.session_values import Message
from medview.ui import screenshot
from medview.ui.screenshot import WhenDrawn, save_pictures


def test_a_picture_of_the_window_and_of_each_pane(head, tmp_path):
    written = save_pictures(head.window, tmp_path / "shots")
    names = {path.name for path in written}
    assert names == {"window.png", "pane_axial.png", "pane_coronal.png", "pane_sagittal.png"}
    window = QImage(str(tmp_path / "shots" / "window.png"))
    assert (window.width(), window.height()) == (1400, 900)
    pane = QImage(str(tmp_path / "shots" / "pane_axial.png"))
    middle = [pane.pixelColor(x, pane.height() // 2).value() for x in range(pane.width())]
    assert max(middle) > 60


def test_only_panes_that_are_seen_are_saved(head, tmp_path):
    head.press("F")
    names = {path.name for path in save_pictures(head.window, tmp_path)}
    assert names == {"window.png", "pane_axial.png"}


def test_it_waits_until_the_series_is_drawn(bench, tmp_path, qtbot):
    ended = []
    WhenDrawn(bench.window, tmp_path, ended.append)
    bench.settle()
    assert ended == []
    bench.show()
    qtbot.waitUntil(lambda: bool(ended))
    (saved,) = ended
    assert [path.name for path in saved][:2] == ["window.png", "pane_axial.png"]
    assert (tmp_path / "window.png").is_file()


def test_what_cannot_be_opened_ends_it_with_the_reason(bench, tmp_path):
    ended = []
    WhenDrawn(bench.window, tmp_path, ended.append)
    bench.window.open_paths((tmp_path,))
    error = ReadError("holds no image", file="x")
    bench.jobs.last.fail(error)
    assert ended == [error]
    assert not (tmp_path / "window.png").exists()


def test_a_warning_does_not_end_it(bench, tmp_path):
    ended = []
    WhenDrawn(bench.window, tmp_path, ended.append)
    bench.session.catalogue = catalogue_of(series_of("1.1"))
    bench.session.message = Message("1 file could not be read", "warning")
    assert ended == []


def test_a_place_where_nothing_can_be_written_is_an_error(head, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("x")
    ended = []
    waiting = WhenDrawn(head.window, blocked / "shots", ended.append)
    waiting._save()
    assert isinstance(ended[0], WriteError)
    with pytest.raises(WriteError, match="no picture can be written there"):
        save_pictures(head.window, blocked / "shots")


def ambers(image, rows):
    """How many pixels are about of the colour of what is chosen: a drawing, or an outline."""
    colours = (image.pixelColor(x, y) for x in range(image.width()) for y in rows)
    return sum(c.red() > 130 and c.red() > 1.2 * c.green() > 2 * c.blue() for c in colours)


def save(bench):
    """Save a picture, which the child for files writes."""
    bench.press("Ctrl+Shift+S")
    job = bench.jobs.running("write_picture")[-1]
    try:
        job.finish(write_picture(Silent(), *job.args))
    except WriteError as error:
        job.fail(error)


def test_a_picture_of_the_active_pane_has_its_drawings_but_no_outline(head, tmp_path, monkeypatch):
    path = tmp_path / "shown.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    save(head)
    plain = QImage(str(path))
    assert ambers(plain, (0, *range(290, 310))) == 0
    head.window.use_tool("length")
    drag(head.pane(), (200, 300), (120, 0))
    head.settle()
    save(head)
    drawn = QImage(str(path))
    assert drawn.size() == head.pane().viewport().size()
    assert ambers(drawn, range(290, 310)) > 100
    assert ambers(drawn, (0,)) == 0
    assert ambers(head.pane().grab().toImage(), (0,)) > 400
    assert head.pane().dress.is_active


def test_a_picture_that_cannot_be_written_says_so(head, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "shown.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    save(head)
    assert isinstance(head.session.message.error, WriteError)
    assert not path.exists()


@pytest.mark.parametrize(("free", "what"), [(2**12, "the disk is full"), (2**30, "the picture")])
def test_of_a_picture_that_is_not_written_a_full_disk_is_told(free, what, tmp_path, monkeypatch):
    monkeypatch.setattr(screenshot, "disk_usage", lambda _: SimpleNamespace(free=free))
    error = screenshot.unwritten(tmp_path / "axial.png")
    assert (error.what.startswith(what), error.file, bool(error.do)) == (True, "axial.png", True)
