"""From an empty window to a PDF without a mouse: every step by keys, and seen where one is."""

from pathlib import Path

import pypdf
import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QTreeWidget
from services.stubs import catalogue_of, result_about, series_of
from ui.fakes import CONTROL, two_findings, type_key
from ui.panels.test_model_cards import chest

from medview.domain.progress import Silent
from medview.services.report_work import build_and_write, hold

_MOST_STOPS = 80
_SHOWN = ("evidence", "occlusion", "seen", "zones")


def here():
    return QApplication.focusWidget()


def keys(which, modifiers=Qt.KeyboardModifier.NoModifier):
    type_key(here(), which, modifiers)


def tab_to(part):
    """Press Tab until the keyboard is in a part of this name; its stops, each of which is seen."""
    stops = []
    while len(stops) < _MOST_STOPS:
        keys(Qt.Key.Key_Tab)
        stops.append(here().objectName())
        assert here().isVisible(), here().objectName()
        if here().objectName() == part:
            return stops
    raise AssertionError(f"Tab does not come to {part}, but to {stops}")


def to_panel(bench, title):
    """By F6 to the tabs of the side, then along them; what has been written may take Tab."""
    tabs = bench.window.side.tabBar()
    for _ in range(5):
        if here() is tabs:
            break
        keys(Qt.Key.Key_F6)
    assert here() is tabs
    for _ in range(tabs.currentIndex()):
        keys(Qt.Key.Key_Left)
    for _ in range(tabs.count()):
        if tabs.tabText(tabs.currentIndex()) == title:
            bench.settle()
            return
        keys(Qt.Key.Key_Right)
    raise AssertionError(title)


def picture(bench, widget):
    """What a widget and its frame look like in the window."""
    bench.settle()
    at = widget.mapTo(bench.window, QPoint(0, 0))
    return bench.window.grab(QRect(at, widget.size()).adjusted(-2, -2, 2, 2)).toImage()


def write_report(bench, words, path, monkeypatch):
    """Findings into their field, then Ctrl+P; what is asked of the child that writes the pages."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    to_panel(bench, "Report")
    tab_to("report_findings")
    QTest.keyClicks(here(), words)
    keys(Qt.Key.Key_P, CONTROL)
    _, material, _, asked = bench.jobs.running("build_and_write")[-1].args
    assert asked == path
    return str(material.reader)


def test_a_brain_from_the_folder_to_the_report(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    keys(Qt.Key.Key_O, CONTROL)
    bench.jobs.running("scan")[-1].finish(catalogue_of(series_of("1.1")))
    bench.read()
    keys(Qt.Key.Key_F5)
    volume, about = bench.session.volume, bench.session.volume_id
    made = result_about(about, volume, findings=two_findings(volume))
    bench.jobs.running("predict:run")[-1].finish(made)
    bench.settle()
    to_panel(bench, "Results")
    tab_to("findings")
    keys(Qt.Key.Key_Down)
    chosen = bench.session.finding
    assert chosen in made.findings
    tab_to("verdict_agree")
    keys(Qt.Key.Key_Return)
    row = bench.find(QTreeWidget, "findings").topLevelItem(made.findings.index(chosen))
    assert row.text(3) == "agree"
    path = Path(tmp_path) / "brain.pdf"
    told = write_report(bench, "Bright lesion on the right.", path, monkeypatch)
    assert "Bright lesion on the right." in told
    assert "agree" in told


@pytest.mark.slow
def test_the_report_asked_for_by_keys_is_written(bench, tmp_path, monkeypatch):
    chest(bench)
    path = Path(tmp_path) / "film.pdf"
    write_report(bench, "Clear lungs.", path, monkeypatch)
    for work in (hold, build_and_write):  # as the child does
        work(Silent(), *bench.jobs.running(work.__name__)[-1].args)
    pages = pypdf.PdfReader(path).pages
    assert "Clear lungs." in "".join(page.extract_text() for page in pages)


def test_a_film_from_its_result_to_the_report(bench, tmp_path, monkeypatch):
    chest(bench)
    to_panel(bench, "Results")
    stops = tab_to("say_cxr_score_severe_rejected")
    assert stops[:5] == [*(f"show_{what}" for what in _SHOWN), "zone_grades_same"]
    assert stops[5:12] == [
        *(f"zone_grade_{zone}" for zone in "ABCDEF"),
        "say_cxr_score_severe_agree",
    ]
    keys(Qt.Key.Key_Space)
    told = write_report(bench, "Clear lungs.", Path(tmp_path) / "film.pdf", monkeypatch)
    assert "Clear lungs." in told
    assert bench.session.opinion("cxr@1.0", "score severe").verdict == "rejected"


@pytest.mark.parametrize("panel", ["Layers", "Results"])
def test_where_the_keyboard_is_can_be_seen_at_every_stop_and_none_holds_it(bench, panel):
    volume = bench.show(phantom_on(geometry_of("LPS", (20, 22, 18), (6.0, 6.0, 6.0))))
    bench.add_result("score", "total", findings=two_findings(volume))
    bench.pane().setFocus()
    to_panel(bench, panel)
    unseen, stops = [], []
    while here() is not bench.pane() and len(stops) < _MOST_STOPS:
        widget = here()
        stops.append(widget.objectName())
        seen = picture(bench, widget)
        widget.clearFocus()
        if picture(bench, widget) == seen:
            unseen.append(widget.objectName())
        widget.setFocus()
        keys(Qt.Key.Key_Tab)
    assert unseen == []
    assert here() is bench.pane()  # once round: no widget holds it, none comes twice
    assert len(set(stops)) == len(stops) > 20
